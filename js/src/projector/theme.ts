/** The colours of the page, as the plot needs them: WebGL knows no CSS variables. */
import type { Cleanup } from "../shared/model";
import type { Theme } from "./looks";

type Rgb = readonly [number, number, number];

/** `rgb(1 2 3)`, `rgba(1, 2, 3, .5)` or `color(srgb .1 .2 .3)` as numbers of 0 to 255. */
export function parseColour(css: string): Rgb | null {
  const numbers = css.match(/-?[\d.]+(?:e-?\d+)?/gi)?.map(Number) ?? [];
  if (numbers.length < 3) return null;
  const [r, g, b] = numbers as [number, number, number];
  if (css.startsWith("rgb")) return [r, g, b];
  return css.startsWith("color(srgb ") ? [r * 255, g * 255, b * 255] : null;
}

function hex([r, g, b]: Rgb): string {
  const channel = (v: number) =>
    Math.round(Math.min(255, Math.max(0, v)))
      .toString(16)
      .padStart(2, "0");
  return `#${channel(r)}${channel(g)}${channel(b)}`;
}

/** Reads the colours off an element whose background is the surface and whose text colour is the accent. */
export function themeOf(probe: HTMLElement): Theme {
  const style = getComputedStyle(probe);
  const surface = parseColour(style.backgroundColor) ?? [255, 255, 255];
  const accent = parseColour(style.color) ?? [25, 118, 210];
  const brightness = (0.2126 * surface[0] + 0.7152 * surface[1] + 0.0722 * surface[2]) / 255;
  return { dark: brightness < 0.5, surface: hex(surface), accent: hex(accent) };
}

/** Calls back when the page may have changed its colours. */
export function onTheme(run: () => void): Cleanup {
  const observer = new MutationObserver(run);
  for (const element of [document.documentElement, document.body]) {
    observer.observe(element, { attributes: true });
  }
  const scheme = window.matchMedia?.("(prefers-color-scheme: dark)");
  scheme?.addEventListener("change", run);
  return () => {
    observer.disconnect();
    scheme?.removeEventListener("change", run);
  };
}
