import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { drawingOrder } from "./codecs";
import { FACTORS, factorOf } from "./looks";
import type { VariedMessage } from "./messages";
import { MapState } from "./state";
import { bytes, FakeModel } from "./testing";
import { MapView } from "./view";

const SURE: VariedMessage = {
  type: "varied",
  what: "size",
  by: "outlier",
  version: 1,
  name: "Outlier score",
  range: [0.25, 4],
  ends: ["usual", "far out"],
  none: "unknown",
};
const NONE = { by: null, name: null, range: null, ends: null, none: null };

let model: FakeModel;
let state: MapState;
let view: MapView;

beforeEach(() => {
  vi.useFakeTimers();
  model = new FakeModel();
  state = new MapState(model);
  view = new MapView(state);
  document.body.append(view.root);
  model.points(4);
  model.labels([0, 1, 1, 255]);
  model.choices();
});
afterEach(() => {
  view.dispose();
  state.dispose();
  vi.useRealTimers();
});

const find = <T extends HTMLElement>(selector: string) => view.root.querySelector<T>(selector)!;
const select = (name: string) => find<HTMLSelectElement>(`select[aria-label="${name}"]`);
function choose(name: string, by: string): void {
  select(name).value = by;
  select(name).dispatchEvent(new Event("change"));
}

describe("sizes and opacities", () => {
  it("follow a quantity that is asked for, and are the same for all again", () => {
    const offered = [...select("Size by").options].map((option) => option.value);
    expect(offered).toEqual(["", "uncertainty", "outlier", "trust"]);
    choose("Size by", "outlier");
    expect(model.last?.message).toEqual({ type: "vary", what: "size", by: "outlier" });
    model.receive(SURE, bytes([0, 254, 127, 255]));
    expect([...state.varying.steps.size!]).toEqual([0, 254, 127, 255]);
    expect(state.varying.steps.opacity).toBeNull();
    choose("Size by", "");
    expect(model.last?.message).toEqual({ type: "vary", what: "size", by: null });
    model.receive({ ...SURE, ...NONE });
    expect(state.varying.steps.size).toBeNull();
    expect(select("Size by").value).toBe("");
  });

  it("have a scale below the legend, with what its ends mean", () => {
    const scale = find(".alw-map-scale[data-what=size]");
    expect([scale.hidden, find(".alw-map-scales").hidden]).toEqual([true, true]);
    model.receive(SURE, bytes([0, 254, 127, 255]));
    expect(scale.hidden).toBe(false);
    expect(scale.textContent).toBe("Size Outlier scoreusualfar out");
    expect(find(".alw-map-scale .alw-map-ends").title).toBe("0.25 to 4");
    model.receive({ ...SURE, ends: null, by: "meta:length", name: "length" }, bytes([0, 254, 127, 255]));
    expect(scale.textContent).toBe("Size length0.254");
    expect(find(".alw-map-scale[data-what=opacity]").hidden).toBe(true);
  });

  it("stay as they are when what was asked for is refused", () => {
    model.receive(SURE, bytes([0, 254, 127, 255]));
    choose("Size by", "uncertainty");
    model.receive({ type: "problem", text: "There is no model yet.", remedy: "" });
    expect(select("Size by").value).toBe("outlier");
  });

  it("that came before the points wait for them, and go with them", () => {
    const early = new FakeModel();
    const waiting = new MapState(early);
    early.receive(SURE, bytes([0, 254, 127, 255]));
    early.receive({ ...SURE, what: "opacity" }, bytes([1, 1, 1, 1]));
    expect(waiting.varying.steps.size).toBeNull();
    early.points(4);
    expect([waiting.varying.steps.size?.[1], waiting.varying.steps.opacity?.[1]]).toEqual([254, 1]);
    early.points(3, { revision: 2 });
    expect(waiting.varying.steps.size).toBeNull();
    waiting.dispose();
  });

  it("of another number of points are an error, and the map stays", () => {
    model.receive(SURE, bytes([0, 254]));
    expect(state.notice?.text).toContain("2 bytes came, 4 were expected");
    expect(state.varying.steps.size).toBeNull();
  });

  it("grow with the step: evenly in area, and least without a value", () => {
    const steps = { size: Uint8Array.of(0, 127, 254, 255), opacity: null };
    const areas = [0, 1, 2, 3].map((i) => factorOf("size", steps, i) ** 2);
    expect(areas[1]).toBeCloseTo((areas[0]! + areas[2]!) / 2, 4);
    expect(areas[3]).toBeCloseTo(areas[0]!, 6);
    expect(factorOf("opacity", steps, 2)).toBe(1);
    expect(FACTORS.opacity[254]).toBeCloseTo(1, 6);
    expect(FACTORS.opacity[0]).toBeGreaterThan(0.1);
  });

  it("lay small points above large ones, and what has a class above what has none", () => {
    const colouring = state.colouring!;
    expect(drawingOrder(colouring, Uint8Array.of(255, 3, 200, 250))).toEqual(Uint32Array.of(3, 2, 1, 0));
    model.labels([0, 1, 1, 0]);
    expect(drawingOrder(state.colouring!, Uint8Array.of(5, 3, 200, 0))).toEqual(Uint32Array.of(2, 0, 1, 3));
    expect(drawingOrder(state.colouring!)).toBeNull();
  });
});

describe("density contours", () => {
  const row = () =>
    [...view.root.querySelectorAll<HTMLButtonElement>("button")].find(
      (b) => b.textContent === "Density contoursD",
    )!;

  it("are drawn and taken away by a key and by a button", () => {
    expect(row().getAttribute("aria-pressed")).toBe("false");
    view.root.dispatchEvent(new KeyboardEvent("keydown", { key: "d", bubbles: true, cancelable: true }));
    expect([state.isContouring, row().getAttribute("aria-pressed")]).toEqual([true, "true"]);
    row().click();
    expect(state.isContouring).toBe(false);
  });

  it("are the same in every view of the map", () => {
    const other = new MapView(state);
    state.toggleContours();
    expect(other.root.querySelector("[aria-keyshortcuts=D]")?.getAttribute("aria-pressed")).toBe("true");
    other.dispose();
  });
});
