/**
 * Where the points are, so that the nearest one, or all inside a polygon, are found without looking at each: points
 * sorted by the cell of a grid they lie in, by counting. Building it takes two passes over the points.
 */
import { isInside, type Place } from "./lasso";

/** Points a cell, on average. */
const PER_CELL = 16;
const MOST_CELLS = 512;

export class Grid {
  readonly #xy: Float32Array;
  readonly #side: number;
  readonly #low: Place;
  /** Cells per unit, along x and y. */
  readonly #scale: Place;
  /** Where the points of each cell begin in `#ids`. */
  readonly #start: Uint32Array;
  readonly #ids: Uint32Array;

  /** @param xy x and y in turn; read again by every search, so it must not change */
  constructor(xy: Float32Array) {
    const n = xy.length / 2;
    this.#xy = xy;
    this.#side = Math.max(1, Math.min(MOST_CELLS, Math.ceil(Math.sqrt(n / PER_CELL))));
    let [left, bottom] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    let [right, top] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let i = 0; i < xy.length; i += 2) {
      const x = xy[i]!;
      const y = xy[i + 1]!;
      if (x < left) left = x;
      if (x > right) right = x;
      if (y < bottom) bottom = y;
      if (y > top) top = y;
    }
    this.#low = [left, bottom];
    this.#scale = [this.#side / (right - left || 1), this.#side / (top - bottom || 1)];
    const cells = new Uint32Array(n);
    const start = new Uint32Array(this.#side ** 2 + 1);
    for (let i = 0; i < n; i++) {
      const cell = this.#row(xy[2 * i + 1]!) * this.#side + this.#column(xy[2 * i]!);
      cells[i] = cell;
      start[cell + 1]!++;
    }
    for (let cell = 1; cell < start.length; cell++) start[cell]! += start[cell - 1]!;
    const next = start.slice();
    this.#ids = new Uint32Array(n);
    for (let i = 0; i < n; i++) this.#ids[next[cells[i]!]!++] = i;
    this.#start = start;
  }

  /** The point nearest to a place, if it is within `reach`; of equal ones the last. */
  nearest(x: number, y: number, reach: number): number | null {
    const [left, right] = [this.#column(x - reach), this.#column(x + reach)];
    const [low, high] = [this.#row(y - reach), this.#row(y + reach)];
    let best = reach * reach;
    let found: number | null = null;
    for (let row = low; row <= high; row++) {
      const end = this.#start[row * this.#side + right + 1]!;
      for (let k = this.#start[row * this.#side + left]!; k < end; k++) {
        const i = this.#ids[k]!;
        const dx = this.#xy[2 * i]! - x;
        const dy = this.#xy[2 * i + 1]! - y;
        const distance = dx * dx + dy * dy;
        if (distance < best || (distance === best && i > (found ?? -1))) {
          best = distance;
          found = i;
        }
      }
    }
    return found;
  }

  /**
   * Positions of all points inside a polygon, ascending. Only where its border runs is each point tried; every other
   * cell lies inside or outside as a whole.
   *
   * @param winding count what a border goes around twice as inside, too
   */
  inside(polygon: readonly Place[], winding = false): Uint32Array<ArrayBuffer> {
    if (polygon.length < 3) return new Uint32Array(0);
    const mixed = this.#border(polygon);
    const hits = new Uint8Array(this.#ids.length);
    const xs = polygon.map((p) => p[0]);
    const ys = polygon.map((p) => p[1]);
    const [left, right] = [this.#column(Math.min(...xs)), this.#column(Math.max(...xs))];
    const [low, high] = [this.#row(Math.min(...ys)), this.#row(Math.max(...ys))];
    let count = 0;
    for (let row = low; row <= high; row++) {
      for (let column = left; column <= right; column++) {
        const cell = row * this.#side + column;
        const [from, to] = [this.#start[cell]!, this.#start[cell + 1]!];
        if (from === to) continue;
        const isMixed = mixed[cell] === 1;
        // Any point of a cell without border speaks for all of them.
        const first = this.#ids[from]!;
        if (!isMixed && !isInside(this.#xy[2 * first]!, this.#xy[2 * first + 1]!, polygon, winding)) continue;
        for (let k = from; k < to; k++) {
          const i = this.#ids[k]!;
          if (isMixed && !isInside(this.#xy[2 * i]!, this.#xy[2 * i + 1]!, polygon, winding)) continue;
          hits[i] = 1;
          count++;
        }
      }
    }
    const found = new Uint32Array(count);
    for (let i = 0, k = 0; k < count; i++) if (hits[i] === 1) found[k++] = i;
    return found;
  }

  /** Marks every cell that the border of a polygon touches. */
  #border(polygon: readonly Place[]): Uint8Array {
    const mixed = new Uint8Array(this.#side ** 2);
    for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
      const [a, b] =
        polygon[i]![1] <= polygon[j]![1] ? [polygon[i]!, polygon[j]!] : [polygon[j]!, polygon[i]!];
      const slope = b[1] > a[1] ? (b[0] - a[0]) / (b[1] - a[1]) : 0;
      const [low, high] = [this.#row(a[1]), this.#row(b[1])];
      for (let row = low; row <= high; row++) {
        // The part of the edge in this row of cells; what lies beyond the grid belongs to its outermost cells.
        const bottom = row === low ? a[1] : this.#low[1] + row / this.#scale[1];
        const top = row === high ? b[1] : this.#low[1] + (row + 1) / this.#scale[1];
        const x1 = slope === 0 ? a[0] : a[0] + (bottom - a[1]) * slope;
        const x2 = slope === 0 ? b[0] : a[0] + (top - a[1]) * slope;
        // One cell more on either side: rounding must not leave one out.
        const from = Math.max(0, this.#column(Math.min(x1, x2)) - 1);
        const to = Math.min(this.#side - 1, this.#column(Math.max(x1, x2)) + 1);
        for (let r = Math.max(0, row - 1); r <= Math.min(this.#side - 1, row + 1); r++) {
          mixed.fill(1, r * this.#side + from, r * this.#side + to + 1);
        }
      }
    }
    return mixed;
  }

  #column(x: number): number {
    return this.#within((x - this.#low[0]) * this.#scale[0]);
  }

  #row(y: number): number {
    return this.#within((y - this.#low[1]) * this.#scale[1]);
  }

  /** A place beyond the grid counts to its outermost cells. */
  #within(at: number): number {
    return at >= this.#side ? this.#side - 1 : at > 0 ? at | 0 : 0;
  }
}
