/** The messages from a comparison to Python; see also `alwidgets/widgets/comparison.py`. */

export const COMMANDS = ["pause", "resume", "stop"] as const;
export interface CommandMessage {
  type: (typeof COMMANDS)[number];
}

/** How far it is: a trait, for it changes slowly. */
export interface Going {
  state: "running" | "paused" | "stopped" | "failed" | "done";
  headline: string;
  detail: string;
  /** 0 to 1. */
  fraction: number;
  /** Whether what is missing can be played from here. */
  playable: boolean;
}

/** What it has come to: texts, as they are to be read. */
export interface Outcome {
  columns: string[];
  rows: string[][];
  notes: string[];
}
