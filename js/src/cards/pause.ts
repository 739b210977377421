import { make, set } from "../shared/dom";
import type { Listeners } from "../shared/listeners";
import type { CardsState } from "./state";

/** Covers the card while somebody is away, so that the time does not count as thinking about it. */
export class Pause {
  readonly root: HTMLElement;
  readonly #go: HTMLButtonElement;

  constructor(listeners: Listeners, go: () => void) {
    this.#go = make(
      "button",
      { type: "button", class: "alw-go", "aria-keyshortcuts": "p", "data-lm-suppress-shortcuts": "true" },
      "Go on",
      make("kbd", { class: "alw-key", "aria-hidden": "true" }, "P"),
    );
    this.root = make(
      "div",
      { class: "alw-pause", hidden: true },
      make("p", { class: "alw-pause-title" }, "Paused"),
      make("p", { class: "alw-pause-text" }, "The clock of this card stands still."),
      this.#go,
    );
    listeners.dom(this.#go, "click", go);
  }

  paint(state: CardsState): void {
    set(this.root, { hidden: !state.paused });
  }
}
