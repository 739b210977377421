import { beforeEach, describe, expect, it, vi } from "vitest";
import { useDesk } from "./desk";
import { textCard, textCards } from "./testing";
import { CardsView } from "./view";

const on = useDesk();
const line = () => on.desk.find<HTMLInputElement>(".alw-comment-input");
const open = () => !on.desk.find(".alw-comment-line").hidden;
const remark = () => (on.desk.find(".alw-remark").hidden ? null : on.desk.text(".alw-remark-text"));
/** What the suggestion's row has beside it: its style goes by that. */
const beside = () => on.desk.find(".alw-suggestion").getAttribute("data-beside");
const comments = () =>
  on.desk.model.events.filter((e) => e.kind === "comment").map((e) => [e.item_id, e.comment]);

/** Types into the line that is open. */
function type(text: string): void {
  line().value = text;
  line().dispatchEvent(new Event("input", { bubbles: true }));
}

/** Writes a remark on the card on screen, by keys. */
function write(text: string, key = "Enter"): void {
  on.desk.press("c");
  type(text);
  on.desk.press(key, {}, line());
}

describe("a comment", () => {
  beforeEach(() => on.desk.model.queue(textCards("a", "b")));

  it("is written by C and Enter, sent once, and shown on its card", () => {
    expect(beside()).toBeNull();
    expect(on.desk.press("c").defaultPrevented).toBe(true);
    expect(document.activeElement).toBe(line());
    expect(beside()).toBe("line");
    expect(line().maxLength).toBe(10_000);
    on.desk.press("1", {}, line());
    on.desk.press(" ", {}, line());
    type("  Is this one sarcastic? ");
    on.desk.press("Enter", { isComposing: true }, line());
    on.desk.press("Enter", { repeat: true }, line());
    expect(comments()).toEqual([]);
    on.desk.press("Enter", {}, line());
    expect(comments()).toEqual([["a", "Is this one sarcastic?"]]);
    expect(on.desk.model.events[0]).toMatchObject({ answer: null, target: null, draw_id: "draw-a" });
    expect(open()).toBe(false);
    expect(document.activeElement).toBe(on.desk.view.root);
    expect(remark()).toBe("Is this one sarcastic?");
    expect(beside()).toBe("remark");
    expect(on.desk.itemId).toBe("a");
    expect(on.desk.text("[role=status].alw-hidden")).toBe("Comment kept.");
    expect(on.desk.view.root.dataset.unsaved).toBe("1");
  });

  it("is given up by Escape, and not sent when it says what stands", () => {
    write("never mind", "Escape");
    expect(document.activeElement).toBe(on.desk.view.root);
    expect(remark()).toBeNull();
    on.desk.press("c");
    expect(line().value).toBe("");
    on.desk.press("Enter", {}, line());
    expect(comments()).toEqual([]);
  });

  it("that stands is changed, and taken off by emptying it", () => {
    on.desk.model.queue([textCard("c", { comment: "Seen twice." })]);
    on.desk.press("1");
    expect(remark()).toBe("Seen twice.");
    expect(on.desk.text("[role=status].alw-hidden")).toContain("Comment: Seen twice.");
    on.desk.find(".alw-remark").click();
    expect(line().value).toBe("Seen twice.");
    type("Seen three times.");
    on.desk.find(".alw-comment-line button").click();
    expect(remark()).toBe("Seen three times.");
    write("");
    expect(remark()).toBeNull();
    expect(comments()).toEqual([
      ["c", "Seen three times."],
      ["c", ""],
    ]);
  });

  it("goes with its card: undo passes over it and shows it again", () => {
    write("odd");
    on.desk.press("1");
    expect(remark()).toBeNull();
    on.desk.press("Backspace");
    expect(on.desk.itemId).toBe("a");
    expect(remark()).toBe("odd");
    expect(on.desk.model.events.map((e) => e.kind)).toEqual(["comment", "answer", "retract"]);
    expect(on.desk.model.events.at(-1)?.target).toBe("e2");
  });

  it("that Python refuses comes off again, with the reason", () => {
    on.desk.model.queue([textCard("c", { comment: "before" })]);
    on.desk.press("1");
    write("after");
    on.desk.press("2");
    on.desk.model.receive({ type: "refused", event_id: "e2", reason: "No." });
    on.desk.press("Backspace");
    expect(remark()).toBe("before");
    expect(on.desk.notices).toEqual(["No."]);
  });

  it("that was begun is kept when its card goes before it is sent", () => {
    on.desk.press("c");
    type("half a thou");
    on.desk.model.receive({ type: "labelled", item_id: "a" });
    expect(open()).toBe(false);
    expect(document.activeElement).toBe(on.desk.view.root);
    expect(remark()).toBeNull();
    on.desk.model.receive({ type: "undone", event_id: "x", card: textCard("a") });
    expect(remark()).toBe("a comment you began");
    vi.advanceTimersByTime(500);
    on.desk.press("c");
    expect(line().value).toBe("half a thou");
    on.desk.press("Enter", {}, line());
    expect(comments()).toEqual([["a", "half a thou"]]);
    expect(remark()).toBe("half a thou");
  });

  it("that was begun is kept by all but Escape in it", () => {
    on.desk.press("c");
    type("half a thou");
    on.desk.view.focus();
    on.desk.press("Escape");
    expect(open()).toBe(false);
    expect(remark()).toBe("a comment you began");
    on.desk.find(".alw-comment").click();
    on.desk.find(".alw-comment").click();
    on.desk.find(".alw-remark").click();
    expect(line().value).toBe("half a thou");
    on.desk.press("Escape", {}, line());
    expect(remark()).toBeNull();
    expect(comments()).toEqual([]);
  });

  it("that was begun is there when the page is opened anew, until it is sent or given up", () => {
    write("sent");
    on.desk.press("c");
    type("half a thou");
    vi.advanceTimersByTime(1_000); // a page that is closed tells nobody
    expect(on.desk.shelf.getItem("alwidgets-comments/store-1")).toBe('[["a","half a thou"]]');
    on.desk.open();
    on.desk.model.queue([textCard("a", { comment: "sent" }), textCard("b")]);
    expect(remark()).toBe("a comment you began");
    on.desk.press("c");
    expect(line().value).toBe("half a thou");
    type("half a thought");
    on.desk.open(); // the cell is run again, sooner than it was kept
    on.desk.model.queue([textCard("a", { comment: "sent" }), textCard("b")]);
    on.desk.press("c");
    expect(line().value).toBe("half a thought");
    on.desk.press("Escape", {}, line());
    on.desk.press("c");
    type("");
    type("sent"); // what stands is nothing begun
    on.desk.open();
    on.desk.model.queue([textCard("a", { comment: "sent" }), textCard("b")]);
    expect(remark()).toBe("sent");
  });

  it("that was begun is no draft of an answer, and not undone by another view", () => {
    const other = new CardsView(on.desk.state);
    document.body.append(other.root);
    other.root.querySelector<HTMLElement>(".alw-comment")!.click();
    on.desk.press("c");
    type("half a thou");
    expect(on.desk.state.drafts.of("a")).toBeNull();
    on.desk.press("Escape");
    other.root.querySelector<HTMLElement>(".alw-comment")!.click();
    on.desk.press("c");
    expect(line().value).toBe("half a thou");
    other.dispose();
  });

  it("has a button for who has no keys", () => {
    const button = on.desk.find(".alw-comment");
    expect(button.getAttribute("aria-keyshortcuts")).toBe("c");
    button.click();
    expect([open(), button.getAttribute("aria-expanded")]).toEqual([true, "true"]);
    button.click();
    expect([open(), button.getAttribute("aria-expanded")]).toEqual([false, "false"]);
    on.desk.press("p");
    button.click();
    expect(open()).toBe(false);
  });

  it("is text and nothing else, and its keys stay inside", () => {
    const outside = vi.fn();
    document.body.addEventListener("keydown", outside);
    write('<img src=x onerror="alert(1)">');
    for (const key of ["d", "x", "Escape"]) on.desk.press(key, {}, line());
    document.body.removeEventListener("keydown", outside);
    expect(outside).not.toHaveBeenCalled();
    expect(remark()).toBe('<img src=x onerror="alert(1)">');
    expect(on.desk.view.root.querySelector("img")).toBeNull();
  });
});
