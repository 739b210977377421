import type { Listeners } from "../shared/listeners";
import type { FromCards } from "../shared/messages";
import type { Cleanup } from "../shared/model";
import type { CardDeck } from "./deck";

const ASK_AGAIN = 3_000; // a request for cards that got no answer in this time is made again
const LONGEST_ASK = 30_000;

/** Asks Python for cards before they run out. */
export class Supply {
  readonly #listeners: Listeners;
  readonly #deck: CardDeck;
  readonly #send: (message: FromCards) => void;
  readonly #now: () => number;
  #asked: number | null = null;
  #starving: Cleanup | null = null;
  #patience = ASK_AGAIN;

  constructor(listeners: Listeners, deck: CardDeck, send: (message: FromCards) => void, now: () => number) {
    this.#listeners = listeners;
    this.#deck = deck;
    this.#send = send;
    this.#now = now;
  }

  /** Cards have come. */
  came(): void {
    this.#asked = null;
  }

  /** Asks for more if few are left, and has not been asked just now. */
  ask(): void {
    const now = this.#now();
    if (this.#deck.low && (this.#asked === null || now - this.#asked >= ASK_AGAIN)) {
      this.#asked = now;
      this.#send({ type: "more" });
    }
    if (this.#deck.phase !== "waiting") this.#patience = ASK_AGAIN;
    else if (this.#starving === null) this.#starve();
  }

  /** With no card there is no key press to ask on: asks again by the clock, ever less often. */
  #starve(): void {
    if (!this.#deck.fed) this.#send({ type: "hello" });
    this.#starving = this.#listeners.timeout(() => {
      this.#starving = null;
      this.ask();
    }, this.#patience);
    this.#patience = Math.min(this.#patience * 2, LONGEST_ASK);
  }
}
