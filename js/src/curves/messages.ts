/** Messages and traits of the curves; the same shapes stand in `alwidgets/widgets/signs.py` and `curvelook.py`. */

/** Cards are to be picked by another strategy. */
export interface StrategyMessage {
  type: "strategy";
  name: string;
}

export const AXES = ["labels", "minutes", "money"] as const;
export type Axis = (typeof AXES)[number];
export const PER = ["label", "hour"] as const;
/** How an interval is made: for one look at each point, or to be watched all the time. */
export type Method = "wilson" | "anytime";

/** What is drawn, and what is asked of it. */
export interface Look {
  metric: string;
  /** The class whose figure it is; null for all. */
  of: string | null;
  axis: Axis;
  /** Whether every round is estimated from all audit labels that there are now. */
  hindsight: boolean;
  method: Method;
  by_class: boolean;
  /** Whether there is a line of what remains in the pool as well. */
  remaining: boolean;
  forecast: boolean;
  /** A share. */
  target: number | null;
  /** Labels that can be paid for in all. */
  budget: number | null;
  /** Of a label or of an hour, in `currency`. */
  cost: number | null;
  per: (typeof PER)[number];
  currency: string;
}

/** Something else is to be drawn. */
export interface LookMessage extends Look {
  type: "look";
  /** Comes back as `answered`. */
  id: string;
}

/** All views are to show the round of this version; null for the newest. */
export interface RoundMessage {
  type: "round";
  version: number | null;
}

/** The figures are wanted as a table. */
export interface TableMessage {
  type: "table";
  /** Comes back with the file. */
  id: string;
}

export type FromCurves = StrategyMessage | LookMessage | RoundMessage | TableMessage;

/** A file to be saved. */
export interface FileMessage {
  type: "file";
  /** Of the message that asked for it. */
  id: string;
  name: string;
  text: string;
}

export type ToCurves = FileMessage;

/** What can be chosen, and what is. */
export interface ToolsTrait {
  metrics: { by: string; name: string }[];
  classes: string[];
  /** Whether it is known how long labels take. */
  timed: boolean;
  look: Look;
  /** The id of the newest change that the kernel has taken or refused; empty before the first. */
  answered: string;
  /** How far the forecast is to be trusted, or why there is none. */
  forecast: string;
  /** What the person should know of what is drawn. */
  note: string;
}

/** The rounds in words; the one that all views show, or null for the newest. */
export interface RoundsTrait {
  all: { version: number; words: string }[];
  shown: number | null;
  words: string;
}

/** A round in a small curve: where it is on the axis, its figure and the interval of that. */
export type PanelPoint = [x: number, value: number, low: number, high: number];

/** Small curves, one a class. */
export interface PanelsTrait {
  title: string;
  panels: { name: string; words: string; points: PanelPoint[] }[];
  /** What is not shown, in words. */
  more: string;
  /** What their common axes are, in words, and the end of the level one. */
  axes: string;
  end: number;
}
