/**
 * What to draw in a frame. While the view moves a subset is drawn, so that the map follows the hand; once it rests all
 * points are painted behind the scenes, some a frame, and shown when they are complete.
 */

/** So many points are drawn in any frame. */
export const SUBSET = 50_000;
/** Points painted a frame when the view rests: between two of them a new movement can begin. */
const PER_FRAME = 200_000;
/** How long the view rests before the rest is painted, in ms. */
export const REST_MS = 150;

export type Step =
  /** Draw the subset. */
  | { kind: "subset" }
  /** Paint these of all points; show them with the last. */
  | { kind: "paint"; first: number; count: number; last: boolean };

export class Pace {
  #n = 0;
  #painted = 0;
  #movedAt = Number.NEGATIVE_INFINITY;
  #isSubsetDue = false;

  /** Whether all points are on the screen. */
  get isComplete(): boolean {
    return this.#painted >= this.#n && !this.#isSubsetDue;
  }

  /**
   * The points, or what they look like, changed.
   *
   * @param n how many there are
   * @param isNew whether what is on the screen is wrong, not only out of date
   */
  changed(n: number, isNew: boolean): void {
    this.#n = n;
    this.#painted = -1;
    if (isNew && n > SUBSET) this.#isSubsetDue = true;
  }

  /** The view shows something else now. */
  moved(now: number): void {
    this.#movedAt = now;
    this.#painted = -1;
    if (this.#n > SUBSET) this.#isSubsetDue = true;
  }

  /** What to do in this frame; null for nothing. */
  next(now: number): Step | null {
    if (this.#isSubsetDue) {
      this.#isSubsetDue = false;
      return { kind: "subset" };
    }
    if (this.isComplete) return null;
    if (this.#n > SUBSET && now - this.#movedAt < REST_MS) return null;
    const first = Math.max(0, this.#painted);
    const count = Math.min(PER_FRAME, this.#n - first);
    this.#painted = first + count;
    return { kind: "paint", first, count, last: this.#painted >= this.#n };
  }
}

/**
 * Positions that stand for all of `n`, ascending: one out of every stretch of equal length, at random but always the
 * same.
 */
export function sample(n: number, size: number): Uint32Array<ArrayBuffer> {
  if (n <= size) return Uint32Array.from({ length: n }, (_, i) => i);
  const stretch = n / size;
  let seed = 1;
  return Uint32Array.from({ length: size }, (_, i) => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0; // Numerical Recipes' generator
    return Math.min(n - 1, Math.floor((i + seed / 2 ** 32) * stretch));
  });
}
