/** What draws the points: WebGL (gl.ts), or a plain canvas where there is none (flat.ts). */
import type { Coordinates } from "./codecs";
import type { How, Place, Shape } from "./lasso";
import type { Look, Steps, Theme } from "./looks";
import type { Viewport } from "./viewport";

export interface Scene {
  xy: Coordinates;
  /** Index into the tables of `look`, a point. */
  codes: Uint16Array;
  look: Look;
  /** What sizes and opacities follow; missing where that is nothing. */
  steps?: Steps;
  /** In which order to draw; null for theirs. */
  order: Uint32Array | null;
  theme: Theme;
  /** Move there from where the points are. */
  glide: boolean;
}

export interface PlotEvents {
  hover(index: number | null): void;
  /** The person picked points; how they count, where keys say so. */
  pick(indices: Uint32Array<ArrayBuffer>, how: How): void;
  /** A press that hit nothing, twice. */
  clear(): void;
  /** The points are elsewhere on the screen: the view was moved, or they were drawn anew. */
  moved(): void;
  gliding(under: boolean): void;
  /** All points are on the screen. */
  painted(): void;
  /** The plot can draw no longer. A canvas that nobody holds is never told that it could again. */
  lost(canvas: HTMLCanvasElement): void;
  /** One that was lost could be made anew. */
  restored(): void;
}

/** What a press and drag does. */
export interface Tool {
  /** Null moves the view. */
  shape: Shape | null;
  how: How;
}

export interface Plot {
  readonly root: HTMLElement;
  viewport: Viewport;
  /** Draws; where a drawing is under way, the newest scene follows it. */
  draw(scene: Scene): void;
  select(indices: ArrayLike<number>): void;
  use(tool: Tool): void;
  /** Factors on how large and how opaque points are. */
  adjust(size: number, opacity: number): void;
  /** Where a point is, in CSS pixels from the top left. */
  where(index: number): Place | null;
  resize(width: number, height: number): void;
  /** Closer for a factor above 1. */
  zoom(factor: number): void;
  /** By shares of the view. */
  pan(right: number, up: number): void;
  fit(): void;
  /** The picture of all points as they are seen. */
  picture(): Promise<HTMLCanvasElement>;
  destroy(): void;
}

export const GLIDE_MS = 1_200;

/** Whether the person asked for less motion. */
export function isStill(): boolean {
  return window.matchMedia?.("(prefers-reduced-motion: reduce)").matches ?? false;
}
