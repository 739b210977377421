import { describe, expect, it } from "vitest";
import { combine, howOf, isInside, type Place } from "./lasso";

const square: Place[] = [
  [0, 0],
  [10, 0],
  [10, 10],
  [0, 10],
];
/** Goes around the middle of the square twice. */
const twice: Place[] = [...square, [0, 0], [10, 0], [8, 8], [2, 8]];
const keys = { ctrlKey: false, metaKey: false, altKey: false };

describe("a lasso", () => {
  it("holds what is inside, not what is around", () => {
    expect(isInside(5, 5, square)).toBe(true);
    for (const [x, y] of [
      [-1, 5],
      [11, 5],
      [5, -1],
      [5, 11],
    ] as const) {
      expect(isInside(x, y, square)).toBe(false);
      expect(isInside(x, y, square, true)).toBe(false);
    }
  });

  it("leaves out what it goes around twice, unless windings count", () => {
    expect(isInside(5, 5, twice)).toBe(false);
    expect(isInside(5, 5, twice, true)).toBe(true);
    expect(isInside(0.5, 9.5, twice)).toBe(true);
  });
});

describe("picking", () => {
  const picked = Uint32Array.of(1, 3);

  it("replaces, joins or leaves the selection, each item once and in order", () => {
    expect([...combine([5, 3], picked, "replace", 6)]).toEqual([1, 3]);
    expect([...combine([5, 3], picked, "add", 6)]).toEqual([1, 3, 5]);
    expect([...combine([5, 3], picked, "subtract", 6)]).toEqual([5]);
    expect([...combine([], picked, "subtract", 6)]).toEqual([]);
  });

  it("goes by the keys, else by the tool", () => {
    expect(howOf(keys, "replace")).toBe("replace");
    expect(howOf(keys, "add")).toBe("add");
    expect(howOf({ ...keys, ctrlKey: true }, "replace")).toBe("add");
    expect(howOf({ ...keys, metaKey: true }, "subtract")).toBe("add");
    expect(howOf({ ...keys, altKey: true }, "add")).toBe("subtract");
  });
});
