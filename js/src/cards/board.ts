/** Something the person should know, with what to do about it. */
export interface Notice {
  key: string;
  tone: "info" | "warn" | "bad";
  text: string;
  remedy: string;
}

/** The notices that stand; one that was put away stays away until its text changes. */
export class Board {
  readonly #notices = new Map<string, Notice>();
  readonly #dismissed = new Map<string, string>(); // key -> the text that was dismissed

  get notices(): Notice[] {
    return [...this.#notices.values()];
  }

  /** Sets the notice `key`, or takes it off. */
  set(key: string, tone: Notice["tone"], text: string | null, remedy: string): void {
    if (!text) {
      this.#notices.delete(key);
      this.#dismissed.delete(key);
    } else if (this.#dismissed.get(key) !== text) this.#notices.set(key, { key, tone, text, remedy });
  }

  /** Sets one that is news even with the same text as before. */
  news(key: string, tone: Notice["tone"], text: string, remedy: string): void {
    this.#dismissed.delete(key);
    this.set(key, tone, text, remedy);
  }

  /** Puts a notice away; false where there is none. */
  dismiss(key: string): boolean {
    const notice = this.#notices.get(key);
    if (!notice) return false;
    this.#dismissed.set(key, notice.text);
    return this.#notices.delete(key);
  }
}
