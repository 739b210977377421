import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { LayoutMessage } from "./messages";
import { inWords, tenths } from "./spaces";
import { MapState } from "./state";
import { bytes, FakeModel } from "./testing";
import { MapView } from "./view";

let model: FakeModel;
let state: MapState;
let view: MapView;

beforeEach(() => {
  model = new FakeModel();
  state = new MapState(model);
  view = new MapView(state);
  document.body.append(view.root);
  model.points(4);
});
afterEach(() => {
  view.dispose();
  state.dispose();
});

const find = <T extends HTMLElement>(selector: string) => view.root.querySelector<T>(selector)!;
const select = () => find<HTMLSelectElement>('[aria-label="Space"]');
const stop = () => find<HTMLButtonElement>(".alw-map-stop");

function layout(more: Partial<LayoutMessage> = {}): void {
  model.receive({
    type: "layout",
    space: "features",
    spaces: ["features", "model"],
    ready: ["features", "model"],
    stopped: false,
    figures: null,
    ...more,
  });
}

function choose(value: string): void {
  select().value = value;
  select().dispatchEvent(new Event("change"));
}

describe("the space", () => {
  it("can be chosen, and goes back where the kernel refuses", () => {
    layout();
    expect(select().closest("label")!.hidden).toBe(false);
    expect(view.root.dataset.space).toBe("features");
    choose("model");
    expect(model.last?.message).toEqual({ type: "space", space: "model" });
    layout({ space: "model" });
    expect(select().value).toBe("model");
    expect(view.root.dataset.space).toBe("model");
    choose("features");
    model.receive({ type: "problem", text: "No.", remedy: "" });
    expect(select().value).toBe("model");
  });

  it("says what it needs while there is no model", () => {
    layout({ ready: ["features"] });
    const option = select().options[1]!;
    expect([option.disabled, option.textContent]).toEqual([true, "Model (needs a model)"]);
    layout();
    expect([option.disabled, option.textContent]).toEqual([false, "Model"]);
  });

  it("is not asked for where there can be no model", () => {
    expect(select().closest("label")!.hidden).toBe(true);
    layout({ spaces: ["features"], ready: ["features"] });
    expect(select().closest("label")!.hidden).toBe(true);
  });
});

describe("a layout under way", () => {
  it("can be stopped and gone on with", () => {
    layout();
    expect(stop().hidden).toBe(true);
    model.receive({ type: "progress", fraction: 0.2, text: "Arranging the map… 20 %" });
    expect([stop().hidden, stop().textContent]).toEqual([false, "Stop"]);
    stop().click();
    expect(model.last?.message).toEqual({ type: "cancel_layout" });
    model.receive({ type: "progress", fraction: null, text: null });
    layout({ stopped: true });
    expect([stop().hidden, stop().textContent]).toEqual([false, "Go on"]);
    stop().click();
    expect(model.last?.message).toEqual({ type: "space", space: "features" });
    layout();
    expect(stop().hidden).toBe(true);
  });

  it("shows no stop for what cannot be stopped, nor beside a selection", () => {
    layout();
    model.receive({ type: "progress", fraction: null, text: "Measuring…", stoppable: false });
    expect(stop().hidden).toBe(true);
    model.receive({ type: "progress", fraction: null, text: "Reading the features…" });
    expect(stop().hidden).toBe(false);
    state.select([1]);
    expect(stop().hidden).toBe(true);
  });
});

describe("the figures", () => {
  const figures = { trustworthiness: 0.953, continuity: 0.968, sampled: 5000, moved: 0.0112 };

  it("stand in a corner, with what they mean", () => {
    layout();
    const corner = find(".alw-map-figures");
    expect(corner.hidden).toBe(true);
    layout({ figures });
    expect(corner.hidden).toBe(false);
    expect(corner.textContent).toBe("trust 0.95 · continuity 0.97 · moved 1.1 %");
    expect(corner.title).toContain("belong together");
    expect(corner.title).toContain("Measured on 5,000 items.");
  });

  it("leave out what is not known", () => {
    expect(inWords({ ...figures, moved: null }).text).toBe("trust 0.95 · continuity 0.97");
    expect(inWords(null)).toEqual({ text: "", title: "" });
    expect(tenths(0)).toBe("0.0 %");
  });
});

describe("local trust", () => {
  it("is a colour whose legend selects the points that are least to be trusted", () => {
    const ramp = { kind: "ramp", categories: null, range: [0, 1], version: 0, bytes: 1 } as const;
    const notable = { end: "low", words: "least to be trusted" } as const;
    model.receive(
      { type: "colours", by: "trust", ...ramp, range: [0, 1], notable },
      bytes([200, 255, 3, 90]),
    );
    find('[data-code="most"]').click();
    expect(model.last?.indices).toEqual([2, 3, 0]);
    expect(find('[data-code="most"]').textContent).toBe("Select the 4 least to be trusted");
  });
});
