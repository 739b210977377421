const HASTE = 400; // ms in which nobody has seen a card and answered it
const ANSWER = 3_000; // ms in which what was asked for comes

/** Keeps a press that was meant for one card from another that took its place, because of somebody elsewhere. */
export class Guard {
  readonly #now: () => number;
  #since = Number.NEGATIVE_INFINITY;
  #asked = Number.NEGATIVE_INFINITY;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** The person asks for another card themselves. */
  asked(): void {
    this.#asked = this.#now();
  }

  /** Another card took the place of the one on screen. */
  swapped(): void {
    if (this.#now() - this.#asked > ANSWER) this.#since = this.#now();
  }

  /** Whether a press that comes now was meant for the card before. */
  get hasty(): boolean {
    const age = this.#now() - this.#since;
    return age >= 0 && age < HASTE; // a clock that was set back holds nobody up
  }
}
