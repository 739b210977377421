/** Which space the map shows, how far its layout can be trusted, and a way to stop it. */
import { count, make, set, setText } from "../shared/dom";
import type { Listeners } from "../shared/listeners";
import { type Figures, SPACES, type SpaceName } from "./messages";
import type { MapState } from "./state";

const OWN = { "data-lm-suppress-shortcuts": "true" };
const NAMES: Record<SpaceName, string> = { features: "Features", model: "Model" };
const TITLE =
  "Features: as the encoder sees the items, laid out once. Model: as the model sees them, laid out again after each retraining.";

/** A share with the digits that matter for it: 0.953 as "0.95". */
const two = (value: number) => value.toFixed(2);

/** A small share: 0.0112 as "1.1 %". */
export const tenths = (value: number) => `${(value * 100).toFixed(1)} %`;

/** The figures in a line, and what they mean. */
export function inWords(figures: Figures | null): { text: string; title: string } {
  if (!figures) return { text: "", title: "" };
  const { trustworthiness, continuity, moved, sampled } = figures;
  const parts = [`trust ${two(trustworthiness)}`, `continuity ${two(continuity)}`];
  const lines = [
    `Trust ${two(trustworthiness)}: how far points that lie together on the map belong together (1 is best).`,
    `Continuity ${two(continuity)}: how far items that belong together lie together on the map.`,
  ];
  if (moved !== null) {
    parts.push(`moved ${tenths(moved)}`);
    lines.push(
      `Moved ${tenths(moved)}: half of the points moved less than that share of the map's width at the last retraining.`,
    );
  }
  lines.push(`Measured on ${count(sampled)} items.`);
  return { text: parts.join(" · "), title: lines.join("\n") };
}

export class Spaces {
  readonly #select = make("select", { class: "alw-map-select", "aria-label": "Space", ...OWN });
  /** For the head of the map. */
  readonly root = make(
    "label",
    { class: "alw-map-by", title: TITLE, hidden: true },
    make("span", {}, "Space"),
    this.#select,
  );
  /** For a corner of the plot. */
  readonly figures = make("p", { class: "alw-map-figures", hidden: true });
  /** Beside the progress. */
  readonly stop = make("button", { type: "button", class: "alw-map-stop", hidden: true, ...OWN });
  readonly #state: MapState;

  constructor(listeners: Listeners, state: MapState) {
    this.#state = state;
    for (const space of SPACES) this.#select.append(make("option", { value: space }, NAMES[space]));
    listeners.dom(this.#select, "change", () => state.showSpace(this.#select.value as SpaceName));
    listeners.dom(this.stop, "click", () => {
      if (state.stoppable) state.cancelLayout();
      else state.showSpace(state.layout?.space ?? "features");
    });
    this.paint();
  }

  paint(): void {
    const { layout, askedSpace, stoppable } = this.#state;
    this.root.hidden = (layout?.spaces.length ?? 0) < 2;
    for (const option of this.#select.options) {
      const space = option.value as SpaceName;
      option.disabled = !layout?.ready.includes(space);
      setText(option, option.disabled ? `${NAMES[space]} (needs a model)` : NAMES[space]);
    }
    const shown = askedSpace ?? layout?.space ?? "features";
    set(this.#select, { value: shown });
    const words = inWords(layout?.figures ?? null);
    this.figures.hidden = words.text === "";
    setText(this.figures, words.text);
    set(this.figures, { title: words.title });
    // What is selected takes the place of the progress.
    this.stop.hidden = this.#state.selection.length > 0 || (!stoppable && !layout?.stopped);
    setText(this.stop, stoppable ? "Stop" : "Go on");
    const label = stoppable ? "Stop the layout; the map keeps what it shows" : "Go on with the layout";
    set(this.stop, { title: label, ariaLabel: label });
  }
}
