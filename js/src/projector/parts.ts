/** What the state of the map is made of. */
import type { Coordinates } from "./codecs";
import type { FoundMessage, PointsMessage, PreviewMessage, RegionsMessage } from "./messages";

export interface MapTraits extends Record<string, unknown> {
  _task: { classes?: string[] };
  height: number;
}

export interface Points extends Omit<PointsMessage, "type"> {
  xy: Coordinates;
}

export interface Preview extends PreviewMessage {
  /** The bytes of its image or its sound. */
  file: DataView | null;
}

/** What a search came to, and the points of it. */
export interface Found extends Omit<FoundMessage, "type"> {
  indices: Uint32Array<ArrayBuffer>;
}

/** The names of a layout's regions, and the bytes of their images. */
export interface Regions extends Omit<RegionsMessage, "type"> {
  buffers: readonly DataView[];
}

/** A line for the person to read. */
export interface Notice {
  kind: "good" | "bad";
  text: string;
}

export type Change =
  | "points"
  | "colours"
  | "varied"
  | "contours"
  | "choices"
  | "columns"
  | "hidden"
  | "found"
  | "regions"
  | "cards"
  | "progress"
  | "layout"
  | "selection"
  | "guard"
  | "list"
  | "preview"
  | "notice";
