import { make } from "../shared/dom";
import { FEW } from "./keys";
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
    const keys = state.keys.filter((k): k is string => k !== null);
    const digits = keys.length === 0 ? [] : [keys.length === 1 ? keys[0]! : `${keys[0]} – ${keys.at(-1)}`];
    const many = this.#names.length > FEW;
    const rows: [string, string][] = [
      ...digits.map((d): [string, string] => [d, many ? "label with one of the first ten classes" : "label"]),
      ...(many ? [["/", "find a class by its letters"] as [string, string]] : []),
      ["Enter", "accept the suggestion"],
      ["Space", "skip"],
      ["Backspace", "undo (Ctrl Z too)"],
      ["F", "flag, or take the flag off"],
      ["Z", "zoom in on an image, arrows move it; Z or Esc zooms out"],
      ["?", "show or hide this list"],
      ["Esc", "back to the notebook"],
    ];
    this.#rows.replaceChildren(
      ...rows.flatMap(([key, text]) => [
        make("dt", {}, make("kbd", { class: "alw-key" }, key)),
        make("dd", {}, text),
      ]),
    );
  }
}
