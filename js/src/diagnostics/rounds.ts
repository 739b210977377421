/** Two rounds side by side: which is better, and of what they say different things. */
import { make, setText } from "../shared/dom";
import type { Listeners } from "../shared/listeners";
import { CursorList } from "./cursor";
import type { RoundFigures } from "./messages";
import type { Pane, Select } from "./parts";
import { items, labels } from "./words";

const OWN = { "data-lm-suppress-shortcuts": "true" };

export class RoundsPane implements Pane<RoundFigures> {
  readonly root: HTMLElement;
  readonly #version = make("select", { class: "alw-diag-select", "aria-label": "One round", ...OWN });
  readonly #other = make("select", { class: "alw-diag-select", "aria-label": "The other round", ...OWN });
  readonly #words = make("div", { class: "alw-diag-said" });
  readonly #all = make("button", { type: "button", class: "alw-diag-act", ...OWN });
  readonly #heading = make("h4", { class: "alw-diag-heading" });
  readonly #list: CursorList;

  /** @param compare asks for two other rounds */
  constructor(listeners: Listeners, select: Select, compare: (version: number, other: number) => void) {
    this.#list = new CursorList(listeners, "What is said otherwise, the most frequent first", (k) =>
      select([k]),
    );
    const chosen = make(
      "div",
      { class: "alw-diag-line" },
      make("span", {}, "Compare "),
      this.#version,
      make("span", {}, " with "),
      this.#other,
      this.#all,
    );
    this.root = make("div", { class: "alw-diag-pane" }, chosen, this.#words, this.#heading, this.#list.root);
    for (const choice of [this.#version, this.#other])
      listeners.dom(choice, "change", () => compare(Number(this.#version.value), Number(this.#other.value)));
    listeners.dom(this.#all, "click", () => select([]));
  }

  draw(figures: RoundFigures): void {
    for (const [choice, version] of [
      [this.#version, figures.version],
      [this.#other, figures.other],
    ] as const) {
      const other = choice === this.#version ? figures.other : figures.version;
      choice.replaceChildren(
        ...[...figures.rounds]
          .reverse()
          .map((round) =>
            make(
              "option",
              { value: round.version, disabled: round.version === other },
              `model ${round.version} · ${labels(round.n_train, "training ")}`,
            ),
          ),
      );
      choice.value = String(version ?? "");
    }
    this.#words.replaceChildren(...figures.words.map((text) => make("p", {}, text)));
    const n = figures.flipped ?? 0;
    this.#all.hidden = n === 0;
    setText(this.#all, n === 1 ? "Select it" : `Select these ${items(n)}`);
    this.#heading.hidden = figures.flips.length === 0;
    setText(
      this.#heading,
      `From model ${figures.other} to model ${figures.version}, the most frequent first`,
    );
    this.#list.draw(
      figures.flips.map(({ before, after, count }) => [
        make(
          "span",
          { class: "alw-diag-pair", dir: "auto" },
          make("b", {}, before),
          make("span", { class: "alw-diag-around" }, " → "),
          make("b", {}, after),
        ),
        make("span", { class: "alw-diag-value" }, items(count)),
      ]),
    );
  }
}
