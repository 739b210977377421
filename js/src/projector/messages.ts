/** The messages between the map and Python, as they travel. Fixtures of each are in `fixtures/messages`. */
import type { AudioContent, Content, ImageContent, Problem } from "../shared/messages";

export const SPACES = ["features", "model"] as const;
export type SpaceName = (typeof SPACES)[number];
/** What is coloured by: `label`, `prediction`, `score:margin`, `meta:length` and so on, as Python names it. */
export type ColourBy = string;

/** Coordinates follow as float32, x and y in turn, in [-1, 1]. */
export interface PointsMessage {
  type: "points";
  n: number;
  layout: "pca" | "umap";
  revision: number;
  /** What is to be seen: lowest x and y, highest x and y; just the points where it is missing. */
  box?: [number, number, number, number];
}

/** Codes of `n` follow, `bytes` each: a class (all bits set for none), or a quantity in 256 steps over `range`. */
export interface ColoursMessage {
  type: "colours";
  /** Items may have joined that have no point yet; as many as there are points where it is missing. */
  n?: number;
  by: ColourBy;
  kind: "category" | "ramp";
  categories: string[] | null;
  range: [number, number] | null;
  version: number;
  bytes: 1 | 2;
  /** In words: what it is, what a point without a value is, and the ends of a ramp. */
  name?: string;
  none?: string;
  ends?: [string, string] | null;
  /** Which end of a ramp is worth a look, and what its items are. */
  notable?: { end: "low" | "high"; words: string } | null;
}

/** What can stand for a quantity, beside colour. */
export type What = "size" | "opacity";

/** Steps of `n` follow, a byte each: a quantity in 255 of them over `range`, 255 for none. Without `by` all are the same. */
export interface VariedMessage {
  type: "varied";
  /** As of the colours. */
  n?: number;
  what: What;
  by: ColourBy | null;
  version: number;
  /** In words, as of the colours. */
  name: string | null;
  range: [number, number] | null;
  ends: [string, string] | null;
  none: string | null;
}

export interface Choice {
  by: ColourBy;
  name: string;
  /** What is not there yet: "a model" or "a layout". */
  needs: string | null;
  /** Whether size and opacity can show it; of a column it is not known before it was read. */
  quantity?: boolean;
}

/** All that can be coloured by; of many columns of metadata the first. */
export interface ChoicesMessage {
  type: "choices";
  groups: { name: string; choices: Choice[] }[];
  n_columns: number;
}

/** Columns whose names hold what was typed; some of them, and how many there are. */
export interface ColumnsMessage {
  type: "columns";
  search: string;
  names: string[];
  total: number;
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
  content: Content | AudioContent;
  label: string | null;
  prediction: string | null;
  confidence: number | null;
  uncertainty: number | null;
}

/** The name of a region of the layout, at one of its points: words, or an image whose bytes follow. */
export interface Landmark {
  index: number;
  size: number;
  words: string;
  image: ImageContent | null;
}

export interface RegionsMessage {
  type: "regions";
  revision: number;
  regions: Landmark[];
}

/**
 * What a search came to, of `read` of `n` items; the positions of what was found follow as uint32, or of the first of
 * many.
 */
export interface FoundMessage {
  type: "found";
  text: string;
  total: number;
  read: number;
  n: number;
  error: string | null;
  /** What may have been meant otherwise, in words. */
  hint?: string | null;
}

/** What a list holds: edge cases by a way to rank them, the points by a colour, or those that are like one. */
export type ListOf =
  | { kind: "edge_cases"; by: string }
  | { kind: "points"; by: ColourBy; descending: boolean; selected: boolean }
  | { kind: "similar"; index: number };

/** An item in a list: what is seen of it, what it is listed by, why it is there, and its label. */
export interface Row {
  index: number;
  item_id: string;
  content: Content;
  value: string;
  why: string | null;
  label: string | null;
}

/** Rows of a list from rank `start` on. `note` says why there is no list, or nothing in it. */
export interface RowsMessage {
  type: "rows";
  list: string;
  start: number;
  total: number;
  rows: Row[];
  /** The item that those of the list are like. */
  like: Row | null;
  note: string | null;
}

/** What items can be ranked by as edge cases. */
export interface WaysMessage {
  type: "ways";
  ways: Choice[];
}

export interface SlicesMessage {
  type: "slices";
  slices: { name: string; count: number }[];
  /** What was done, in words. */
  said: string | null;
}

/** A file for the browser to save; its bytes follow. */
export interface FileMessage {
  type: "file";
  name: string;
}

/** What Python sends to the map. */
export type ToMap =
  | PointsMessage
  | ColoursMessage
  | VariedMessage
  | ChoicesMessage
  | ColumnsMessage
  | FoundMessage
  | RegionsMessage
  | { type: "indexing"; fraction: number | null }
  | ProgressMessage
  | LayoutMessage
  | PreviewMessage
  | RowsMessage
  | WaysMessage
  | SlicesMessage
  | FileMessage
  | { type: "cards"; indices: number[] }
  | { type: "selection"; encoding: Encoding; n?: number }
  | { type: "guard"; selected: number; sampled: boolean }
  | { type: "queued"; count: number; text: string }
  | { type: "refused"; event_id: string | null; reason: string }
  | Problem;

/** How positions lie in a buffer: uint32 each, or one bit for each of `n` items, the lowest bit of a byte first. */
export type Encoding = "positions" | "mask";

/** Where a selection comes from, if not from the plot or the legend. */
export type Source = "list" | "edge cases";

export type SliceDeed = "keep" | "replace" | "select" | "delete" | "restore";

/** What the map sends to Python; `select`, `label_next` and `label_together` with positions in a buffer. */
export type FromMap =
  | { type: "hello" }
  | { type: "colour_by"; by: ColourBy }
  | { type: "vary"; what: What; by: ColourBy | null }
  | { type: "space"; space: SpaceName }
  | { type: "cancel_layout" }
  | { type: "columns"; search: string }
  | { type: "search"; text: string }
  | { type: "preview"; index: number }
  | { type: "list"; list: string; of: ListOf; start: number }
  | { type: "save" }
  | { type: "slice"; what: "list" }
  | { type: "slice"; what: SliceDeed; name: string }
  | { type: "select"; encoding: Encoding; n?: number; source?: Source }
  | { type: "label_next"; encoding: Encoding; n?: number }
  | { type: "label_together"; encoding: Encoding; n?: number };
