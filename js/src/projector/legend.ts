/** What the colours mean, and a way to select by them without a mouse. */
import { count, make, setText } from "../shared/dom";
import type { Listeners } from "../shared/listeners";
import type { Cleanup } from "../shared/model";
import { palette } from "../shared/palette";
import { type Colouring, highest, lowest, withCode } from "./codecs";
import { noneColour, ramp } from "./looks";
import type { ColourBy } from "./messages";

const OWN = { "data-lm-suppress-shortcuts": "true" };
/** How many points "the most …" are. */
export const MOST = 20;

export interface Entry {
  /** Index into the tables of colours; 0 is "none". */
  code: number;
  name: string;
  count: number;
}

export const NONE: Record<ColourBy, string> = {
  label: "not labelled",
  prediction: "for audit",
  uncertainty: "for audit",
  outlier: "unknown",
  trust: "unknown",
};

/** What the ends of a ramp mean, and which points of it matter most. */
const RAMPS: Partial<Record<ColourBy, { ends: [string, string]; most: string; lowest?: boolean }>> = {
  outlier: { ends: ["usual", "far out"], most: "farthest out" },
  trust: { ends: ["torn from its like", "among its like"], most: "least to be trusted", lowest: true },
};
const UNSURE = { ends: ["sure", "unsure"], most: "most unsure", lowest: false };

/** The entries of classes, in the order of the classes; "none" last, and only where there are such points. */
export function entriesOf(colouring: Colouring): Entry[] {
  const names = colouring.categories ?? [];
  const entries = names.map((name, i) => ({ code: i + 1, name, count: colouring.counts[i + 1] ?? 0 }));
  const none = colouring.counts[0] ?? 0;
  return none > 0 ? [...entries, { code: 0, name: NONE[colouring.by], count: none }] : entries;
}

/** A number with the digits that tell it from its neighbours. */
export function short(value: number): string {
  return Number(value.toPrecision(2)).toString();
}

export class Legend {
  readonly root = make("div", {
    class: "alw-map-legend",
    role: "group",
    "aria-label": "Legend; an entry selects its points",
  });
  readonly #listeners: Listeners;
  readonly #select: (indices: ArrayLike<number>) => void;
  #undo: Cleanup[] = [];
  #colouring: Colouring | null = null;
  #drawn = "";

  /** @param select what to do with the points of an entry that was chosen */
  constructor(listeners: Listeners, select: (indices: ArrayLike<number>) => void) {
    this.#listeners = listeners;
    this.#select = select;
  }

  paint(colouring: Colouring | null, dark: boolean): void {
    this.#colouring = colouring;
    this.root.hidden = colouring === null;
    if (!colouring) return;
    const entries = colouring.kind === "category" ? entriesOf(colouring) : [];
    // Made anew only when the entries are others: a button must not vanish between press and release.
    const drawn = JSON.stringify([colouring.by, colouring.range, dark, entries.map((e) => [e.code, e.name])]);
    if (drawn !== this.#drawn) {
      this.#drawn = drawn;
      for (const undo of this.#undo) undo();
      this.#undo = [];
      this.root.replaceChildren();
      if (colouring.kind === "category") this.#categories(colouring, entries, dark);
      else this.#ramp(colouring, dark);
    }
    for (const entry of entries) this.#count(entry);
  }

  #categories(colouring: Colouring, entries: readonly Entry[], dark: boolean): void {
    const colours = palette(colouring.categories?.length ?? 0);
    for (const { code, name } of entries) {
      const dot = make("span", { class: "alw-map-dot", "aria-hidden": "true" });
      dot.style.background = code === 0 ? noneColour(dark) : colours[code - 1]!;
      this.#button(
        String(code),
        () => this.#colouring && this.#select(withCode(this.#colouring.codes, code)),
        dot,
        make("span", { class: "alw-map-name" }, name),
        document.createTextNode(" "),
        make("span", { class: "alw-map-count" }),
      );
    }
  }

  #count(entry: Entry): void {
    const button = this.root.querySelector<HTMLButtonElement>(`[data-code="${entry.code}"]`);
    if (!button) return;
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
    const { ends, most, lowest: isLowest } = RAMPS[colouring.by] ?? UNSURE;
    this.root.append(
      bar,
      make(
        "div",
        { class: "alw-map-ends", title: `${short(low)} to ${short(high)}` },
        make("span", {}, ends[0]),
        make("span", {}, ends[1]),
      ),
    );
    const n = Math.min(MOST, colouring.codes.length);
    this.#button(
      "most",
      () => this.#colouring && this.#select((isLowest ? lowest : highest)(this.#colouring.codes, n)),
      make("span", { class: "alw-map-name" }, `Select the ${n} ${most}`),
    );
  }

  #button(code: string, run: () => void, ...children: Node[]): void {
    const button = make(
      "button",
      { type: "button", class: "alw-map-entry", "data-code": code, ...OWN },
      ...children,
    );
    this.#undo.push(this.#listeners.dom(button, "click", run));
    this.root.append(button);
  }
}
