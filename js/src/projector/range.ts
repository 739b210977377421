/** A part of a ramp, chosen with two thumbs, by pointer or with the arrow keys. */
import { make, setText } from "../shared/dom";
import type { Listeners } from "../shared/listeners";
import type { Cleanup } from "../shared/model";

const OWN = { "data-lm-suppress-shortcuts": "true" };
/** How long a thumb rests before its points are selected. */
const REST_MS = 80;

export interface RangeEvents {
  /** Steps 0 to `last` that are inside, both ends included; null where that is all of them. */
  chosen(range: [low: number, high: number] | null): void;
  /** A step in words. */
  named(step: number): string;
}

export class RangeSlider {
  readonly root: HTMLElement;
  readonly #thumbs: readonly [HTMLInputElement, HTMLInputElement];
  readonly #words = make("output", { class: "alw-map-within" });
  readonly #events: RangeEvents;
  readonly #last: number;
  readonly #undo: Cleanup[];
  #rest: Cleanup | null = null;

  /**
   * @param bar what lies under the thumbs
   * @param start what is chosen already
   */
  constructor(
    listeners: Listeners,
    bar: HTMLElement,
    last: number,
    events: RangeEvents,
    start: readonly [number, number] = [0, last],
  ) {
    this.#events = events;
    this.#last = last;
    const thumb = (label: string, value: number) =>
      make("input", { type: "range", min: 0, max: last, value, "aria-label": label, ...OWN });
    this.#thumbs = [thumb("From", start[0]), thumb("To", start[1])];
    this.root = make(
      "div",
      { class: "alw-map-range", role: "group", "aria-label": "Select a range" },
      make("div", { class: "alw-map-track" }, bar, ...this.#thumbs),
      this.#words,
    );
    this.#words.hidden = true;
    this.#undo = this.#thumbs.map((input, i) =>
      listeners.dom(input, "input", () => this.#moved(i, listeners)),
    );
    this.#name();
  }

  dispose(): void {
    this.#rest?.();
    for (const undo of this.#undo) undo();
  }

  #moved(which: number, listeners: Listeners): void {
    const [low, high] = this.#thumbs;
    // One thumb pushes the other before it.
    if (low.valueAsNumber > high.valueAsNumber) {
      if (which === 0) high.value = low.value;
      else low.value = high.value;
    }
    this.#name();
    this.#rest?.();
    this.#rest = listeners.timeout(() => {
      const range: [number, number] = [low.valueAsNumber, high.valueAsNumber];
      this.#events.chosen(range[0] === 0 && range[1] === this.#last ? null : range);
    }, REST_MS);
  }

  #name(): void {
    const [low, high] = this.#thumbs.map((thumb) => {
      const words = this.#events.named(thumb.valueAsNumber);
      thumb.setAttribute("aria-valuetext", words);
      return words;
    });
    setText(this.#words, `${low} to ${high}`);
    const [from, to] = this.#thumbs;
    this.#words.hidden = from.valueAsNumber === 0 && to.valueAsNumber === this.#last;
    // Where both are at the right end the lower one lies on top: it is the one that can move.
    from.style.zIndex = from.valueAsNumber > this.#last / 2 ? "2" : "";
  }
}
