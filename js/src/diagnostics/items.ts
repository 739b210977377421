/** Labelled items beside what the model says of them, the least expected labels first. */
import { make, setAttribute, setText } from "../shared/dom";
import { addressOf } from "../shared/images";
import type { Listeners } from "../shared/listeners";
import { CursorList } from "./cursor";
import type { ItemFigures, ItemRow } from "./messages";
import type { Pane, Select } from "./parts";
import { items, labels, share } from "./words";

const OWN = { "data-lm-suppress-shortcuts": "true" };
const CARE =
  "Look, and learn what is hard. Audit labels that are changed because of what the model says here make its figures " +
  "better than they are.";

export class ItemsPane implements Pane<ItemFigures> {
  readonly root: HTMLElement;
  readonly #counts = make("span", { class: "alw-diag-figure" });
  readonly #only = make(
    "button",
    { type: "button", class: "alw-diag-act", ...OWN },
    "Only where it is wrong",
  );
  readonly #all = make("button", { type: "button", class: "alw-diag-act", ...OWN });
  readonly #list: CursorList;
  #figures: ItemFigures | null = null;
  #buffers: readonly DataView[] = [];
  #listed: number[] = [];
  #isOnly = false;
  #urls: string[] = [];

  constructor(listeners: Listeners, select: Select) {
    this.#list = new CursorList(listeners, "Hardest items, the least expected labels first", (k) =>
      select([this.#listed[k]!]),
    );
    const line = make("div", { class: "alw-diag-line" }, this.#counts, this.#only, this.#all);
    const care = make("p", { class: "alw-diag-small" }, CARE);
    this.root = make("div", { class: "alw-diag-pane" }, line, this.#list.root, care);
    listeners.dom(this.#only, "click", () => {
      this.#isOnly = !this.#isOnly;
      this.#paint();
    });
    listeners.dom(this.#all, "click", () => select(this.#listed));
    listeners.add(() => this.#forget());
  }

  draw(figures: ItemFigures, buffers: readonly DataView[]): void {
    this.#figures = figures;
    this.#buffers = buffers;
    this.#paint();
  }

  #paint(): void {
    const figures = this.#figures;
    if (!figures) return;
    this.#forget();
    setText(this.#counts, `The model is wrong about ${figures.wrong} of ${labels(figures.total)}.`);
    setAttribute(this.#only, "aria-pressed", String(this.#isOnly));
    this.#listed = figures.items.flatMap((row, k) => (this.#isOnly && row.right ? [] : [k]));
    const n = this.#listed.length;
    setText(this.#all, n === 1 ? "Select it" : `Select all ${items(n)}`);
    this.#all.hidden = n === 0;
    this.#list.draw(this.#listed.map((k) => this.#row(figures.items[k]!)));
  }

  #row(row: ItemRow): Node[] {
    const { content } = row;
    const text = content.kind === "text" ? content.text || "(empty text)" : null;
    const bytes = content.kind === "image" ? this.#buffers[content.buffer] : null;
    const src = content.kind === "image" ? addressOf(content.mime, bytes) : null;
    if (src) this.#urls.push(src);
    const seen =
      content.kind === "image" && src
        ? make("img", { class: "alw-diag-thumb", src, alt: content.alt, draggable: "false" })
        : make(
            "span",
            { class: "alw-diag-text", dir: "auto", title: text ?? row.item_id },
            text ?? row.item_id,
          );
    const mark = make("span", { class: row.right ? "alw-diag-good" : "alw-diag-bad" }, row.right ? "✓" : "✗");
    mark.append(make("span", { class: "alw-hidden" }, row.right ? " right" : " wrong"));
    const of = row.right
      ? `${share(row.confidence)} sure`
      : `${share(row.confidence)} sure, ${share(row.probability)} for the label`;
    return [
      seen,
      make(
        "span",
        { class: "alw-diag-beside" },
        mark,
        make("span", {}, "labelled ", make("b", { dir: "auto" }, row.label)),
        make("span", {}, "said ", make("b", { dir: "auto" }, row.prediction)),
        make("span", { class: "alw-diag-around" }, of),
      ),
    ];
  }

  #forget(): void {
    for (const url of this.#urls) URL.revokeObjectURL(url);
    this.#urls = [];
  }
}
