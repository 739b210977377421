/** The messages between the map and Python, as they travel. Fixtures of each are in `fixtures/messages`. */
import type { Content, Problem } from "../shared/messages";

export const COLOUR_BY = ["label", "prediction", "uncertainty", "outlier", "trust"] as const;
export type ColourBy = (typeof COLOUR_BY)[number];
export const SPACES = ["features", "model"] as const;
export type SpaceName = (typeof SPACES)[number];

/** Coordinates follow as float32, x and y in turn, in [-1, 1]. */
export interface PointsMessage {
  type: "points";
  n: number;
  layout: "pca" | "umap";
  revision: number;
  /** What is to be seen: lowest x and y, highest x and y; just the points where it is missing. */
  box?: [number, number, number, number];
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
  /** False for what cannot be stopped; a layout can be. */
  stoppable?: boolean;
}

/** How far a layout can be trusted: shares of 0 to 1. */
export interface Figures {
  trustworthiness: number;
  continuity: number;
  /** On how many items that was measured. */
  sampled: number;
  /** Median displacement at the last retraining, as a share of the map's width. */
  moved: number | null;
}

export interface LayoutMessage {
  type: "layout";
  space: SpaceName;
  /** Those that there can be, and those that there are by now. */
  spaces: SpaceName[];
  ready: SpaceName[];
  /** Whether the newest layout was given up, so that one can go on with it. */
  stopped: boolean;
  figures: Figures | null;
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
  | LayoutMessage
  | PreviewMessage
  | { type: "cards"; indices: number[] }
  | { type: "queued"; count: number; text: string }
  | { type: "refused"; event_id: string | null; reason: string }
  | Problem;

/** What the map sends to Python; `select`, `label_next` and `label_together` with positions as uint32 in a buffer. */
export type FromMap =
  | { type: "hello" }
  | { type: "colour_by"; by: ColourBy }
  | { type: "space"; space: SpaceName }
  | { type: "cancel_layout" }
  | { type: "preview"; index: number }
  | { type: "select" }
  | { type: "label_next" }
  | { type: "label_together" };
