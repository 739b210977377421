const PAUSE = 60_000; // a longer gap is a break, not slow labelling
const WINDOW = 30;
const FEWEST = 5;

/** How fast somebody labels, breaks left out. */
export class Pace {
  #times: number[] = [];

  /** An answer at `time` (ms). */
  add(time: number): void {
    const last = this.#times.at(-1);
    if (last !== undefined && time - last > PAUSE) this.#times = [];
    this.#times.push(time);
    if (this.#times.length > WINDOW) this.#times.shift();
  }

  /** A break ends: what comes is not measured against what was before it. */
  rest(): void {
    this.#times = [];
  }

  /** The newest answer was taken back. */
  remove(): void {
    this.#times.pop();
  }

  /** Answers a minute, or null before there are enough. */
  get perMinute(): number | null {
    const [first, last] = [this.#times[0], this.#times.at(-1)];
    if (this.#times.length < FEWEST || first === undefined || last === undefined || last <= first)
      return null;
    return ((this.#times.length - 1) / (last - first)) * 60_000;
  }

  /** How long so many more take at this pace, in words; null where nobody can tell. */
  timeFor(cards: number): string | null {
    const { perMinute } = this;
    if (perMinute === null || cards <= 0) return null;
    const minutes = Math.max(1, Math.round(cards / perMinute));
    if (minutes < 90) return `${minutes} min`;
    const hours = Math.round(minutes / 60);
    return hours < 100 ? `${hours} h` : null;
  }
}
