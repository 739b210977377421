/** Which part of the plane a plot shows: its centre, and how far from there to the upper edge. */
import type { Place } from "./lasso";

export interface Viewport {
  x: number;
  y: number;
  distance: number;
}

/** Room around the points, as a factor. */
export const MARGIN = 1.12;

/** Where a point of the plane is on a plot of this size, in CSS pixels from the top left. */
export function toScreen(view: Viewport, size: Place, x: number, y: number): Place {
  const half = size[1] / 2 / view.distance;
  return [size[0] / 2 + (x - view.x) * half, size[1] / 2 - (y - view.y) * half];
}

/** What point of the plane lies there. */
export function toPlane(view: Viewport, size: Place, left: number, top: number): Place {
  const unit = unitsPerPixel(view, size);
  return [view.x + (left - size[0] / 2) * unit, view.y + (size[1] / 2 - top) * unit];
}

export function unitsPerPixel(view: Viewport, size: Place): number {
  return (2 * view.distance) / Math.max(1, size[1]);
}

/** Shows all of a layout that reaches so far from the centre. */
export function fitting(reach: Place, size: Place): Viewport {
  const [right, top] = reach;
  const distance = MARGIN * Math.max(top, (right * size[1]) / Math.max(1, size[0]));
  return { x: 0, y: 0, distance: distance || MARGIN };
}

/** How far coordinates (x and y in turn) reach from the centre. */
export function reachOf(xy: Float32Array): [number, number] {
  let right = 0;
  let top = 0;
  for (let i = 0; i < xy.length; i += 2) {
    const x = Math.abs(xy[i]!);
    const y = Math.abs(xy[i + 1]!);
    if (x > right) right = x;
    if (y > top) top = y;
  }
  return [right, top];
}

/** How much larger than usual points are drawn: they grow more slowly than the plane. */
export function pointScale(distance: number): number {
  const scaling = 1 / distance;
  return scaling > 1 ? Math.asinh(scaling) / Math.asinh(1) : Math.max(0.5, scaling);
}
