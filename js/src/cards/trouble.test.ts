import { beforeEach, describe, expect, it, vi } from "vitest";
import { STATUS, useDesk } from "./desk";
import { textCard, textCards } from "./testing";

const on = useDesk();

describe("what goes wrong", () => {
  beforeEach(() => on.desk.model.queue(textCards("a", "b", "c")));

  it("is told with its remedy, and put away", () => {
    on.desk.model.receive({ type: "problem", text: "The disk is full.", remedy: "Free some space." });
    expect(on.desk.notices).toEqual(["The disk is full. Free some space."]);
    on.desk.find<HTMLButtonElement>(".alw-notice button").click();
    expect(on.desk.notices).toEqual([]);
  });

  it("a refused answer: reason shown, card back, count corrected", () => {
    on.desk.model.receive(STATUS);
    on.desk.press("1");
    on.desk.model.receive({ type: "refused", event_id: "e1", reason: "'ham' is no class." });
    expect(on.desk.notices[0]).toContain("'ham' is no class.");
    expect(on.desk.view.root.dataset.unsaved).toBe("0");
    expect(on.desk.text(".alw-labelled")).toBe("labelled 40 of 1,102");
    on.desk.press("2");
    expect(on.desk.itemId).toBe("a");
    expect(on.desk.classButton(0).classList.contains("alw-former")).toBe(true);
  });

  it("an error of the learner stays away once dismissed, and comes back when it is another", () => {
    on.desk.model.receive({ ...STATUS, error: "row 17 holds NaN" });
    on.desk.find<HTMLButtonElement>(".alw-notice button").click();
    on.desk.model.receive({ ...STATUS, error: "row 17 holds NaN" });
    expect(on.desk.notices).toEqual([]);
    on.desk.model.receive({ ...STATUS, error: "row 18 holds NaN" });
    expect(on.desk.notices).toHaveLength(1);
    on.desk.model.receive(STATUS);
    expect(on.desk.notices).toEqual([]);
  });

  it("a dead kernel: labels are counted at once, told of if that lasts, amber after seven seconds, told after ten, saved at last", () => {
    on.desk.model.alive = false;
    on.desk.press("1");
    on.desk.press("2");
    expect(on.desk.view.root.dataset.unsaved).toBe("2");
    expect(on.desk.text(".alw-unsaved")).toBe("");
    vi.advanceTimersByTime(4_500);
    expect(on.desk.text(".alw-unsaved")).toBe("2 unsaved");
    expect(on.desk.find(".alw-unsaved").classList.contains("alw-late")).toBe(false);
    vi.advanceTimersByTime(2_500);
    expect(on.desk.find(".alw-unsaved").classList.contains("alw-late")).toBe(true);
    expect(on.desk.notices).toEqual([]);
    vi.advanceTimersByTime(3_000);
    expect(on.desk.notices[0]).toContain("not confirmed");
    on.desk.model.alive = true;
    vi.advanceTimersByTime(30_000);
    expect(on.desk.model.events.map((e) => e.event_id)).toEqual(expect.arrayContaining(["e1", "e2"]));
    on.desk.model.receive({ type: "ack", event_ids: ["e1", "e2"] });
    expect(on.desk.view.root.dataset.unsaved).toBe("0");
    expect(on.desk.text(".alw-unsaved")).toBe("");
    expect(on.desk.notices).toEqual([]);
  });

  it("labels that are saved one after the other are no labels that wait", () => {
    for (let i = 1; i <= 3; i++) {
      on.desk.press("1");
      vi.advanceTimersByTime(3_000);
      if (i > 1) on.desk.model.receive({ type: "ack", event_ids: [`e${i - 1}`] });
    }
    expect(on.desk.view.root.dataset.unsaved).toBe("1");
    expect(on.desk.text(".alw-unsaved")).toBe("");
    vi.advanceTimersByTime(4_500);
    expect(on.desk.text(".alw-unsaved")).toBe("1 unsaved");
  });

  it("a reload: the next page sends what the last one could not, and shows none of it again", () => {
    on.desk.model.alive = false;
    on.desk.press("1");
    on.desk.press(" ");
    on.desk.open();
    expect(on.desk.view.root.dataset.unsaved).toBe("2");
    expect(on.desk.model.events.map((e) => e.item_id)).toEqual(["a", "b"]);
    on.desk.model.queue(["a", "b", "c"].map((id) => textCard(id, { draw_id: `new-${id}` })));
    expect(on.desk.itemId).toBe("c");
  });

  it("two pages show one view: what the other one answered goes, what is answered here stays", () => {
    const ack = (id: string, item: string) =>
      on.desk.model.receive({ type: "ack", event_ids: [id], items: { [id]: item } });
    ack("of-the-other-page", "a");
    expect(on.desk.itemId).toBe("b");
    ack("of-the-other-page-2", "c");
    vi.advanceTimersByTime(500);
    on.desk.press("1");
    expect(on.desk.itemId).toBe("");
    const [event] = on.desk.model.events.slice(-1);
    on.desk.press("Backspace");
    expect(on.desk.itemId).toBe("b");
    ack(event!.event_id, "b"); // late: its card has come back meanwhile
    ack(event!.event_id, "b");
    expect(on.desk.itemId).toBe("b");
  });

  it.each([
    ["an answer elsewhere", { type: "labelled", item_id: "a" } as const, "b"],
    ["an undo elsewhere", { type: "undone", event_id: "x", card: textCard("z") } as const, "z"],
  ])("a card that %s puts in the place of another takes no press meant for that", (_, message, item) => {
    vi.advanceTimersByTime(5_000);
    on.desk.model.receive(message);
    expect(on.desk.itemId).toBe(item);
    for (const key of ["1", " ", "f"]) on.desk.press(key);
    expect(on.desk.model.events).toEqual([]);
    expect(on.desk.notices[0]).toContain("was not taken");
    vi.advanceTimersByTime(500);
    on.desk.press("2");
    expect(on.desk.model.events.map((e) => [e.item_id, e.answer])).toEqual([[item, "spam"]]);
    expect(on.desk.notices).toEqual([]);
  });

  it("an undo that was asked for here is answered at once", () => {
    on.desk.model.receive(STATUS);
    on.desk.press("Backspace"); // of what was done before this page
    on.desk.model.receive({ type: "undone", event_id: "x", card: textCard("z") });
    on.desk.press("1");
    expect(on.desk.model.events.map((e) => e.item_id)).toEqual(["z"]);
  });

  it("full storage: told at once, labelling goes on", () => {
    on.desk.shelf.room = 0;
    on.desk.press("1");
    expect(on.desk.notices[0]).toContain("keeps no copy");
    expect(on.desk.itemId).toBe("b");
    on.desk.model.receive({ type: "ack", event_ids: ["e1"] });
    expect(on.desk.notices).toEqual([]);
  });

  it("a store in memory: said, and nothing put into the browser's storage", () => {
    expect(on.desk.view.root.querySelector(".alw-memory")).toBeNull();
    on.desk.open(["ham", "spam"], { persistent: false });
    on.desk.model.queue(textCards("a"));
    on.desk.press("1");
    expect(on.desk.text(".alw-memory")).toBe(
      'Labels are kept in memory only. Pass store="labels.db" to keep them.',
    );
    expect(on.desk.shelf.writes).toBe(0);
  });
});

describe("asking for cards", () => {
  it("asks once a while when few are left, and not when there are no more", () => {
    const asked = () => on.desk.model.sent.filter((m) => m.type === "more").length;
    on.desk.model.queue(textCards(..."abcdefghijklmnop"));
    expect(asked()).toBe(0);
    for (let i = 0; i < 6; i++) on.desk.press("1");
    expect(asked()).toBe(1);
    vi.advanceTimersByTime(3_500);
    on.desk.press("1");
    expect(asked()).toBe(2);
    on.desk.model.queue(textCards(..."mn"), { exhausted: true });
    on.desk.press("1");
    expect(asked()).toBe(2);
  });
});
