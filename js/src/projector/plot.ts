/** What draws the points: WebGL (gl.ts), or a plain canvas where there is none (flat.ts). */
import type { Coordinates } from "./codecs";
import type { Place } from "./lasso";
import type { Look, Theme } from "./looks";

export interface Scene {
  xy: Coordinates;
  /** Index into the tables of `look`, a point. */
  codes: Uint16Array;
  look: Look;
  /** In which order to draw; null for theirs. */
  order: number[] | null;
  theme: Theme;
  /** Move there from where the points are. */
  glide: boolean;
}

export interface PlotEvents {
  hover(index: number | null): void;
  select(indices: number[]): void;
  /** The points are elsewhere on the screen: the view was moved, or they were drawn anew. */
  moved(): void;
  gliding(under: boolean): void;
  /** The plot can draw no longer. */
  lost(): void;
}

export interface Plot {
  /** Draws; where a drawing is under way, the newest scene follows it. */
  draw(scene: Scene): void;
  select(indices: readonly number[]): void;
  lasso(on: boolean): void;
  /** Where a point is, in CSS pixels from the top left. */
  where(index: number): Place | null;
  resize(width: number, height: number): void;
  /** Closer for a factor above 1. */
  zoom(factor: number): void;
  /** By shares of the view. */
  pan(right: number, up: number): void;
  fit(): void;
  destroy(): void;
}

export const GLIDE_MS = 1_200;

/** Whether the person asked for less motion. */
export function isStill(): boolean {
  return window.matchMedia?.("(prefers-reduced-motion: reduce)").matches ?? false;
}
