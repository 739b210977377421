import { make, percent, set, setAttribute, setText } from "../shared/dom";
import type { Listeners } from "../shared/listeners";
import { classColour } from "../shared/palette";
import { cap, OWN } from "./parts";
import type { CardsState } from "./state";

const AT_RANDOM = "Hidden on a share of the cards, at random: that shows whether suggestions sway answers.";

/** What the model thinks, as a button that takes it over; or why it says nothing. */
export class Suggestion {
  readonly root: HTMLElement;
  /** May be too long for its place. */
  readonly name = make("span", { class: "alw-chip-name" });
  readonly #chip = make("button", { type: "button", class: "alw-chip", ...OWN });
  readonly #dot = make("span", { class: "alw-dot", "aria-hidden": "true" });
  readonly #share = make("span", {});
  readonly #cap = cap("Enter");
  readonly #none = make("span", { class: "alw-no-chip" });

  /** @param accept the suggestion was pressed. @param beside stands in the same row. */
  constructor(listeners: Listeners, accept: () => void, beside: HTMLElement) {
    const text = make("span", { class: "alw-chip-text" }, this.name, this.#share);
    this.#chip.append(this.#dot, text, this.#cap);
    this.root = make("div", { class: "alw-suggestion" }, this.#chip, this.#none, beside);
    listeners.dom(this.#chip, "click", accept);
  }

  paint(state: CardsState): void {
    const card = state.deck.current?.card ?? null;
    const suggestion = card?.suggestion ?? null;
    this.root.classList.toggle("alw-bare", state.task.kind === "text"); // no model writes
    // of several labels these are marked from the start, and Enter saves what is
    const several = state.task.kind === "multilabel";
    set(this.#chip, { hidden: suggestion === null, disabled: state.paused });
    set(this.#none, { hidden: suggestion !== null });
    for (const part of [this.#dot, this.#cap]) set(part, { hidden: several });
    setAttribute(this.#chip, "aria-keyshortcuts", several ? null : state.remap.aria("Enter"));
    setText(this.#cap, state.remap.cap("Enter"));
    if (suggestion) {
      const name = `suggests ${state.nameOf(suggestion.answer)}`;
      const share = ` · ${percent(suggestion.confidence)}`; // stays where the name is cut
      if (!several) {
        const code = state.codeOf(suggestion.answer);
        this.#dot.style.setProperty("--alw-dot", classColour(state.task.codes[code] ?? 0));
      }
      setText(this.name, name);
      setText(this.#share, share);
      set(this.#chip, { title: several ? `${name}${share}. Press to mark these again.` : `${name}${share}` });
    } else {
      const hidden = card?.suggestion_hidden ?? false;
      setText(this.#none, !card ? "" : hidden ? "suggestion hidden" : "no suggestion yet");
      set(this.#none, { title: hidden && card?.stream === "train" ? AT_RANDOM : "" }); // else the badge says why
    }
  }
}
