/** What the sizes and the opacities of the points mean, below the legend: some of each, from the least to the most. */
import { make, setText } from "../shared/dom";
import { STEPS, type Varied } from "./codecs";
import { named } from "./legend";
import { FACTORS } from "./looks";
import type { What } from "./messages";
import { WHATS } from "./varying";

/** Points that a scale shows. */
const SHOWN = 5;
/** Diameter of the largest, in CSS pixels. */
const LARGEST = 16;
const NAMES: Record<What, string> = { size: "Size", opacity: "Opacity" };

export class Scales {
  readonly root = make("div", { class: "alw-map-scales" });
  readonly #scales = new Map(WHATS.map((what) => [what, new Scale(what)]));

  constructor() {
    this.root.append(...[...this.#scales.values()].map((scale) => scale.root));
  }

  paint(shown: Record<What, Varied | null>): void {
    for (const [what, scale] of this.#scales) scale.paint(shown[what]);
    this.root.hidden = WHATS.every((what) => shown[what] === null);
  }
}

class Scale {
  readonly root: HTMLElement;
  readonly #name = make("span", { class: "alw-map-name" });
  readonly #low = make("span");
  readonly #high = make("span");
  readonly #ends: HTMLElement;
  readonly #what: What;

  constructor(what: What) {
    this.#what = what;
    const dots = Array.from({ length: SHOWN }, (_, k) => {
      const step = Math.round((k * (STEPS - 1)) / (SHOWN - 1));
      const share = (of: What) => (of === what ? FACTORS[of][step]! / FACTORS[of][STEPS - 1]! : null);
      const dot = make("span");
      const size = LARGEST * (share("size") ?? 0.6);
      dot.style.width = dot.style.height = `${size.toFixed(1)}px`;
      dot.style.opacity = String(share("opacity") ?? 1);
      return dot;
    });
    this.#ends = make("div", { class: "alw-map-ends" }, this.#low, this.#high);
    this.root = make(
      "div",
      { class: "alw-map-scale", "data-what": what, hidden: true },
      make("div", { class: "alw-map-what" }, make("b", {}, NAMES[what]), " ", this.#name),
      make("div", { class: "alw-map-dots", "aria-hidden": "true" }, ...dots),
      this.#ends,
    );
  }

  paint(varied: Varied | null): void {
    this.root.hidden = varied === null;
    if (!varied) return;
    const [low, high] = [named(varied, 0), named(varied, STEPS - 1)];
    setText(this.#name, varied.name ?? varied.by);
    setText(this.#low, varied.ends?.[0] ?? low);
    setText(this.#high, varied.ends?.[1] ?? high);
    this.#ends.title = `${low} to ${high}`;
    this.root.title = `${NAMES[this.#what]}: ${varied.name}, ${low} to ${high}; least where there is ${varied.none}`;
  }
}
