import { make } from "../shared/dom";
import { isLong } from "./keys";
import type { CardsState } from "./state";

/** The list of keys, shown over the card while somebody wants it. */
export class Help {
  readonly root: HTMLElement;
  readonly #rows: HTMLElement;
  #names: readonly string[] = [];

  constructor() {
    this.#rows = make("dl", { class: "alw-help-rows" });
    this.root = make(
      "div",
      { class: "alw-help", role: "dialog", "aria-label": "Keys", hidden: true },
      make("p", { class: "alw-help-title" }, "Keys"),
      this.#rows,
    );
  }

  get open(): boolean {
    return !this.root.hidden;
  }

  toggle(open = !this.open): void {
    this.root.hidden = !open;
  }

  paint(state: CardsState): void {
    if (state.task.classes === this.#names) return;
    this.#names = state.task.classes;
    const many = isLong(state.task);
    const keys = state.keys.filter((k): k is string => k !== null);
    const inRow = keys.every((k) => /^[0-9]$/.test(k));
    const all = keys.length < 2 || !inRow ? keys.join(" ") : `${keys[0]} – ${keys.at(-1)}`;
    const one = (name: string, code: number): [string, string][] =>
      state.keys[code] ? [[state.keys[code]!, `label ${name}`]] : [];
    const label: [string, string][] =
      !many && !inRow
        ? this.#names.flatMap(one)
        : [[all, many ? "label with one of the first ten classes" : "label"]];
    const rows: [string, string][] = [
      ...label,
      ...(many ? [["/", "find a class by its letters"] as [string, string]] : []),
      ["Enter", "accept the suggestion"],
      ["Space", "skip"],
      ["Backspace", "undo (Ctrl Z too)"],
      ["Ctrl Y", "do again what was undone"],
      ...(state.task.kind === "classification"
        ? [["E", "add, rename or merge classes"] as [string, string]]
        : []),
      ["W", "why this card"],
      ["B", "back to an earlier card"],
      ["T", "label together what contains a text"],
      ["P", "pause, or go on"],
      ["F", "flag, or take the flag off"],
      ["Z", "zoom in on an image, arrows move it; Z or Esc zooms out"],
      ["?", "show or hide this list"],
      ["Esc", "back to the notebook"],
    ];
    this.#rows.replaceChildren(...rowsOf(rows));
  }
}

/** Keys and what they do. */
export function rowsOf(rows: readonly [key: string, text: string][]): HTMLElement[] {
  return rows.flatMap(([key, text]) => [
    make("dt", {}, make("kbd", { class: "alw-key" }, key)),
    make("dd", {}, text),
  ]);
}
