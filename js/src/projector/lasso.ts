/** Which points a lasso holds. */

/** A position on the screen, or a corner of a polygon. */
export type Place = readonly [number, number];

/** What happens to the points that were picked: they are the selection, join it or leave it. */
export type How = "replace" | "add" | "subtract";

/** What a lasso is drawn as. */
export const SHAPES = ["free", "rectangle", "brush"] as const;
export type Shape = (typeof SHAPES)[number];

/**
 * Whether a place lies inside a polygon. One that crosses itself counts by the even-odd rule, or, with `winding`, holds
 * all that its border goes around.
 */
export function isInside(x: number, y: number, polygon: readonly Place[], winding = false): boolean {
  let crossings = 0;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [xi, yi] = polygon[i]!;
    const [xj, yj] = polygon[j]!;
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi)
      crossings += winding && yi > yj ? -1 : 1;
  }
  return winding ? crossings !== 0 : crossings % 2 === 1;
}

/**
 * A selection after something was picked, ascending.
 *
 * @param n how many points there are
 */
export function combine(
  selected: ArrayLike<number>,
  picked: Uint32Array<ArrayBuffer>,
  how: How,
  n: number,
): Uint32Array<ArrayBuffer> {
  if (how === "replace") return picked;
  const is = new Uint8Array(n);
  for (let k = 0; k < selected.length; k++) is[selected[k]!] = 1;
  for (const i of picked) is[i] = how === "add" ? 1 : 0;
  let count = 0;
  for (let i = 0; i < n; i++) count += is[i]!;
  const found = new Uint32Array(count);
  for (let i = 0, k = 0; k < count; i++) if (is[i] === 1) found[k++] = i;
  return found;
}

/** How a pick counts, by the keys that are held, or else as the tool says. */
export function howOf(event: { ctrlKey: boolean; metaKey: boolean; altKey: boolean }, tool: How): How {
  if (event.altKey) return "subtract";
  return event.ctrlKey || event.metaKey ? "add" : tool;
}
