import { Marked } from "marked";
import { icon, make } from "../shared/dom";
import type { Listeners } from "../shared/listeners";
import { cleaned } from "./content/clean";
import { BOOK, button, CROSS, OWN } from "./parts";
import type { CardsState } from "./state";

/** Keys that scroll what has the focus. */
const SCROLLS = new Set(["ArrowUp", "ArrowDown", "PageUp", "PageDown", "Home", "End", " "]);

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
    this.toggler.hidden = this.#source === "";
    if (this.#source === "") this.toggle(false);
    else if (this.open) this.#render();
  }

  /** Whether a key pressed in the panel is the panel's, or its links', own. */
  owns(event: KeyboardEvent): boolean {
    const link = (event.target as Element).closest("a") !== null;
    return SCROLLS.has(event.key) || event.key === "Tab" || (link && event.key === "Enter");
  }

  #render(): void {
    if (this.#shown === this.#source) return;
    this.#shown = this.#source;
    const markup = markdown.parse(this.#source, { async: false });
    this.#text.replaceChildren(cleaned(markup, { links: true }) ?? this.#source);
    for (const link of this.#text.querySelectorAll("a")) {
      for (const [name, value] of Object.entries(OWN)) link.setAttribute(name, value);
    }
    this.#text.scrollTop = 0;
  }
}
