/** Where the keys go when what had the focus goes. */
import { beforeEach, describe, expect, it } from "vitest";
import { STATUS, useDesk } from "./desk";
import { textCard, textCards } from "./testing";

const on = useDesk();
const focused = () => document.activeElement;

/** Goes to a button by Tab and presses Enter. */
function enter(selector: string): void {
  const button = on.desk.find<HTMLButtonElement>(selector);
  button.focus();
  expect(focused()).toBe(button);
  button.click();
}

describe("the focus goes back to the cards from", () => {
  beforeEach(() => {
    const suggestion = { answer: "spam", confidence: 0.9 };
    on.desk.model.queue([textCard("a", { suggestion }), textCard("b", { stream: "audit" })]);
  });

  it("a suggestion, when the next card has none", () => {
    enter(".alw-chip");
    expect(on.desk.itemId).toBe("b");
    expect(focused()).toBe(on.desk.view.root);
  });

  it("undo and redo, when there is nothing more to take back or to do again", () => {
    on.desk.press("1");
    enter(".alw-actions [aria-keyshortcuts='Backspace']");
    expect(focused()).toBe(on.desk.view.root);
    enter(".alw-actions [aria-keyshortcuts='Control+Y']");
    expect(on.desk.itemId).toBe("b");
    expect(focused()).toBe(on.desk.view.root);
  });

  it("a button that ends the pause", () => {
    on.desk.press("p");
    enter(".alw-go");
    expect(on.desk.state.paused).toBe(false);
    expect(focused()).toBe(on.desk.view.root);
  });

  it("a notice that is put away", () => {
    on.desk.model.receive({ type: "problem", text: "The disk is full.", remedy: "" });
    enter(".alw-notice button");
    expect(on.desk.notices).toEqual([]);
    expect(focused()).toBe(on.desk.view.root);
  });

  it("a class, when no card is left", () => {
    on.desk.press("1");
    enter(".alw-class");
    expect(on.desk.itemId).toBe("");
    expect(focused()).toBe(on.desk.view.root);
  });

  it("nothing that is still there, nor from elsewhere on the page", () => {
    on.desk.press("1");
    on.desk.press("Backspace");
    const flag = on.desk.find(".alw-flag");
    enter(".alw-flag");
    on.desk.model.receive(STATUS);
    expect(focused()).toBe(flag);
    flag.blur();
    on.desk.press("1");
    on.desk.press("1");
    expect(focused()).toBe(document.body);
  });
});

it("more of the earlier cards, once asked for, leave the focus in their list", () => {
  on.desk.model.queue(textCards("a"));
  on.desk.view.root.focus();
  on.desk.press("b");
  const rows = [{ item_id: "z", kind: "answer", answer: "ham", at: null, seq: 9, text: "z" }] as const;
  on.desk.model.receive({
    type: "earlier",
    rows: rows.map((row) => ({ ...row, flag: false, comment: null })),
    more: true,
  });
  enter(".alw-earlier .alw-act");
  expect(focused()).toBe(on.desk.find(".alw-earlier-row"));
});

it("with no card a message leaves the focus where somebody writes or reads", () => {
  on.desk.model.queue(textCards("a"), { exhausted: true });
  on.desk.view.root.focus();
  on.desk.press("1");
  on.desk.press("e");
  const name = on.desk.find(".alw-editor input");
  on.desk.model.receive({ ...STATUS, training: true, progress: 0.5 });
  expect(focused()).toBe(name);
  on.desk.press("Escape", {}, name);
  on.desk.press("b");
  on.desk.model.receive({ type: "earlier", rows: [], more: false });
  const row = focused();
  expect(row).toBe(on.desk.find(".alw-earlier-row"));
  on.desk.model.receive(STATUS);
  expect(focused()).toBe(row);
});
