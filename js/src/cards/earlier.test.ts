import axe from "axe-core";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { EarlierRow } from "../shared/messages";
import { STATUS, useDesk } from "./desk";
import { textCard, textCards } from "./testing";

const on = useDesk();

const row = (seq: number, more: Partial<EarlierRow> = {}): EarlierRow => ({
  item_id: `old-${seq}`,
  kind: "answer",
  answer: "spam",
  at: "2026-03-01T09:30:01.250Z",
  seq,
  text: `text of old-${seq}`,
  flag: false,
  comment: null,
  ...more,
});
const tell = (rows: EarlierRow[], more = false) => on.desk.model.receive({ type: "earlier", rows, more });
const rows = () => [...on.desk.view.root.querySelectorAll<HTMLElement>(".alw-earlier-row")];
const lines = () =>
  rows().map((r) =>
    ["answer", "text", "at"].map((part) => r.querySelector(`.alw-earlier-${part}`)!.textContent).join(" | "),
  );
const open = () => !on.desk.find(".alw-earlier").hidden;
const press = (key: string) => on.desk.press(key, {}, document.activeElement!);
const asked = () => on.desk.model.sent.filter((m) => m.type === "earlier" || m.type === "show");

beforeEach(() => {
  on.desk.model.queue(textCards("a", "b", "c", "d"));
  on.desk.view.root.focus();
});

describe("earlier cards", () => {
  it("are asked for, listed newest first, with what is not saved yet before them", () => {
    on.desk.press("1");
    on.desk.press(" ");
    on.desk.press("2");
    on.desk.press("Backspace"); // taken back: not in the list
    on.desk.press("b");
    expect(open()).toBe(true);
    expect(asked()).toEqual([{ type: "earlier", before: null }]);
    expect(on.desk.text(".alw-earlier-note")).toBe("Asking the kernel…");
    expect(lines()).toEqual(["skipped | text of b | not saved yet", "ham | text of a | not saved yet"]);
    tell([
      row(9),
      row(8, { kind: "skip", answer: null, flag: true, comment: "odd" }),
      row(7, { item_id: "a" }),
    ]);
    expect(lines()).toEqual([
      "skipped | text of b | not saved yet",
      "ham | text of a | not saved yet",
      "spam | text of old-9 | 1 Mar 2026",
      "skipped | text of old-8 | 1 Mar 2026",
    ]);
    expect(rows()[3]!.querySelector("[aria-label=flagged]")).not.toBeNull();
    expect(rows()[3]!.textContent).toContain("odd");
    on.desk.model.receive({ type: "ack", event_ids: on.desk.model.events.map((e) => e.event_id) });
    expect(lines()[0]).toMatch(/^skipped \| text of b \| \d\d:\d\d$/);
    expect(on.desk.text(".alw-earlier-note")).toBe("That is all.");
  });

  it("are loaded page by page, by a button and at the end of the list, in any order and twice", () => {
    on.desk.press("b");
    tell([row(9), row(8)], true);
    expect(on.desk.find(".alw-earlier .alw-act").hidden).toBe(false);
    on.desk.find(".alw-earlier .alw-act").click();
    on.desk.find(".alw-earlier .alw-act").click(); // one question at a time
    expect(asked().slice(1)).toEqual([{ type: "earlier", before: 8 }]);
    tell([row(7), row(6)], true);
    tell([row(9), row(8)], true);
    tell([row(7), row(6)], true);
    expect(rows()).toHaveLength(4);
    press("End");
    press("ArrowDown");
    expect(asked().at(-1)).toEqual({ type: "earlier", before: 6 });
    expect(document.activeElement).toBe(rows()[3]);
    tell([row(5)]);
    tell([row(9), row(8)], true); // late
    expect(lines().map((line) => line.split(" | ")[1])).toEqual(
      [9, 8, 7, 6, 5].map((seq) => `text of old-${seq}`),
    );
    expect(on.desk.find(".alw-earlier .alw-act").hidden).toBe(true);
    expect(document.activeElement).toBe(rows()[3]);
  });

  it("come on screen again with their answer, and a new one replaces it", () => {
    on.desk.model.receive(STATUS);
    on.desk.press("b");
    tell([row(9), row(8)]);
    press("ArrowDown");
    press("Enter");
    expect(open()).toBe(false);
    expect(document.activeElement).toBe(on.desk.view.root);
    expect(asked().at(-1)).toEqual({ type: "show", item_id: "old-8" });
    const card = textCard("old-8", { draw_id: "its-own" });
    on.desk.model.receive({ type: "shown", card, former: "spam" });
    expect(on.desk.itemId).toBe("old-8");
    expect(on.desk.text(".alw-why")).toBe("an earlier card: Space leaves it as it was");
    expect(on.desk.classButton(1).classList.contains("alw-former")).toBe(true);
    expect(on.desk.text("[role=status].alw-hidden")).toContain("An earlier card. Its answer was spam.");
    expect(on.desk.state.deck.upcoming.map((c) => c.item_id)).toEqual(["a", "b", "c", "d"]);
    on.desk.press("1");
    expect(on.desk.model.events.map((e) => [e.kind, e.item_id, e.answer, e.draw_id])).toEqual([
      ["answer", "old-8", "ham", "its-own"],
    ]);
    expect(on.desk.itemId).toBe("a");
    expect(on.desk.text(".alw-labelled")).toBe("labelled 40 of 1,102");
    on.desk.model.receive({ type: "shown", card, former: "spam" }); // delivered twice
    expect(on.desk.itemId).toBe("a");
    on.desk.press("Backspace");
    expect(on.desk.itemId).toBe("old-8");
    expect(on.desk.text(".alw-labelled")).toBe("labelled 40 of 1,102");
  });

  it("are left as they are by Space, which skips nothing", () => {
    on.desk.press("b");
    tell([row(9)]);
    rows()[0]!.click();
    on.desk.model.receive({ type: "shown", card: textCard("old-9"), former: "spam" });
    on.desk.press(" ");
    expect(on.desk.itemId).toBe("a");
    expect(on.desk.model.events).toEqual([]);
    expect(on.desk.text("[role=status].alw-hidden")).toContain("Left as it was.");
    on.desk.press(" ");
    expect(on.desk.model.events.map((e) => [e.kind, e.item_id])).toEqual([["skip", "a"]]);
  });

  it("of this page are shown at once, saved or not, without asking", () => {
    on.desk.press("1");
    on.desk.press("2");
    on.desk.press("b");
    press("ArrowDown");
    press("Enter");
    expect(on.desk.itemId).toBe("a");
    expect(on.desk.classButton(0).classList.contains("alw-former")).toBe(true);
    expect(asked()).toHaveLength(1);
    on.desk.model.queue(textCards("a", "b", "e")); // made before their answers arrived
    on.desk.press("2");
    expect(on.desk.itemId).toBe("c");
    expect(on.desk.model.events.map((e) => `${e.item_id} ${e.answer}`)).toEqual([
      "a ham",
      "b spam",
      "a spam",
    ]);
    for (const id of ["a", "b", "a"]) {
      on.desk.press("Backspace");
      expect(on.desk.itemId).toBe(id);
    }
  });

  it("that were not asked for, or not last, do not come", () => {
    on.desk.model.receive({ type: "shown", card: textCard("z"), former: "ham" });
    expect(on.desk.itemId).toBe("a");
    for (const place of [0, 1]) {
      on.desk.press("b");
      tell([row(9), row(8)]);
      rows()[place]!.click();
    }
    on.desk.model.receive({ type: "shown", card: textCard("old-9"), former: "ham" });
    expect(on.desk.itemId).toBe("a");
    on.desk.model.receive({ type: "shown", card: textCard("old-8"), former: "ham" });
    expect(on.desk.itemId).toBe("old-8");
  });

  it("keep the keys: none labels behind the list, none reaches the page", () => {
    const outside = vi.fn();
    document.body.addEventListener("keydown", outside);
    on.desk.find(".alw-back").click();
    expect(on.desk.text(".alw-earlier-note")).toBe("Asking the kernel…");
    tell([]);
    expect(on.desk.text(".alw-earlier-note")).toBe("Nothing was answered yet.");
    for (const key of ["1", "2", " ", "Enter", "Backspace", "ArrowDown", "f", "x", "End"]) press(key);
    press("Escape");
    document.body.removeEventListener("keydown", outside);
    expect(outside).not.toHaveBeenCalled();
    expect(open()).toBe(false);
    expect(on.desk.model.events).toEqual([]);
    expect(on.desk.itemId).toBe("a");
    expect(document.activeElement).toBe(on.desk.view.root);
    on.desk.press("b");
    on.desk.press("b");
    expect(open()).toBe(false);
  });

  it("wait for what was taken back before they are taken back themselves", () => {
    on.desk.press("1");
    on.desk.press("b");
    tell([row(9)]);
    rows()[1]!.click();
    on.desk.model.receive({ type: "shown", card: textCard("old-9"), former: "spam" });
    on.desk.press("Backspace"); // a, labelled last
    expect(on.desk.itemId).toBe("a");
    on.desk.press("2");
    expect(on.desk.itemId).toBe("old-9");
    expect(on.desk.classButton(1).classList.contains("alw-former")).toBe(true);
    on.desk.press(" ");
    expect(on.desk.model.events.filter((e) => e.item_id === "old-9")).toEqual([]);
  });

  it("labelled anew are taken back one answer at a time, and none claims what no longer stands", () => {
    on.desk.model.receive(STATUS);
    on.desk.press("1");
    on.desk.press("b");
    press("Enter");
    on.desk.press("2");
    on.desk.press("Backspace");
    expect(on.desk.text(".alw-why")).toBe("an earlier card: Space leaves it as it was");
    on.desk.press("Backspace");
    expect(on.desk.itemId).toBe("a");
    expect(on.desk.state.deck.upcoming.map((c) => c.item_id)).toEqual(["b", "c", "d"]);
    expect(on.desk.text(".alw-why")).not.toContain("an earlier card");
    expect(on.desk.text(".alw-labelled")).toBe("labelled 40 of 1,102");
  });

  it("labelled anew are labelled so again by redo, wherever their cards are by then", () => {
    on.desk.model.receive(STATUS);
    on.desk.press("1");
    on.desk.press("2");
    on.desk.press("b");
    press("ArrowDown");
    press("Enter");
    on.desk.press("2"); // a, which was ham
    for (const _ of "aba") on.desk.press("Backspace");
    expect(on.desk.text(".alw-labelled")).toBe("labelled 40 of 1,102");
    for (const _ of "aba") on.desk.press("y", { ctrlKey: true });
    expect(on.desk.model.events.slice(-3).map((e) => `${e.item_id} ${e.answer}`)).toEqual([
      "a ham",
      "b spam",
      "a spam",
    ]);
    expect(on.desk.text(".alw-labelled")).toBe("labelled 42 of 1,102");
    expect(on.desk.itemId).toBe("c");
    expect(on.desk.state.deck.again).toBeNull();
  });

  it("whose new answer is refused keep the one that stands, and the count", () => {
    on.desk.model.receive(STATUS);
    on.desk.press("b");
    tell([row(9)]);
    rows()[0]!.click();
    on.desk.model.receive({ type: "shown", card: textCard("old-9"), former: "spam" });
    on.desk.press("1");
    const { event_id } = on.desk.model.events[0]!;
    on.desk.model.receive({ type: "refused", event_id, reason: "'ham' is no class." });
    expect(on.desk.text(".alw-labelled")).toBe("labelled 40 of 1,102");
    on.desk.press("2"); // a
    expect(on.desk.itemId).toBe("old-9");
    on.desk.press(" ");
    expect(on.desk.model.events.filter((e) => e.kind === "skip")).toEqual([]);
  });

  it("that come once somebody has gone on labelling do not take the place of the next card", () => {
    for (const key of ["1", " "]) {
      on.desk.press("b");
      tell([row(9)]);
      rows().at(-1)!.click();
      on.desk.press(key);
      const next = on.desk.itemId;
      on.desk.model.receive({ type: "shown", card: textCard("old-9"), former: "spam" });
      expect(on.desk.itemId).toBe(next);
    }
  });

  it("are text, never markup, and axe finds nothing wrong with their list", async () => {
    vi.useRealTimers();
    const evil = "<img src=x onerror=alert(1)>";
    on.desk.press("b");
    tell([row(9, { text: evil, comment: evil, answer: evil, item_id: evil }), row(8, { flag: true })], true);
    expect(on.desk.view.root.querySelector("img")).toBeNull();
    expect(rows()[0]!.textContent).toContain(evil);
    const found = await axe.run(on.desk.find(".alw-earlier"), {
      rules: { "color-contrast": { enabled: false } },
    });
    expect(found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" ")}`)).toEqual([]);
  });
});
