import { make, setText } from "../shared/dom";
import type { Listeners } from "../shared/listeners";
import type { Card } from "../shared/messages";
import type { CardsState } from "./state";

const AHEAD = 6; // images decoded before their card comes on screen
const SMALL = 128; // images up to this size are shown as the pixels they are

/** Where the item is seen: fixed in height, so that nothing jumps from card to card. */
export class Stage {
  readonly root: HTMLElement;
  readonly #box: HTMLElement;
  readonly #meta: HTMLElement;
  #images = new Map<string, HTMLImageElement>();
  #shown: Card | null = null;
  #phase = "";
  #scrolled = false;

  constructor(listeners: Listeners) {
    this.#box = make("div", { class: "alw-stage", "data-lm-suppress-shortcuts": "true" });
    this.#meta = make("dl", { class: "alw-meta", hidden: true });
    this.root = make("div", {}, make("div", { class: "alw-well" }, this.#box), this.#meta);
    const scrolled = () => {
      this.#scrolled = true;
      this.#markRest();
    };
    listeners.dom(this.#box, "scroll", scrolled, { passive: true });
  }

  paint(state: CardsState): void {
    const { current, phase } = state.deck;
    const card = current?.card ?? null;
    // a flag makes a new card object of the same item: nothing to draw again
    const same =
      phase === this.#phase &&
      card?.item_id === this.#shown?.item_id &&
      card?.content === this.#shown?.content;
    if (!same) {
      this.#phase = phase;
      this.#shown = card;
      if (card) this.#show(card, state);
      else this.#box.replaceChildren(phase === "exhausted" ? exhausted(state) : skeleton());
      if (!card) this.#box.dataset.kind = "none";
      this.#paintMeta(card);
    } else if (phase === "exhausted") {
      const text = this.#box.querySelector(".alw-done-text");
      if (text) setText(text, exhaustedText(state));
    }
    this.#prepare(state);
  }

  /** Whether the item is longer than the stage: then a keyboard must reach it. */
  measure(): void {
    const overflows = this.#box.scrollHeight > this.#box.clientHeight + 1;
    if (overflows) this.#box.setAttribute("tabindex", "0");
    else this.#box.removeAttribute("tabindex");
    this.#markRest();
  }

  /** Fades the lower edge while there is more below it. */
  #markRest(): void {
    const below = this.#box.scrollHeight - this.#box.clientHeight - this.#box.scrollTop;
    this.#box.classList.toggle("alw-more", below > 8);
  }

  scroll(pages: number): void {
    this.#box.scrollTop += pages * this.#box.clientHeight;
  }

  #show(card: Card, state: CardsState): void {
    const { content } = card;
    this.#box.dataset.kind = content.kind;
    if (content.kind === "text") {
      const size = content.text.length < 80 ? "short" : content.text.length < 320 ? "medium" : "long";
      this.#box.replaceChildren(
        make("p", { class: "alw-text", dir: "auto", "data-size": size }, content.text),
      );
    } else {
      const image = this.#image(card, state);
      this.#box.replaceChildren(image ?? unseen("No image came with this card."));
    }
    // setting it lays the page out, so not in a key press that needs none
    if (this.#scrolled) this.#box.scrollTop = 0;
    this.#scrolled = false;
  }

  /** The image of a card, made once and decoded ahead. */
  #image(card: Card, state: CardsState): HTMLImageElement | null {
    const { content } = card;
    const url = state.images.url(card.item_id);
    if (content.kind !== "image" || url === null) return null;
    const ready = this.#images.get(card.item_id);
    if (ready?.src === url) return ready;
    const image = make("img", { class: "alw-image", alt: content.alt, draggable: "false", decoding: "sync" });
    image.classList.toggle("alw-pixels", Math.max(content.width, content.height) <= SMALL);
    image.onerror = () => image.replaceWith(unseen("This image cannot be shown: its file is damaged."));
    image.src = url;
    image.decode?.().catch(() => {}); // a failure is told by onerror, when the card is on screen
    this.#images.set(card.item_id, image);
    return image;
  }

  #prepare(state: CardsState): void {
    const soon = state.deck.upcoming.slice(0, AHEAD);
    if (this.#shown) soon.push(this.#shown);
    const kept = new Map<string, HTMLImageElement>();
    for (const card of soon) {
      const image = this.#image(card, state);
      if (image) kept.set(card.item_id, image);
    }
    this.#images = kept;
  }

  #paintMeta(card: Card | null): void {
    const entries = Object.entries(card?.metadata ?? {});
    this.#meta.hidden = entries.length === 0;
    this.#meta.replaceChildren(
      ...entries.map(([key, value]) => {
        const text = value === null ? "–" : String(value);
        return make("div", { title: `${key}: ${text}` }, make("dt", {}, key), make("dd", {}, text));
      }),
    );
  }
}

function unseen(text: string): HTMLElement {
  return make("p", { class: "alw-unseen" }, text);
}

function skeleton(): HTMLElement {
  return make(
    "div",
    { class: "alw-skeleton" },
    make("span", { class: "alw-bone" }),
    make("span", { class: "alw-bone" }),
    make("span", { class: "alw-bone" }),
    make("p", { class: "alw-unseen" }, "Waiting for cards from the kernel…"),
  );
}

function exhaustedText(state: CardsState): string {
  const skipped = state.status?.skipped ?? 0;
  if (skipped === 0) return "Every item of the pool has an answer.";
  return `Every item has been seen; ${skipped === 1 ? "one was" : `${skipped} were`} skipped.`;
}

function exhausted(state: CardsState): HTMLElement {
  return make(
    "div",
    { class: "alw-done" },
    make(
      "p",
      { class: "alw-done-title" },
      state.status?.skipped ? "No cards are left" : "Everything is labelled",
    ),
    make("p", { class: "alw-done-text" }, exhaustedText(state)),
  );
}
