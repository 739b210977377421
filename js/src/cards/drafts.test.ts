import { describe, expect, it, vi } from "vitest";
import { Listeners } from "../shared/listeners";
import { Drafts } from "./drafts";
import { FakeShelf } from "./testing";

const KEY = "alwidgets-drafts/s";

function drafts(shelf: FakeShelf | null) {
  return new Drafts("s", shelf, new Listeners());
}

describe("drafts", () => {
  it("are there for the next page, texts and labels, until their item has its answer", () => {
    const shelf = new FakeShelf();
    const one = drafts(shelf);
    one.set("a", "half a sen");
    one.set("b", ["joy", "love"]);
    one.keep();
    const two = drafts(shelf);
    expect([two.of("a"), two.of("b"), two.of("c")]).toEqual(["half a sen", ["joy", "love"], null]);
    two.drop("a");
    two.drop("b");
    two.keep();
    expect(shelf.length).toBe(0);
  });

  it("are put into storage a moment later, not at each key", () => {
    vi.useFakeTimers();
    const shelf = new FakeShelf();
    const one = drafts(shelf);
    for (const text of ["h", "ha", "hal", "half"]) one.set("a", text);
    expect(shelf.writes).toBe(0);
    vi.advanceTimersByTime(1_000);
    expect(shelf.writes).toBe(1);
    one.set("a", "half a");
    vi.advanceTimersByTime(1_000);
    expect(drafts(shelf).of("a")).toBe("half a");
    vi.useRealTimers();
  });

  it("of another page of the same store are left alone", () => {
    const shelf = new FakeShelf();
    const [one, two] = [drafts(shelf), drafts(shelf)];
    one.set("a", "one");
    one.keep();
    two.set("b", "two");
    two.keep();
    one.drop("a");
    one.keep();
    expect(drafts(shelf).of("b")).toBe("two");
    expect(drafts(shelf).of("a")).toBeNull();
  });

  it("in storage are the newest hundred; memory has them all", () => {
    const shelf = new FakeShelf();
    const one = drafts(shelf);
    for (let i = 0; i < 150; i++) one.set(`item ${i}`, `text ${i}`);
    one.keep();
    expect(one.of("item 0")).toBe("text 0");
    const two = drafts(shelf);
    expect([two.of("item 49"), two.of("item 50")]).toEqual([null, "text 50"]);
  });

  it.each(["", "{", "7", "null", '[["a"]]', '[["a", 7]]', '[["a", [1]]]', '[[1, "x"]]'])(
    "make nothing of %s in storage",
    (text) => {
      const shelf = new FakeShelf();
      shelf.setItem(KEY, text);
      expect(drafts(shelf).of("a")).toBeNull();
    },
  );

  it("stay in memory where storage is full or missing", () => {
    const shelf = new FakeShelf();
    shelf.room = 0;
    for (const one of [drafts(shelf), drafts(null)]) {
      one.set("a", "text");
      one.keep();
      expect(one.of("a")).toBe("text");
    }
  });
});
