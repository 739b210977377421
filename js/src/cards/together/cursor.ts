/** How a step changes the selection: it ends it, makes it longer, or leaves it as it is. */
export type Step = "go" | "extend" | "pass";

/** The place of the line above the items, which stands for all the rest. */
export const REST = -1;

/** Where the keyboard is among the items of a grid, and which of them are selected. */
export class Cursor {
  readonly size: number;
  readonly selected = new Set<number>();
  #at = REST;
  #anchor = REST;

  constructor(size: number) {
    this.size = size;
  }

  get at(): number {
    return this.#at;
  }

  /** The items that a class is for: those selected, else the one the keyboard is on; none means the rest. */
  get targets(): number[] {
    if (this.selected.size > 0) return [...this.selected].sort((a, b) => a - b);
    return this.#at === REST ? [] : [this.#at];
  }

  /** Goes to an item, or to the line for the rest, which ends any selection. */
  to(place: number, step: Step = "go"): void {
    const end = Math.max(step === "extend" ? 0 : REST, Math.min(this.size - 1, place));
    if (step !== "extend") {
      if (step === "go" || end === REST) this.selected.clear();
      this.#at = this.#anchor = end;
      return;
    }
    this.#anchor = Math.max(0, this.#anchor);
    this.#at = end;
    this.selected.clear();
    const [from, to] = [Math.min(this.#anchor, end), Math.max(this.#anchor, end)];
    for (let i = from; i <= to; i++) this.selected.add(i);
  }

  /** Takes an item into the selection, or out of it. */
  toggle(place = this.#at): void {
    if (place === REST) return;
    this.#at = this.#anchor = place;
    if (!this.selected.delete(place)) this.selected.add(place);
  }

  all(): void {
    for (let i = 0; i < this.size; i++) this.selected.add(i);
    this.#at = this.#anchor = Math.max(0, this.#at);
  }
}

/** The shape of a grid on screen. */
export interface Shape {
  size: number;
  columns: number;
  /** Rows in sight. */
  rows: number;
}

/** The place that a key leads to, or null for a key that leads nowhere. */
export function placeFor(key: string, at: number, { size, columns, rows }: Shape): number | null {
  const last = Math.floor((size - 1) / columns);
  const row = Math.floor(at / columns);
  const down = (by: number) =>
    at === REST ? 0 : Math.min(size - 1, at + Math.min(by, last - row) * columns);
  const up = (by: number) => (row <= 0 ? REST : at - Math.min(by, row) * columns);
  switch (key) {
    case "ArrowRight":
      return Math.min(size - 1, at + 1);
    case "ArrowLeft":
      return Math.max(REST, at - 1);
    case "ArrowDown":
      return down(1);
    case "ArrowUp":
      return up(1);
    case "PageDown":
      return down(Math.max(1, rows));
    case "PageUp":
      return up(Math.max(1, rows));
    case "Home":
      return REST;
    case "End":
      return size - 1;
  }
  return null;
}
