/** The confusion matrix: what is so in rows, what the model says in columns; a cell's items are selected by Enter. */
import { make, setAttribute, setText } from "../shared/dom";
import { newId } from "../shared/ids";
import type { Listeners } from "../shared/listeners";
import { CursorList, reveal } from "./cursor";
import type { Cell, ConfusionFigures } from "./messages";
import type { Pane, Select } from "./parts";
import { interval, items, labels, points, share } from "./words";

const OWN = { "data-lm-suppress-shortcuts": "true" };
/** From so many classes on the cells are narrow, and what is most confused stands first. */
const MANY = 15;
const UPRIGHT = 6;
/** A matrix of more classes than this no page draws in a moment, and nobody reads. */
const MOST = 100;

export class ConfusionPane implements Pane<ConfusionFigures> {
  readonly root: HTMLElement;
  readonly #select: Select;
  readonly #counts = make("button", { type: "button", class: "alw-diag-toggle", ...OWN }, "Counts");
  readonly #rates = make("button", { type: "button", class: "alw-diag-toggle", ...OWN }, "Rates");
  readonly #grid = make("table", { class: "alw-diag-grid", role: "grid", tabindex: 0, ...OWN });
  readonly #scroll = make("div", { class: "alw-diag-scroll" }, this.#grid);
  readonly #matrix = make("div", { class: "alw-diag-matrix" });
  readonly #tooLarge = make("p", { class: "alw-diag-note" });
  readonly #detail = make("p", { class: "alw-diag-detail", "aria-hidden": "true" });
  readonly #mistakes: CursorList;
  readonly #heading = make("h4", { class: "alw-diag-heading" });
  readonly #most = make("div", { class: "alw-diag-most" });
  readonly #id = newId();
  #figures: ConfusionFigures | null = null;
  #cells: (Cell | null)[][] = [];
  #drawn: HTMLElement[][] = [];
  #at: [number, number] = [0, 0];
  #asRates = false;

  constructor(listeners: Listeners, select: Select) {
    this.#select = select;
    this.#mistakes = new CursorList(listeners, "Most confused, the most frequent first", (k) => {
      const cell = this.#figures?.cells[this.#figures.mistakes[k]!];
      if (cell) select([cell.row, cell.column]);
    });
    this.#most.append(this.#heading, this.#mistakes.root);
    const how = make(
      "div",
      { class: "alw-diag-switch", role: "group", "aria-label": "What the cells show" },
      this.#counts,
      this.#rates,
    );
    this.#matrix.append(
      make(
        "div",
        { class: "alw-diag-line" },
        how,
        make("span", { class: "alw-diag-axes" }, "Rows: what is so. Columns: what the model says."),
      ),
      this.#scroll,
      this.#detail,
    );
    this.root = make("div", { class: "alw-diag-confusion" }, this.#tooLarge, this.#matrix, this.#most);
    listeners.dom(this.#counts, "click", () => this.#show(false));
    listeners.dom(this.#rates, "click", () => this.#show(true));
    listeners.dom(this.#grid, "keydown", (event) => this.#key(event));
    listeners.dom(this.#grid, "focus", () => this.#mark());
    listeners.dom(this.#grid, "click", (event) => {
      const cell = (event.target as Element).closest<HTMLElement>("td[data-row]");
      if (!cell) return;
      this.#at = [Number(cell.dataset.row), Number(cell.dataset.column)];
      this.#mark();
      this.#choose();
    });
  }

  draw(figures: ConfusionFigures): void {
    this.#figures = figures;
    const { rows, columns } = figures;
    this.#cells = rows.map(() => columns.map(() => null));
    for (const cell of figures.cells) this.#cells[cell.row]![cell.column] = cell;
    this.#at = [Math.min(this.#at[0], rows.length - 1), Math.min(this.#at[1], columns.length - 1)];
    const isMany = columns.length > MANY;
    this.root.classList.toggle("alw-diag-many", isMany);
    this.#grid.classList.toggle("alw-diag-upright", columns.length > UPRIGHT);
    const name = figures.several
      ? "Each label: whether it is so, and whether it is said"
      : "Confusion matrix";
    setAttribute(this.#grid, "aria-label", name);
    const isKnown = figures.mistakes.some((k) => figures.cells[k]!.share.value !== null);
    const most = figures.several ? "Most often wrong" : "Most confused";
    setText(this.#heading, isKnown ? `${most}, by share of the pool` : most);
    this.#mistakes.draw(figures.mistakes.map((k) => this.#mistake(figures.cells[k]!)));
    this.#most.hidden = figures.mistakes.length === 0 || (columns.length < 3 && !figures.several);
    const isDrawn = Math.min(rows.length, columns.length) <= MOST;
    this.#tooLarge.hidden = isDrawn;
    this.#matrix.hidden = !isDrawn;
    setText(
      this.#tooLarge,
      `The matrix of ${columns.length} classes is too large to draw: session.confusion().table() has all of it.`,
    );
    if (isDrawn) this.#paint();
  }

  #show(rates: boolean): void {
    this.#asRates = rates;
    this.#paint();
  }

  #paint(): void {
    const figures = this.#figures;
    if (!figures) return;
    setAttribute(this.#counts, "aria-pressed", String(!this.#asRates));
    setAttribute(this.#rates, "aria-pressed", String(this.#asRates));
    const head = make("tr", { role: "row" }, make("td", { class: "alw-diag-corner", role: "gridcell" }));
    for (const name of [...figures.columns, "n"])
      head.append(
        make(
          "th",
          { role: "columnheader", scope: "col", title: name },
          make("span", { class: "alw-diag-name", dir: "auto" }, name),
        ),
      );
    const body = make("tbody", { role: "rowgroup" });
    this.#drawn = figures.rows.map((name, row) => {
      const line = make(
        "tr",
        { role: "row" },
        make(
          "th",
          { role: "rowheader", scope: "row", title: name },
          make("span", { class: "alw-diag-name", dir: "auto" }, name),
        ),
      );
      const drawn = figures.columns.map((_, column) => this.#cell(figures, row, column));
      line.append(
        ...drawn,
        make("td", { class: "alw-diag-total", role: "gridcell" }, `${figures.totals[row]}`),
      );
      body.append(line);
      return drawn;
    });
    this.#grid.replaceChildren(make("thead", { role: "rowgroup" }, head), body);
    this.#mark();
  }

  #cell(figures: ConfusionFigures, row: number, column: number): HTMLElement {
    const cell = this.#cells[row]![column] ?? null;
    const rate = cell?.rate.value ?? 0;
    const text = cell === null ? "·" : this.#asRates ? share(rate) : `${cell.count}`;
    const right = figures.several ? row % 2 === column : row === column;
    const drawn = make(
      "td",
      {
        id: `${this.#id}-${row}-${column}`,
        role: "gridcell",
        class: `${right ? "alw-diag-right" : "alw-diag-wrong"}${cell === null ? " alw-diag-empty" : ""}`,
        "data-row": row,
        "data-column": column,
        "aria-label": this.#words(row, column),
      },
      text,
    );
    // A few in a hundred are worth seeing: the root brings them up.
    drawn.style.setProperty("--alw-heat", String(Math.round(100 * Math.sqrt(rate)) / 100));
    return drawn;
  }

  /** A cell in words: "ham, said to be spam: 3 of 40 labels, 8 % (2 to 20 %)". */
  #words(row: number, column: number): string {
    const figures = this.#figures!;
    const cell = this.#cells[row]![column];
    const [is, said] = [figures.rows[row]!, figures.columns[column]!];
    const pair = figures.several ? `${is}, ${said}` : `${is}, said to be ${said}`;
    const total = figures.totals[row]!;
    if (total === 0) return `${pair}: no label of it yet`;
    if (!cell) {
      const most = figures.zeros[row] ?? null;
      return `${pair}: none of ${labels(total)}${most === null ? "" : `, 0 to ${share(most)}`}`;
    }
    const around = interval(cell.rate);
    return `${pair}: ${cell.count} of ${labels(total)}, ${share(cell.rate.value)}${around ? ` (${around})` : ""}`;
  }

  #mistake(cell: Cell): (Node | string)[] {
    const { rows, columns, several } = this.#figures!;
    const is = rows[cell.row]!;
    const said = columns[cell.column]!;
    // What they are in order of: of training labels, which are no sample of the pool, how many there are.
    const { value, low, high } = cell.share;
    const size = value === null ? labels(cell.count) : `${cell.count} · ${points(value)} %`;
    const around = low === null || high === null ? null : ` ${points(low)} to ${points(high)} %`;
    return [
      make(
        "span",
        {
          class: "alw-diag-pair",
          dir: "auto",
          title: several ? `${is}, ${said}` : `${is}, said to be ${said}`,
        },
        ...(several
          ? [make("b", {}, is), ` ${said}`]
          : [make("b", {}, is), " taken for ", make("b", {}, said)]),
      ),
      make(
        "span",
        { class: "alw-diag-value" },
        size,
        around && make("span", { class: "alw-diag-around" }, around),
      ),
    ];
  }

  #mark(): void {
    const [row, column] = this.#at;
    this.#grid.querySelector(".alw-diag-at")?.classList.remove("alw-diag-at");
    const drawn = this.#drawn[row]?.[column];
    setAttribute(this.#grid, "aria-activedescendant", drawn?.id ?? null);
    if (!drawn || !this.#figures) return;
    drawn.classList.add("alw-diag-at");
    const count = this.#cells[row]![column]?.count ?? 0;
    const act = count ? ` Enter selects ${count === 1 ? "it" : items(count)}.` : "";
    setText(this.#detail, `${this.#words(row, column)}.${act}`);
  }

  #key(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey || event.isComposing || !this.#figures) return;
    const [row, column] = this.#at;
    const [bottom, end] = [this.#figures.rows.length - 1, this.#figures.columns.length - 1];
    const to: [number, number] | undefined = {
      ArrowDown: [row + 1, column],
      ArrowUp: [row - 1, column],
      ArrowRight: [row, column + 1],
      ArrowLeft: [row, column - 1],
      PageDown: [row + 10, column],
      PageUp: [row - 10, column],
      Home: [row, 0],
      End: [row, end],
    }[event.key] as [number, number] | undefined;
    if (to) {
      this.#at = [Math.max(0, Math.min(bottom, to[0])), Math.max(0, Math.min(end, to[1]))];
      this.#mark();
      this.#reveal();
    } else if (event.key === "Enter" || event.key === " ") this.#choose();
    else if (event.key.toLowerCase() === "r") this.#show(!this.#asRates);
    else return;
    event.preventDefault();
  }

  #choose(): void {
    const [row, column] = this.#at;
    if (this.#cells[row]?.[column]) this.#select([row, column]);
  }

  #reveal(): void {
    const drawn = this.#drawn[this.#at[0]]?.[this.#at[1]];
    if (!drawn) return;
    const head = this.#grid.tHead?.offsetHeight ?? 0;
    reveal(this.#scroll, drawn, head);
    const side = (drawn.parentElement?.firstElementChild as HTMLElement | null)?.offsetWidth ?? 0;
    const { offsetLeft: left, offsetWidth: width } = drawn;
    const box = this.#scroll;
    if (left - side < box.scrollLeft) box.scrollLeft = left - side;
    else if (left + width > box.scrollLeft + box.clientWidth) box.scrollLeft = left + width - box.clientWidth;
  }
}
