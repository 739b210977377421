import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { named } from "./legend";
import { MapState } from "./state";
import { bytes, FakeModel } from "./testing";
import { MapView } from "./view";

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
});
afterEach(() => {
  view.dispose();
  state.dispose();
  vi.useRealTimers();
});

const find = <T extends HTMLElement>(selector: string) => view.root.querySelector<T>(selector)!;
const press = (target: HTMLElement, key: string) =>
  target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));

function columns(shown: string[], n: number): void {
  const choices = shown.map((name) => ({ by: `meta:${name}`, name, ready: true }));
  model.choices({ groups: [{ name: "Metadata", choices }], n_columns: n });
}

describe("columns of metadata", () => {
  it("stand in a group, and one of many is found by a part of its name", () => {
    columns(["sender", "length"], 10_000);
    const select = find<HTMLSelectElement>("select");
    expect([...select.options].map((option) => option.textContent)).toContain("One of 10,000 columns…");
    select.value = "another";
    select.dispatchEvent(new Event("change"));
    const input = find<HTMLInputElement>(".alw-map-column");
    expect(input.hidden).toBe(false);
    expect(document.activeElement).toBe(input);
    input.value = "pri";
    input.dispatchEvent(new InputEvent("input", { inputType: "insertText" }));
    expect(model.last?.message).toEqual({ type: "columns", search: "" });
    vi.advanceTimersByTime(200);
    expect(model.last?.message).toEqual({ type: "columns", search: "pri" });
    model.receive({ type: "columns", search: "pri", names: ["price", "prices"], total: 2 });
    expect(
      [...view.root.querySelectorAll("datalist option")].map((o) => (o as HTMLOptionElement).value),
    ).toEqual(["price", "prices"]);
    press(input, "Enter");
    expect(model.last?.message).toEqual({ type: "colour_by", by: "meta:price" });
    expect(input.hidden).toBe(true);
    expect(select.value).toBe("meta:price");
  });

  it("are left with Escape, and the map keeps its colours", () => {
    columns(["sender"], 500);
    const select = find<HTMLSelectElement>("select");
    select.value = "another";
    select.dispatchEvent(new Event("change"));
    press(find(".alw-map-column"), "Escape");
    expect(find(".alw-map-column").hidden).toBe(true);
    expect(select.value).toBe("label");
    expect(model.sent.map((s) => s.message.type)).not.toContain("colour_by");
  });

  it("show the days of a column, not its seconds", () => {
    const day = 86_400;
    model.receive(
      {
        type: "colours",
        by: "meta:sent",
        kind: "ramp",
        categories: null,
        range: [0, 254 * day],
        version: 0,
        bytes: 1,
        name: "sent",
        ends: ["1970-01-01", "1970-09-12"],
      },
      bytes([0, 1, 254, 255]),
    );
    expect(named(state.colouring!, 31)).toBe("1970-02-01");
    expect(find(".alw-map-ends").textContent).toBe("1970-01-011970-09-12");
    expect(find('[data-code="most"]')).toBeNull();
  });
});

describe("hiding", () => {
  it("takes the points of a category off the map, and brings them back", () => {
    const eye = find('[aria-label="Hide spam"]');
    eye.click();
    expect(eye.getAttribute("aria-pressed")).toBe("true");
    expect(state.visible([0, 1, 2, 3])).toEqual([0, 3]);
    press(find('[data-code="2"]'), "h");
    expect(state.visible([0, 1, 2, 3])).toEqual([0, 1, 2, 3]);
    find('[data-code="2"]').dispatchEvent(new MouseEvent("click", { altKey: true, bubbles: true }));
    expect(state.hidden.has(2)).toBe(true);
    expect(model.sent.map((s) => s.message.type)).not.toContain("select");
  });

  it("ends with other colours, and stays with new ones of the same kind", () => {
    state.toggle(1);
    model.labels([0, 0, 1, 255]);
    expect([...state.hidden]).toEqual([1]);
    model.receive(
      {
        type: "colours",
        by: "stream",
        kind: "category",
        categories: ["train"],
        range: null,
        version: 0,
        bytes: 1,
      },
      bytes([0, 0, 255, 255]),
    );
    expect(state.hidden.size).toBe(0);
  });
});

describe("a range of a ramp", () => {
  beforeEach(() =>
    model.receive(
      {
        type: "colours",
        by: "outlier",
        kind: "ramp",
        categories: null,
        range: [0, 2.54],
        version: 0,
        bytes: 1,
      },
      bytes([3, 250, 100, 255]),
    ),
  );

  it("selects what lies in it, once the thumb rests", () => {
    const [from, to] = view.root.querySelectorAll<HTMLInputElement>('[type="range"]');
    from!.value = "50";
    from!.dispatchEvent(new Event("input"));
    expect(find(".alw-map-within").textContent).toBe("0.5 to 2.5");
    expect(Array.from(state.selection)).toEqual([]);
    vi.advanceTimersByTime(100);
    expect(Array.from(state.selection)).toEqual([1, 2]);
    to!.value = "20"; // pushed past the other
    to!.dispatchEvent(new Event("input"));
    vi.advanceTimersByTime(100);
    expect(from!.value).toBe("20");
    expect(Array.from(state.selection)).toEqual([]);
  });

  it("stays when the legend is drawn anew, and goes with its colours", () => {
    const from = () => view.root.querySelector<HTMLInputElement>('[type="range"]')!;
    from().value = "50";
    from().dispatchEvent(new Event("input"));
    vi.advanceTimersByTime(100);
    const ramp = {
      type: "colours",
      by: "outlier",
      kind: "ramp",
      categories: null,
      version: 1,
      bytes: 1,
    } as const;
    const before = from();
    model.receive({ ...ramp, range: [0, 5] }, bytes([3, 250, 100, 255]));
    expect(from()).not.toBe(before);
    expect(from().value).toBe("50");
    model.labels([0, 1, 1, 255]);
    model.receive({ ...ramp, range: [0, 5] }, bytes([3, 250, 100, 255]));
    expect(from().value).toBe("0");
  });

  it("that is all of it selects nothing", () => {
    const [from] = view.root.querySelectorAll<HTMLInputElement>('[type="range"]');
    from!.value = "50";
    from!.dispatchEvent(new Event("input"));
    vi.advanceTimersByTime(100);
    from!.value = "0";
    from!.dispatchEvent(new Event("input"));
    vi.advanceTimersByTime(100);
    expect(Array.from(state.selection)).toEqual([]);
    expect(find(".alw-map-within").hidden).toBe(true);
  });
});
