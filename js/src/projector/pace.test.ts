import { describe, expect, it } from "vitest";
import { Pace, REST_MS, SUBSET, sample } from "./pace";

const MANY = 1_000_000;

/** All that is painted from now on, while nothing moves. */
function rest(pace: Pace, now: number): { count: number; frames: number } {
  let count = 0;
  let frames = 0;
  for (let step = pace.next(now); step; step = pace.next(now)) {
    if (step.kind !== "paint") throw new Error("a subset, though nothing moved");
    expect(step.first).toBe(count);
    count += step.count;
    frames++;
    expect(step.last).toBe(count === MANY);
  }
  return { count, frames };
}

describe("drawing many points", () => {
  it("begins with the subset, then paints every point once, a part a frame", () => {
    const pace = new Pace();
    pace.changed(MANY, true);
    expect(pace.next(0)).toEqual({ kind: "subset" });
    const { count, frames } = rest(pace, 1);
    expect(count).toBe(MANY);
    expect(frames).toBeGreaterThan(2);
    expect(pace.isComplete).toBe(true);
    expect(pace.next(2)).toBeNull();
  });

  it("draws only the subset while the view moves, and the rest once it rests", () => {
    const pace = new Pace();
    pace.changed(MANY, true);
    pace.next(0);
    rest(pace, 0);
    for (const now of [1000, 1016, 1032]) {
      pace.moved(now);
      expect(pace.next(now)).toEqual({ kind: "subset" });
      expect(pace.next(now + 8)).toBeNull();
    }
    expect(pace.next(1032 + REST_MS - 1)).toBeNull();
    expect(pace.isComplete).toBe(false);
    expect(rest(pace, 1032 + REST_MS).count).toBe(MANY);
  });

  it("gives up what is half painted when the view moves again", () => {
    const pace = new Pace();
    pace.changed(MANY, true);
    pace.next(0);
    pace.next(1);
    pace.moved(2);
    expect(pace.next(2)).toEqual({ kind: "subset" });
    expect(rest(pace, 2 + REST_MS).count).toBe(MANY);
  });

  it("leaves what is on the screen there while new colours are painted", () => {
    const pace = new Pace();
    pace.changed(MANY, true);
    pace.next(0);
    rest(pace, 0);
    pace.changed(MANY, false);
    expect(rest(pace, 1).count).toBe(MANY);
  });
});

it("draws few points all at once, also while the view moves", () => {
  const pace = new Pace();
  expect(pace.next(0)).toBeNull();
  pace.changed(SUBSET, true);
  const all = { kind: "paint", first: 0, count: SUBSET, last: true };
  expect(pace.next(0)).toEqual(all);
  pace.moved(1);
  expect(pace.next(1)).toEqual(all);
});

describe("the subset", () => {
  it("has as many as were asked for, each once, from everywhere", () => {
    const found = sample(MANY, SUBSET);
    expect(new Set(found).size).toBe(SUBSET);
    for (const tenth of [0, 3, 9]) {
      const there = found.filter((i) => Math.floor((10 * i) / MANY) === tenth).length;
      expect(there).toBeGreaterThan(SUBSET / 10 - 5);
    }
    expect(sample(MANY, SUBSET)).toEqual(found);
  });

  it("is everything where there are few", () => {
    expect([...sample(3, SUBSET)]).toEqual([0, 1, 2]);
  });
});
