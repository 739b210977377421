/** Which key does what on the cards. Pure: the view hands in what it knows and does what comes back. */

import type { Task } from "../shared/messages";

export type Action =
  | { do: "answer"; code: number }
  | {
      do:
        | "accept"
        | "skip"
        | "undo"
        | "redo"
        | "flag"
        | "pause"
        | "edit"
        | "why"
        | "help"
        | "leave"
        | "zoom"
        | "earlier"
        | "search";
    }
  | { do: "comment" | "guide" }
  | { do: "filter"; text: string }
  | { do: "scroll" | "pan"; pages: number };

/** What is read of a KeyboardEvent. */
export type Press = Pick<
  KeyboardEvent,
  "key" | "code" | "repeat" | "isComposing" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey"
>;

const ROW = "1234567890";

/** More classes than this get a box to filter them with. */
export const FEW = 10;

/**
 * The digit that gives each class, or null for a class without one.
 *
 * Classes 1 to 10 get 1 … 9 and 0; where every class *is* a digit (handwritten digits, stars) each gets its own.
 */
export function classKeys(classes: readonly string[]): (string | null)[] {
  const own = classes.length > 0 && classes.every((name) => /^[0-9]$/.test(name));
  return classes.map((name, i) => (own ? name : (ROW[i] ?? null)));
}

/** The key of each class of a task: its own where it has one, else the next digit that is free. */
export function keysOf(task: Task): (string | null)[] {
  const own = task.keys;
  if (own === null) return classKeys(task.classes);
  const free = [...ROW].filter((digit) => !own.includes(digit));
  return own.map((key) => key ?? free.shift() ?? null);
}

/** Whether the classes of a task are too many to look through: a scale never is. */
export function isLong(task: Task): boolean {
  return (task.kind === "classification" || task.kind === "multilabel") && task.classes.length > FEW;
}

/** Whether a key belongs to an input method that builds a character: the one that ends it, too (Safari). */
export function isComposing(event: KeyboardEvent): boolean {
  return event.isComposing || event.keyCode === 229;
}

/** What a key press means, or null for nothing. `keys` comes from `classKeys`. */
export function actionOf(press: Press, keys: readonly (string | null)[]): Action | null {
  // a key held down would label card after card; a key that builds a character is not a command
  if (press.repeat || press.isComposing || press.key === "Process" || press.key === "Dead") return null;
  const key = press.key.length === 1 ? press.key.toLowerCase() : press.key;
  if (press.ctrlKey || press.metaKey) {
    if (press.altKey || (key !== "z" && key !== "y")) return null;
    return { do: key === "y" || press.shiftKey ? "redo" : "undo" };
  }
  if (press.altKey) return null;

  const digit = keys.indexOf(key);
  if (digit >= 0) return { do: "answer", code: digit };
  // characters that need Shift on one keyboard and not on another
  if (key === "?") return { do: "help" };
  if (key === "/") return keys.length > FEW ? { do: "filter", text: "" } : null;
  if (press.shiftKey) return null;

  switch (key) {
    case "Enter":
      return { do: "accept" };
    case " ":
      return { do: "skip" };
    case "Backspace":
      return { do: "undo" };
    case "Escape":
      return { do: "leave" };
    case "f":
      return { do: "flag" };
    case "c":
      return { do: "comment" };
    case "g":
      return { do: "guide" };
    case "z":
      return { do: "zoom" };
    case "ArrowRight":
    case "ArrowLeft":
      return { do: "pan", pages: key === "ArrowRight" ? 0.25 : -0.25 };
    case "p":
      return { do: "pause" };
    case "e":
      return { do: "edit" };
    case "w":
      return { do: "why" };
    case "b":
      return { do: "earlier" };
    case "t":
      return { do: "search" };
    case "ArrowDown":
    case "ArrowUp":
      return { do: "scroll", pages: key === "ArrowDown" ? 0.25 : -0.25 };
    case "PageDown":
    case "PageUp":
      return { do: "scroll", pages: key === "PageDown" ? 0.9 : -0.9 };
  }
  // the digit row types other characters without Shift on some keyboards (French)
  const byPlace = /^Digit([0-9])$/.exec(press.code)?.[1];
  if (byPlace && !/^[0-9]$/.test(key)) {
    const code = keys.indexOf(byPlace);
    return code >= 0 ? { do: "answer", code } : null;
  }
  if (keys.length > FEW && /^\p{L}$/u.test(key)) return { do: "filter", text: press.key };
  return null;
}
