import { make, percent, setText } from "../shared/dom";
import type { Card, Reasons as Given } from "../shared/messages";
import type { CardsState } from "./state";
import { why } from "./why";

/** Why this card: the strategy and its score, and labelled items that are like it; shown over the card. */
export class Reasons {
  readonly root: HTMLElement;
  readonly #chosen = make("p", {});
  readonly #rank = make("p", { class: "alw-reasons-rank" });
  readonly #words = make("p", { class: "alw-reasons-words" });
  readonly #title = make("p", { class: "alw-help-title" });
  readonly #alike = make("ul", { class: "alw-alike" });
  #shown: Given | null = null;

  constructor() {
    this.root = make(
      "div",
      { class: "alw-reasons", role: "dialog", "aria-label": "Why this card", hidden: true },
      make("p", { class: "alw-help-title" }, "Why this card"),
      this.#chosen,
      this.#rank,
      this.#words,
      this.#title,
      this.#alike,
    );
  }

  get open(): boolean {
    return !this.root.hidden;
  }

  /** Opens for a card, before Python has said more than came with it, or closes. */
  toggle(card: Card | null): void {
    this.root.hidden = this.open || card === null;
    if (!card || !this.open) return;
    this.#shown = null;
    const { text, title } = why(card);
    setText(this.#chosen, `${text[0]!.toUpperCase()}${text.slice(1)}. ${title}`);
    setText(this.#rank, "");
    setText(this.#words, "");
    setText(this.#title, "");
    this.#alike.replaceChildren();
  }

  close(): void {
    this.root.hidden = true;
  }

  paint(state: CardsState): void {
    const given = state.reasons;
    const item = state.deck.current?.card.item_id;
    if (this.open && item !== undefined && this.#shown && this.#shown.item_id !== item) this.close();
    if (this.open) setText(this.#words, told(state));
    if (!this.open || !given || given === this.#shown || given.item_id !== item) return;
    this.#shown = given;
    const place = given.rank;
    setText(this.#rank, place ? `Number ${place[0]} of ${place[1]} by its score.` : "");
    const none = state.deck.current?.card.stream === "audit" ? "" : "No label to compare with yet.";
    setText(this.#title, given.neighbours.length > 0 ? "Most like it, of what is labelled" : none);
    this.#alike.replaceChildren(
      ...given.neighbours.map((n) =>
        make(
          "li",
          { title: n.item_id },
          make("b", {}, state.nameOf(n.answer)),
          make("span", { class: "alw-alike-text", dir: "auto" }, n.text),
          make("span", { class: "alw-alike-share" }, `${percent(Math.max(0, n.similarity))} alike`),
        ),
      ),
    );
  }
}

/** The words that drive the suggestion, in words: they are marked in the text, too. */
function told(state: CardsState): string {
  const content = state.deck.current?.card.content;
  if (content?.kind !== "text") return "";
  const letters = [...content.text];
  const words = (speaksFor: boolean) => {
    const marks = state.driving.filter(([, , weight]) => weight > 0 === speaksFor);
    marks.sort((a, b) => Math.abs(b[2]) - Math.abs(a[2]));
    return [...new Set(marks.map(([start, end]) => letters.slice(start, end).join("").toLowerCase()))];
  };
  const [pro, contra] = [words(true).join(", "), words(false).join(", ")];
  return [pro && `Words for the suggestion: ${pro}.`, contra && `Against it: ${contra}.`]
    .filter(Boolean)
    .join(" ");
}
