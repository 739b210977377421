import { describe, expect, it, vi } from "vitest";
import { STATUS } from "../desk";
import { textCard, textCards } from "../testing";
import { chosen, message, standing, useGroups } from "./desk";

const { on, items, come, fates, promised, said, open, focused, press } = useGroups();

describe("what happens meanwhile", () => {
  it("a new queue does not disturb it, and brings no item of it after", () => {
    come();
    press("ArrowDown");
    press("1");
    on.desk.model.queue([...[..."vw"].map((id) => chosen(id)), ...textCards("d")]);
    expect(fates()).toEqual(["ham", "spam", "spam", "spam", "spam"]);
    expect(focused()).toBe("0");
    press("Enter");
    expect(on.desk.itemId).toBe("a");
    on.desk.press("1");
    expect(on.desk.itemId).toBe("d");
  });

  it("the same group twice is one, and after it is labelled none", () => {
    const group = message([chosen("v"), chosen("w")]);
    on.desk.model.receive(group);
    vi.advanceTimersByTime(600);
    press("1");
    on.desk.model.receive(group);
    expect(promised()).toBe("Enter labels 2 as ham");
    press("Enter");
    on.desk.model.receive(group);
    expect(open()).toBe(false);
  });

  it("another group replaces one that nobody touched, and waits behind one that somebody did", () => {
    come([chosen("v")]);
    come([chosen("v"), chosen("w")]);
    expect(items()).toHaveLength(2);
    press("1");
    come([chosen("x"), chosen("y"), chosen("z")]);
    expect(items()).toHaveLength(2);
    expect(said()).toContain("3 more items to label together come after this.");
    press("Enter");
    vi.advanceTimersByTime(600);
    expect(items()).toHaveLength(3);
    press("Enter");
    expect(standing(on.desk.model.events)).toEqual(["v ham", "w ham", "x spam", "y spam", "z spam"]);
  });

  it("an item answered elsewhere stays in its place and is not answered; when all are, it closes", () => {
    come();
    on.desk.model.receive({ type: "labelled", item_id: "w" });
    expect(fates()[1]).toBe("answered elsewhere");
    expect(promised()).toBe("Enter labels 4 as spam");
    for (const item_id of "vxyz") on.desk.model.receive({ type: "labelled", item_id });
    expect(open()).toBe(false);
    expect(document.activeElement).toBe(on.desk.view.root);
  });

  it("an item labelled anew elsewhere is not taken back with its group", () => {
    come();
    press("Enter");
    on.desk.model.receive({ type: "ack", event_ids: on.desk.model.events.map((e) => e.event_id) });
    on.desk.model.receive({ type: "labelled", item_id: "w" });
    on.desk.press("Backspace");
    const back = on.desk.model.events.filter((e) => e.kind === "retract").map((e) => e.item_id);
    expect(back).toEqual(["v", "x", "y", "z"]);
    expect(fates()[1]).toBe("answered elsewhere");
  });

  it("a refused event: the reason is shown, its item comes as a card, the others stay labelled", () => {
    on.desk.model.receive(STATUS);
    come();
    press("Enter");
    expect(on.desk.text(".alw-labelled")).toBe("labelled 45 of 1,102");
    const event = on.desk.model.events.find((e) => e.item_id === "x")!;
    on.desk.model.receive({ type: "refused", event_id: event.event_id, reason: "'spam' is no class." });
    expect(on.desk.notices[0]).toContain("'spam' is no class.");
    expect(on.desk.text(".alw-labelled")).toBe("labelled 44 of 1,102");
    on.desk.press("1");
    expect(on.desk.itemId).toBe("x");
    on.desk.press("1");
    for (const _ of "ax") on.desk.press("Backspace");
    on.desk.press("Backspace");
    expect(open()).toBe(true);
    expect(standing(on.desk.model.events.filter((e) => e.event_id !== event.event_id))).toEqual([]);
  });

  it("Python takes the group back, event by event: it is shown again, once", () => {
    come();
    press("ArrowDown");
    press("1");
    press("Enter");
    const events = on.desk.model.events;
    on.desk.model.receive({ type: "ack", event_ids: events.map((e) => e.event_id) });
    for (const e of [...events].reverse()) {
      on.desk.model.receive({ type: "undone", event_id: e.event_id, card: textCard(e.item_id) });
    }
    expect(open()).toBe(true);
    expect(fates()).toEqual(["ham", "spam", "spam", "spam", "spam"]);
    expect(on.desk.itemId).toBe("a");
    expect(on.desk.state.deck.upcoming.map((c) => c.item_id)).toEqual(["b", "c"]);
    expect(on.desk.model.heard).toHaveLength(5); // nothing more is sent
  });

  it("a page that goes and comes sends what was not saved, and shows none of it", () => {
    on.desk.model.alive = false;
    come();
    press("Enter");
    on.desk.open();
    expect(standing(on.desk.model.events)).toHaveLength(5);
    on.desk.model.queue([..."vw"].map((id) => chosen(id, null, { draw_id: `new-${id}` })));
    expect(on.desk.itemId).toBe("");
  });
});

describe("undo and redo", () => {
  it("take all back in one step, with the answers shown, and do it again", () => {
    on.desk.model.receive(STATUS);
    come();
    press("ArrowDown");
    press("1");
    press("ArrowDown");
    press("x");
    press("Enter");
    const first = on.desk.model.events;
    on.desk.press("Backspace");
    const retracts = on.desk.model.events.slice(first.length);
    expect(retracts.map((e) => [e.kind, e.target])).toEqual(first.map((e) => ["retract", e.event_id]));
    expect(on.desk.text(".alw-labelled")).toBe("labelled 40 of 1,102");
    expect(said()).toContain("Took back 4 labels.");
    expect(fates()).toEqual(["ham", "left out", "spam", "spam", "spam"]);
    on.desk.press("y", { ctrlKey: true });
    expect(open()).toBe(false);
    expect(on.desk.text(".alw-labelled")).toBe("labelled 44 of 1,102");
    expect(standing(on.desk.model.events)).toEqual(["v ham", "x spam", "y spam", "z spam"]);
    const again = on.desk.model.events.slice(-4);
    expect(again[0]!.bulk).not.toBe(first[0]!.bulk);
    expect(new Set(again.map((e) => e.bulk)).size).toBe(1);
  });

  it("hold over two hundred steps, cards and groups mixed, against an oracle", () => {
    let seed = 7;
    const random = (n: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return seed % n;
    };
    let made = 0;
    /** Steps that were done, as lists of "item answer"; those taken back behind `at`. */
    let steps: string[][] = [];
    let at = 0;
    const did = (step: string[]) => {
      steps = [...steps.slice(0, at), step];
      at = steps.length;
    };
    const check = () => {
      const expected = steps
        .slice(0, at)
        .flat()
        .filter((s) => !s.endsWith("skip"));
      expect(standing(on.desk.model.events)).toEqual(expected.sort());
    };
    for (let turn = 0; turn < 260; turn++) {
      const what = random(10);
      if (open()) {
        vi.advanceTimersByTime(600);
        // only what waits without a choice of somebody's is left to be labelled again
        on.desk.press("Enter");
        const given = on.desk.state.deck.last!;
        const bulk = on.desk.model.events.filter((e) => e.bulk && e.bulk === given.event.bulk);
        did(bulk.map((e) => `${e.item_id} ${e.answer}`));
      } else if (what < 5) {
        if (on.desk.state.deck.upcoming.length < 3) {
          on.desk.model.queue(textCards(...Array.from({ length: 5 }, () => `i${++made}`)));
        }
        const id = on.desk.itemId!;
        const key = ["1", "2", " "][random(3)]!;
        on.desk.press(key);
        did([`${id} ${{ "1": "ham", "2": "spam" }[key] ?? "skip"}`]);
      } else if (what < 6) {
        on.desk.model.receive(message(Array.from({ length: 4 }, () => chosen(`g${++made}`))));
        vi.advanceTimersByTime(600);
      } else if (what < 8) {
        for (let n = random(6); n > 0 && at > 0; n--) {
          on.desk.press("Backspace");
          at--;
        }
      } else {
        for (let n = random(4); n > 0 && at < steps.length; n--) {
          on.desk.press("y", { ctrlKey: true });
          at++;
        }
      }
      check();
    }
    expect(steps.length).toBeGreaterThan(60);
    while (at > 0) {
      on.desk.press("Backspace");
      at--;
    }
    expect(standing(on.desk.model.events)).toEqual([]);
  });

  it("never forget fewer than the last two hundred labels, however large the groups are", () => {
    for (let n = 0; n < 4; n++) {
      come(Array.from({ length: 150 }, (_, i) => chosen(`g${n}-${i}`)));
      on.desk.press("Enter");
    }
    expect(on.desk.model.events).toHaveLength(600);
    for (let n = 0; n < 2; n++) on.desk.press("Backspace");
    expect(standing(on.desk.model.events)).toHaveLength(300);
  });
});

describe("a group that comes over the list of earlier cards", () => {
  it("closes it, and has the keys", () => {
    press("1");
    press("b");
    expect(on.desk.find(".alw-earlier").hidden).toBe(false);
    come();
    expect(on.desk.find(".alw-earlier").hidden).toBe(true);
    expect(on.desk.find(".alw-together").contains(document.activeElement)).toBe(true);
    press("ArrowDown");
    press("1");
    expect(fates()[0]).toBe("ham");
    vi.advanceTimersByTime(1_000);
    press("Enter");
    expect(open()).toBe(false);
    expect(on.desk.itemId).toBe("b");
  });
});

describe("the card behind a group", () => {
  it("is read out once the group is gone, whether it came meanwhile or was read before", () => {
    come();
    press("Escape");
    expect(said()).toContain("Nothing was labelled.");
    expect(said()).toContain("text of a");
    come();
    on.desk.model.receive({ type: "labelled", item_id: "a" });
    expect(said()).not.toContain("text of b");
    vi.advanceTimersByTime(1_000);
    press("Enter");
    expect(said()).toContain("together");
    expect(said()).toContain("text of b");
    on.desk.press("f");
    expect(said()).toBe("Flagged.");
  });
});
