/** The messages between the map and Python, as they travel. Fixtures of each are in `fixtures/messages`. */
import type { Content, Problem } from "../shared/messages";

export const COLOUR_BY = ["label", "prediction", "uncertainty", "outlier"] as const;
export type ColourBy = (typeof COLOUR_BY)[number];

/** Coordinates follow as float32, x and y in turn, in [-1, 1]. */
export interface PointsMessage {
  type: "points";
  n: number;
  layout: "pca" | "umap";
  revision: number;
}

/** Codes follow, `bytes` each: a class (all bits set for none), or a quantity in 256 steps over `range`. */
export interface ColoursMessage {
  type: "colours";
  by: ColourBy;
  kind: "category" | "ramp";
  categories: string[] | null;
  range: [number, number] | null;
  version: number;
  bytes: 1 | 2;
  /** What can be coloured by just now; all, where it is missing. */
  available?: ColourBy[];
}

export interface ProgressMessage {
  type: "progress";
  fraction: number | null;
  text: string | null;
}

export interface PreviewMessage {
  type: "preview";
  index: number;
  item_id: string;
  content: Content;
  label: string | null;
  prediction: string | null;
  confidence: number | null;
  uncertainty: number | null;
}

/** What Python sends to the map. */
export type ToMap =
  | PointsMessage
  | ColoursMessage
  | ProgressMessage
  | PreviewMessage
  | { type: "cards"; indices: number[] }
  | { type: "queued"; count: number; text: string }
  | { type: "refused"; event_id: string | null; reason: string }
  | Problem;

/** What the map sends to Python; `select`, `label_next` and `label_together` with positions as uint32 in a buffer. */
export type FromMap =
  | { type: "hello" }
  | { type: "colour_by"; by: ColourBy }
  | { type: "preview"; index: number }
  | { type: "select" }
  | { type: "label_next" }
  | { type: "label_together" };
