import type { Press } from "./keys";

const NAMES: Record<string, string> = { " ": "Space" };

/** Keys of a person's own: a press is read as that of the usual key, and shown as the one that is meant. */
export class Remap {
  /** @param moved the key that takes the place of a usual one. */
  readonly #moved: Record<string, string>;
  readonly #usual: Map<string, string>;

  constructor(moved: Record<string, string>) {
    this.#moved = moved;
    this.#usual = new Map(Object.entries(moved).map(([usual, key]) => [key, usual]));
  }

  /** The press, as if the keyboard had the usual keys; a key whose place was taken means nothing. */
  read(press: Press): Press {
    if (press.ctrlKey || press.metaKey || press.altKey) return press;
    const key = press.key.length === 1 ? press.key.toLowerCase() : press.key;
    const usual = this.#usual.get(key);
    if (usual === undefined && !(key in this.#moved)) return press;
    const { code, repeat, isComposing, ctrlKey, metaKey, altKey, shiftKey } = press;
    const read = usual ?? "Unidentified";
    return { key: read, code, repeat, isComposing, ctrlKey, metaKey, altKey, shiftKey };
  }

  /** The key that does what the usual one does, as its cap says it. */
  cap(usual: string): string {
    const key = this.#moved[usual] ?? usual;
    return NAMES[key] ?? (key.length === 1 ? key.toUpperCase() : key);
  }

  /** The same for `aria-keyshortcuts`. */
  aria(usual: string): string {
    const key = this.#moved[usual] ?? usual;
    return key === " " ? "Space" : key;
  }

  /** Tells the buttons in an element their keys. */
  show(root: HTMLElement): void {
    for (const usual of Object.keys(this.#moved)) {
      const name = usual === " " ? "Space" : usual;
      for (const button of root.querySelectorAll(`[aria-keyshortcuts="${name}"]:not([data-moved])`)) {
        button.setAttribute("aria-keyshortcuts", this.aria(usual));
        button.setAttribute("data-moved", ""); // two keys may change places
        const shown = button.querySelector(".alw-key");
        if (shown) shown.textContent = this.cap(usual);
      }
    }
  }
}
