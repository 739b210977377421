import { describe, expect, it, vi } from "vitest";
import { STATUS, useDesk } from "./desk";
import { classification, freeText, multiLabel, textCard, textCards } from "./testing";

const on = useDesk();
const elsewhere = (id: string) => on.desk.model.receive({ type: "labelled", item_id: id });
const made = () => on.desk.model.events.map((e) => [e.kind, e.item_id, e.answer]);
const together = (...ids: string[]) => {
  const suggestion = { answer: "ham", confidence: 0.9 };
  const cards = ids.map((id) => textCard(id, { suggestion }));
  on.desk.model.receive({ type: "together", title: "these", cards, sample: 0, left_out: 0 });
};
const later = (ms = 500) => vi.advanceTimersByTime(ms);

describe("a key that comes as the card changes by itself", () => {
  it("does nothing, looks like nothing, and has the new card read out", () => {
    on.desk.model.queue(textCards("a", "b"));
    later();
    elsewhere("a");
    on.desk.press("1");
    expect(made()).toEqual([]);
    expect(on.desk.classButton(0).classList.contains("alw-given")).toBe(false);
    const said = on.desk.text("[role=status].alw-hidden");
    expect(said).toContain("was not taken");
    expect(said).toContain(on.desk.text(".alw-stage"));
    on.desk.classButton(0).click();
    expect(made()).toEqual([]);
    later();
    on.desk.classButton(0).click();
    expect(made()).toEqual([["answer", "b", "ham"]]);
  });

  it("leaves what was typed to find a class", () => {
    const names = Array.from({ length: 14 }, (_, i) => `class ${String.fromCharCode(97 + i)}`);
    on.desk.model.set("_task", classification(names));
    on.desk.model.queue(textCards("a", "b"));
    later();
    const filter = on.desk.find<HTMLInputElement>(".alw-filter");
    filter.value = "class c";
    filter.dispatchEvent(new Event("input", { bubbles: true }));
    elsewhere("a");
    on.desk.press("Enter", {}, filter);
    expect(filter.value).toBe("class c");
    expect(made()).toEqual([]);
  });

  it("tells nothing where nothing is on screen, and lets Esc through", () => {
    on.desk.model.queue(textCards("a"));
    later();
    elsewhere("a");
    on.desk.press(" ");
    expect(on.desk.notices).toEqual([]);
    on.desk.model.queue(textCards("b", "c"));
    later();
    elsewhere("b");
    const left = on.desk.press("Escape");
    expect(left.defaultPrevented).toBe(true);
    expect(on.desk.notices).toEqual([]);
  });

  it("marks no label of another item", () => {
    on.desk.model.set("_task", multiLabel(["x", "y", "z"]));
    on.desk.model.queue(textCards("a", "b"));
    later();
    on.desk.press("1");
    elsewhere("a");
    on.desk.press("2");
    later();
    on.desk.press("Enter");
    expect(made()).toEqual([["answer", "b", []]]);
  });

  it("writes nothing into another item, for as long as somebody goes on writing", () => {
    on.desk.model.set("_task", freeText());
    on.desk.model.queue(textCards("a", "b"));
    later();
    const box = on.desk.find<HTMLTextAreaElement>("textarea");
    box.focus();
    on.desk.press("h", {}, box);
    elsewhere("a");
    for (const letter of "ello") {
      expect(on.desk.press(letter, {}, box).defaultPrevented).toBe(true);
      later(300);
    }
    later();
    expect(on.desk.press("n", {}, box).defaultPrevented).toBe(false);
  });

  it("takes nothing back where it was to correct a comment", () => {
    on.desk.model.queue(textCards("a", "b", "c"));
    on.desk.press("1");
    on.desk.model.receive({ type: "ack", event_ids: ["e1"] });
    later();
    on.desk.press("c");
    const input = on.desk.find<HTMLInputElement>(".alw-comment-input");
    on.desk.press("x", {}, input);
    elsewhere("b");
    for (let n = 0; n < 4; n++) {
      on.desk.press("Backspace", {}, on.desk.view.root);
      later(300);
    }
    expect(made()).toEqual([["answer", "a", "ham"]]);
  });
});

describe("a key that comes as a group goes by itself", () => {
  it("is not for the card behind it", () => {
    on.desk.model.queue(textCards("a", "b"));
    together("g", "h");
    later();
    elsewhere("g");
    elsewhere("h");
    expect(on.desk.state.groups.open).toBeNull();
    on.desk.press("1");
    expect(made()).toEqual([]);
    later();
    on.desk.press("1");
    expect(made()).toEqual([["answer", "a", "ham"]]);
  });

  it("is not for the next group", () => {
    on.desk.model.queue(textCards("a", "b"));
    together("g");
    on.desk.press("2");
    together("k", "l");
    later();
    elsewhere("g");
    on.desk.press("Enter");
    expect(made()).toEqual([]);
  });

  it("a card that changes behind a group keeps nobody up", () => {
    on.desk.model.queue(textCards("a", "b", "c"));
    together("g", "h");
    later();
    elsewhere("a");
    on.desk.press("Enter");
    on.desk.press("1");
    expect(made().map(([, item]) => item)).toEqual(["g", "h", "b"]);
  });
});

describe("a group that waits behind another", () => {
  it("is not answered by the same Enter, held or pressed twice", () => {
    on.desk.model.queue(textCards("a"));
    together("g");
    on.desk.press("2");
    together("k", "l");
    later();
    on.desk.press("Enter");
    on.desk.press("Enter");
    expect(made()).toEqual([["answer", "g", "spam"]]);
    later();
    on.desk.press("Enter");
    expect(made()).toHaveLength(3);
  });
});

describe("an undo that was asked for here", () => {
  it("excuses one card, not those that somebody else changes after it", () => {
    on.desk.model.receive(STATUS);
    on.desk.model.queue(textCards("a", "b", "c"));
    later();
    on.desk.press("Backspace");
    on.desk.model.receive({ type: "undone", event_id: "x", card: textCard("z") });
    on.desk.press("1");
    expect(made()).toEqual([["answer", "z", "ham"]]);
    later();
    elsewhere("a");
    on.desk.press("1");
    expect(made()).toHaveLength(1);
  });
});
