import { describe, expect, it } from "vitest";
import { anEvent, FakeShelf, FakeTime } from "../cards/testing";
import type { LabelEvent } from "./messages";
import { joined, Outbox, type Shelf } from "./outbox";

function outbox(shelf: Shelf | null = new FakeShelf(), time = new FakeTime(), storeId = "s") {
  const sent: LabelEvent[][] = [];
  const state = { dead: false, changes: 0 };
  const box = new Outbox({
    storeId,
    shelf,
    send: (events) => {
      if (state.dead) throw new Error("Cannot send");
      sent.push(events);
    },
    changed: () => state.changes++,
    now: () => time.now,
    timers: time,
  });
  return { box, sent, state, time };
}
const ids = (events: LabelEvent[]) => events.map((e) => e.event_id);

describe("joined", () => {
  it("has each event once, where it came first, and no more than go in one message", () => {
    const [a, b, c] = ["a", "b", "c"].map((id) => anEvent(id)) as [LabelEvent, LabelEvent, LabelEvent];
    expect(joined([a, b], [a, c])).toEqual([a, b, c]);
    const many = Array.from({ length: 199 }, (_, i) => anEvent(`e${i}`));
    expect(joined(many, [a])).toHaveLength(200);
    expect(joined(many, [a, b])).toBeNull();
  });
});

describe("Outbox", () => {
  it("sends at once and keeps until it is acknowledged", () => {
    const shelf = new FakeShelf();
    const { box, sent, state } = outbox(shelf);
    box.add(anEvent("a"));
    expect(sent.map(ids)).toEqual([["a"]]);
    expect([...shelf.kept.keys()]).toEqual(["alwidgets/s/a"]);
    expect(box.size).toBe(1);
    box.acknowledge(["a"]);
    expect(box.size).toBe(0);
    expect(shelf.length).toBe(0);
    expect(state.changes).toBe(2);
  });

  it("sends many in one message, unless they are too many for it", () => {
    const shelf = new FakeShelf();
    const { box, sent, state } = outbox(shelf);
    const events = Array.from({ length: 1_001 }, (_, i) => anEvent(`e${i}`));
    box.addAll(events);
    expect(sent.map((message) => message.length)).toEqual([1_000, 1]);
    expect(sent.flat()).toEqual(events);
    expect(shelf.length).toBe(1_001);
    expect(state.changes).toBe(1);
    expect(outbox(shelf).box.events).toEqual(events); // in their order after a reload, too
  });

  it("sends what waits for an item before anything newer of it, so that the newest stands", () => {
    const { box, sent, state } = outbox();
    state.dead = true;
    box.add(anEvent("a1", { item_id: "a", answer: "spam" }));
    box.add(anEvent("b1", { item_id: "b" }));
    state.dead = false;
    box.add(anEvent("a2", { item_id: "a", answer: "ham" }));
    expect(sent.map(ids)).toEqual([["a1", "a2"]]);
    box.acknowledge(["a1", "a2"]);
    box.add(anEvent("a3", { item_id: "a" }));
    expect(sent.map(ids)).toEqual([["a1", "a2"], ["a3"]]);
  });

  it("writes one key a press, however many wait", () => {
    const shelf = new FakeShelf();
    const { box } = outbox(shelf);
    for (let i = 0; i < 50; i++) box.add(anEvent(`e${i}`));
    expect(shelf.writes).toBe(50);
    expect(Math.max(...[...shelf.kept.values()].map((v) => v.length))).toBeLessThan(400);
  });

  it("sends again after 5, 10, 20 and then every 30 seconds", () => {
    const { box, sent, time } = outbox();
    box.add(anEvent("a"));
    const start = time.now;
    const at: number[] = [];
    while (time.now < start + 120_000) {
      const before = sent.length;
      time.pass(500);
      if (sent.length > before) at.push((time.now - start) / 1000);
    }
    expect(at).toEqual([5, 15, 35, 65, 95]);
  });

  it("starts over with short waits once somebody answers, and stops when nothing waits", () => {
    const { box, sent, time } = outbox();
    box.add(anEvent("a"));
    time.pass(31_000);
    box.add(anEvent("b"));
    box.acknowledge(["a"]);
    const before = sent.length;
    time.pass(5_000);
    expect(ids(sent.slice(before).flat())).toEqual(["b"]);
    box.acknowledge(["b"]);
    expect(time.pending).toBe(0);
  });

  it("outlives a crash: the next outbox of the store sends everything again, oldest first", () => {
    const shelf = new FakeShelf();
    const first = outbox(shelf);
    first.state.dead = true; // the kernel is gone, and sending throws
    for (const id of ["c", "a", "b"]) first.box.add(anEvent(id));
    first.box.dispose();

    const time = new FakeTime();
    time.now = 0; // even when the clock was set back
    const { box, sent } = outbox(shelf, time);
    expect(ids(box.events)).toEqual(["c", "a", "b"]);
    box.flush();
    expect(sent.map(ids)).toEqual([["c", "a", "b"]]);
    box.add(anEvent("d"));
    expect(ids(outbox(shelf).box.events)).toEqual(["c", "a", "b", "d"]);
  });

  it("leaves alone what belongs to another store or to nobody", () => {
    const shelf = new FakeShelf();
    outbox(shelf, new FakeTime(), "s2").box.add(anEvent("x"));
    shelf.setItem("alwidgets/s/broken", '{"event": {"event_id"');
    shelf.setItem("alwidgets/s/other", JSON.stringify({ order: 1, event: anEvent("y") }));
    shelf.setItem("theme", "dark");
    expect(outbox(shelf).box.size).toBe(0);
    expect([...shelf.kept.keys()]).toEqual(["alwidgets/s2/x", "theme"]);
  });

  it("takes an acknowledgement twice, or of something unknown", () => {
    const { box, state } = outbox();
    box.add(anEvent("a"));
    box.acknowledge(["a", "a", "z"]);
    box.acknowledge(["a"]);
    expect(box.size).toBe(0);
    expect(state.changes).toBe(2);
  });

  it("drops what is refused, and hands it back", () => {
    const shelf = new FakeShelf();
    const { box, time } = outbox(shelf);
    box.add(anEvent("a"));
    expect(box.refuse("a")?.item_id).toBe("item-a");
    expect(box.refuse("a")).toBeNull();
    expect(shelf.length).toBe(0);
    expect(time.pending).toBe(0);
  });

  it("goes on in memory when storage is full, says so, and tries storage again later", () => {
    const shelf = new FakeShelf();
    const { box, sent } = outbox(shelf);
    shelf.room = 1;
    box.add(anEvent("a"));
    expect(box.durable).toBe(true);
    box.add(anEvent("b"));
    expect(box.durable).toBe(false);
    expect(ids(box.events)).toEqual(["a", "b"]);
    expect(ids(sent.flat())).toEqual(["a", "b"]);
    box.acknowledge(["a", "b"]);
    expect(box.durable).toBe(true);
    box.add(anEvent("c"));
    expect([...shelf.kept.keys()]).toEqual(["alwidgets/s/c"]);
  });

  it("goes on in memory when storage is forbidden", () => {
    const forbidden = new Proxy({} as Shelf, {
      get() {
        throw new DOMException("denied", "SecurityError");
      },
    });
    const { box } = outbox(forbidden);
    expect(box.durable).toBe(false);
    box.add(anEvent("a"));
    expect(box.size).toBe(1);
    box.acknowledge(["a"]);
    expect(box.size).toBe(0);
  });

  it("keeps nothing in storage for a store that is not persistent", () => {
    const { box } = outbox(null);
    box.add(anEvent("a"));
    expect(box.size).toBe(1);
    expect(box.durable).toBe(false);
  });

  it("sends at most 200 events a message", () => {
    const shelf = new FakeShelf();
    const first = outbox(shelf);
    for (let i = 0; i < 450; i++) first.box.add(anEvent(`e${i}`));
    const { box, sent } = outbox(shelf);
    box.flush();
    expect(sent.map((s) => s.length)).toEqual([200, 200, 50]);
  });
});
