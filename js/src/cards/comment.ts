import { icon, make, set, setAttribute, setText } from "../shared/dom";
import type { Listeners } from "../shared/listeners";
import type { Card } from "../shared/messages";
import { isComposing } from "./keys";
import { BUBBLE, button, cap, OWN } from "./parts";
import type { CardsState } from "./state";

const LONGEST = 10_000;

/** The remark on a card: shown where there is one, and a line to write it in. */
export class Comment {
  readonly root: HTMLElement;
  /** Opens the line, and closes it. */
  readonly toggler = button("comment", "c", "Comment", icon(BUBBLE));
  readonly #state: CardsState;
  readonly #home: () => void;
  readonly #text = make("span", { class: "alw-remark-text", dir: "auto" });
  readonly #remark: HTMLButtonElement;
  readonly #input: HTMLInputElement;
  readonly #line: HTMLElement;
  #card: Card | null = null;

  /** @param home takes the focus when the line is done with. */
  constructor(listeners: Listeners, state: CardsState, home: () => void) {
    this.#state = state;
    this.#home = home;
    this.#remark = make(
      "button",
      { type: "button", class: "alw-remark", hidden: true, ...OWN },
      icon(BUBBLE),
      make("span", { class: "alw-hidden" }, "Comment: "),
      this.#text,
    );
    this.#input = make("input", {
      type: "text",
      class: "alw-editor-input alw-comment-input",
      "aria-label": "Comment",
      placeholder: "A remark on this item",
      maxlength: LONGEST,
      dir: "auto",
      autocomplete: "off",
      ...OWN,
    });
    const keep = make("button", { type: "button", class: "alw-act", ...OWN }, "Keep", cap("Enter"));
    this.#line = make("div", { class: "alw-comment-line", hidden: true }, this.#input, keep);
    this.root = make("div", { class: "alw-comment-box" }, this.#remark, this.#line);
    this.toggler.setAttribute("aria-expanded", "false");
    listeners.dom(keep, "click", () => this.#send());
    listeners.dom(this.#input, "input", () => this.#wrote());
    listeners.dom(this.#remark, "click", () => this.#start());
    listeners.dom(this.toggler, "click", () => this.toggle());
  }

  get open(): boolean {
    return !this.#line.hidden;
  }

  /** Opens the line, or closes it: what was begun is kept. */
  toggle(): void {
    if (this.open) this.close(true);
    else this.#start();
  }

  /** Closes the line; `keep` has the words there again when the card is. */
  close(keep: boolean): void {
    if (this.#card && !keep) this.#state.begun.drop(this.#card.item_id);
    const focused = this.#line.contains(this.#line.ownerDocument.activeElement);
    this.#line.hidden = true;
    this.toggler.setAttribute("aria-expanded", "false");
    if (focused) this.#home();
    this.#paintRemark();
  }

  paint(state: CardsState): void {
    const card = state.deck.current?.card ?? null;
    if (this.open && card?.item_id !== this.#card?.item_id) this.close(true);
    this.#card = card;
    set(this.toggler, { disabled: card === null || state.paused });
    this.#paintRemark();
  }

  /** A key pressed in the line. Returns whether it was used. */
  key(event: KeyboardEvent): boolean {
    if (isComposing(event) || event.target !== this.#input) return false;
    if (event.key === "Enter") {
      if (!event.repeat) this.#send();
    } else if (event.key === "Escape") this.close(false);
    else return false;
    return true;
  }

  #send(): void {
    const text = this.#input.value;
    this.close(false);
    this.#state.comment(text);
  }

  #wrote(): void {
    if (!this.#card) return;
    const { value } = this.#input;
    const { item_id, comment } = this.#card;
    if (value === (comment ?? "")) this.#state.begun.drop(item_id);
    else this.#state.begun.set(item_id, value);
  }

  #start(): void {
    if (!this.#card || this.#state.paused) return;
    this.#input.value = String(this.#state.begun.of(this.#card.item_id) ?? this.#card.comment ?? "");
    this.#line.hidden = false;
    this.toggler.setAttribute("aria-expanded", "true");
    this.#paintRemark(); // before the focus: where no model speaks the row is not there without it
    this.#input.focus({ preventScroll: true });
  }

  #paintRemark(): void {
    const begun = this.#card && this.#state.begun.of(this.#card.item_id) !== null;
    const text = begun ? "a comment you began" : (this.#card?.comment ?? "");
    set(this.#remark, { hidden: this.open || text === "", title: text });
    setText(this.#text, text);
    const shown = this.open ? "line" : text ? "remark" : null;
    // told to its row: a rule that looks inside (:has) has the row's styles worked out at every card
    if (this.root.parentElement) setAttribute(this.root.parentElement, "data-beside", shown);
  }
}
