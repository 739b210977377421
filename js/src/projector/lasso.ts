/** Which points a lasso holds. */

/** A position on the screen, or a corner of a polygon. */
export type Place = readonly [number, number];

/** Whether a place lies inside a polygon; a polygon that crosses itself counts by the even-odd rule. */
export function isInside(x: number, y: number, polygon: readonly Place[]): boolean {
  let inside = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [xi, yi] = polygon[i]!;
    const [xj, yj] = polygon[j]!;
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}

/** Positions in `places` (x and y in turn) of all that lie inside the polygon. */
export function allInside(places: Float32Array, polygon: readonly Place[]): number[] {
  if (polygon.length < 3) return [];
  const xs = polygon.map((p) => p[0]);
  const ys = polygon.map((p) => p[1]);
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const [top, bottom] = [Math.min(...ys), Math.max(...ys)];
  const found: number[] = [];
  for (let i = 0; i < places.length / 2; i++) {
    const x = places[2 * i]!;
    const y = places[2 * i + 1]!;
    if (x < left || x > right || y < top || y > bottom) continue;
    if (isInside(x, y, polygon)) found.push(i);
  }
  return found;
}

/** The point nearest to a place, if it is within `reach`. */
export function nearest(places: Float32Array, x: number, y: number, reach: number): number | null {
  let best = reach * reach;
  let found: number | null = null;
  for (let i = 0; i < places.length / 2; i++) {
    const dx = places[2 * i]! - x;
    const dy = places[2 * i + 1]! - y;
    const distance = dx * dx + dy * dy;
    if (distance <= best) {
      best = distance;
      found = i;
    }
  }
  return found;
}
