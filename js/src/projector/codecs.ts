/** Buffers to arrays and back. What does not fit together is an error, never a map that is quietly wrong. */
import type { ColourBy, ColoursMessage, Encoding, PointsMessage, VariedMessage } from "./messages";

/** Coordinates of all points: x and y in turn. */
export type Coordinates = Float32Array<ArrayBuffer>;

/** What every point is coloured by, as an index into a table of colours: 0 is "none". */
export interface Colouring extends Omit<ColoursMessage, "type" | "bytes"> {
  codes: Uint16Array<ArrayBuffer>;
  /** How many points have each code. */
  counts: Uint32Array<ArrayBuffer>;
}

/** Steps of a ramp: all that a byte holds beside "none". */
export const STEPS = 255;

/** Sorting more points than this would cost more time than the order is worth. */
const MOST_ORDERED = 200_000;

function bytesOf(buffers: readonly DataView[], expected: number, what: string): ArrayBuffer {
  const view = buffers[0];
  if (!view || view.byteLength !== expected) {
    throw new Error(`${what}: ${view?.byteLength ?? "no"} bytes came, ${expected} were expected`);
  }
  // A copy: the view may start anywhere, and typed arrays only at multiples of their size.
  return view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength) as ArrayBuffer;
}

export function decodePoints(message: PointsMessage, buffers: readonly DataView[]): Coordinates {
  return new Float32Array(bytesOf(buffers, message.n * 8, "coordinates"));
}

/** @param n how many points there are */
export function decodeColours(message: ColoursMessage, buffers: readonly DataView[], n: number): Colouring {
  const { type: _type, bytes, ...rest } = message;
  const raw = bytesOf(buffers, n * bytes, "colours");
  const given = bytes === 1 ? new Uint8Array(raw) : new Uint16Array(raw);
  const none = bytes === 1 ? 0xff : 0xffff;
  const size = message.kind === "ramp" ? STEPS : (message.categories?.length ?? 0);
  const codes = new Uint16Array(n);
  const counts = new Uint32Array(size + 1);
  for (let i = 0; i < n; i++) {
    const code = given[i]!;
    const isNone = code === none || code >= size;
    codes[i] = isNone ? 0 : code + 1;
    counts[codes[i]!]!++;
  }
  return { ...rest, codes, counts };
}

/** What sizes or opacities stand for, and the step of each point: 255 is "none". */
export interface Varied extends Omit<VariedMessage, "type" | "by"> {
  by: ColourBy;
  steps: Uint8Array<ArrayBuffer>;
}

/** @param n how many points there are */
export function decodeVaried(message: VariedMessage, buffers: readonly DataView[], n: number): Varied | null {
  const { type: _type, by, ...rest } = message;
  if (by === null) return null;
  const steps = new Uint8Array(bytesOf(buffers, message.n ?? n, "steps"));
  return resizeVaried({ ...rest, by, steps }, n);
}

/** The steps of `n` points, as of a colouring. */
export function resizeVaried(varied: Varied, n: number): Varied {
  if (varied.steps.length === n) return varied;
  const steps = new Uint8Array(n).fill(0xff);
  steps.set(varied.steps.subarray(0, n));
  return { ...varied, steps };
}

/** A colouring of `n` points: of new ones nothing is known, those that have no place yet are left out. */
export function resize(colouring: Colouring, n: number): Colouring {
  const before = colouring.codes.length;
  if (before === n) return colouring;
  const codes = new Uint16Array(n);
  codes.set(colouring.codes.subarray(0, n));
  const counts = colouring.counts.slice();
  for (let i = n; i < before; i++) counts[colouring.codes[i]!]!--;
  counts[0]! += Math.max(0, n - before);
  return { ...colouring, codes, counts };
}

/**
 * The same layout as large as it fits around the centre of a view: heights in [-1, 1], widths in [-aspect, aspect].
 * Both axes keep one scale.
 * @param box what is to be seen, rather than just the points: lowest x and y, highest x and y
 */
export function fill(xy: Coordinates, aspect: number, box?: PointsMessage["box"]): Coordinates {
  let [left, bottom] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  let [right, top] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  if (box) [left, bottom, right, top] = box;
  for (let i = 0; i < xy.length; i += 2) {
    const x = xy[i]!;
    const y = xy[i + 1]!;
    if (x < left) left = x;
    if (x > right) right = x;
    if (y < bottom) bottom = y;
    if (y > top) top = y;
  }
  const scale = Math.min((2 * aspect) / (right - left), 2 / (top - bottom));
  const filled = new Float32Array(xy.length);
  if (!Number.isFinite(scale)) return filled;
  const [x0, y0] = [(left + right) / 2, (bottom + top) / 2];
  for (let i = 0; i < xy.length; i += 2) {
    filled[i] = (xy[i]! - x0) * scale;
    filled[i + 1] = (xy[i + 1]! - y0) * scale;
  }
  return filled;
}

/**
 * The order to draw points in, so that what matters lies on top: what has a class above what has none, much above
 * little, and of those the small above the large. Null for the order they have.
 *
 * @param sizes a step for each point, 255 for the smallest; null where all have one size
 */
export function drawingOrder(colouring: Colouring, sizes: Uint8Array | null = null): Uint32Array | null {
  const { codes, counts } = colouring;
  const n = codes.length;
  if (n > MOST_ORDERED) return null;
  const isRamp = colouring.kind === "ramp";
  const isLayered = isRamp || (counts[0] ?? 0) > 0;
  if (!isLayered && !sizes) return null;
  const bySize = sizes && counted(n, STEPS + 1, (i) => (sizes[i] === 0xff ? STEPS : STEPS - 1 - sizes[i]!));
  if (!isLayered) return bySize;
  return counted(n, counts.length, (i) => (isRamp ? codes[i]! : Math.min(1, codes[i]!)), bySize);
}

/** Positions of 0 to `n` in the order of their keys, which are below `size`; equal ones as they were before. */
function counted(
  n: number,
  size: number,
  key: (i: number) => number,
  before: Uint32Array | null = null,
): Uint32Array {
  const start = new Uint32Array(size + 1);
  for (let i = 0; i < n; i++) start[key(i) + 1]!++;
  for (let i = 1; i < start.length; i++) start[i]! += start[i - 1]!;
  const order = new Uint32Array(n);
  for (let k = 0; k < n; k++) {
    const i = before ? before[k]! : k;
    order[start[key(i)]!++] = i;
  }
  return order;
}

/** Positions as uint32. */
export function decodeIndices(buffers: readonly DataView[]): Uint32Array<ArrayBuffer> {
  const length = buffers[0]?.byteLength ?? 0;
  if (length % 4) throw new Error(`positions: ${length} bytes came, a multiple of 4 was expected`);
  return new Uint32Array(bytesOf(buffers, length, "positions"));
}

/** So few positions go one by one whatever that takes: a mask forgets their order. */
const ORDERED = 10_000;

/** Positions among `n` points as they are sent: many of them in the shorter of two ways. */
export function pack(indices: ArrayLike<number>, n: number): { encoding: Encoding; data: ArrayBuffer } {
  const length = Math.ceil(n / 8);
  if (indices.length <= ORDERED || 4 * indices.length <= length)
    return { encoding: "positions", data: Uint32Array.from(indices).buffer };
  const mask = new Uint8Array(length);
  for (let i = 0; i < indices.length; i++) mask[indices[i]! >> 3]! |= 1 << (indices[i]! & 7);
  return { encoding: "mask", data: mask.buffer };
}

/** Positions among `n` points as they were sent; of a mask ascending. */
export function unpack(
  encoding: Encoding,
  buffers: readonly DataView[],
  n: number,
): Uint32Array<ArrayBuffer> {
  if (encoding === "positions") return decodeIndices(buffers);
  const mask = new Uint8Array(bytesOf(buffers, Math.ceil(n / 8), "a selection"));
  const found = new Uint32Array(n);
  let count = 0;
  for (let i = 0; i < n; i++) if ((mask[i >> 3]! >> (i & 7)) & 1) found[count++] = i;
  return found.slice(0, count);
}

/** The `n` points with the highest codes, highest first, or the lowest ones; equal ones in their order. */
export function extreme(codes: Uint16Array, n: number, end: "low" | "high" = "high"): number[] {
  const byCode: number[][] = [];
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!;
    byCode[code] ??= [];
    if (byCode[code].length < n) byCode[code].push(i);
  }
  const found: number[] = [];
  for (let step = 1; step <= STEPS && found.length < n; step++) {
    const code = end === "low" ? step : STEPS + 1 - step;
    found.push(...(byCode[code] ?? []).slice(0, n - found.length));
  }
  return found;
}

/** All points with codes from `low` to `high`, both included. */
export function within(codes: Uint16Array, low: number, high: number): Uint32Array<ArrayBuffer> {
  let count = 0;
  for (let i = 0; i < codes.length; i++) if (codes[i]! >= low && codes[i]! <= high) count++;
  const found = new Uint32Array(count);
  for (let i = 0, k = 0; k < count; i++) if (codes[i]! >= low && codes[i]! <= high) found[k++] = i;
  return found;
}

/** All points with this code. */
export function withCode(codes: Uint16Array, code: number): Uint32Array<ArrayBuffer> {
  let count = 0;
  for (let i = 0; i < codes.length; i++) if (codes[i] === code) count++;
  const found = new Uint32Array(count);
  for (let i = 0, k = 0; k < count; i++) if (codes[i] === code) found[k++] = i;
  return found;
}
