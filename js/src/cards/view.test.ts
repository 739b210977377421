import axe from "axe-core";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CardsState } from "./state";
import { counter, FakeModel, FakeShelf, textCard, textCards } from "./testing";
import { CardsView } from "./view";

const STATUS = {
  type: "status",
  labelled: 40,
  total: 1102,
  audit: 6,
  skipped: 2,
  training: false,
  model_version: 3,
  error: null,
  notice: null,
  saved_to: "labels.db",
} as const;

let model: FakeModel;
let shelf: FakeShelf;
let state: CardsState;
let view: CardsView;

function open(classes = ["ham", "spam"], store = {}): void {
  model = new FakeModel(classes, store);
  state = new CardsState(model, { shelf, newId: counter() });
  view = new CardsView(state);
  document.body.append(view.root);
}
function press(key: string, more: KeyboardEventInit = {}, target: Element = view.root): KeyboardEvent {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more });
  target.dispatchEvent(event);
  return event;
}
const find = <E extends Element = HTMLElement>(selector: string) => view.root.querySelector<E>(selector)!;
const text = (selector: string) => find(selector).textContent;
const itemId = () => view.root.dataset.itemId;
const classButton = (i: number) => view.root.querySelectorAll<HTMLButtonElement>(".alw-class")[i]!;
const notices = () => [...view.root.querySelectorAll(".alw-notice p")].map((p) => p.textContent);

beforeEach(() => {
  vi.useFakeTimers();
  shelf = new FakeShelf();
  open();
});
afterEach(() => {
  view.dispose();
  state.dispose();
  document.body.replaceChildren();
  vi.useRealTimers();
});

describe("what is on screen", () => {
  it("greets, waits, shows a card, ends", () => {
    expect(model.sent).toEqual([{ type: "hello" }]);
    expect(text(".alw-stage")).toContain("Waiting");
    expect(classButton(0).disabled).toBe(true);
    model.queue(textCards("a"), { exhausted: true });
    expect(text(".alw-stage")).toBe("text of a");
    expect(itemId()).toBe("a");
    expect(classButton(0).disabled).toBe(false);
    press("1");
    expect(text(".alw-stage")).toContain("Everything is labelled");
    expect(itemId()).toBe("");
  });

  it("greets again, ever less often, while nobody answers", () => {
    vi.advanceTimersByTime(60_000);
    expect(model.sent.filter((m) => m.type === "hello")).toHaveLength(5); // 0, 3, 9, 21, 45 s
    model.queue(textCards("a"));
    vi.advanceTimersByTime(60_000);
    expect(model.sent.filter((m) => m.type === "hello")).toHaveLength(5);
  });

  it("never makes markup of what comes from the pool", () => {
    const evil = '<img src=x onerror="alert(1)">';
    view.dispose();
    open([evil, "b"]);
    const card = textCard(evil, {
      content: { kind: "text", text: evil },
      metadata: { [evil]: evil },
      suggestion: { answer: evil, confidence: 0.5 },
    });
    model.queue([card]);
    press("1");
    model.receive({ type: "problem", text: evil, remedy: evil });
    expect(view.root.querySelector("img")).toBeNull();
    expect(text(".alw-last")).toBe(`last: labelled ${evil}`);
  });

  it("says what the model suggests and why the card is here", () => {
    model.queue([textCard("a", { suggestion: { answer: "spam", confidence: 0.934 } })]);
    expect(text(".alw-chip-text")).toBe("suggests spam · 93 %");
    expect(classButton(1).classList.contains("alw-suggested")).toBe(true);
    expect(text(".alw-why")).toBe("a close call between two classes");
  });

  it("hides the suggestion on an audit card and says so", () => {
    model.queue([textCard("a", { stream: "audit" }), textCard("b")]);
    expect(find(".alw-badge").hidden).toBe(false);
    expect(find(".alw-badge").title).toContain("Suggestion hidden");
    expect(find(".alw-chip").hidden).toBe(true);
    press("Enter");
    expect(itemId()).toBe("a"); // nothing to accept
    press("1");
    expect(find(".alw-badge").hidden).toBe(true);
  });

  it("shows small images as pixels, from blobs that are given back", () => {
    const revoked = vi.spyOn(URL, "revokeObjectURL");
    const content = {
      kind: "image",
      mime: "image/png",
      buffer: 0,
      width: 8,
      height: 8,
      alt: "a digit",
    } as const;
    const bytes = new DataView(new Uint8Array([9, 9, 137, 80]).buffer, 2);
    model.receive(
      { type: "queue", cards: [textCard("a", { content })], model_version: 1, exhausted: false },
      [bytes],
    );
    const image = find<HTMLImageElement>(".alw-stage img");
    expect(image.src).toMatch(/^blob:/);
    expect(image.alt).toBe("a digit");
    expect(image.classList.contains("alw-pixels")).toBe(true);
    state.dispose();
    expect(revoked).toHaveBeenCalledWith(image.src);
  });

  it("says so when an image did not come or is of another type", () => {
    const content = {
      kind: "image",
      mime: "image/svg+xml",
      buffer: 0,
      width: 8,
      height: 8,
      alt: "",
    } as const;
    model.receive(
      { type: "queue", cards: [textCard("a", { content })], model_version: 1, exhausted: false },
      [new DataView(new ArrayBuffer(4))],
    );
    expect(text(".alw-stage")).toContain("No image came");
  });

  it("counts labels before Python does, and takes Python's count in the end", () => {
    model.receive(STATUS);
    model.queue(textCards("a", "b", "c"));
    expect(text(".alw-labelled")).toBe("labelled 40 of 1,102");
    press("1");
    press("2");
    expect(text(".alw-labelled")).toBe("labelled 42 of 1,102");
    model.receive({ ...STATUS, labelled: 41 });
    expect(text(".alw-labelled")).toBe("labelled 42 of 1,102");
    model.receive({ type: "ack", event_ids: ["e1", "e2"] });
    press("Backspace");
    expect(text(".alw-labelled")).toBe("labelled 41 of 1,102");
    model.receive({ ...STATUS, labelled: 43 });
    model.receive({ type: "ack", event_ids: ["e3"] });
    vi.advanceTimersByTime(500);
    expect(text(".alw-labelled")).toBe("labelled 43 of 1,102");
  });
});

describe("keys", () => {
  beforeEach(() => model.queue(textCards("a", "b", "c")));

  it("paint the next card before anything is kept or sent", () => {
    const order: string[] = [];
    vi.spyOn(shelf, "setItem").mockImplementation(() => order.push(`kept with ${itemId()} on screen`));
    vi.spyOn(model, "send").mockImplementation((m) => order.push(`${m.type} with ${itemId()} on screen`));
    press("2");
    expect(order.slice(0, 2)).toEqual(["kept with b on screen", "events with b on screen"]);
  });

  it("label, skip, flag, undo", () => {
    press("2");
    press(" ");
    press("f");
    press("z", { ctrlKey: true });
    press("Backspace");
    expect(model.events.map((e) => [e.kind, e.item_id, e.answer])).toEqual([
      ["answer", "a", "spam"],
      ["skip", "b", null],
      ["flag", "c", null],
      ["retract", "b", null],
      ["retract", "a", null],
    ]);
    expect(model.events.at(-1)?.target).toBe("e1");
    expect(itemId()).toBe("a");
    expect(classButton(1).classList.contains("alw-former")).toBe(true);
    expect(text("[role=status].alw-hidden")).toContain("Took back spam.");
  });

  it("reach nobody outside the cards, used or not", () => {
    const outside = vi.fn();
    document.body.addEventListener("keydown", outside);
    expect(press("1").defaultPrevented).toBe(true);
    expect(press("x").defaultPrevented).toBe(false);
    expect(press("d").defaultPrevented).toBe(false);
    document.body.removeEventListener("keydown", outside);
    expect(outside).not.toHaveBeenCalled();
  });

  it("do nothing when held down, and a button pressed by Enter clicks once", () => {
    press("1", { repeat: true });
    expect(press(" ", { repeat: true }).defaultPrevented).toBe(true);
    expect(press("Enter", { repeat: true }, classButton(0)).defaultPrevented).toBe(true);
    expect(press("Enter", {}, classButton(0)).defaultPrevented).toBe(false); // the browser clicks
    expect(model.events).toEqual([]);
    expect(press("2", {}, classButton(0)).defaultPrevented).toBe(true); // digits label from anywhere
    expect(model.events).toHaveLength(1);
  });

  it("suppress the notebook's shortcuts on whatever holds the focus", () => {
    const focusable = view.root.querySelectorAll("button, input, a, [tabindex]");
    expect(focusable.length).toBeGreaterThan(5);
    for (const element of [view.root, ...focusable]) {
      expect(element.getAttribute("data-lm-suppress-shortcuts"), element.outerHTML).toBe("true");
    }
  });

  it("come to the root after a press of the mouse, and go back to the notebook with Escape", () => {
    const cell = document.createElement("div");
    cell.className = "jp-Cell";
    cell.tabIndex = 0;
    document.body.append(cell);
    cell.append(view.root);
    classButton(0).dispatchEvent(new PointerEvent("pointerdown", { bubbles: true }));
    expect(document.activeElement).toBe(view.root);
    press("?");
    expect(find(".alw-help").hidden).toBe(false);
    press("Escape");
    expect(find(".alw-help").hidden).toBe(true);
    expect(document.activeElement).toBe(view.root);
    press("Escape");
    expect(document.activeElement).toBe(cell);
  });

  it("filter many classes by their letters", () => {
    view.dispose();
    const classes = Array.from({ length: 30 }, (_, i) => `${i % 2 ? "otter" : "heron"} ${i}`);
    open(classes);
    model.queue(textCards("a", "b", "c"));
    const filter = find<HTMLInputElement>(".alw-filter");
    const type = (value: string) => {
      filter.value = value;
      filter.dispatchEvent(new InputEvent("input", { bubbles: true }));
    };
    press("/");
    expect(document.activeElement).toBe(filter);
    press("Enter", {}, filter); // nothing typed: nothing chosen
    expect(model.events).toEqual([]);
    type("otter 2");
    expect(
      [...view.root.querySelectorAll<HTMLElement>(".alw-class:not([hidden])")].map((b) => b.title),
    ).toEqual(["otter 21", "otter 23", "otter 25", "otter 27", "otter 29"]);
    press("ArrowDown", {}, filter);
    press("1", {}, filter); // a digit is typed here, it does not label
    expect(press("Enter", { isComposing: true }, filter).defaultPrevented).toBe(false);
    expect(model.events).toEqual([]);
    press("Enter", {}, filter);
    expect(model.events.map((e) => e.answer)).toEqual(["otter 23"]);
    expect(filter.value).toBe("");
    expect(document.activeElement).toBe(view.root);
    press("h");
    expect(filter.value).toBe("h");
    type("zebra");
    press("Enter", {}, filter);
    expect(model.events).toHaveLength(1);
    press("Escape", {}, filter);
    expect(document.activeElement).toBe(view.root);
  });
});

describe("what goes wrong", () => {
  beforeEach(() => model.queue(textCards("a", "b", "c")));

  it("is told with its remedy, and put away", () => {
    model.receive({ type: "problem", text: "The disk is full.", remedy: "Free some space." });
    expect(notices()).toEqual(["The disk is full. Free some space."]);
    find<HTMLButtonElement>(".alw-notice button").click();
    expect(notices()).toEqual([]);
  });

  it("a refused answer: reason shown, card back, count corrected", () => {
    model.receive(STATUS);
    press("1");
    model.receive({ type: "refused", event_id: "e1", reason: "'ham' is no class." });
    expect(notices()[0]).toContain("'ham' is no class.");
    expect(view.root.dataset.unsaved).toBe("0");
    expect(text(".alw-labelled")).toBe("labelled 40 of 1,102");
    press("2");
    expect(itemId()).toBe("a");
    expect(classButton(0).classList.contains("alw-former")).toBe(true);
  });

  it("an error of the learner stays away once dismissed, and comes back when it is another", () => {
    model.receive({ ...STATUS, error: "row 17 holds NaN" });
    find<HTMLButtonElement>(".alw-notice button").click();
    model.receive({ ...STATUS, error: "row 17 holds NaN" });
    expect(notices()).toEqual([]);
    model.receive({ ...STATUS, error: "row 18 holds NaN" });
    expect(notices()).toHaveLength(1);
    model.receive(STATUS);
    expect(notices()).toEqual([]);
  });

  it("a dead kernel: labels are counted, amber after two seconds, told after ten, saved at last", () => {
    model.alive = false;
    press("1");
    press("2");
    expect(view.root.dataset.unsaved).toBe("2");
    expect(text(".alw-unsaved")).toBe("2 unsaved");
    expect(find(".alw-unsaved").classList.contains("alw-late")).toBe(false);
    vi.advanceTimersByTime(2_500);
    expect(find(".alw-unsaved").classList.contains("alw-late")).toBe(true);
    expect(notices()).toEqual([]);
    vi.advanceTimersByTime(8_000);
    expect(notices()[0]).toContain("not confirmed");
    model.alive = true;
    vi.advanceTimersByTime(30_000);
    expect(model.events.map((e) => e.event_id)).toEqual(expect.arrayContaining(["e1", "e2"]));
    model.receive({ type: "ack", event_ids: ["e1", "e2"] });
    expect(view.root.dataset.unsaved).toBe("0");
    expect(notices()).toEqual([]);
  });

  it("a reload: the next page sends what the last one could not, and shows none of it again", () => {
    model.alive = false;
    press("1");
    press(" ");
    view.dispose();
    state.dispose();
    open();
    expect(view.root.dataset.unsaved).toBe("2");
    expect(model.events.map((e) => e.item_id)).toEqual(["a", "b"]);
    model.queue(["a", "b", "c"].map((id) => textCard(id, { draw_id: `new-${id}` })));
    expect(itemId()).toBe("c");
  });

  it("full storage: told at once, labelling goes on", () => {
    shelf.room = 0;
    press("1");
    expect(notices()[0]).toContain("keeps no copy");
    expect(itemId()).toBe("b");
    model.receive({ type: "ack", event_ids: ["e1"] });
    expect(notices()).toEqual([]);
  });

  it("a store in memory: said, and nothing put into the browser's storage", () => {
    expect(view.root.querySelector(".alw-memory")).toBeNull();
    view.dispose();
    open(["ham", "spam"], { persistent: false });
    model.queue(textCards("a"));
    press("1");
    expect(text(".alw-memory")).toBe('Labels are kept in memory only. Pass store="labels.db" to keep them.');
    expect(shelf.writes).toBe(0);
  });
});

describe("asking for cards", () => {
  it("asks once a while when few are left, and not when there are no more", () => {
    const asked = () => model.sent.filter((m) => m.type === "more").length;
    model.queue(textCards(..."abcdefghijkl"));
    expect(asked()).toBe(0);
    for (let i = 0; i < 6; i++) press("1");
    expect(asked()).toBe(1);
    vi.advanceTimersByTime(3_500);
    press("1");
    expect(asked()).toBe(2);
    model.queue(textCards(..."mn"), { exhausted: true });
    press("1");
    expect(asked()).toBe(2);
  });
});

describe("two views of one model", () => {
  it("show the same, and each goes without a trace", () => {
    model.queue(textCards("a", "b"));
    const other = new CardsView(state);
    document.body.append(other.root);
    press("1");
    expect(other.root.dataset.itemId).toBe("b");
    const before = other.listeners.size;
    expect(before).toBeGreaterThan(10);
    other.dispose();
    expect(other.listeners.size).toBe(0);
    expect(other.root.isConnected).toBe(false);
    press("2");
    expect(other.root.dataset.itemId).toBe("b");
  });
});

describe("a class more", () => {
  it("gets its button when the task changes", () => {
    model.queue(textCards("a", "b"));
    model.set("_task", { kind: "classification", classes: ["ham", "spam", "unsure"] });
    press("3");
    expect(model.events[0]?.answer).toBe("unsure");
  });
});

describe("accessibility", () => {
  it("has no violation that axe finds, in any state", async () => {
    vi.useRealTimers();
    const style = document.createElement("style");
    style.textContent = "[hidden] { display: none }"; // a browser has that of its own
    document.body.append(style);
    const check = async () => {
      // colours and layout need a browser
      const found = await axe.run(view.root, { rules: { "color-contrast": { enabled: false } } });
      expect(found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" ")}`)).toEqual([]);
    };
    await check();
    model.receive({ ...STATUS, error: "row 17 holds NaN", notice: "one class only" });
    model.queue([textCard("a", { suggestion: { answer: "spam", confidence: 1 }, metadata: { k: "v" } })]);
    press("?");
    await check();
    press("1");
    await check();
  });
});
