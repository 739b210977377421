import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { PAGE } from "./lists";
import type { ColoursMessage, FromMap, ListOf, Row, RowsMessage } from "./messages";
import { MapState } from "./state";
import { at, bytes, FakeModel } from "./testing";
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
  model.points(200);
  model.labels(Array.from({ length: 200 }, (_, i) => i % 2));
  model.receive({
    type: "ways",
    ways: [
      { by: "knn", name: "Far from everything", needs: null },
      { by: "energy", name: "Fits no class", needs: "a model" },
    ],
  });
});
afterEach(() => {
  view.dispose();
  state.dispose();
  vi.useRealTimers();
});

const find = <T extends HTMLElement>(selector: string) => view.root.querySelector<T>(selector)!;
const panel = () => find(".alw-map-panel");
const list = () => find("[role=listbox]");
const options = () => [...view.root.querySelectorAll<HTMLElement>("[role=option]")];
const button = (name: string) =>
  [...panel().querySelectorAll<HTMLButtonElement>("button")].find(
    (b) => (b.getAttribute("aria-label") ?? b.textContent) === name,
  )!;
const note = () => find(".alw-map-listed").textContent;
const current = () => options().find((o) => o.id === list().getAttribute("aria-activedescendant"));
const lists = () =>
  model.sent.map((s) => s.message).filter((m): m is Extract<FromMap, { type: "list" }> => m.type === "list");
const selects = () => model.sent.filter((s) => s.message.type === "select");

function press(key: string, target: HTMLElement = list(), more: KeyboardEventInit = {}): KeyboardEvent {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more });
  target.dispatchEvent(event);
  return event;
}

function row(index: number, more: Partial<Row> = {}): Row {
  const content = { kind: "text", text: `text ${index}` } as const;
  return { index, item_id: `item-${index}`, content, value: "0.5", why: "Far.", label: null, ...more };
}

/** Answers what was asked last: item `199 - rank` at each rank. */
function answer(total = 8, more: Partial<RowsMessage> = {}): void {
  const asked = lists().at(-1)!;
  const n = Math.max(0, Math.min(PAGE, total - asked.start));
  const rows = Array.from({ length: n }, (_, k) => row(199 - asked.start - k));
  model.receive({
    type: "rows",
    list: asked.list,
    start: asked.start,
    total,
    rows,
    like: null,
    note: null,
    ...more,
  });
}

/** Chooses what to list. */
function choose(value: string): void {
  const select = find<HTMLSelectElement>("[aria-label='What to list']");
  select.value = value;
  select.dispatchEvent(new Event("change"));
}

function open(total = 8): void {
  press("e", view.root);
  answer(total);
}

describe("the panel", () => {
  it("opens with a key, ranks, and takes the keyboard", () => {
    expect(panel().hidden).toBe(true);
    press("e", view.root);
    expect(panel().hidden).toBe(false);
    expect(document.activeElement).toBe(list());
    expect(lists().at(-1)).toMatchObject({ of: { kind: "edge_cases", by: "knn" }, start: 0 });
    expect([note(), list().getAttribute("aria-busy")]).toEqual(["Ranking the items…", "true"]);
    answer(120);
    expect([find(".alw-map-listed").hidden, list().getAttribute("aria-busy")]).toEqual([true, "false"]);
    expect(options()).toHaveLength(PAGE);
    expect(list().getAttribute("aria-label")).toBe("Edge cases: Far from everything");
  });

  it("says of each row its rank, what it is, its score and why", () => {
    open(120);
    const first = options()[0]!;
    expect(first.textContent).toBe("1text 199 score 0.5Far.");
    expect(first.getAttribute("aria-posinset")).toBe("1");
    expect(first.getAttribute("aria-setsize")).toBe("120");
    expect(first.getAttribute("aria-selected")).toBe("false");
    expect(current()).toBe(first);
  });

  it("is left with Escape, by its button, and by the key that opened it", () => {
    const lists = find("[aria-label='Lists']");
    for (const leave of [() => press("Escape"), () => button("Close the panel").click(), () => press("e")]) {
      lists.click();
      expect([panel().hidden, lists.getAttribute("aria-expanded")]).toEqual([false, "true"]);
      leave();
      expect([panel().hidden, lists.getAttribute("aria-expanded")]).toEqual([true, "false"]);
      expect(document.activeElement).toBe(view.root);
    }
  });

  it("says what is missing, and what that list would need", () => {
    open();
    const names = [...find<HTMLSelectElement>("[aria-label='What to list']").options].map(
      (o) => o.textContent,
    );
    expect(names).toEqual([
      "Far from everything",
      "Fits no class (needs a model)",
      "Points by colour",
      "Slices",
    ]);
    choose("edge:energy");
    answer(0, { note: "There is no model yet. Label some items." });
    expect(note()).toBe("There is no model yet. Label some items.");
    expect(button("Select").disabled).toBe(true);
  });

  it("shows markup as text, and images from their bytes only", () => {
    press("e", view.root);
    const image = {
      kind: "image",
      mime: "image/png",
      buffer: 0,
      width: 8,
      height: 8,
      alt: "Item a",
    } as const;
    const asked = lists().at(-1)!;
    const text = "<img src=x onerror=alert(1)>";
    const rows = [
      row(1, { content: { kind: "text", text } }),
      row(2, { content: image }),
      row(3, {
        content: { ...image, mime: "image/svg+xml", buffer: 0 },
      }),
    ];
    const message = {
      type: "rows",
      list: asked.list,
      start: 0,
      total: 3,
      rows,
      like: null,
      note: null,
    } as const;
    model.receive({ ...message, rows }, bytes([1, 2, 3]));
    const images = list().querySelectorAll("img");
    expect(images).toHaveLength(1);
    expect(images[0]!.src).toMatch(/^blob:/);
    expect(options()[0]!.textContent).toContain(text);
  });

  it("keeps every key from the notebook", () => {
    open();
    const outside = vi.fn();
    document.body.addEventListener("keydown", outside);
    for (const key of ["x", "d", "Enter", " ", "m", "Escape"]) press(key);
    document.body.removeEventListener("keydown", outside);
    expect(outside).not.toHaveBeenCalled();
    for (const element of panel().querySelectorAll<HTMLElement>("button, select, [tabindex]"))
      expect(element.dataset.lmSuppressShortcuts).toBe("true");
  });
});

describe("the cursor", () => {
  it("moves by keys, and asks for the page that it comes to", () => {
    open(120);
    press("ArrowDown");
    expect(current()!.getAttribute("aria-posinset")).toBe("2");
    press("PageDown");
    expect(current()!.getAttribute("aria-posinset")).toBe("12");
    const before = lists().length;
    press("End");
    expect(lists().length).toBe(before + 1);
    expect(lists().at(-1)).toMatchObject({ list: lists()[0]!.list, start: 100 });
    expect(list().getAttribute("aria-busy")).toBe("true");
    expect(options()).toHaveLength(PAGE); // what is there stays until the others come
    answer(120);
    expect(options()).toHaveLength(20);
    expect(current()!.getAttribute("aria-posinset")).toBe("120");
    press("ArrowDown");
    expect(current()!.getAttribute("aria-posinset")).toBe("120");
  });

  it("moves to another page by the buttons", () => {
    open(120);
    expect(find(".alw-map-span").textContent).toBe("1–50 of 120");
    expect(button("Rows before").disabled).toBe(true);
    button("Rows after").click();
    answer(120);
    expect(find(".alw-map-span").textContent).toBe("51–100 of 120");
    button("Rows before").click();
    answer(120);
    expect(current()!.getAttribute("aria-posinset")).toBe("50");
  });

  it("takes no page of another list, and none that it has left", () => {
    open(120);
    const [asked] = lists();
    press("End");
    press("Home");
    const late: Omit<RowsMessage, "list"> = {
      type: "rows",
      start: 100,
      total: 120,
      rows: [row(5)],
      like: null,
      note: null,
    };
    model.receive({ ...late, list: asked!.list });
    model.receive({ ...late, start: 0, list: "another" });
    expect(options()).toHaveLength(PAGE);
    expect(state.lists.isWaiting).toBe(false);
  });

  it("is where the person presses", () => {
    open();
    options()[3]!.click();
    expect(current()).toBe(options()[3]);
    expect(selects()).toHaveLength(0);
  });
});

describe("what the person moves", () => {
  it("stays there when the map is coloured anew", () => {
    open();
    list().scrollTop = 40;
    model.labels(Array.from({ length: 200 }, () => 0));
    model.receive({ type: "ways", ways: [] });
    expect(list().scrollTop).toBe(40);
    press("ArrowDown");
    expect(list().scrollTop).toBe(0);
  });
});

describe("rows and the selection", () => {
  it("go together, and the list stays as it is", () => {
    open();
    press(" ");
    press("ArrowDown");
    press("ArrowDown");
    press(" ");
    expect(selects().at(-1)).toEqual({
      message: { type: "select", encoding: "positions", source: "edge cases" },
      indices: [199, 197],
    });
    expect(
      options()
        .map((o) => o.getAttribute("aria-selected"))
        .slice(0, 4),
    ).toEqual(["true", "false", "true", "false"]);
    press(" ");
    expect(Array.from(state.selection)).toEqual([199]);
    expect(lists()).toHaveLength(1);
  });

  it("by mouse: the tick, Ctrl, and Shift for all in between", () => {
    open();
    options()[1]!.querySelector<HTMLElement>(".alw-map-tick")!.click();
    expect(Array.from(state.selection)).toEqual([198]);
    options()[4]!.dispatchEvent(new MouseEvent("click", { bubbles: true, ctrlKey: true }));
    expect(Array.from(state.selection)).toEqual([198, 195]);
    options()[6]!.dispatchEvent(new MouseEvent("click", { bubbles: true, shiftKey: true }));
    expect(Array.from(state.selection)).toEqual([198, 195, 194, 193]);
    button("Deselect").click();
    expect(Array.from(state.selection)).toEqual([198, 195, 194]);
  });

  it("by keys: Shift and an arrow, and Ctrl A for the page", () => {
    open();
    press("ArrowDown", list(), { shiftKey: true });
    expect(Array.from(state.selection)).toEqual([199, 198]);
    press("a", list(), { ctrlKey: true });
    expect(state.selection).toHaveLength(8);
  });

  it("Enter puts the selection on the next cards, or else the row", () => {
    open();
    press("ArrowDown");
    press("Enter");
    expect(model.last).toEqual({ message: { type: "label_next", encoding: "positions" }, indices: [198] });
    model.receive({ type: "queued", count: 1, text: "1 card comes next." });
    state.select([3, 4]);
    press("Enter");
    expect(model.last?.indices).toEqual([3, 4]);
    model.receive({ type: "queued", count: 2, text: "2 cards come next." });
    press("t");
    expect(model.last).toEqual({
      message: { type: "label_together", encoding: "positions" },
      indices: [198],
    });
  });
});

describe("more like this", () => {
  const similar = { kind: "similar", index: 198 } satisfies ListOf;

  it("is listed from a row, and Escape goes back to where one was", () => {
    open();
    press("ArrowDown");
    press("m");
    expect(lists().at(-1)!.of).toEqual(similar);
    answer(8, { like: row(198) });
    expect(find(".alw-map-like").textContent).toContain("text 198");
    expect(options()[0]!.textContent).toContain("distance 0.5");
    press("m");
    answer(8);
    press("Escape");
    expect(state.lists.list!.of).toEqual(similar);
    press("Escape");
    expect(state.lists.list!.of.kind).toBe("edge_cases");
    expect(current()!.getAttribute("aria-posinset")).toBe("2");
    expect(find(".alw-map-like").hidden).toBe(true);
    expect(lists()).toHaveLength(3); // what was seen is not asked for again
    press("Escape");
    expect(panel().hidden).toBe(true);
  });

  it("is listed of the one point that is selected", () => {
    press("m", view.root);
    expect(panel().hidden).toBe(true);
    expect(find(".alw-map-notice").textContent).toContain("Select one point");
    state.select([7, 8]);
    expect(find("[aria-label='More like this']").hidden).toBe(true);
    state.select([7]);
    find("[aria-label='More like this']").click();
    expect(lists().map((asked) => asked.of)).toEqual([{ kind: "similar", index: 7 }]);
    expect(document.activeElement).toBe(list());
  });
});

describe("the points by colour", () => {
  const of = () => lists().at(-1)!.of;

  it("are listed by what the map shows, either way", () => {
    open();
    choose("points");
    expect(of()).toEqual({ kind: "points", by: "label", descending: false, selected: false });
    answer();
    expect(button("label: ham first")).toBeDefined();
    press("r");
    expect(of()).toMatchObject({ descending: true });
    answer();
    expect(list().getAttribute("aria-label")).toBe("Points, label: spam first");
  });

  it("follow the colours, from the end that is worth a look", () => {
    open();
    choose("points");
    answer();
    const ramp: Omit<ColoursMessage, "by"> = {
      type: "colours",
      kind: "ramp",
      categories: null,
      range: [0, 1],
      version: 1,
      bytes: 1,
    };
    const codes = bytes(Array.from({ length: 200 }, (_, i) => i));
    model.receive({ ...ramp, by: "outlier", notable: { end: "high", words: "" } }, codes);
    expect(of()).toMatchObject({ by: "outlier", descending: true });
    model.receive({ ...ramp, by: "confidence", notable: { end: "low", words: "" } }, codes);
    expect(of()).toMatchObject({ by: "confidence", descending: false });
    const asked = lists().length;
    model.receive({ ...ramp, by: "confidence", version: 2 }, codes); // no row moves under the hand
    expect(lists()).toHaveLength(asked);
    press("Escape");
    model.labels(Array.from({ length: 200 }, () => 0));
    expect(lists()).toHaveLength(asked);
  });

  it("are those of the selection, where there is one and one wants it", () => {
    open();
    choose("points");
    answer();
    expect(button("Selection only").hidden).toBe(true);
    state.select([5, 6]); // a lasso
    expect(of()).toMatchObject({ selected: true });
    answer(2);
    press(" "); // a row of the list: it stays
    expect(of()).toMatchObject({ selected: true });
    expect(options()).toHaveLength(2);
    button("Selection only").click();
    expect(of()).toMatchObject({ selected: false });
    answer();
    state.select([]);
    expect(lists().at(-1)!.of).toMatchObject({ selected: false });
  });

  it("are coloured as they are on the map", () => {
    open();
    const dots = options().map((o) => o.querySelector<HTMLElement>(".alw-map-dot")!.style.background);
    expect(new Set(dots).size).toBe(2);
    expect(dots[0]).toBe(dots[2]);
  });
});

describe("slices", () => {
  const slices = (...names: string[]) =>
    model.receive({ type: "slices", slices: names.map((name) => ({ name, count: 2 })), said: null });
  const deeds = () => model.sent.map((s) => s.message).filter((m) => m.type === "slice");

  it("are listed, selected, deleted and had back", () => {
    open();
    choose("slices");
    expect(deeds()).toEqual([{ type: "slice", what: "list" }]);
    expect(note()).toBe("Asking for the slices…");
    slices();
    expect(note()).toContain("No slice is kept yet");
    slices("a", "b");
    expect(options().map((o) => o.textContent)).toEqual(["a2 items", "b2 items"]);
    press("ArrowDown");
    press("Enter");
    expect(deeds().at(-1)).toEqual({ type: "slice", what: "select", name: "b" });
    press("Delete");
    expect(deeds().at(-1)).toEqual({ type: "slice", what: "delete", name: "b" });
    slices("a");
    expect(note()).toBe("“b” is deleted.");
    button("Undo").click();
    expect(deeds().at(-1)).toEqual({ type: "slice", what: "restore", name: "b" });
    slices("a", "b");
    expect(button("Undo").hidden).toBe(true);
    options()[0]!.click();
    expect(deeds().at(-1)).toEqual({ type: "slice", what: "select", name: "a" });
  });

  it("are made of the selection, by a name", () => {
    press("k", view.root);
    const form = find(".alw-map-keep");
    expect(form.hidden).toBe(true); // nothing is selected
    state.select([1, 2]);
    press("k", view.root);
    expect(form.hidden).toBe(false);
    const name = find<HTMLInputElement>("[aria-label='Name of the slice']");
    expect(document.activeElement).toBe(name);
    slices("taken");
    const type = (text: string) => {
      name.value = text;
      name.dispatchEvent(new InputEvent("input"));
      return form.querySelector("button")!.textContent;
    };
    expect(type("taken")).toBe("Replace");
    expect(form.textContent).toContain("“taken” keeps 2 now.");
    expect(type(" new ")).toBe("Save");
    press("Enter", name);
    expect(deeds().at(-1)).toEqual({ type: "slice", what: "keep", name: "new" });
    expect([form.hidden, document.activeElement]).toEqual([true, view.root]);
    model.receive({ type: "slices", slices: [], said: "“new” keeps 2 items." });
    expect(find(".alw-map-notice").textContent).toBe("“new” keeps 2 items.");
    press("k", view.root);
    press("Escape", name);
    expect(form.hidden).toBe(true);
    expect(state.selection).toHaveLength(2);
    press("k", view.root);
    state.select([]);
    expect(form.hidden).toBe(true);
  });
});

it("another pool has other lists", () => {
  open();
  model.points(3, { revision: 2 });
  expect(state.lists.list).toBeNull();
});

it("leaves nothing behind", () => {
  open();
  const revoked = vi.spyOn(URL, "revokeObjectURL");
  const image = { kind: "image", mime: "image/png", buffer: 0, width: 8, height: 8, alt: "a" } as const;
  button("List anew").click();
  const asked = lists().at(-1)!;
  const message = { type: "rows", list: asked.list, start: 0, total: 1, like: null, note: null } as const;
  model.receive({ ...message, rows: [row(1, { content: image })] }, at(0, new ArrayBuffer(4)));
  view.dispose();
  expect(revoked).toHaveBeenCalledTimes(1);
  revoked.mockRestore();
});
