import { describe, expect, it } from "vitest";
import { decodeColours } from "./codecs";
import { lookOf, noneColour, pointSize, ramp } from "./looks";
import { bytes } from "./testing";
import { parseColour } from "./theme";

const light = { dark: false, surface: "#ffffff", accent: "#1976d2" };

function luminance(hex: string): number {
  const n = Number.parseInt(hex.slice(1), 16);
  const [r, g, b] = [n >> 16, (n >> 8) & 255, n & 255].map((v) =>
    v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4,
  ) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
const contrast = (a: number, b: number) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);

describe.each([
  ["light", false, 1],
  ["dark", true, luminance("#212121")],
] as const)("the ramp on a %s page", (_, dark, page) => {
  const colours = ramp(dark);
  const lights = colours.map(luminance);

  it("has 255 colours whose lightness only goes one way", () => {
    expect(colours).toHaveLength(255);
    expect(colours.every((c) => /^#[0-9a-f]{6}$/.test(c))).toBe(true);
    const steps = lights.slice(1).map((l, i) => (dark ? l - lights[i]! : lights[i]! - l));
    expect(Math.min(...steps)).toBeGreaterThan(-0.004); // rounding to 8 bits
    expect(steps.filter((s) => s > 0).length).toBeGreaterThan(200);
  });

  it("ends where it stands out most, and its start can still be seen", () => {
    expect(contrast(lights.at(-1)!, page)).toBeGreaterThan(8);
    expect(contrast(lights[0]!, page)).toBeGreaterThan(1.3);
  });
});

describe("looks", () => {
  const message = {
    type: "colours",
    by: "label",
    kind: "category",
    categories: ["ham", "spam"],
    range: null,
    version: 0,
    bytes: 1,
  } as const;

  it("have one entry a code in every table", () => {
    const label = lookOf(
      decodeColours({ ...message, categories: ["ham", "spam"] }, [bytes([0])], 1),
      1,
      light,
    );
    expect([label.colours.length, label.sizes.length, label.opacities.length]).toEqual([3, 3, 3]);
    const ramped = { ...message, by: "outlier", kind: "ramp", categories: null } as const;
    const look = lookOf(decodeColours(ramped, [bytes([0])], 1), 1, light);
    expect([look.colours.length, look.sizes.length, look.opacities.length]).toEqual([256, 256, 256]);
  });

  it("let what has no label step back", () => {
    const look = lookOf(decodeColours({ ...message, categories: ["a"] }, [bytes([0])], 1), 1, light);
    expect(look.colours[0]).toBe(noneColour(false));
    expect(look.sizes[0]).toBeLessThan(look.sizes[1]!);
    expect(look.opacities[0]).toBeLessThan(look.opacities[1]!);
  });

  it("without colours are all none", () => {
    expect(lookOf(null, 10, light).colours).toEqual([noneColour(false)]);
  });

  it("draw more points smaller", () => {
    const sizes = [1, 500, 2_000, 8_000, 40_000, 150_000, 1e6].map(pointSize);
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
    expect(new Set(sizes).size).toBe(sizes.length);
  });
});

describe("colours of the page", () => {
  it.each([
    ["rgb(1, 2, 3)", [1, 2, 3]],
    ["rgba(33, 33, 33, 0.5)", [33, 33, 33]],
    ["color(srgb 1 0.5 0)", [255, 127.5, 0]],
    ["transparent", null],
    ["oklch(0.5 0.1 200)", null],
  ])("%s", (css, expected) => {
    expect(parseColour(css)).toEqual(expected);
  });
});
