import { beforeEach, describe, expect, it, vi } from "vitest";
import { useDesk } from "./desk";
import { textCards } from "./testing";

const on = useDesk();

describe("keys", () => {
  beforeEach(() => on.desk.model.queue(textCards("a", "b", "c")));

  it("paint the next card before anything is kept or sent", () => {
    const order: string[] = [];
    vi.spyOn(on.desk.shelf, "setItem").mockImplementation(() =>
      order.push(`kept with ${on.desk.itemId} on screen`),
    );
    vi.spyOn(on.desk.model, "send").mockImplementation((m) =>
      order.push(`${m.type} with ${on.desk.itemId} on screen`),
    );
    on.desk.press("2");
    expect(order.slice(0, 2)).toEqual(["kept with b on screen", "events with b on screen"]);
  });

  it("draw all that they change: what Python confirms later changes nothing on screen", () => {
    on.desk.model.queue(textCards(..."abcdefgh"));
    const html = () => on.desk.view.root.outerHTML.replace(/ data-unsaved="\d+"/, "");
    for (let n = 1; n <= 7; n++) {
      vi.advanceTimersByTime(1_000 * n);
      on.desk.press("1");
      const before = html();
      on.desk.model.receive({ type: "ack", event_ids: [`e${n}`] });
      expect(html()).toBe(before);
    }
    expect(on.desk.text(".alw-pace")).toMatch(/a minute/);
  });

  it("show for a moment which class was given, unless the next is given within it", () => {
    on.desk.model.queue(textCards(..."abcdefgh"));
    const given = () => [0, 1].filter((code) => on.desk.classButton(code).classList.contains("alw-given"));
    on.desk.press("2");
    expect(given()).toEqual([1]);
    vi.advanceTimersByTime(299);
    expect(given()).toEqual([1]);
    for (const key of "1212") {
      on.desk.press(key);
      expect(given()).toEqual([]); // nothing flickers, and no frame is drawn for it
      vi.advanceTimersByTime(299);
      expect(given()).toEqual([]);
    }
    vi.advanceTimersByTime(1);
    on.desk.press("1");
    expect(given()).toEqual([0]);
    vi.advanceTimersByTime(300);
    expect(given()).toEqual([]);
  });

  it("label, skip, flag, undo", () => {
    on.desk.press("2");
    on.desk.press(" ");
    on.desk.press("f");
    on.desk.press("z", { ctrlKey: true });
    on.desk.press("Backspace");
    expect(on.desk.model.events.map((e) => [e.kind, e.item_id, e.answer])).toEqual([
      ["answer", "a", "spam"],
      ["skip", "b", null],
      ["flag", "c", null],
      ["retract", "b", null],
      ["retract", "a", null],
    ]);
    expect(on.desk.model.events.at(-1)?.target).toBe("e1");
    expect(on.desk.itemId).toBe("a");
    expect(on.desk.classButton(1).classList.contains("alw-former")).toBe(true);
    expect(on.desk.text("[role=status].alw-hidden")).toContain("Took back spam.");
  });

  it("undo what was done before this page through Python, once nothing is unsaved", () => {
    const wishes = () => on.desk.model.sent.filter((m) => m.type === "undo").length;
    on.desk.press("Backspace");
    expect(wishes()).toBe(1);
    on.desk.press("f");
    on.desk.press("Backspace");
    expect(wishes()).toBe(1);
  });

  it("reach nobody outside the cards, used or not", () => {
    const outside = vi.fn();
    document.body.addEventListener("keydown", outside);
    expect(on.desk.press("1").defaultPrevented).toBe(true);
    expect(on.desk.press("x").defaultPrevented).toBe(false);
    expect(on.desk.press("d").defaultPrevented).toBe(false);
    document.body.removeEventListener("keydown", outside);
    expect(outside).not.toHaveBeenCalled();
  });

  it("do nothing when held down, and a button pressed by Enter clicks once", () => {
    on.desk.press("1", { repeat: true });
    expect(on.desk.press(" ", { repeat: true }).defaultPrevented).toBe(true);
    expect(on.desk.press("Enter", { repeat: true }, on.desk.classButton(0)).defaultPrevented).toBe(true);
    expect(on.desk.press("Enter", {}, on.desk.classButton(0)).defaultPrevented).toBe(false); // the browser clicks
    expect(on.desk.model.events).toEqual([]);
    expect(on.desk.press("2", {}, on.desk.classButton(0)).defaultPrevented).toBe(true); // digits label from anywhere
    expect(on.desk.model.events).toHaveLength(1);
  });

  it("suppress the notebook's shortcuts on whatever holds the focus", () => {
    const focusable = on.desk.view.root.querySelectorAll("button, input, a, [tabindex]");
    expect(focusable.length).toBeGreaterThan(5);
    for (const element of [on.desk.view.root, ...focusable]) {
      expect(element.getAttribute("data-lm-suppress-shortcuts"), element.outerHTML).toBe("true");
    }
  });

  it("come to the root after a press of the mouse, and go back to the notebook with Escape", () => {
    const cell = document.createElement("div");
    cell.className = "jp-Cell";
    cell.tabIndex = 0;
    document.body.append(cell);
    cell.append(on.desk.view.root);
    on.desk.classButton(0).dispatchEvent(new PointerEvent("pointerdown", { bubbles: true }));
    expect(document.activeElement).toBe(on.desk.view.root);
    on.desk.press("?");
    expect(on.desk.find(".alw-help").hidden).toBe(false);
    on.desk.press("Escape");
    expect(on.desk.find(".alw-help").hidden).toBe(true);
    expect(document.activeElement).toBe(on.desk.view.root);
    on.desk.press("Escape");
    expect(document.activeElement).toBe(cell);
  });

  it("filter many classes by their letters", () => {
    on.desk.view.dispose();
    const classes = Array.from({ length: 30 }, (_, i) => `${i % 2 ? "otter" : "heron"} ${i}`);
    on.desk.open(classes);
    on.desk.model.queue(textCards("a", "b", "c"));
    const filter = on.desk.find<HTMLInputElement>(".alw-filter");
    const type = (value: string) => {
      filter.value = value;
      filter.dispatchEvent(new InputEvent("input", { bubbles: true }));
    };
    on.desk.press("/");
    expect(document.activeElement).toBe(filter);
    on.desk.press("Enter", {}, filter); // nothing typed: nothing chosen
    expect(on.desk.model.events).toEqual([]);
    type("otter 2");
    expect(
      [...on.desk.view.root.querySelectorAll<HTMLElement>(".alw-class:not([hidden])")].map((b) => b.title),
    ).toEqual(["otter 21", "otter 23", "otter 25", "otter 27", "otter 29"]);
    on.desk.press("ArrowDown", {}, filter);
    on.desk.press("1", {}, filter); // a digit is typed here, it does not label
    expect(on.desk.press("Enter", { isComposing: true }, filter).defaultPrevented).toBe(false);
    expect(on.desk.model.events).toEqual([]);
    on.desk.press("Enter", {}, filter);
    expect(on.desk.model.events.map((e) => e.answer)).toEqual(["otter 23"]);
    expect(filter.value).toBe("");
    expect(document.activeElement).toBe(on.desk.view.root);
    on.desk.press("h");
    expect(filter.value).toBe("h");
    type("zebra");
    on.desk.press("Enter", {}, filter);
    expect(on.desk.model.events).toHaveLength(1);
    on.desk.press("Escape", {}, filter);
    expect(document.activeElement).toBe(on.desk.view.root);
  });
});

describe("pause", () => {
  it("covers the card, takes no answer, and its time does not count", () => {
    on.desk.model.queue(textCards("a", "b"));
    on.desk.press("p");
    expect(on.desk.find(".alw-pause").hidden).toBe(false);
    on.desk.press("1");
    on.desk.press(" ");
    on.desk.classButton(0).click();
    on.desk.find(".alw-skip").click();
    on.desk.find(".alw-flag").click();
    expect(on.desk.itemId).toBe("a");
    vi.advanceTimersByTime(3_600_000);
    const back = new Date().toISOString();
    on.desk.find(".alw-go").click();
    expect(on.desk.find(".alw-pause").hidden).toBe(true);
    on.desk.press("1");
    expect(on.desk.model.events.map((e) => [e.item_id, e.shown_at])).toEqual([["a", back]]);
  });
});

describe("who has no keys", () => {
  it("pauses and goes on by the same button", () => {
    on.desk.model.queue(textCards("a"));
    on.desk.find(".alw-pausing").click();
    expect(on.desk.find(".alw-pause").hidden).toBe(false);
    on.desk.find(".alw-pausing").click();
    expect(on.desk.find(".alw-pause").hidden).toBe(true);
  });

  it("loses no focus to a button that a pause puts out of use", () => {
    on.desk.model.queue(textCards("a"));
    on.desk.find(".alw-skip").focus();
    on.desk.press("p", {}, on.desk.find(".alw-skip"));
    expect(document.activeElement).toBe(on.desk.view.root);
  });
});

describe("redo", () => {
  it("is offered once something was undone, and counts and sends the answer again", () => {
    on.desk.model.queue(textCards("a", "b"));
    on.desk.press("1");
    expect(on.desk.find(".alw-redo").hidden).toBe(true);
    on.desk.press("Backspace");
    expect(on.desk.itemId).toBe("a");
    expect(on.desk.find(".alw-redo").hidden).toBe(false);
    on.desk.press("y", { ctrlKey: true });
    expect(on.desk.itemId).toBe("b");
    expect(on.desk.state.labelled).toBe(1);
    expect(on.desk.text(".alw-last")).toBe("last: labelled ham");
    expect(on.desk.model.events.map((e) => [e.kind, e.answer])).toEqual([
      ["answer", "ham"],
      ["retract", null],
      ["answer", "ham"],
    ]);
    on.desk.press("Backspace");
    on.desk.find(".alw-redo").click();
    expect(on.desk.itemId).toBe("b");
  });
});
