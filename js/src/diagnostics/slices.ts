/** Slices of the pool, the most surely worse first: each beside the accuracy of all; Enter selects its items. */
import { make, setText } from "../shared/dom";
import type { Listeners } from "../shared/listeners";
import { CursorList } from "./cursor";
import { dotAndInterval } from "./marks";
import type { Figure, SliceFigures, SliceRow } from "./messages";
import type { Pane, Select } from "./parts";
import { figure, labels, points } from "./words";

const LEGEND =
  "Accuracy of each slice and its 95 % interval; the upright line is the accuracy of all. “Worse” is said where " +
  "the slice is worse than the rest by more than chance among so many (Holm, 5 %). Enter selects its items.";

export class SlicesPane implements Pane<SliceFigures> {
  readonly root: HTMLElement;
  readonly #accuracy = make("p", { class: "alw-diag-figure" });
  readonly #legend = make("p", { class: "alw-diag-small" }, LEGEND);
  readonly #list: CursorList;
  readonly #hint = make("p", { class: "alw-diag-small" });

  constructor(listeners: Listeners, select: Select) {
    this.#list = new CursorList(listeners, "Slices, the most surely worse first", (k) => select([k]));
    this.root = make(
      "div",
      { class: "alw-diag-pane" },
      this.#accuracy,
      this.#legend,
      this.#list.root,
      this.#hint,
    );
  }

  draw(figures: SliceFigures): void {
    setText(this.#accuracy, `Accuracy of all ${figure(figures.accuracy)}`);
    this.#legend.hidden = figures.slices.length === 0;
    this.#list.draw(figures.slices.map((slice) => row(slice, figures.accuracy.value)));
    this.#hint.hidden = figures.hint === null;
    setText(this.#hint, figures.hint ?? "");
  }
}

function row({ by, part, accuracy, difference, worse }: SliceRow, all: number | null): Node[] {
  const isKept = by === part;
  const name = make(
    "span",
    { class: "alw-diag-slice", dir: "auto", title: isKept ? `slice ${part}` : `${by}: ${part}` },
    make("span", { class: "alw-diag-by" }, isKept ? "slice " : `${by} `),
    make("b", {}, part),
  );
  const badge = worse ? make("span", { class: "alw-diag-badge" }, "worse") : null;
  const first = make("span", { class: "alw-diag-first" }, name, badge);
  if (difference.value === null)
    return [
      first,
      make("span", { class: "alw-diag-unknown" }, difference.why_not ?? "not known"),
      make("span", { class: "alw-diag-count" }, labels(difference.n)),
    ];
  return [
    first,
    dotAndInterval(accuracy, all),
    make(
      "span",
      { class: "alw-diag-number" },
      make("b", {}, figure(accuracy)),
      make("span", { class: "alw-diag-around" }, gap(difference, worse)),
    ),
    make("span", { class: "alw-diag-count" }, labels(accuracy.n)),
  ];
}

/** "7.1 points worse (1.0 to 14.2)", and whether that may be chance. */
function gap({ value, low, high }: Figure, isWorse: boolean): string {
  const by = value!;
  const [from, to] = by >= 0 ? [low!, high!] : [-high!, -low!];
  const way = by >= 0 ? "worse" : "better";
  const chance = by > 0 && !isWorse ? ", may be chance" : "";
  return `${points(Math.abs(by))} points ${way} (${points(from)} to ${points(to)})${chance}`;
}
