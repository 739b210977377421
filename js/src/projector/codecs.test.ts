import { describe, expect, it } from "vitest";
import {
  type Colouring,
  decodeColours,
  decodePoints,
  drawingOrder,
  encodeIndices,
  extreme,
  fill,
  withCode,
  within,
} from "./codecs";
import type { ColoursMessage } from "./messages";
import { bytes, floats, shorts } from "./testing";

const labels: ColoursMessage = {
  type: "colours",
  by: "label",
  kind: "category",
  categories: ["ham", "spam"],
  range: null,
  version: 3,
  bytes: 1,
};
const unsure: ColoursMessage = {
  ...labels,
  by: "uncertainty",
  kind: "ramp",
  categories: null,
  range: [0, 1],
};
const ramp = (...codes: number[]): Colouring => decodeColours(unsure, [bytes(codes)], codes.length);

describe("points", () => {
  const message = { type: "points", n: 2, layout: "pca", revision: 1 } as const;

  it("are read from a view at any offset", () => {
    expect([...decodePoints(message, [floats([0, 0.5, -1, 1])])]).toEqual([0, 0.5, -1, 1]);
  });

  it("that are too few or missing are an error", () => {
    expect(() => decodePoints(message, [floats([0, 0.5])])).toThrow("8 bytes came, 16 were expected");
    expect(() => decodePoints(message, [])).toThrow("no bytes came");
  });
});

describe("colours", () => {
  it("of classes keep 0 for none and count", () => {
    const { codes, counts, version } = decodeColours(labels, [bytes([0, 255, 1, 1, 7])], 5);
    expect([...codes]).toEqual([1, 0, 2, 2, 0]);
    expect([...counts]).toEqual([2, 1, 2]);
    expect(version).toBe(3);
  });

  it("of many classes take two bytes", () => {
    const categories = Array.from({ length: 300 }, (_, i) => `c${i}`);
    const message = { ...labels, bytes: 2 as const, categories };
    const { codes } = decodeColours(message, [shorts([299, 65535, 255])], 3);
    expect([...codes]).toEqual([300, 0, 256]);
  });

  it("of a ramp use all steps, and 255 is none", () => {
    const { codes, counts } = ramp(0, 254, 255);
    expect([...codes]).toEqual([1, 255, 0]);
    expect([counts[0], counts.length]).toEqual([1, 256]);
  });

  it("for another number of points are an error", () => {
    expect(() => decodeColours(labels, [bytes([0])], 2)).toThrow("1 bytes came, 2 were expected");
  });
});

describe("selecting by colour", () => {
  it("finds the highest, equal ones in their order", () => {
    const { codes } = ramp(5, 200, 9, 200, 254);
    expect(extreme(codes, 3)).toEqual([4, 1, 3]);
    expect(extreme(codes, 2)).toEqual([4, 1]);
    expect(extreme(codes, 99)).toEqual([4, 1, 3, 2, 0]);
  });

  it("finds the lowest, and never what has no value", () => {
    const { codes } = ramp(5, 255, 0, 254);
    expect(extreme(codes, 2, "low")).toEqual([2, 0]);
    expect(extreme(codes, 9, "low")).toEqual([2, 0, 3]);
  });

  it("finds a range with both of its ends, and never what has no value", () => {
    const { codes } = ramp(5, 255, 0, 254, 6);
    expect([...within(codes, 1, 6)]).toEqual([0, 2]);
    expect([...within(codes, 1, 255)]).toEqual([0, 2, 3, 4]);
  });

  it("finds all of a class", () => {
    expect([...withCode(Uint16Array.of(1, 0, 1), 1)]).toEqual([0, 2]);
  });
});

describe("the drawing order", () => {
  it("puts what has a class above what has none, else keeps the order", () => {
    expect(drawingOrder(decodeColours(labels, [bytes([1, 255, 0, 255])], 4))).toEqual([1, 3, 0, 2]);
    expect(drawingOrder(decodeColours(labels, [bytes([1, 0])], 2))).toBeNull();
  });

  it("puts much above little", () => {
    expect(drawingOrder(ramp(9, 3, 254, 3))).toEqual([1, 3, 0, 2]);
  });
});

describe("filling the plot", () => {
  const filled = (aspect: number, ...xy: number[]) => [...fill(new Float32Array(xy), aspect)];

  it("scales both axes alike until one touches the edge", () => {
    expect(filled(2, 0, 0, 1, 0.25)).toEqual([-2, -0.5, 2, 0.5]);
    expect(filled(2, 0, 0, 0.25, 1)).toEqual([-0.25, -1, 0.25, 1]);
    expect(filled(0.5, -1, -1, 1, 1)).toEqual([-0.5, -0.5, 0.5, 0.5]);
  });

  it("keeps what lies in one place, or on a line, on the screen", () => {
    expect(filled(2, 1, 1, 1, 1)).toEqual([0, 0, 0, 0]);
    expect(filled(2)).toEqual([]);
    expect(filled(2, -1, 0, 1, 0)).toEqual([-2, 0, 2, 0]);
  });
});

it("indices travel as uint32", () => {
  expect([...new Uint32Array(encodeIndices([7, 70_000]))]).toEqual([7, 70_000]);
});
