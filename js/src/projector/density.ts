/**
 * Where the points lie densest, as lines: around the smallest areas that hold certain shares of them (highest density
 * regions: Hyndman, The American Statistician 50, 1996), after a kernel density estimate on a grid.
 */
import { blur2 } from "d3-array";
import { contours } from "d3-contour";
import type { Colouring, Coordinates } from "./codecs";
import { SUBSET, sample } from "./pace";

/** A line around the densest `share` of some points. */
export interface Contour {
  /** Of the points with this code; null for all. */
  code: number | null;
  share: number;
  /** Its closed parts: x and y in turn, as the points have them. */
  rings: Float32Array[];
}

/** Shares around which lines are drawn, of all points and of one class: more lines of many classes would be a tangle. */
export const SHARES = { all: [0.95, 0.75, 0.5, 0.25], class: [0.66] } as const;
/** With more classes than this their lines would hide each other. */
const MOST_CLASSES = 10;
/** Fewer points than this have no density. */
const FEWEST = 10;
/** Cells along the longer side; fewer for each class, whose lines take as long each. */
const CELLS = { all: 160, class: 96 };
/**
 * A part of Scott's bandwidth, which is that of one normal distribution (Multivariate Density Estimation, 1992): a map
 * has many clusters.
 */
const NARROWER = 0.55;
/** Kernels reach so many bandwidths. */
const REACH = 3;

/**
 * The contours of all points that are shown, or of each class where most points have one.
 *
 * @param hidden codes whose points are not shown
 */
export function densityContours(
  xy: Coordinates,
  colouring: Colouring | null,
  hidden: ReadonlySet<number>,
): Contour[] {
  const codes = colouring?.codes;
  const ids = sample(xy.length / 2, SUBSET).filter((i) => !codes || !hidden.has(codes[i]!));
  if (!codes || !areClassesDrawn(colouring)) return around(xy, ids, null);
  const classes = colouring.categories!.map((_, i) => i + 1).filter((code) => !hidden.has(code));
  return classes.flatMap((code) =>
    around(
      xy,
      ids.filter((i) => codes[i] === code),
      code,
    ),
  );
}

/** Whether each class has lines of its own: there are a few classes, and most points have one. */
export function areClassesDrawn(colouring: Colouring | null): colouring is Colouring {
  if (colouring?.kind !== "category") return false;
  const [none = 0, ...counts] = colouring.counts;
  return (
    counts.length <= MOST_CLASSES && counts.filter(Boolean).length > 1 && 2 * none < colouring.codes.length
  );
}

function around(xy: Coordinates, ids: Uint32Array, code: number | null): Contour[] {
  const of = code === null ? "all" : "class";
  const shares: readonly number[] = SHARES[of];
  const grid = ids.length < FEWEST ? null : estimate(xy, ids, CELLS[of]);
  if (!grid) return [];
  const { density, width, height, cell, left, bottom } = grid;
  const { contour } = contours().size([width, height]) as unknown as {
    contour(values: ArrayLike<number>, at: number): { coordinates: [number, number][][][] };
  };
  return thresholds(density, shares).map((at, k) => {
    const rings = contour(density, at).coordinates.flat();
    const placed = rings.map((ring) =>
      Float32Array.from({ length: 2 * ring.length }, (_, i) =>
        i % 2 ? bottom + ring[i >> 1]![1] * cell : left + ring[i >> 1]![0] * cell,
      ),
    );
    return { code, share: shares[k]!, rings: placed };
  });
}

interface Grid {
  density: Float32Array;
  width: number;
  height: number;
  /** The side of a cell, and the outer corner of the first. */
  cell: number;
  left: number;
  bottom: number;
}

/** How many points lie in each cell, `cells` along the longer side, smoothed by a Gaussian; null where all points are one. */
function estimate(xy: Coordinates, ids: Uint32Array, cells: number): Grid | null {
  const [x, y] = [0, 1].map((axis) => moments(xy, ids, axis)) as [Moments, Moments];
  const extent = Math.max(x.high - x.low, y.high - y.low);
  if (!(extent > 0)) return null;
  const scale = Math.sqrt((x.variance + y.variance) / 2);
  const bandwidth = Math.max(NARROWER * scale * ids.length ** (-1 / 6), extent / cells);
  const margin = REACH * bandwidth;
  const cell = (extent + 2 * margin) / cells;
  const [left, bottom] = [x.low - margin, y.low - margin];
  const width = Math.ceil((x.high + margin - left) / cell) + 1;
  const height = Math.ceil((y.high + margin - bottom) / cell) + 1;
  const density = new Float32Array(width * height);
  for (const i of ids) {
    // A point counts to the four cells around it, by how near they are: no line shows the grid.
    const [across, up] = [(xy[2 * i]! - left) / cell - 0.5, (xy[2 * i + 1]! - bottom) / cell - 0.5];
    const [column, row] = [Math.floor(across), Math.floor(up)];
    const [right, upper] = [across - column, up - row];
    const at = row * width + column;
    density[at]! += (1 - right) * (1 - upper);
    density[at + 1]! += right * (1 - upper);
    density[at + width]! += (1 - right) * upper;
    density[at + width + 1]! += right * upper;
  }
  // Three blurs by a box of this radius are almost a Gaussian of the bandwidth.
  const radius = (Math.sqrt(4 * (bandwidth / cell) ** 2 + 1) - 1) / 2;
  blur2({ data: density as unknown as number[], width, height }, radius);
  return { density, width, height, cell, left, bottom };
}

interface Moments {
  low: number;
  high: number;
  variance: number;
}

function moments(xy: Coordinates, ids: Uint32Array, axis: number): Moments {
  let [low, high, sum, squares] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0];
  for (const i of ids) {
    const value = xy[2 * i + axis]!;
    low = Math.min(low, value);
    high = Math.max(high, value);
    sum += value;
    squares += value * value;
  }
  const mean = sum / ids.length;
  return { low, high, variance: Math.max(0, squares / ids.length - mean * mean) };
}

/** The density above which each of these shares lies. */
function thresholds(density: Float32Array, shares: readonly number[]): number[] {
  const sorted = density.slice().sort();
  const total = sorted.reduce((sum, value) => sum + value, 0);
  return shares.map((share) => {
    let [above, k] = [0, sorted.length];
    while (k > 1 && above < share * total) above += sorted[--k]!;
    return sorted[k]!;
  });
}
