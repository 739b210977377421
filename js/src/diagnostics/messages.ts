/**
 * The messages between the diagnostics and Python, as they travel: see also `alwidgets/widgets/tabs.py`. The JSON files
 * in `fixtures/messages` hold one of each kind, and both test suites read them.
 */
import type { Content, Problem } from "../shared/messages";

export const TABS = ["confusion", "classes", "slices", "calibration", "items", "rounds"] as const;
export type Tab = (typeof TABS)[number];
/** The labels that are looked at. */
export type Of = "audit" | "train";
/** Tabs that may be asked about training labels. */
export const TRAINABLE: readonly Tab[] = ["confusion", "classes", "items"];

/** A figure and its 95 % interval; null where nothing is known, and why. Training labels have no interval. */
export interface Figure {
  value: number | null;
  low: number | null;
  high: number | null;
  n: number;
  why_not: string | null;
}

/** A cell that is not empty: how many labels, and which share of its row and of the pool. */
export interface Cell {
  row: number;
  column: number;
  count: number;
  rate: Figure;
  share: Figure;
}

/**
 * The confusion matrix; `totals` of its rows, `zeros` is how far 0 may be off in each. The `mistakes` are places among
 * the cells, the largest share first. Of several labels the rows go in pairs, with the label and without, and the
 * columns are "said" and "not said".
 */
export interface ConfusionFigures {
  tab: "confusion";
  rows: string[];
  columns: string[];
  several: boolean;
  totals: number[];
  cells: Cell[];
  zeros: (number | null)[];
  mistakes: number[];
}

export interface ClassRow {
  name: string;
  n: number;
  precision: Figure;
  recall: Figure;
  f1: Figure;
}

export interface ClassFigures {
  tab: "classes";
  accuracy: Figure;
  all: ClassRow;
  classes: ClassRow[];
}

/** A slice beside the rest of the pool; `difference` is by how much its error is larger. */
export interface SliceRow {
  by: string;
  part: string;
  accuracy: Figure;
  difference: Figure;
  worse: boolean;
}

export interface SliceFigures {
  tab: "slices";
  accuracy: Figure;
  slices: SliceRow[];
  hint: string | null;
}

export interface BinRow {
  low: number;
  high: number;
  confidence: number;
  accuracy: Figure;
}

export interface CalibrationFigures {
  tab: "calibration";
  bins: BinRow[];
  /** A title and a text each. */
  words: [string, string][];
}

export interface ItemRow {
  index: number;
  item_id: string;
  content: Content;
  label: string;
  prediction: string;
  right: boolean;
  confidence: number;
  probability: number;
}

export interface ItemFigures {
  tab: "items";
  items: ItemRow[];
  total: number;
  wrong: number;
}

export interface RoundFigures {
  tab: "rounds";
  rounds: { version: number; n_train: number }[];
  version: number | null;
  other: number | null;
  difference: Figure;
  words: string[];
  /** Items of which the two say different things; null where it is not known. */
  flipped: number | null;
  flips: { before: string; after: string; count: number }[];
}

export type Figures =
  | ConfusionFigures
  | ClassFigures
  | SliceFigures
  | CalibrationFigures
  | ItemFigures
  | RoundFigures;

/** What is on a tab: what it comes from, and its figures, or why there are none. */
export interface TabMessage {
  type: "tab";
  tab: Tab;
  /** A press names it. */
  edition: number;
  of: Of;
  version: number | null;
  other: number | null;
  about: string;
  biased: boolean;
  note: string | null;
  figures: Figures | null;
}

/** There is more to know than what is shown; `closed` says why there never will be. */
export interface ChangedMessage {
  type: "changed";
  closed: string | null;
}

export interface SelectedMessage {
  type: "selected";
  count: number;
  text: string;
}

export type ToDiagnostics = TabMessage | ChangedMessage | SelectedMessage | Problem;

/** Asks for a tab; `version` and `other` are the two rounds to compare, null for the newest. */
export interface LookMessage {
  type: "look";
  tab: Tab;
  of: Of;
  version: number | null;
  other: number | null;
}

/**
 * Selects the items of a place: a cell (row and column), a slice (its rank), some items (theirs), or what two rounds say
 * differently (nothing for all of it, or the rank of one change).
 */
export interface SelectMessage {
  type: "select";
  tab: Tab;
  edition: number;
  place: number[];
}

export type FromDiagnostics = LookMessage | SelectMessage;
