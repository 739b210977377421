/** What a point looks like, by its code: colour, size and opacity. */
import { palette } from "../shared/palette";
import { type Colouring, STEPS } from "./codecs";

/** Tables by code; code 0 is "none". */
export interface Look {
  colours: string[];
  /** Diameters in CSS pixels. */
  sizes: number[];
  opacities: number[];
}

/** What makes points of one code differ: a step of a quantity for each; null where they are the same. */
export interface Steps {
  size: Uint8Array | null;
  opacity: Uint8Array | null;
}

/** Factors on diameters and opacities, by step. Areas grow evenly, for these are what the eye compares. */
export const FACTORS = {
  size: factors((share) => Math.sqrt(0.3 + 5.7 * share)),
  opacity: factors((share) => 0.15 + 0.85 * share),
};

/** What has no value is like what has the least. */
function factors(of: (share: number) => number): Float32Array {
  return Float32Array.from({ length: STEPS + 1 }, (_, step) => of(step < STEPS ? step / (STEPS - 1) : 0));
}

/** The factor on the diameter, or on the opacity, of a point. */
export function factorOf(what: keyof Steps, steps: Steps | undefined, i: number): number {
  const given = steps?.[what];
  return given ? FACTORS[what][given[i]!]! : 1;
}

export interface Theme {
  dark: boolean;
  surface: string;
  accent: string;
}

const gamma = (v: number) => (v <= 0.0031308 ? v * 12.92 : 1.055 * v ** (1 / 2.4) - 0.055);

/** Linear sRGB of a colour given by OKLab lightness, chroma and hue in degrees (Ottosson 2020). */
function linear(lightness: number, chroma: number, hue: number): number[] {
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
}

/** The most vivid colour that a screen can show at this lightness and hue. */
function shown(lightness: number, hue: number): string {
  let chroma = 0.16;
  while (chroma > 0 && linear(lightness, chroma, hue).some((v) => v < -1e-6 || v > 1 + 1e-6)) chroma -= 0.005;
  const channels = linear(lightness, Math.max(0, chroma), hue).map((v) =>
    Math.round(gamma(Math.min(1, Math.max(0, v))) * 255),
  );
  return `#${channels.map((c) => c.toString(16).padStart(2, "0")).join("")}`;
}

/**
 * 255 colours from little to much. Lightness changes evenly, so order shows to every eye, and hue runs from violet over
 * green to yellow; "much" is always the end that stands out from the page.
 */
export function ramp(dark: boolean): string[] {
  return Array.from({ length: STEPS }, (_, i) => {
    const share = i / (STEPS - 1);
    const lightness = dark ? 0.38 + 0.54 * share : 0.87 - 0.57 * share;
    const hue = dark ? 300 - 195 * share : 125 + 175 * share;
    return shown(lightness, hue);
  });
}

/** Diameter of a point when there are so many. */
export function pointSize(n: number): number {
  if (n <= 300) return 10;
  if (n <= 1_000) return 7.5;
  if (n <= 3_000) return 6;
  if (n <= 10_000) return 4.5;
  if (n <= 50_000) return 3.5;
  return n <= 200_000 ? 2.5 : 1.8;
}

/** Colour of what has no class. */
export function noneColour(dark: boolean): string {
  return dark ? "#5b626b" : "#c3c9d0";
}

/** The colour of each code: of "none" first. */
export function coloursOf(colouring: Colouring | null, dark: boolean): string[] {
  const some = colouring?.kind === "ramp" ? ramp(dark) : palette(colouring?.categories?.length ?? 0);
  return [noneColour(dark), ...some];
}

/** @param hidden codes whose points are not to be seen */
export function lookOf(
  colouring: Colouring | null,
  n: number,
  theme: Theme,
  hidden: ReadonlySet<number> = new Set(),
): Look {
  const size = pointSize(n);
  const opacity = n > 50_000 ? 0.6 : 0.88;
  const [none, ...classes] = coloursOf(colouring, theme.dark);
  // What has no label yet steps back, so that the few that have one can be seen.
  const opacities = [opacity * 0.75, ...classes.map(() => opacity)];
  return {
    colours: [none!, ...classes],
    sizes: [size * 0.85, ...classes.map(() => (colouring?.by === "label" ? size * 1.2 : size))],
    opacities: opacities.map((value, code) => (hidden.has(code) ? 0 : value)),
  };
}
