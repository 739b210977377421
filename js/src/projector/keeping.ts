/** A name for the selection, so that it can be had back as a slice. */
import { count, make, set, setText } from "../shared/dom";
import type { Listeners } from "../shared/listeners";
import type { MapState } from "./state";

const OWN = { "data-lm-suppress-shortcuts": "true" };

export class KeepForm {
  readonly root: HTMLElement;
  readonly #state: MapState;
  readonly #leave: () => void;
  readonly #name = make("input", {
    type: "text",
    class: "alw-map-called",
    "aria-label": "Name of the slice",
    placeholder: "a name for it",
    autocomplete: "off",
    spellcheck: "false",
    maxlength: 200,
    ...OWN,
  });
  readonly #save = make("button", { type: "button", class: "alw-map-act", ...OWN }, "Save");
  readonly #note = make("p", { class: "alw-map-why", role: "status" });

  /** @param leave gives the focus back to the map */
  constructor(listeners: Listeners, state: MapState, leave: () => void) {
    this.#state = state;
    this.#leave = leave;
    this.root = make(
      "div",
      { class: "alw-map-keep", role: "group", "aria-label": "Save as a slice", hidden: true },
      this.#name,
      this.#save,
      this.#note,
    );
    listeners.dom(this.#name, "input", () => this.paint());
    listeners.dom(this.#save, "click", () => this.#keep());
    listeners.dom(this.root, "keydown", (event) => {
      event.stopPropagation();
      if (event.isComposing) return;
      if (event.key === "Escape") this.open(false);
      else if (event.key === "Enter" && event.target === this.#name) this.#keep();
      else return;
      event.preventDefault();
    });
  }

  get isOpen(): boolean {
    return !this.root.hidden;
  }

  open(on: boolean): void {
    if (on === this.isOpen || (on && this.#state.selection.length === 0)) return;
    this.root.hidden = !on;
    if (!on) {
      this.#leave();
      return;
    }
    this.#name.value = "";
    this.#state.lists.learnSlices();
    this.paint();
    this.#name.focus({ preventScroll: true });
  }

  paint(): void {
    if (this.#state.selection.length === 0) this.open(false);
    const taken = this.#taken;
    setText(this.#save, taken ? "Replace" : "Save");
    set(this.#save, { disabled: this.#typed === "" });
    setText(this.#note, taken ? `“${taken.name}” keeps ${count(taken.count)} now.` : "");
    set(this.#note, { hidden: !taken });
  }

  get #typed(): string {
    return this.#name.value.trim();
  }

  get #taken(): { name: string; count: number } | undefined {
    return this.#state.lists.slices?.find(({ name }) => name === this.#typed);
  }

  #keep(): void {
    if (this.#typed === "") return;
    this.#state.lists.slice(this.#taken ? "replace" : "keep", this.#typed);
    this.open(false);
  }
}
