/** What the panel lists: edge cases by a way to rank them, the points by colour, or the slices. */
import { make } from "../shared/dom";
import type { Listeners } from "../shared/listeners";
import type { Lists } from "./lists";

const EDGE = "edge:";

export class ListChoice {
  readonly root = make("select", {
    class: "alw-map-select",
    "aria-label": "What to list",
    "data-lm-suppress-shortcuts": "true",
  });
  readonly #lists: Lists;
  #drawn = "";

  constructor(listeners: Listeners, lists: Lists) {
    this.#lists = lists;
    listeners.dom(this.root, "change", () => this.#choose(this.root.value));
  }

  paint(): void {
    const { ways, list, isSlicing } = this.#lists;
    const of = isSlicing ? undefined : list?.of;
    const isSimilar = of?.kind === "similar";
    // Made anew only when the choices are others: a list that is open must not close.
    const drawn = JSON.stringify([ways, isSimilar]);
    if (drawn !== this.#drawn) {
      this.#drawn = drawn;
      const options = ways.map(({ by, name, needs }) =>
        make("option", { value: EDGE + by }, needs ? `${name} (needs ${needs})` : name),
      );
      this.root.replaceChildren(
        ...(isSimilar ? [make("option", { value: "similar" }, "More like this")] : []),
        make("optgroup", { label: "Edge cases" }, ...options),
        make(
          "optgroup",
          { label: "Others" },
          make("option", { value: "points" }, "Points by colour"),
          make("option", { value: "slices" }, "Slices"),
        ),
      );
    }
    const value = of?.kind === "edge_cases" ? EDGE + of.by : (of?.kind ?? "slices");
    if (this.root.value !== value) this.root.value = value;
  }

  #choose(value: string): void {
    if (value === "points") this.#lists.points();
    else if (value === "slices") this.#lists.showSlices();
    else if (value.startsWith(EDGE)) this.#lists.rank(value.slice(EDGE.length));
  }
}
