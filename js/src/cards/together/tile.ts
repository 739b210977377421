import { make, percent, setText } from "../../shared/dom";
import type { Answer, Card, ImageContent } from "../../shared/messages";
import { OWN } from "../parts";
import { badge, inWords } from "../why";

const SMALL = 128; // images up to this size are shown as the pixels they are
const LONGEST = 300;

/** What an item of the grid shows beside itself. */
export interface Look {
  verdict: string;
  /** The colour of its answer, or null where it has none. */
  colour: string | null;
  state: "rest" | "own" | "out" | "open" | "gone";
  /** What the model suggests, where that is something else. */
  idea: string;
  selected: boolean;
  /** Whether the keyboard is on it. */
  at: boolean;
}

/** An item of the grid: a thumbnail or a line, and what becomes of it. */
export class Tile {
  readonly root: HTMLElement;
  readonly #dot = make("span", { class: "alw-dot", "aria-hidden": "true" });
  readonly #verdict = make("span", { class: "alw-verdict" });
  readonly #idea = make("span", { class: "alw-idea" });
  readonly #mark: HTMLElement;
  #shown = "";

  constructor(card: Card, place: number, url: (file: ImageContent) => string | null) {
    const mark = badge(card);
    // a pointer's way to the key x: a button inside an option would be out of reach of screen readers
    this.#mark = make("span", { class: "alw-out", "data-out": "", "aria-hidden": "true" }, "×");
    this.root = make(
      "div",
      {
        class: "alw-item",
        role: "option",
        tabindex: -1,
        "aria-selected": "false",
        "data-place": place,
        ...OWN,
      },
      make("div", { class: "alw-preview" }, preview(card, url)),
      make(
        "div",
        { class: "alw-fate" },
        this.#dot,
        this.#verdict,
        this.#idea,
        mark ? make("span", { class: "alw-badge", title: mark.title }, mark.text) : null,
      ),
      this.#mark,
    );
  }

  paint(look: Look): void {
    const shown = JSON.stringify(look);
    if (shown === this.#shown) return;
    this.#shown = shown;
    const { root } = this;
    root.dataset.state = look.state;
    root.tabIndex = look.at ? 0 : -1;
    root.setAttribute("aria-selected", String(look.selected));
    root.classList.toggle("alw-selected", look.selected);
    this.#dot.style.setProperty("--alw-dot", look.colour ?? "transparent");
    this.#dot.classList.toggle("alw-none", look.colour === null);
    setText(this.#verdict, look.verdict);
    const verb = make("span", { class: "alw-idea-verb" }, "suggests ");
    this.#idea.replaceChildren(...(look.idea ? [verb, look.idea] : []));
    this.#mark.title = look.state === "out" ? "Take it in again" : "Leave it out";
  }
}

/** "spam, 93 %" where that is not what the item gets. */
export function ideaOf(card: Card, given: Answer | null, nameOf: (answer: Answer) => string): string {
  const { suggestion } = card;
  if (!suggestion || card.stream === "audit" || suggestion.answer === given) return "";
  return `${nameOf(suggestion.answer)}, ${percent(suggestion.confidence)}`;
}

function preview({ content }: Card, url: (file: ImageContent) => string | null): HTMLElement | string {
  if (content.kind === "image") {
    const src = url(content);
    const alt = content.alt || "Image";
    if (src === null) return alt;
    const image = make("img", { class: "alw-thumb", alt, draggable: "false", decoding: "async" });
    image.classList.toggle("alw-pixels", Math.max(content.width, content.height) <= SMALL);
    image.onerror = () => image.replaceWith(`${alt}: its file is damaged.`);
    image.src = src;
    return image;
  }
  const text = inWords(content);
  return make("p", { class: "alw-line", dir: "auto", title: text.slice(0, 1_000) }, text.slice(0, LONGEST));
}
