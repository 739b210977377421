import { describe, expect, it } from "vitest";
import { allInside, isInside, nearest, type Place } from "./lasso";

const square: Place[] = [
  [0, 0],
  [10, 0],
  [10, 10],
  [0, 10],
];
/** Like a U: open at the top. */
const bay: Place[] = [
  [0, 0],
  [3, 0],
  [3, 7],
  [7, 7],
  [7, 0],
  [10, 0],
  [10, 10],
  [0, 10],
];

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
    }
  });

  it("leaves out its bays", () => {
    const places = new Float32Array([1, 5, 5, 3, 5, 9, 9, 1, 20, 20]);
    expect(allInside(places, bay)).toEqual([0, 2, 3]);
  });

  it("that was never drawn holds nothing", () => {
    expect(allInside(new Float32Array([1, 1]), square.slice(0, 2))).toEqual([]);
  });

  it("agrees with the winding direction reversed", () => {
    const places = Float32Array.from({ length: 200 }, (_, i) => ((i * 37) % 120) / 10 - 1);
    expect(allInside(places, [...bay].reverse())).toEqual(allInside(places, bay));
    expect(allInside(places, bay).length).toBeGreaterThan(10);
  });
});

describe("the nearest point", () => {
  const places = new Float32Array([0, 0, 10, 0, 14, 0]);

  it("is found within reach only; item 0 counts", () => {
    expect(nearest(places, 1, 0, 5)).toBe(0);
    expect(nearest(places, 13, 1, 5)).toBe(2);
    expect(nearest(places, 5, 20, 5)).toBeNull();
  });
});
