const HASTE = 400; // ms in which nobody has seen a card and answered it
const ANSWER = 3_000; // ms in which what was asked for comes

/** Keeps what was meant for one card from another that took its place, because of somebody elsewhere. */
export class Guard {
  readonly #now: () => number;
  #came: object | null = null;
  #since = 0;
  #asked: number[] = [];

  constructor(now: () => number) {
    this.#now = now;
  }

  /** The person asks for another card themselves. */
  asked(): void {
    this.#asked.push(this.#now());
  }

  /** A card came that may have been asked for; whether it was. */
  answered(): boolean {
    const now = this.#now();
    this.#asked = this.#asked.filter((at) => now - at < ANSWER);
    return this.#asked.shift() !== undefined;
  }

  /** Something took the place of what was on screen. */
  swapped(came: object): void {
    this.#came = came;
    this.#since = this.#now();
  }

  /** Whether a press on what is on screen was meant for what was there before. */
  hasty(shown: object | null): boolean {
    const age = this.#now() - this.#since;
    return shown !== null && shown === this.#came && age >= 0 && age < HASTE; // a clock may be set back
  }

  /** Somebody is still writing what was meant for the card before. */
  renew(): void {
    this.#since = this.#now();
  }
}
