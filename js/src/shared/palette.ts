/**
 * The colours of the classes: the same on the cards, the map and the curves.
 *
 * The first eight are the palette of Okabe and Ito (2008), which people with any of the common colour-vision
 * deficiencies can tell apart; its black is grey here, because black vanishes on a dark page. More classes get colours
 * chosen one after another, each as far as possible from all before it, seen with and without deuteranopia.
 */
const BASE = [
  "#E69F00",
  "#56B4E9",
  "#009E73",
  "#F0E442",
  "#0072B2",
  "#D55E00",
  "#CC79A7",
  "#999999",
] as const;

type Triple = readonly [number, number, number];

const toLinear = (v: number) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
const toGamma = (v: number) => (v <= 0.0031308 ? v * 12.92 : 1.055 * v ** (1 / 2.4) - 0.055);

function linearOf(hex: string): Triple {
  const n = Number.parseInt(hex.slice(1), 16);
  return [toLinear((n >> 16) / 255), toLinear(((n >> 8) & 255) / 255), toLinear((n & 255) / 255)];
}

/** OKLab (Ottosson 2020) of a colour in linear sRGB. */
function oklab([r, g, b]: Triple): Triple {
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

function linearFromOklab([L, a, b]: Triple): Triple {
  const l = (L + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (L - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (L - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
}

/** How the colour looks with deuteranopia (Machado, Oliveira and Fernandes 2009, severity 1), in linear sRGB. */
function deuteranopia([r, g, b]: Triple): Triple {
  const clip = (v: number) => Math.min(1, Math.max(0, v));
  return [
    clip(0.367322 * r + 0.860646 * g - 0.227968 * b),
    clip(0.280085 * r + 0.672501 * g + 0.047413 * b),
    clip(-0.01182 * r + 0.04294 * g + 0.968881 * b),
  ];
}

/** A colour as both kinds of eye see it. */
type Seen = readonly [Triple, Triple];
const seen = (linear: Triple): Seen => [oklab(linear), oklab(deuteranopia(linear))];
const between = (a: Triple, b: Triple) => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
// the second eye counts half: otherwise it alone decides and the colours pile up along one axis
const apart = (a: Seen, b: Seen) => between(a[0], b[0]) + between(a[1], b[1]) / 2;

interface Candidate {
  hex: string;
  looks: Seen;
}

const grown: string[] = [...BASE];
let candidates: Candidate[] | null = null;

/** Colours that show on white as well as on near-black, in the order of hue. */
function makeCandidates(): Candidate[] {
  const found: Candidate[] = [];
  for (const lightness of [0.5, 0.6, 0.7, 0.8]) {
    for (const chroma of [0.06, 0.12, 0.18]) {
      for (let hue = 0; hue < 360; hue += 10) {
        const angle = (hue * Math.PI) / 180;
        const linear = linearFromOklab([lightness, chroma * Math.cos(angle), chroma * Math.sin(angle)]);
        if (linear.some((v) => v < 0 || v > 1)) continue; // no screen shows it
        const channel = (v: number) =>
          Math.round(toGamma(v) * 255)
            .toString(16)
            .padStart(2, "0");
        found.push({ hex: `#${linear.map(channel).join("")}`.toUpperCase(), looks: seen(linear) });
      }
    }
  }
  return found;
}

function grow(n: number): void {
  candidates ??= makeCandidates();
  const chosen = grown.map((hex) => seen(linearOf(hex)));
  const nearest = candidates.map((c) => Math.min(...chosen.map((other) => apart(c.looks, other))));
  while (grown.length < n) {
    let best = 0;
    for (let i = 1; i < nearest.length; i++) if (nearest[i]! > nearest[best]!) best = i;
    const next = candidates[best]!;
    if (nearest[best]! <= 0) {
      grown.push(grown[grown.length % candidates.length]!); // hundreds of classes: colours come round again
      continue;
    }
    grown.push(next.hex);
    for (let i = 0; i < nearest.length; i++) {
      nearest[i] = Math.min(nearest[i]!, apart(candidates[i]!.looks, next.looks));
    }
  }
}

/** `n` colours as `#RRGGBB`; the first ones never change when there are more classes. */
export function palette(n: number): string[] {
  if (n > grown.length) grow(n);
  return grown.slice(0, n);
}

/** The colour of class `code` (0, 1, …). */
export function classColour(code: number): string {
  return palette(code + 1)[code]!;
}
