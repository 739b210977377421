import { beforeEach, describe, expect, it, vi } from "vitest";
import { useDesk } from "./desk";
import { freeText, textCard } from "./testing";
import { CardsView } from "./view";

const on = useDesk();
const box = () => on.desk.find<HTMLTextAreaElement>(".alw-textbox");
const answers = () => on.desk.model.events.filter((e) => e.kind === "answer").map((e) => e.answer);
const write = (text: string) => {
  box().value = text;
  box().dispatchEvent(new InputEvent("input", { bubbles: true }));
};
const starting = (id: string, start: string) => textCard(id, { start });

describe("a text to write", () => {
  beforeEach(() => on.desk.model.set("_task", freeText()));

  it("begins with what the card brings, and Enter saves what it has become", () => {
    on.desk.model.queue([starting("a", "teh cat"), textCard("b")]);
    expect(box().value).toBe("teh cat");
    expect(box().dir).toBe("auto");
    expect(on.desk.find(".alw-suggestion").classList.contains("alw-bare")).toBe(true);
    write("the cat");
    expect(on.desk.text(".alw-save-what")).toBe("not saved yet");
    expect(on.desk.press("Enter", {}, box()).defaultPrevented).toBe(true);
    expect(answers()).toEqual(["the cat"]);
    expect(on.desk.itemId).toBe("b");
    expect(box().value).toBe("");
    expect(on.desk.text(".alw-last")).toBe("last: saved “the cat”");
    expect(on.desk.text("[role=status].alw-hidden")).toBe("Saved “the cat”. text of b");
  });

  it("has one line, whatever it begins with or is pasted into it", () => {
    on.desk.model.queue([starting("a", "one\r\ntwo\u2028three"), textCard("b")]);
    expect(box().value).toBe("one two three");
    on.desk.press("Enter", {}, box());
    write("four\nfive\nsix");
    expect(box().value).toBe("four five six");
    expect(on.desk.press("Enter", { shiftKey: true }, box()).defaultPrevented).toBe(true);
    expect(on.desk.text("[role=status].alw-hidden")).toBe("This text has one line.");
    on.desk.press("Enter", {}, box());
    expect(answers()).toEqual(["one two three", "four five six"]);
  });

  it("is saved as it came where nobody changed it, line ends and all", () => {
    on.desk.model.set("_task", freeText(true));
    on.desk.model.queue([starting("a", "one\r\ntwo"), textCard("b")]);
    box().setSelectionRange(1, 1);
    on.desk.model.receive({ type: "labelled", item_id: "elsewhere" }); // the view is drawn again
    expect(box().selectionStart).toBe(1);
    on.desk.find(".alw-save").click();
    expect(answers()).toEqual(["one\r\ntwo"]);
  });

  it("has letters, Space and Backspace of its own", () => {
    on.desk.model.queue([textCard("a")]);
    for (const key of ["f", " ", "Backspace", "1", "?", "c", "z"]) {
      expect(on.desk.press(key, {}, box()).defaultPrevented).toBe(false);
    }
    expect(on.desk.press("z", { ctrlKey: true }, box()).defaultPrevented).toBe(false);
    expect(on.desk.model.events).toEqual([]);
    expect(on.desk.model.sent.filter((m) => m.type === "undo")).toEqual([]);
  });

  it("is never saved by a key that composes a character, nor by one held down", () => {
    on.desk.model.queue([textCard("a")]);
    write("かな");
    on.desk.press("Enter", { isComposing: true }, box());
    on.desk.press("Enter", { keyCode: 229 }, box()); // how Safari ends composing
    expect(on.desk.press("Enter", { repeat: true }, box()).defaultPrevented).toBe(true);
    expect(answers()).toEqual([]);
  });

  it("gives the keyboard to the card with Escape, where Enter and letters lead back", () => {
    const cell = document.createElement("div");
    cell.className = "jp-Cell";
    cell.tabIndex = 0;
    document.body.append(cell);
    cell.append(on.desk.view.root);
    on.desk.model.queue([textCard("a"), textCard("b")]);
    const { root } = on.desk.view;
    root.focus();
    on.desk.press("Enter");
    expect(document.activeElement).toBe(box());
    on.desk.press("Escape", {}, box());
    expect(document.activeElement).toBe(root);
    on.desk.press("f");
    expect(on.desk.model.events.map((e) => e.kind)).toEqual(["flag"]);
    expect(document.activeElement).toBe(root);
    expect(on.desk.press("h").defaultPrevented).toBe(false); // the browser types it
    expect(document.activeElement).toBe(box());
    on.desk.press("Escape", {}, box());
    for (const key of ["z", "e", "g"]) {
      on.desk.press(key); // nothing to zoom, to edit or to read: a letter
      on.desk.press("Escape", {}, box());
    }
    expect(box().value).toBe("zeg");
    expect(on.desk.press("v", { ctrlKey: true }).defaultPrevented).toBe(false);
    on.desk.press("f", { repeat: true });
    expect(document.activeElement).toBe(root);
    on.desk.press("Escape");
    expect(document.activeElement).toBe(cell);
  });

  it("comes back with undo and with what was written on it since", () => {
    on.desk.model.queue([starting("a", "one"), starting("b", "two")]);
    write("uno");
    on.desk.press("Enter", {}, box());
    write("dos");
    on.desk.press("Backspace");
    expect(on.desk.itemId).toBe("a");
    expect(box().value).toBe("uno");
    expect(on.desk.text(".alw-save-what")).toBe("as saved before");
    on.desk.press("y", { ctrlKey: true });
    expect(on.desk.itemId).toBe("b");
    expect(box().value).toBe("dos");
  });

  it("is not lost when a page is opened anew before it was saved", () => {
    on.desk.model.queue([starting("a", "one")]);
    write("uno, dos");
    vi.advanceTimersByTime(1_000);
    on.desk.open();
    on.desk.model.set("_task", freeText());
    on.desk.model.queue([starting("a", "one")]);
    expect(box().value).toBe("uno, dos");
    write("one"); // as it came: no draft any more
    on.desk.open();
    on.desk.model.set("_task", freeText());
    on.desk.model.queue([starting("a", "one")]);
    expect(box().value).toBe("one");
    expect(on.desk.text(".alw-save-what")).toBe("");
  });

  it("is told of, and kept, when its item is answered elsewhere meanwhile", () => {
    on.desk.model.queue([starting("a", "one"), starting("b", "two")]);
    write("uno");
    on.desk.model.receive({ type: "labelled", item_id: "a" });
    expect(on.desk.notices[0]).toContain("not saved from here: “uno”");
    expect(box().value).toBe("two");
    on.desk.model.receive({ type: "undone", event_id: "x", card: starting("a", "one") });
    expect(box().value).toBe("uno");
  });

  it("a refused one comes back as it was", () => {
    on.desk.model.queue([starting("a", "one"), textCard("b")]);
    write("uno");
    on.desk.press("Enter", {}, box());
    on.desk.model.receive({ type: "refused", event_id: "e1", reason: "Too short." });
    on.desk.press(" ");
    expect(on.desk.itemId).toBe("a");
    expect(box().value).toBe("uno");
  });

  it("cannot be written while nothing is asked", () => {
    expect(box().readOnly).toBe(true);
    on.desk.model.queue([textCard("a")]);
    expect(box().readOnly).toBe(false);
    on.desk.press("p");
    expect(box().readOnly).toBe(true);
    on.desk.press("p");
    box().focus();
    on.desk.press("Enter", {}, box()); // the last card goes: the focus stays with the cards
    expect(box().readOnly).toBe(true);
    expect(document.activeElement).toBe(on.desk.view.root);
  });

  it("is the same in two views", () => {
    on.desk.model.queue([textCard("a")]);
    const other = new CardsView(on.desk.state);
    write("one");
    expect(other.root.querySelector("textarea")!.value).toBe("one");
    other.dispose();
  });

  it("keeps its keys from the notebook", () => {
    const outside = vi.fn();
    document.body.addEventListener("keydown", outside);
    on.desk.model.queue([textCard("a")]);
    for (const key of ["x", "d", "Enter", "Escape", "Delete"]) on.desk.press(key, {}, box());
    document.body.removeEventListener("keydown", outside);
    expect(outside).not.toHaveBeenCalled();
    expect(box().getAttribute("data-lm-suppress-shortcuts")).toBe("true");
  });
});

describe("a text of several lines", () => {
  it("is saved by Ctrl or Cmd and Enter", () => {
    on.desk.model.set("_task", freeText(true));
    on.desk.model.queue([textCard("a"), textCard("b"), textCard("c")]);
    expect(on.desk.press("Enter", {}, box()).defaultPrevented).toBe(false);
    expect(on.desk.press("Enter", { shiftKey: true, ctrlKey: true }, box()).defaultPrevented).toBe(false);
    write("one\ntwo");
    on.desk.press("Enter", { ctrlKey: true }, box());
    on.desk.press("Enter", { metaKey: true }, box());
    expect(answers()).toEqual(["one\ntwo", ""]);
    expect(on.desk.text(".alw-last")).toBe("last: saved an empty text");
    expect(on.desk.text(".alw-save")).toBe("SaveCtrl Enter");
  });
});
