import { describe, expect, it } from "vitest";
import { type Coordinates, decodeColours } from "./codecs";
import { type Contour, densityContours, SHARES } from "./density";
import { isInside, type Place } from "./lasso";
import { at } from "./testing";

/** Park and Miller's generator: the same numbers every time. */
function uniform(): () => number {
  let seed = 42;
  return () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
}

/** Normal clouds, `n` points each. */
function clouds(n: number, scale: number, ...centres: Place[]): Coordinates {
  const next = uniform();
  const xy = new Float32Array(2 * n * centres.length);
  for (let i = 0; i < xy.length / 2; i++) {
    const [x, y] = centres[Math.floor(i / n)]!;
    const [far, turn] = [scale * Math.sqrt(-2 * Math.log(next())), 2 * Math.PI * next()];
    xy[2 * i] = x + far * Math.cos(turn);
    xy[2 * i + 1] = y + far * Math.sin(turn);
  }
  return xy;
}

const ringOf = (ring: Float32Array): Place[] =>
  Array.from({ length: ring.length / 2 }, (_, k) => [ring[2 * k]!, ring[2 * k + 1]!]);

/** The share of some points that a contour goes around. */
function held(contour: Contour, xy: Coordinates, ids: number[]): number {
  const rings = contour.rings.map(ringOf);
  const within = ids.filter((i) => {
    const around = rings.filter((ring) => isInside(xy[2 * i]!, xy[2 * i + 1]!, ring));
    return around.length % 2 === 1; // a hole is a ring in a ring
  });
  return within.length / ids.length;
}

const all = (xy: Coordinates) => Array.from({ length: xy.length / 2 }, (_, i) => i);
const categories = (codes: number[], n: number) =>
  decodeColours(
    {
      type: "colours",
      by: "label",
      kind: "category",
      categories: ["a", "b"],
      range: null,
      version: 0,
      bytes: 1,
    },
    [at(0, Uint8Array.from(codes).buffer)],
    n,
  );

describe("density contours", () => {
  it.each([300, 5_000])("go around the share of %i points that they say", (n) => {
    const xy = clouds(n, 0.2, [-0.3, 0], [0.6, 0.2]);
    const contours = densityContours(xy, null, new Set());
    expect(contours.map(({ share }) => share)).toEqual([...SHARES.all]);
    for (const contour of contours)
      expect(Math.abs(held(contour, xy, all(xy)) - contour.share)).toBeLessThan(0.06);
  });

  it("are circles around one normal cloud, of the radius that holds the share", () => {
    const xy = clouds(150_000, 0.2, [0.1, -0.2]);
    const half = densityContours(xy, null, new Set()).find(({ share }) => share === 0.5)!;
    expect(half.rings).toHaveLength(1);
    const radii = ringOf(half.rings[0]!).map(([x, y]) => Math.hypot(x - 0.1, y + 0.2));
    const radius = 0.2 * Math.sqrt(-2 * Math.log(0.5)); // Rayleigh's median
    for (const one of radii) expect(Math.abs(one / radius - 1)).toBeLessThan(0.1);
  });

  it("are apart where the clouds are, and closed", () => {
    const half = densityContours(clouds(2_000, 0.05, [-0.5, 0], [0.5, 0]), null, new Set())[2]!;
    expect(half.rings).toHaveLength(2);
    for (const ring of half.rings) expect([...ring.slice(0, 2)]).toEqual([...ring.slice(-2)]);
  });

  it("go around each class where most points have one, else around all", () => {
    const xy = clouds(500, 0.1, [-0.5, 0], [0.5, 0]);
    const codes = Array.from({ length: 1_000 }, (_, i) => (i < 500 ? 0 : 1));
    const contours = densityContours(xy, categories(codes, 1_000), new Set());
    expect(contours.map(({ code }) => code)).toEqual([1, 2]);
    const ids = all(xy);
    expect(Math.abs(held(contours[0]!, xy, ids.slice(0, 500)) - SHARES.class[0])).toBeLessThan(0.06);
    expect(held(contours[0]!, xy, ids.slice(500))).toBe(0);
    const few = codes.map((code, i) => (i % 3 ? 255 : code));
    expect(densityContours(xy, categories(few, 1_000), new Set()).map(({ code }) => code)).toEqual(
      SHARES.all.map(() => null),
    );
  });

  it("leave out what is hidden", () => {
    const xy = clouds(500, 0.1, [-0.5, 0], [0.5, 0]);
    const codes = Array.from({ length: 1_000 }, (_, i) => (i < 500 ? 0 : 1));
    expect(densityContours(xy, categories(codes, 1_000), new Set([2])).map(({ code }) => code)).toEqual([1]);
    const few = codes.map((code, i) => (i < 900 && i >= 500 ? code : 255));
    const shown = densityContours(xy, categories(few, 1_000), new Set([0]));
    expect(
      Math.min(...shown.flatMap(({ rings }) => rings.flatMap((r) => ringOf(r).map(([x]) => x)))),
    ).toBeGreaterThan(0);
  });

  it.each([
    ["no point", []],
    ["few points", [0, 0, 1, 1]],
    ["points in one place", Array(60).fill(0.5)],
  ])("are none of %s", (_, xy) => {
    expect(densityContours(new Float32Array(xy), null, new Set())).toEqual([]);
  });

  it("go around points on a line", () => {
    const xy = Float32Array.from({ length: 400 }, (_, i) => (i % 2 ? 0 : i / 400));
    const contours = densityContours(xy, null, new Set());
    expect(contours.every(({ rings }) => rings.length > 0)).toBe(true);
  });
});
