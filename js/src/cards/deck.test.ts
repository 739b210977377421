import { describe, expect, it } from "vitest";
import { CardDeck } from "./deck";
import { counter, textCard, textCards } from "./testing";

function deck(...ids: string[]): CardDeck {
  let ms = 0;
  const made = new CardDeck({ now: () => new Date(Date.UTC(2026, 2, 1) + ms++ * 1000), newId: counter() });
  if (ids.length > 0) made.refill(textCards(...ids), 1, false);
  return made;
}
const shown = (d: CardDeck) => d.current?.card.item_id ?? null;
const behind = (d: CardDeck) => d.upcoming.map((c) => c.item_id);

describe("a card at a time", () => {
  it("waits, shows, and ends", () => {
    const d = deck();
    expect(d.phase).toBe("waiting");
    d.refill(textCards("a"), 1, true);
    expect(d.phase).toBe("showing");
    d.answer("spam");
    expect(d.phase).toBe("exhausted");
    expect(d.answer("spam")).toBeNull();
    expect(d.skip()).toBeNull();
    expect(d.flag()).toBeNull();
  });

  it("tells when it was shown and when it was answered", () => {
    const d = deck("a", "b");
    expect(d.answer("spam")).toEqual({
      event_id: "e1",
      item_id: "a",
      kind: "answer",
      answer: "spam",
      target: null,
      draw_id: "draw-a",
      shown_at: "2026-03-01T00:00:00.000Z",
      answered_at: "2026-03-01T00:00:01.000Z",
    });
    expect(shown(d)).toBe("b");
    expect(d.current?.at).toBe("2026-03-01T00:00:02.000Z");
  });

  it("asks for more when fewer than twelve wait, unless there are no more", () => {
    const ids = Array.from({ length: 13 }, (_, i) => `i${i}`);
    const d = deck(...ids);
    expect(d.low).toBe(false);
    d.skip();
    expect(d.low).toBe(true);
    d.refill([], 1, true);
    expect(d.low).toBe(false);
  });

  it("asks for more earlier where it held many", () => {
    const d = deck(...Array.from({ length: 101 }, (_, i) => `i${i}`));
    for (let i = 0; i < 39; i++) d.skip();
    expect([d.upcoming.length, d.low]).toEqual([61, false]);
    d.skip();
    d.skip();
    expect([d.upcoming.length, d.low]).toEqual([59, true]);
  });
});

describe("a new queue", () => {
  it("replaces what waits but not the card on screen", () => {
    const d = deck("a", "b", "c");
    d.refill(textCards("x", "a", "y"), 2, false);
    expect(shown(d)).toBe("a");
    expect(behind(d)).toEqual(["x", "y"]);
    expect(d.modelVersion).toBe(2);
  });

  it("brings no card back that has its answer, and none twice", () => {
    const d = deck("a", "b");
    d.answer("spam");
    d.skip();
    d.refill([...textCards("a", "b", "c", "c")], 1, false);
    expect(shown(d)).toBe("c");
    expect(behind(d)).toEqual([]);
  });

  it("brings an item back for a second look: a new draw, once its answer is saved", () => {
    const d = deck("a", "b");
    const event = d.answer("spam")!;
    const again = textCard("a", { draw_id: "draw-a2", stream: "chosen" });
    d.refill([again], 1, false);
    expect(behind(d)).toEqual([]);
    d.saved([event.event_id]);
    d.refill([again], 1, false);
    expect(behind(d)).toEqual(["a"]);
  });

  it("does again what was taken back, as often as it was, until something else is done", () => {
    const d = deck("a", "b", "c", "d");
    d.answer("spam");
    d.skip();
    const first = d.answer("ham")!;
    for (const _ of "abc") d.undo();
    expect(d.current?.card.item_id).toBe("a");
    expect(d.redo()).toMatchObject({ kind: "answer", item_id: "a", answer: "spam", target: null });
    expect(d.redo()).toMatchObject({ kind: "skip", item_id: "b", answer: null });
    const again = d.redo()!;
    expect(again).toMatchObject({ kind: "answer", item_id: "c", answer: "ham" });
    expect(again.event_id).not.toBe(first.event_id);
    expect(d.redo()).toBeNull();
    expect(d.current?.card.item_id).toBe("d");
    d.undo();
    d.undo();
    d.answer("spam"); // b: what was undone is past
    expect(d.again).toBeNull();
    expect(d.redo()).toBeNull();
  });

  it("keeps items out whose answers from an earlier page are still on their way", () => {
    const before = deck("a", "b");
    const [a, b] = [before.answer("spam")!, before.answer("ham")!];
    const back = before.undo()!;
    const d = deck();
    d.expect([a, b, back]);
    d.refill([textCard("a", { draw_id: "other" }), textCard("b", { draw_id: "other" })], 1, false);
    expect(shown(d)).toBe("b"); // b was taken back, a was not
    expect(behind(d)).toEqual([]);
  });
});

describe("undo", () => {
  it("takes back the newest deed; the card on screen waits behind it", () => {
    const d = deck("a", "b", "c");
    const event = d.answer("spam")!;
    const back = d.undo()!;
    expect(back).toMatchObject({ kind: "retract", item_id: "a", target: event.event_id, answer: null });
    expect(shown(d)).toBe("a");
    expect(d.current?.former).toBe("spam");
    expect(behind(d)).toEqual(["b", "c"]);
    expect(d.undo()).toBeNull();
  });

  it("goes back card by card, and no queue made meanwhile loses them", () => {
    const d = deck("a", "b", "c", "d");
    d.answer("spam");
    d.skip();
    d.answer("ham");
    d.undo();
    d.undo();
    d.undo();
    expect([shown(d), ...behind(d)]).toEqual(["a", "b", "c", "d"]);
    d.refill(textCards("x", "c"), 2, false);
    expect([shown(d), ...behind(d)]).toEqual(["a", "b", "c", "d", "x"]);
    d.answer("spam");
    expect(d.current?.former).toBeNull(); // b was skipped
    d.skip();
    expect(d.current?.former).toBe("ham");
  });

  it("goes back a hundred cards and more", () => {
    const ids = Array.from({ length: 150 }, (_, i) => `i${i}`);
    const d = deck(...ids, "last");
    for (const _ of ids) d.answer("spam");
    let n = 0;
    while (d.undo()) n++;
    expect(n).toBe(150);
    expect(shown(d)).toBe("i0");
  });

  it("shows a card that Python took back, and the echo of its own does nothing", () => {
    const d = deck("a", "b", "c");
    const event = d.answer("spam")!;
    d.undone(event.event_id, textCard("a"));
    expect([shown(d), ...behind(d)]).toEqual(["a", "b", "c"]);
    expect(d.current?.former).toBe("spam");
    expect(d.last).toBeNull();

    const own = d.answer("ham")!;
    d.undo();
    d.skip();
    d.undone(own.event_id, textCard("a"));
    expect(shown(d)).toBe("b");
  });
});

describe("refusal", () => {
  it("puts the card back as the next one, without disturbing the one on screen", () => {
    const d = deck("a", "b", "c");
    const event = d.answer("sparm")!;
    expect(d.refused(event.event_id)?.card.item_id).toBe("a");
    expect([shown(d), ...behind(d)]).toEqual(["b", "a", "c"]);
    d.refill(textCards("c"), 1, false);
    expect([shown(d), ...behind(d)]).toEqual(["b", "a", "c"]);
    expect(d.last).toBeNull();
  });

  it("shows the card at once when there is no other", () => {
    const d = deck("a");
    const event = d.answer("sparm")!;
    d.refused(event.event_id);
    expect(shown(d)).toBe("a");
  });

  it("says nothing of events it does not know", () => {
    expect(deck("a").refused("unknown")).toBeNull();
  });
});

describe("labelled elsewhere", () => {
  it("takes the card from the screen and from the queue", () => {
    const d = deck("a", "b", "c");
    d.labelled("b");
    d.labelled("a");
    expect(shown(d)).toBe("c");
    expect(behind(d)).toEqual([]);
  });
});

describe("labelled anew elsewhere", () => {
  it("is no longer taken back here, unless the answer of this page is still on its way", () => {
    const d = deck("a", "b", "c");
    const [a, b] = [d.answer("spam")!, d.answer("ham")!];
    d.saved([a.event_id]);
    d.labelled("b"); // before this page's own answer to it
    expect(d.last?.event).toBe(b);
    d.saved([b.event_id]);
    d.labelled("b");
    expect(d.last?.event).toBe(a);
    d.labelled("a");
    expect(d.last).toBeNull();
    expect(d.undo()).toBeNull();
    expect(shown(d)).toBe("c");
  });
});

describe("comments", () => {
  it("stand on their card, and are no deeds", () => {
    const d = deck("a", "b");
    const event = d.comment("odd")!;
    expect(event).toMatchObject({
      kind: "comment",
      item_id: "a",
      comment: "odd",
      answer: null,
      target: null,
    });
    expect(d.last).toBeNull();
    d.answer("spam");
    d.undo();
    expect(d.current?.card).toMatchObject({ item_id: "a", comment: "odd" });
    expect(deck().comment("odd")).toBeNull();
  });

  it("that are refused give way to what stood before, wherever their card is by then", () => {
    const d = deck("a", "b");
    const [first, second] = [d.comment("one")!, d.comment("two")!];
    d.saved([first.event_id]);
    d.answer("spam");
    expect(d.refused(second.event_id)).toBeNull();
    d.undo();
    expect(d.current?.card.comment).toBe("one");
  });
});

describe("flags", () => {
  it("go on and off, and the card stays", () => {
    const d = deck("a", "b");
    const on = d.flag()!;
    expect(on.kind).toBe("flag");
    expect(d.current?.card.flag).toBe(on.event_id);
    expect(d.flag()).toMatchObject({ kind: "retract", target: on.event_id });
    expect(d.current?.card.flag).toBeNull();
    expect(shown(d)).toBe("a");
  });

  it("from elsewhere are taken back, and a refused one comes off", () => {
    const d = deck();
    d.refill([textCard("a", { flag: "earlier" }), textCard("b")], 1, false);
    expect(d.flag()).toMatchObject({ kind: "retract", target: "earlier" });
    d.skip();
    const on = d.flag()!;
    expect(d.refused(on.event_id)).toBeNull();
    expect(d.current?.card.flag).toBeNull();
  });

  it("and comments on a card shown again are on it wherever it comes back", () => {
    const d = deck("a", "b");
    const card = d.current!.card;
    d.answer("ham");
    d.showAgain(card, "ham");
    const on = d.flag()!;
    d.comment("odd");
    d.skip();
    d.undo();
    expect(d.current?.card).toMatchObject({ item_id: "a", flag: on.event_id, comment: "odd" });
    expect(d.flag()).toMatchObject({ kind: "retract", target: on.event_id });
  });

  it("stay on a card that comes back", () => {
    const d = deck("a", "b");
    const on = d.flag()!;
    d.answer("ham");
    d.undo();
    expect(d.current?.card).toMatchObject({ item_id: "a", flag: on.event_id });
  });
});
