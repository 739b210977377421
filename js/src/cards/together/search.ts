import { make, setText } from "../../shared/dom";
import type { Listeners } from "../../shared/listeners";
import { cap, type Home, OWN } from "../parts";
import type { CardsState } from "../state";

/** Asks for the items that contain a text, to label them together; shown over the top of the card. */
export class Search {
  readonly root: HTMLElement;
  readonly #input = make("input", {
    type: "text",
    class: "alw-editor-input alw-search-input",
    "aria-label": "Label together what contains",
    placeholder: "a word or a phrase",
    autocomplete: "off",
    spellcheck: "false",
    maxlength: 1000,
    ...OWN,
  });
  readonly #status = make("p", { class: "alw-search-status", role: "status" });
  readonly #view: Home;

  constructor(listeners: Listeners, state: CardsState, view: Home) {
    this.#view = view;
    const form = make(
      "form",
      { class: "alw-search-line" },
      make("span", { "aria-hidden": "true" }, "Label together what contains"),
      this.#input,
      make("button", { type: "submit", class: "alw-act", ...OWN }, "Find", cap("Enter")),
    );
    this.root = make(
      "div",
      { class: "alw-search", role: "dialog", "aria-label": "Label together", hidden: true },
      form,
      this.#status,
    );
    listeners.dom(form, "submit", (event) => {
      event.preventDefault();
      const text = this.#input.value.trim();
      if (text) state.groups.search(text);
    });
  }

  get open(): boolean {
    return !this.root.hidden;
  }

  toggle(open = !this.open): void {
    if (open === this.open) return;
    this.root.hidden = !open;
    if (open) {
      this.#input.focus({ preventScroll: true });
      this.#input.select();
    } else this.#view.focus();
  }

  paint(state: CardsState): void {
    if (state.groups.open) this.toggle(false);
    const { searched } = state.groups;
    setText(this.#status, searched === null ? "" : `Searching for ${searched}…`);
  }
}
