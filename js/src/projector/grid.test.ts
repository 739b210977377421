import { describe, expect, it } from "vitest";
import { Grid } from "./grid";
import { isInside, type Place } from "./lasso";
import { fitting, reachOf, toPlane, toScreen } from "./viewport";

/** Numbers from 0 to 1 that are the same in every run (mulberry32's mixing). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Points in a few heaps, and some far out. */
function points(n: number, next: () => number): Float32Array {
  return Float32Array.from({ length: 2 * n }, (_, i) => (i % 3 ? next() ** 3 : next() * 2 - 1) - 0.2);
}

/** One by one, as slowly as it gets. */
function within(xy: Float32Array, polygon: Place[], winding: boolean): number[] {
  const found: number[] = [];
  for (let i = 0; i < xy.length / 2; i++)
    if (isInside(xy[2 * i]!, xy[2 * i + 1]!, polygon, winding)) found.push(i);
  return found;
}

describe("the grid", () => {
  it("finds in polygons of any form what a look at every point finds", () => {
    const next = random(1);
    let caught = 0;
    for (let round = 0; round < 60; round++) {
      const xy = points([1, 7, 300, 5_000][round % 4]!, next);
      const grid = new Grid(xy);
      const corners = 3 + Math.floor(next() * 20);
      const size = next() * 3;
      const polygon = Array.from(
        { length: corners },
        (): Place => [next() * size - size / 2, next() * size - size / 2],
      );
      for (const winding of [false, true]) {
        const found = [...grid.inside(polygon, winding)];
        expect(found).toEqual(within(xy, polygon, winding));
        caught += found.length;
      }
    }
    expect(caught).toBeGreaterThan(5_000);
  });

  it("finds in rectangles, whose edges run along the cells, what is inside", () => {
    const next = random(2);
    const xy = points(20_000, next);
    const grid = new Grid(xy);
    for (let round = 0; round < 20; round++) {
      const [left, right] = [next() * 2 - 1, next() * 2 - 1].sort((a, b) => a - b) as [number, number];
      const [low, high] = [next() * 2 - 1, next() * 2 - 1].sort((a, b) => a - b) as [number, number];
      const box: Place[] = [
        [left, low],
        [right, low],
        [right, high],
        [left, high],
      ];
      expect([...grid.inside(box)]).toEqual(within(xy, box, false));
    }
  });

  it("finds the nearest point within reach only; item 0 counts", () => {
    const grid = new Grid(new Float32Array([0, 0, 10, 0, 14, 0]));
    expect(grid.nearest(1, 0, 5)).toBe(0);
    expect(grid.nearest(13, 1, 5)).toBe(2);
    expect(grid.nearest(5, 20, 5)).toBeNull();
    const next = random(3);
    const xy = points(3_000, next);
    const many = new Grid(xy);
    for (let round = 0; round < 200; round++) {
      const [x, y] = [next() * 2 - 1, next() * 2 - 1];
      let best: number | null = null;
      let least = 0.1 ** 2;
      for (let i = 0; i < 3_000; i++) {
        const far = (xy[2 * i]! - x) ** 2 + (xy[2 * i + 1]! - y) ** 2;
        if (far <= least) [best, least] = [i, far];
      }
      expect(many.nearest(x, y, 0.1)).toBe(best);
    }
  });

  it("of points in one place, or of none, works too", () => {
    const grid = new Grid(new Float32Array([2, 2, 2, 2]));
    const around: Place[] = [
      [1, 1],
      [3, 1],
      [2, 4],
    ];
    expect([...grid.inside(around)]).toEqual([0, 1]);
    expect(grid.nearest(2, 2.5, 1)).toBe(1);
    expect([...new Grid(new Float32Array(0)).inside(around)]).toEqual([]);
    expect(new Grid(new Float32Array(0)).nearest(0, 0, 1)).toBeNull();
    expect([...grid.inside(around.slice(0, 2))]).toEqual([]);
  });
});

describe("the viewport", () => {
  it("goes from the plane to the screen and back", () => {
    const view = { x: 0.3, y: -0.2, distance: 0.5 };
    const place = toScreen(view, [800, 400], 0.3, 0.3);
    expect(place).toEqual([400, 0]);
    const [x, y] = toPlane(view, [800, 400], ...place);
    expect([x, y]).toEqual([expect.closeTo(0.3), expect.closeTo(0.3)]);
  });

  it("that shows all has every point on the screen, with a margin", () => {
    const xy = new Float32Array([-2, 1, 1.5, -0.5]);
    const view = fitting(reachOf(xy), [400, 400]);
    for (let i = 0; i < xy.length; i += 2) {
      for (const at of toScreen(view, [400, 400], xy[i]!, xy[i + 1]!)) {
        expect(at).toBeGreaterThan(10);
        expect(at).toBeLessThan(390);
      }
    }
    expect(fitting([0, 0], [400, 400]).distance).toBeGreaterThan(0);
  });
});
