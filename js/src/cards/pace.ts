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
}
