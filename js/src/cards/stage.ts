import { make, set, setText } from "../shared/dom";
import type { Listeners } from "../shared/listeners";
import type { Card, HtmlContent, ImageContent, Mark } from "../shared/messages";
import type { Cleanup } from "../shared/model";
import type { AfterFrame } from "../shared/outgoing";
import { filesOf } from "./blobs";
import { isPlayers } from "./content/audio";
import { isPrepared, prepared } from "./content/html";
import { image } from "./content/image";
import { leavesOf } from "./content/leaves";
import { type Context, render } from "./content/render";
import { marked, rewrite } from "./content/text";
import { Zoom } from "./content/zoom";
import type { CardsState } from "./state";

const FEWEST = 12; // cards whose images are loaded, and decoded if large, before they come on screen
const MOST = 48; // where these are small
const QUICK = 100_000; // pixels that take a millisecond to decode, less than a frame that is drawn to do so ahead
const PIXELS = 8_000_000; // of more than the fewest, together
const NEAR = 3; // cards away from the screen, an image is due to be decoded
const CLEANED = 3; // cards whose markup is cleaned before
const PAUSE = 20; // ms from the start of a frame to either: it is drawn by then
const REST = 300; // ms after the newest image came

/** Where the item is seen: fixed in height, so that nothing jumps from card to card. */
export class Stage {
  readonly root: HTMLElement;
  readonly #box: HTMLElement;
  readonly #meta: HTMLElement;
  readonly #zoom: Zoom;
  readonly #listeners: Listeners;
  readonly #afterFrame: AfterFrame;
  readonly #images = new Map<string, HTMLImageElement>(); // by URL
  readonly #undecoded = new Set<HTMLImageElement>();
  #preparing: Cleanup | null = null;
  #resting: Cleanup | null = null;
  #shown: Card | null = null;
  #phase = "";
  #marks: readonly Mark[] = [];
  #scrolled = false;

  constructor(listeners: Listeners, afterFrame: AfterFrame) {
    this.#listeners = listeners;
    this.#afterFrame = afterFrame;
    this.#box = make("div", { class: "alw-stage", "data-lm-suppress-shortcuts": "true" });
    this.#meta = make("dl", { class: "alw-meta", hidden: true });
    this.root = make("div", {}, make("div", { class: "alw-well" }, this.#box), this.#meta);
    const scrolled = () => {
      this.#scrolled = true;
      this.#markRest();
    };
    listeners.dom(this.#box, "scroll", scrolled, { passive: true });
    // an image in markup has its size once it is there, and the stage once it is in the page
    listeners.dom(this.#box, "load", () => this.measure(), { capture: true });
    const sizes = new ResizeObserver(() => this.measure());
    sizes.observe(this.#box);
    listeners.add(() => sizes.disconnect());
    listeners.dom(this.#box, "keydown", (event) => {
      if (isPlayers(event)) event.stopPropagation();
    });
    this.#zoom = new Zoom(this.#box, listeners, () => this.measure());
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
      else this.#fill("none", phase === "exhausted" ? exhausted(state) : skeleton());
      this.#paintMeta(card);
      if (this.#isDue(state)) this.#afterFrame(() => this.#decode());
    } else if (phase === "exhausted") {
      const text = this.#box.querySelector(".alw-done-text");
      if (text) setText(text, exhaustedText(state));
    }
    this.#prepareSoon(state);
  }

  /** Marks words of the text on screen, or none; a text with marks of its own keeps these. */
  mark(marks: readonly Mark[]): void {
    if (marks === this.#marks || (marks.length === 0 && this.#marks.length === 0)) return;
    this.#marks = marks;
    const content = this.#shown?.content;
    if (content?.kind !== "text" || content.marks?.length) return;
    const text = this.#box.querySelector(".alw-text, code");
    text?.replaceChildren(...marked(content.text, marks));
  }

  /** Whether the item, or code in it, is larger than its place: then a keyboard must reach it. */
  measure(): void {
    for (const element of [this.#box, ...this.#codes()]) {
      const { scrollHeight, clientHeight, scrollWidth, clientWidth } = element;
      if (scrollHeight > clientHeight + 1 || scrollWidth > clientWidth + 1) element.tabIndex = 0;
      else {
        if (element === element.ownerDocument.activeElement) this.#handBack();
        element.removeAttribute("tabindex");
      }
    }
    this.#markRest();
  }

  #codes(): HTMLElement[] {
    return [...this.#box.querySelectorAll<HTMLElement>(".alw-code-box")];
  }

  /** Fades the lower edge while there is more below it. */
  #markRest(): void {
    const below = this.#box.scrollHeight - this.#box.clientHeight - this.#box.scrollTop;
    this.#box.classList.toggle("alw-more", below > 8);
  }

  scroll(pages: number): void {
    this.#box.scrollTop += pages * this.#box.clientHeight;
  }

  /** Scrolls sideways: a zoomed image, or code with long lines. */
  pan(pages: number): void {
    for (const element of [this.#box, ...this.#codes()]) {
      element.scrollLeft += pages * element.clientWidth;
    }
  }

  /** Zooms in on the image, or out again; false where there is none. */
  zoom(): boolean {
    return this.#zoom.toggle();
  }

  /** Ends the zoom; false where there is none. */
  unzoom(): boolean {
    return this.#zoom.leave();
  }

  #show(card: Card, state: CardsState): void {
    const { content } = card;
    this.#marks = [];
    if (!rewrite(this.#box.firstElementChild, content))
      this.#fill(content.kind, render(content, this.#context(state)));
    // setting it lays the page out, so not in a key press that needs none
    if (this.#scrolled) this.#box.scrollTop = this.#box.scrollLeft = 0;
    this.#scrolled = false;
  }

  #fill(kind: string, element: HTMLElement): void {
    const box = this.#box;
    const active = box.ownerDocument.activeElement;
    if (active !== box && box.contains(active)) this.#handBack();
    this.#zoom.forget();
    set(box.dataset, { kind });
    box.replaceChildren(element);
  }

  /** Focus on what is about to go, or to lose its tab stop, would fall back to the page, and keys to the notebook. */
  #handBack(): void {
    this.#box.closest<HTMLElement>("[data-view]")?.focus({ preventScroll: true });
  }

  #context(state: CardsState): Context {
    return { url: (file) => state.blobs.url(file), image: (file) => this.#image(file, state) };
  }

  /** An image, made once, and decoded ahead if it is large. */
  #image(file: ImageContent, state: CardsState): HTMLImageElement | null {
    const url = state.blobs.url(file);
    if (url === null) return null;
    const ready = this.#images.get(url);
    if (ready) return ready;
    const made = image(file, url);
    this.#images.set(url, made);
    if (file.width * file.height <= QUICK) return made;
    this.#undecoded.add(made);
    made.onload = () => {
      this.#resting?.();
      this.#resting = this.#listeners.timeout(() => this.#decode(), REST);
    };
    return made;
  }

  /** Whether the image of a card that draws near is not decoded. */
  #isDue(state: CardsState): boolean {
    const card = this.#undecoded.size > 0 ? state.deck.upcoming[NEAR - 1] : undefined;
    const urls = card ? imagesOf(card).map((file) => state.blobs.made(file)) : [];
    return urls.some((url) => url !== null && this.#undecoded.has(this.#images.get(url)!));
  }

  /**
   * Has all images that came decoded, right after the frame of a press or while nobody presses: the browser draws
   * frames for it, and a press that comes soon after waits for these. So the more at once, the fewer presses wait.
   */
  #decode(): void {
    for (const image of this.#undecoded) {
      if (!image.complete) continue;
      this.#undecoded.delete(image);
      image.decode?.().catch(() => {}); // a failure is told by onerror, when the card is on screen
    }
  }

  /** Makes the coming cards ready once the card on screen is painted. */
  #prepareSoon(state: CardsState): void {
    this.#preparing ??= this.#listeners.frame(() => this.#prepareLater(state));
  }

  /** By the clock: to ask for frames has the browser draw them, and a press that comes meanwhile waits. */
  #prepareLater(state: CardsState): void {
    this.#preparing = this.#listeners.timeout(() => {
      this.#preparing = null;
      this.#prepare(state);
    }, PAUSE);
  }

  #prepare(state: CardsState): void {
    const soon = soonOf(state.deck.upcoming);
    const leaves = soon.slice(0, CLEANED).flatMap((card) => leavesOf(card.content));
    const unclean = leaves.filter((leaf): leaf is HtmlContent => leaf.kind === "html" && !isPrepared(leaf));
    // one card at a time: a key may be pressed in between
    if (unclean[0]) prepared(unclean[0]);
    const unready = soon.find((card) => !this.#isReady(card, state));
    if (unready) this.#load(unready, state);
    if (unclean.length > 1 || unready) this.#prepareLater(state);
    else this.#forget(soon, state);
  }

  #isReady(card: Card, state: CardsState): boolean {
    const urls = imagesOf(card).map((file) => state.blobs.url(file));
    return urls.every((url) => url === null || this.#images.has(url));
  }

  #load(card: Card, state: CardsState): void {
    for (const file of imagesOf(card)) this.#image(file, state);
  }

  /** Lets go of all images but those of the coming cards and of the one on screen. */
  #forget(soon: readonly Card[], state: CardsState): void {
    const cards = this.#shown ? [...soon, this.#shown] : soon;
    const urls = new Set(cards.flatMap((card) => filesOf(card.content)).map((file) => state.blobs.url(file)));
    for (const [url, image] of this.#images) {
      if (urls.has(url)) continue;
      this.#images.delete(url);
      this.#undecoded.delete(image);
    }
  }

  #paintMeta(card: Card | null): void {
    const entries = Object.entries(card?.metadata ?? {});
    set(this.#meta, { hidden: entries.length === 0 });
    if (entries.length === 0 && !this.#meta.firstChild) return;
    this.#meta.replaceChildren(
      ...entries.map(([key, value]) => {
        const text = value === null ? "–" : String(value);
        return make("div", { title: `${key}: ${text}` }, make("dt", {}, key), make("dd", {}, text));
      }),
    );
  }
}

function imagesOf(card: Card): ImageContent[] {
  return filesOf(card.content).filter((file) => file.kind === "image");
}

/** The coming cards to make ready: fewer where their images are large. */
function soonOf(upcoming: readonly Card[]): readonly Card[] {
  let pixels = 0;
  const full = upcoming.findIndex((card, at) => {
    for (const { width, height } of imagesOf(card)) pixels += width * height;
    return at >= MOST || (at >= FEWEST && pixels > PIXELS);
  });
  return full < 0 ? upcoming : upcoming.slice(0, full);
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
