import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { FoundMessage } from "./messages";
import { MapState } from "./state";
import { at, FakeModel } from "./testing";
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
  model.points(5);
  model.labels([0, 1, 1, 255, 255]);
  view.root.focus();
});
afterEach(() => {
  view.dispose();
  state.dispose();
  vi.useRealTimers();
});

const find = <T extends HTMLElement>(selector: string) => view.root.querySelector<T>(selector)!;
const box = () => find<HTMLInputElement>(".alw-map-search");
const status = () => find(".alw-map-hits").textContent;
const press = (target: HTMLElement, key: string) =>
  target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
const searches = () => model.sent.filter((s) => s.message.type === "search").map((s) => s.message);

function type(text: string): void {
  box().value = text;
  box().dispatchEvent(new InputEvent("input"));
}

function answer(text: string, indices: number[], more: Partial<FoundMessage> = {}): void {
  const message: FoundMessage = { type: "found", text, total: indices.length, read: 5, n: 5, error: null };
  model.receive({ ...message, ...more }, at(1, new Uint32Array(indices).buffer));
}

describe("the search box", () => {
  it("is reached with a slash, and looks once the person pauses", () => {
    press(view.root, "/");
    expect(document.activeElement).toBe(box());
    expect(searches()).toEqual([{ type: "search", text: "" }]); // has the index begun
    type("pri");
    vi.advanceTimersByTime(100);
    type("prize");
    vi.advanceTimersByTime(100);
    expect(searches()).toHaveLength(1);
    vi.advanceTimersByTime(100);
    expect(searches().at(-1)).toEqual({ type: "search", text: "prize" });
    expect(status()).toBe("searching…");
    answer("prize", [4, 1]);
    expect(status()).toBe("2 items");
    expect(Array.from(state.marked)).toEqual([4, 1]);
    expect(Array.from(state.selection)).toEqual([]);
  });

  it("says what may have been meant otherwise", () => {
    type("sendr:ann");
    vi.advanceTimersByTime(200);
    answer("sendr:ann", [], { hint: "there is no column “sendr”" });
    expect(status()).toBe("0 items · there is no column “sendr”");
  });

  it("selects what was found with Enter", () => {
    box().focus();
    type("prize");
    vi.advanceTimersByTime(200);
    answer("prize", [4, 1]);
    press(box(), "Enter");
    expect(model.last).toEqual({ message: { type: "select", encoding: "positions" }, indices: [4, 1] });
    expect([box().value, status()]).toEqual(["", ""]);
    expect(document.activeElement).toBe(view.root);
    expect(Array.from(state.selection)).toEqual([4, 1]);
  });

  it("does not make a person wait who presses Enter at once", () => {
    type("prize");
    press(box(), "Enter");
    expect(searches().at(-1)).toEqual({ type: "search", text: "prize" });
    expect(Array.from(state.selection)).toEqual([]);
    answer("prize", [3]);
    expect(Array.from(state.selection)).toEqual([3]);
  });

  it("goes back to the selection with Escape", () => {
    state.select([0]);
    box().focus();
    type("prize");
    vi.advanceTimersByTime(200);
    answer("prize", [4, 1]);
    press(box(), "Escape");
    expect([box().value, state.found, Array.from(state.marked)]).toEqual(["", null, [0]]);
    expect(document.activeElement).toBe(view.root);
    expect(Array.from(state.selection)).toEqual([0]);
  });

  it("never shows what was found for something else", () => {
    type("prize");
    vi.advanceTimersByTime(200);
    type("lunch");
    vi.advanceTimersByTime(200);
    answer("prize", [4]);
    expect(state.found).toBeNull();
    answer("lunch", []);
    expect(status()).toBe("0 items");
    expect(Array.from(state.marked)).toEqual([]);
    press(box(), "Enter");
    expect(Array.from(state.selection)).toEqual([]);
  });

  it("says what is missing: the index, the rest, the reason", () => {
    type("prize");
    vi.advanceTimersByTime(200);
    model.receive({ type: "indexing", fraction: 0.43 });
    answer("prize", [1], { total: 7, read: 3 });
    expect(status()).toBe("7 items · first 1 shown · in the first 3 of 5 · indexing 43 %");
    model.receive({ type: "indexing", fraction: null });
    answer("prize", [], { error: "The items of this pool have no text." });
    expect(status()).toBe("The items of this pool have no text.");
    expect(Array.from(state.marked)).toEqual([]);
  });

  it("keeps its letters from the map and from the host", () => {
    const outside = vi.fn();
    document.body.addEventListener("keydown", outside);
    for (const key of ["l", "t", "0", "Enter", "Escape"]) press(box(), key);
    document.body.removeEventListener("keydown", outside);
    expect(outside).not.toHaveBeenCalled();
    expect(view.root.classList.contains("alw-map-lasso-on")).toBe(false);
  });
});
