/** A list that one moves in by arrow keys: the focus stays on the list, and survives that its rows are made anew. */
import { make, setAttribute } from "../shared/dom";
import { newId } from "../shared/ids";
import type { Listeners } from "../shared/listeners";

const OWN = { "data-lm-suppress-shortcuts": "true" };
/** Rows that a page key passes. */
const STRIDE = 10;

/** Scrolls a box alone, so that something in it is to be seen: the notebook stays where it is. */
export function reveal(box: HTMLElement, row: HTMLElement, above = 0): void {
  const { offsetTop: top, offsetHeight: height } = row;
  if (top - above < box.scrollTop) box.scrollTop = top - above;
  else if (top + height > box.scrollTop + box.clientHeight) box.scrollTop = top + height - box.clientHeight;
}

export class CursorList {
  readonly root: HTMLElement;
  readonly #id = newId();
  readonly #choose: (place: number) => void;
  #options: HTMLElement[] = [];
  #at = 0;

  /**
   * @param name what the list is called, read out
   * @param choose what Enter and a click do
   */
  constructor(listeners: Listeners, name: string, choose: (place: number) => void) {
    this.#choose = choose;
    this.root = make("div", {
      class: "alw-diag-list",
      role: "listbox",
      tabindex: 0,
      "aria-label": name,
      ...OWN,
    });
    listeners.dom(this.root, "keydown", (event) => this.#key(event));
    listeners.dom(this.root, "click", (event) => {
      const option = (event.target as Element).closest<HTMLElement>("[role=option]");
      const place = option ? this.#options.indexOf(option) : -1;
      if (place < 0) return;
      this.#go(place);
      choose(place);
    });
  }

  /** Draws the rows, each out of its parts. */
  draw(rows: readonly (readonly (Node | string)[])[]): void {
    this.#options = rows.map((parts, k) =>
      make(
        "div",
        {
          id: `${this.#id}-${k}`,
          class: "alw-diag-option",
          role: "option",
          "aria-selected": "false",
          "aria-posinset": k + 1,
          "aria-setsize": rows.length,
        },
        ...parts,
      ),
    );
    this.root.replaceChildren(...this.#options);
    this.root.hidden = rows.length === 0;
    this.#at = Math.max(0, Math.min(this.#at, rows.length - 1));
    this.#mark();
  }

  #key(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey || event.isComposing) return;
    const last = this.#options.length - 1;
    const to = {
      ArrowDown: this.#at + 1,
      ArrowUp: this.#at - 1,
      PageDown: this.#at + STRIDE,
      PageUp: this.#at - STRIDE,
      Home: 0,
      End: last,
    }[event.key];
    if (to !== undefined) this.#go(Math.max(0, Math.min(last, to)));
    else if ((event.key === "Enter" || event.key === " ") && last >= 0) this.#choose(this.#at);
    else return;
    event.preventDefault();
  }

  #go(place: number): void {
    this.#at = place;
    this.#mark();
    const option = this.#options[place];
    if (option) reveal(this.root, option);
  }

  #mark(): void {
    for (const [k, option] of this.#options.entries()) {
      option.classList.toggle("alw-diag-at", k === this.#at);
      setAttribute(option, "aria-selected", String(k === this.#at));
    }
    setAttribute(this.root, "aria-activedescendant", this.#options[this.#at]?.id ?? null);
  }
}
