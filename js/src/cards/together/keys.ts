import { type Action, actionOf, type Press } from "../keys";
import type { Step } from "./cursor";

export type GridAction =
  | { do: "move"; key: string; step: Step }
  | { do: "toggle" | "all" | "out" }
  | Extract<Action, { do: "answer" | "filter" }>
  | { do: "accept" | "undo" | "redo" | "help" | "pause" | "leave" };

const MOVES = /^(Arrow(Up|Down|Left|Right)|Page(Up|Down)|Home|End)$/;

/** What a key press means in the grid, or null for nothing. */
export function gridActionOf(press: Press, keys: readonly (string | null)[]): GridAction | null {
  const { key, ctrlKey, metaKey, shiftKey, altKey } = press;
  const control = ctrlKey || metaKey;
  if (MOVES.test(key) && !altKey && !press.isComposing) {
    return { do: "move", key, step: shiftKey ? "extend" : control ? "pass" : "go" };
  }
  if (press.repeat) return null;
  if (control && !altKey && !shiftKey && key.toLowerCase() === "a") return { do: "all" };
  if (key === " " && !altKey && !shiftKey && !metaKey) return { do: "toggle" };
  const action = actionOf(press, keys);
  if (action?.do === "answer") return action;
  const plain = !control && !altKey && !press.isComposing;
  if (plain && (key === "Delete" || key.toLowerCase() === "x")) return { do: "out" };
  switch (action?.do) {
    case "filter":
    case "accept":
    case "undo":
    case "redo":
    case "help":
    case "pause":
    case "leave":
      return action as GridAction;
  }
  return null;
}

/** The key that leaves an item out: a class may have x. */
export const outKey = (keys: readonly (string | null)[]) => (keys.includes("x") ? "Del" : "X");
