/** What the colours mean, and a way to select by them without a mouse. */
import { count, icon, make, setText } from "../shared/dom";
import type { Listeners } from "../shared/listeners";
import type { Cleanup } from "../shared/model";
import { palette } from "../shared/palette";
import { type Colouring, extreme, STEPS, withCode, within } from "./codecs";
import { noneColour, ramp } from "./looks";
import { RangeSlider } from "./range";

const OWN = { "data-lm-suppress-shortcuts": "true" };
/** How many points "the most …" are. */
export const MOST = 20;

export interface Entry {
  /** Index into the tables of colours; 0 is "none". */
  code: number;
  name: string;
  count: number;
}

/** The entries of classes, in the order of the classes; "none" last, and only where there are such points. */
export function entriesOf(colouring: Colouring): Entry[] {
  const names = colouring.categories ?? [];
  const entries = names.map((name, i) => ({ code: i + 1, name, count: colouring.counts[i + 1] ?? 0 }));
  const none = colouring.counts[0] ?? 0;
  return none > 0 ? [...entries, { code: 0, name: colouring.none ?? "no value", count: none }] : entries;
}

/** A number with the digits that tell it from its neighbours. */
export function short(value: number): string {
  return Number(value.toPrecision(2)).toString();
}

/** The value that a step of a quantity stands for, in words. */
export function named(colouring: Pick<Colouring, "range" | "ends">, step: number): string {
  const [low, high] = colouring.range ?? [0, 1];
  const value = low + ((high - low) * step) / (STEPS - 1);
  // A column of days has the first and the last of them as words, and seconds as numbers.
  const isDay = /^\d{4}-\d\d-\d\d$/.test(colouring.ends?.[0] ?? "");
  return isDay ? new Date(value * 1000).toISOString().slice(0, 10) : short(value);
}

export interface LegendEvents {
  /** The points of an entry or of a range were chosen. */
  select(indices: ArrayLike<number>): void;
  /** An entry was hidden or is shown again. */
  toggle(code: number): void;
}

const EYE = [
  "M1.5 8c1.6-2.7 3.8-4 6.5-4s4.9 1.3 6.5 4c-1.6 2.7-3.8 4-6.5 4S3.1 10.7 1.5 8Z",
  "M8 6.4a1.6 1.6 0 1 0 0 3.2 1.6 1.6 0 0 0 0-3.2Z",
];

export class Legend {
  readonly root = make("div", {
    class: "alw-map-legend",
    role: "group",
    "aria-label": "Legend; an entry selects its points, H hides them",
  });
  readonly #colours = make("div", { class: "alw-map-colours" });
  readonly #listeners: Listeners;
  readonly #events: LegendEvents;
  #undo: Cleanup[] = [];
  #colouring: Colouring | null = null;
  #drawn = "";
  #range: { by: string; steps: [number, number] } | null = null;

  constructor(listeners: Listeners, events: LegendEvents) {
    this.#listeners = listeners;
    this.#events = events;
    this.root.append(this.#colours);
  }

  paint(colouring: Colouring | null, dark: boolean, hidden: ReadonlySet<number> = new Set()): void {
    if (colouring?.by !== this.#colouring?.by) this.#range = null;
    this.#colouring = colouring;
    this.root.hidden = colouring === null;
    if (!colouring) return;
    const entries = colouring.kind === "category" ? entriesOf(colouring) : [];
    // Made anew only when the entries are others: a button must not vanish between press and release.
    const { by, range, ends } = colouring;
    const drawn = JSON.stringify([by, range, ends, dark, entries.map((e) => [e.code, e.name])]);
    if (drawn !== this.#drawn) {
      this.#drawn = drawn;
      for (const undo of this.#undo) undo();
      this.#undo = [];
      this.#colours.replaceChildren();
      if (colouring.kind === "category") this.#categories(colouring, entries, dark);
      else this.#ramp(colouring, dark);
    }
    for (const entry of entries) this.#count(entry, hidden.has(entry.code));
  }

  #categories(colouring: Colouring, entries: readonly Entry[], dark: boolean): void {
    const colours = palette(colouring.categories?.length ?? 0);
    for (const { code, name } of entries) {
      const dot = make("span", { class: "alw-map-dot", "aria-hidden": "true" });
      dot.style.background = code === 0 ? noneColour(dark) : colours[code - 1]!;
      const eye = make(
        "button",
        { type: "button", class: "alw-map-eye", "aria-label": `Hide ${name}`, title: "Hide (H)", ...OWN },
        icon(...EYE),
      );
      const entry = this.#button(
        String(code),
        (event) => {
          if (event.altKey) this.#events.toggle(code);
          else if (this.#colouring) this.#events.select(withCode(this.#colouring.codes, code));
        },
        dot,
        make("span", { class: "alw-map-name" }, name),
        document.createTextNode(" "),
        make("span", { class: "alw-map-count" }),
      );
      this.#undo.push(
        this.#listeners.dom(eye, "click", () => this.#events.toggle(code)),
        this.#listeners.dom(entry, "keydown", (event) => {
          if (event.key.toLowerCase() === "h" && !event.ctrlKey && !event.metaKey) this.#events.toggle(code);
        }),
      );
      this.#colours.append(make("div", { class: "alw-map-row" }, entry, eye));
    }
  }

  #count(entry: Entry, isHidden: boolean): void {
    const button = this.root.querySelector<HTMLButtonElement>(`[data-code="${entry.code}"]`);
    if (!button) return;
    const row = button.parentElement!;
    row.classList.toggle("alw-map-gone", isHidden);
    row.lastElementChild!.setAttribute("aria-pressed", String(isHidden));
    const label = `Select all ${count(entry.count)}: ${entry.name}`;
    if (button.title === label) return;
    button.title = label;
    button.disabled = entry.count === 0;
    setText(button.lastElementChild!, count(entry.count));
  }

  #ramp(colouring: Colouring, dark: boolean): void {
    const bar = make("div", { class: "alw-map-ramp", "aria-hidden": "true" });
    const stops = ramp(dark).filter((_, i) => i % 17 === 0);
    bar.style.backgroundImage = `linear-gradient(to right, ${stops.join(", ")})`;
    const [low, high] = colouring.range ?? [0, 1];
    const ends = colouring.ends ?? [short(low), short(high)];
    const { by } = colouring;
    // Drawn anew, as for another theme, it keeps what was chosen.
    const start = this.#range?.by === by ? this.#range.steps : undefined;
    const events = {
      chosen: (steps: [number, number] | null) => {
        this.#range = steps ? { by, steps } : null;
        const codes = this.#colouring?.codes;
        if (codes) this.#events.select(steps ? within(codes, steps[0] + 1, steps[1] + 1) : []);
      },
      named: (step: number) => named(colouring, step),
    };
    const slider = new RangeSlider(this.#listeners, bar, STEPS - 1, events, start);
    this.#undo.push(() => slider.dispose());
    this.#colours.append(
      slider.root,
      make(
        "div",
        { class: "alw-map-ends", title: `${named(colouring, 0)} to ${named(colouring, STEPS - 1)}` },
        make("span", {}, ends[0]),
        make("span", {}, ends[1]),
      ),
    );
    const { notable } = colouring;
    if (!notable) return;
    const n = Math.min(MOST, colouring.codes.length);
    this.#colours.append(
      this.#button(
        "most",
        () => this.#colouring && this.#events.select(extreme(this.#colouring.codes, n, notable.end)),
        make("span", { class: "alw-map-name" }, `Select the ${n} ${notable.words}`),
      ),
    );
  }

  #button(code: string, run: (event: MouseEvent) => void, ...children: Node[]): HTMLButtonElement {
    const button = make(
      "button",
      { type: "button", class: "alw-map-entry", "data-code": code, ...OWN },
      ...children,
    );
    this.#undo.push(this.#listeners.dom(button, "click", run));
    return button;
  }
}
