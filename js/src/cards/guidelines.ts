import { Marked } from "marked";
import { icon, make } from "../shared/dom";
import type { Listeners } from "../shared/listeners";
import { cleaned } from "./content/clean";
import { BOOK, button, CROSS, OWN } from "./parts";
import type { CardsState } from "./state";

/** How far a key scrolls the panel, in heights of it. */
const SCROLLS: Record<string, number> = {
  ArrowDown: 0.2,
  ArrowUp: -0.2,
  PageDown: 0.9,
  PageUp: -0.9,
  " ": 0.9,
  Home: Number.NEGATIVE_INFINITY,
  End: Number.POSITIVE_INFINITY,
};

const markdown = new Marked({
  gfm: true,
  renderer: { checkbox: ({ checked }) => (checked ? "☑ " : "☐ ") },
});

/** How to label, as the project's author wrote it: beside the card, so that both can be seen. */
export class Guidelines {
  readonly root: HTMLElement;
  /** Opens the panel, and closes it. */
  readonly toggler = button("guide", "g", "Guide", icon(BOOK));
  readonly #text: HTMLElement;
  readonly #home: () => void;
  #source = "";
  #shown: string | null = null;

  /** @param home takes the focus when the panel closes. */
  constructor(listeners: Listeners, home: () => void) {
    this.#home = home;
    const close = make(
      "button",
      { type: "button", class: "alw-quiet", "aria-label": "Close the guidelines", ...OWN },
      icon(CROSS),
    );
    this.#text = make("div", {
      class: "alw-guide-text",
      role: "region",
      "aria-label": "Guidelines",
      tabindex: 0,
      dir: "auto",
      ...OWN,
    });
    this.root = make(
      "div",
      { class: "alw-guidelines", hidden: true },
      make("div", { class: "alw-guide-head" }, make("p", { class: "alw-help-title" }, "Guidelines"), close),
      this.#text,
    );
    this.toggler.setAttribute("aria-expanded", "false");
    this.toggler.hidden = true;
    listeners.dom(this.toggler, "click", () => this.toggle());
    listeners.dom(close, "click", () => this.toggle(false));
  }

  get open(): boolean {
    return !this.root.hidden;
  }

  toggle(open = !this.open): void {
    if (open === this.open || (open && this.#source === "")) return;
    this.root.hidden = !open;
    this.toggler.setAttribute("aria-expanded", String(open));
    if (open) {
      this.#render();
      this.#text.focus({ preventScroll: true });
    } else this.#home();
  }

  paint(state: CardsState): void {
    if (state.guidelines === this.#source) return;
    this.#source = state.guidelines;
    if (this.#source === "") {
      this.toggle(false);
      if (this.toggler === this.toggler.ownerDocument.activeElement) this.#home();
    }
    this.toggler.hidden = this.#source === "";
    if (this.open) this.#render();
  }

  /** A key pressed in the panel. Returns whether it was the panel's, or one of its links', own. */
  key(event: KeyboardEvent): boolean {
    if (event.key === "Escape" && !event.isComposing) {
      event.preventDefault();
      this.toggle(false);
      return true;
    }
    const heights = SCROLLS[event.key];
    if (heights === undefined || (event.target as Element).closest("button")) {
      return event.key === "Enter" && (event.target as Element).closest("a") !== null;
    }
    event.preventDefault(); // at its end the browser would scroll the notebook
    const box = this.#text;
    const most = box.scrollHeight - box.clientHeight;
    box.scrollTop = Math.max(0, Math.min(most, box.scrollTop + heights * box.clientHeight));
    return true;
  }

  #render(): void {
    if (this.#shown === this.#source) return;
    this.#shown = this.#source;
    if (this.#text.contains(this.#text.ownerDocument.activeElement))
      this.#text.focus({ preventScroll: true });
    const markup = markdown.parse(this.#source, { async: false });
    this.#text.replaceChildren(cleaned(markup, { links: true }) ?? this.#source);
    for (const link of this.#text.querySelectorAll("a")) {
      for (const [name, value] of Object.entries(OWN)) link.setAttribute(name, value);
    }
    this.#text.scrollTop = 0;
  }
}
