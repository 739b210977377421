/** Precision, recall and F1 of each class, each with its interval; sorted by a press on a heading. */
import { make, setAttribute, setText } from "../shared/dom";
import type { Listeners } from "../shared/listeners";
import { dotAndInterval } from "./marks";
import type { ClassFigures, ClassRow, Figure } from "./messages";
import type { Pane } from "./parts";
import { figure, interval, share } from "./words";

const OWN = { "data-lm-suppress-shortcuts": "true" };
const COLUMNS = [
  ["name", "class"],
  ["n", "labels"],
  ["precision", "precision"],
  ["recall", "recall"],
  ["f1", "F1"],
] as const;
type Column = (typeof COLUMNS)[number][0];

export class ClassesPane implements Pane<ClassFigures> {
  readonly root: HTMLElement;
  readonly #accuracy = make("p", { class: "alw-diag-figure" });
  readonly #heads = new Map<Column, HTMLTableCellElement>();
  readonly #body = make("tbody");
  #figures: ClassFigures | null = null;
  #by: Column | null = null;
  #isDescending = false;

  constructor(listeners: Listeners) {
    const head = make("tr");
    for (const [column, name] of COLUMNS) {
      const button = make("button", { type: "button", class: "alw-diag-sort", ...OWN }, name);
      const cell = make("th", { scope: "col" }, button);
      this.#heads.set(column, cell);
      head.append(cell);
      listeners.dom(button, "click", () => this.#sort(column));
    }
    const table = make(
      "table",
      { class: "alw-diag-classes" },
      make("caption", { class: "alw-hidden" }, "Precision, recall and F1 of each class"),
      make("thead", {}, head),
      this.#body,
    );
    const scroll = make("div", { class: "alw-diag-scroll", tabindex: 0, role: "region", ...OWN }, table);
    setAttribute(scroll, "aria-label", "Classes");
    this.root = make("div", { class: "alw-diag-pane" }, this.#accuracy, scroll);
  }

  draw(figures: ClassFigures): void {
    this.#figures = figures;
    setText(this.#accuracy, `Accuracy ${figure(figures.accuracy)}`);
    this.#paint();
  }

  #sort(column: Column): void {
    // The worst first, and the most: of names the first.
    const first = column === "n";
    this.#isDescending = this.#by === column ? !this.#isDescending : first;
    this.#by = column;
    this.#paint();
  }

  #paint(): void {
    const figures = this.#figures;
    if (!figures) return;
    for (const [column, cell] of this.#heads) {
      const sorted = column !== this.#by ? null : this.#isDescending ? "descending" : "ascending";
      setAttribute(cell, "aria-sort", sorted);
    }
    const rows = [...figures.classes];
    const by = this.#by;
    if (by !== null) {
      const sign = this.#isDescending ? -1 : 1;
      rows.sort((a, b) => compare(a, b, by, sign));
    }
    this.#body.replaceChildren(row(figures.all, true), ...rows.map((of) => row(of, false)));
  }
}

/** What is not known comes last, whichever way. */
function compare(a: ClassRow, b: ClassRow, by: Column, sign: number): number {
  if (by === "name") return sign * a.name.localeCompare(b.name);
  if (by === "n") return sign * (a.n - b.n);
  const [first, second] = [a[by].value, b[by].value];
  if (first === null || second === null) return Number(first === null) - Number(second === null);
  return sign * (first - second);
}

function row(of: ClassRow, isAll: boolean): HTMLElement {
  const name = make("span", { class: "alw-diag-name", dir: "auto" }, of.name);
  return make(
    "tr",
    { class: isAll ? "alw-diag-all" : null },
    make("th", { scope: "row", title: of.name }, name),
    make("td", { class: "alw-diag-count" }, of.n.toLocaleString("en")),
    cell(of.precision),
    cell(of.recall),
    cell(of.f1),
  );
}

function cell(found: Figure): HTMLElement {
  if (found.value === null)
    return make("td", {}, make("span", { class: "alw-diag-unknown" }, found.why_not ?? "not known"));
  const around = interval(found);
  return make(
    "td",
    {},
    make(
      "span",
      { class: "alw-diag-estimate" },
      make(
        "span",
        { class: "alw-diag-number" },
        make("b", {}, share(found.value)),
        around ? make("span", { class: "alw-diag-around" }, ` ${around}`) : null,
      ),
      dotAndInterval(found),
    ),
  );
}
