/** The rows of a list, as options of a listbox. Text goes into text nodes, images come as blobs. */
import { count, make, set, setAttribute } from "../shared/dom";
import { newId } from "../shared/ids";
import { addressOf } from "../shared/images";
import type { List, SeenRow } from "./lists";

/** What the value of a row is, read out. */
const VALUES = { edge_cases: "score", similar: "distance", points: "" } as const;

export class Rows {
  readonly #options: HTMLElement[] = [];
  readonly #id = newId();
  #urls: string[] = [];
  #drawn: readonly unknown[] = [];

  /** The options of a page, made anew only where it is another page; false where it is not. */
  draw(holder: HTMLElement, list: List): boolean {
    if (!this.#isNew(list.rows)) return false;
    this.#options.push(...list.rows.map((row, k) => this.#option(list, row, list.start + k)));
    holder.replaceChildren(...this.#options);
    return true;
  }

  /** The options of the slices. */
  drawSlices(holder: HTMLElement, slices: readonly { name: string; count: number }[]): boolean {
    if (!this.#isNew(slices)) return false;
    for (const [k, slice] of slices.entries()) {
      const items = slice.count === 1 ? "1 item" : `${count(slice.count)} items`;
      const option = this.#made(k, slices.length);
      option.append(
        make("span", { class: "alw-map-line", dir: "auto", title: slice.name }, slice.name),
        make("span", { class: "alw-map-value" }, items),
      );
      this.#options.push(option);
    }
    holder.replaceChildren(...this.#options);
    return true;
  }

  /** Marks the option that the person is at; returns it. */
  at(holder: HTMLElement, place: number): HTMLElement | null {
    for (const [k, option] of this.#options.entries()) option.classList.toggle("alw-map-at", k === place);
    const option = this.#options[place] ?? null;
    setAttribute(holder, "aria-activedescendant", option?.id ?? null);
    return option;
  }

  /** Which option an element is in, -1 for none. */
  indexOf(target: EventTarget | null): number {
    const option = (target as Element | null)?.closest?.<HTMLElement>("[role=option]");
    return option ? this.#options.indexOf(option) : -1;
  }

  /** Says of each row whether it is selected, and colours it as its point is. */
  paint(rows: readonly SeenRow[], selection: ArrayLike<number>, colourOf: (index: number) => string): void {
    const here = new Set(rows.map((row) => row.index));
    const selected = new Set<number>();
    for (let k = 0; k < selection.length; k++) if (here.has(selection[k]!)) selected.add(selection[k]!);
    for (const [k, { index }] of rows.entries()) {
      const option = this.#options[k];
      if (!option) continue;
      setAttribute(option, "aria-selected", String(selected.has(index)));
      option.querySelector<HTMLElement>(".alw-map-dot")?.style.setProperty("background", colourOf(index));
    }
  }

  dispose(): void {
    for (const url of this.#urls) URL.revokeObjectURL(url);
    this.#urls = [];
    this.#options.length = 0;
    this.#drawn = [];
  }

  #isNew(given: readonly unknown[]): boolean {
    if (given === this.#drawn && this.#options.length > 0) return false;
    this.dispose();
    this.#drawn = given;
    return true;
  }

  #made(rank: number, of: number): HTMLElement {
    return make("div", {
      id: `${this.#id}-${rank}`,
      class: "alw-map-option",
      role: "option",
      "aria-selected": "false",
      "aria-posinset": rank + 1,
      "aria-setsize": of,
    });
  }

  #option(list: List, row: SeenRow, rank: number): HTMLElement {
    const option = this.#made(rank, list.total);
    option.append(
      make("span", { class: "alw-map-rank" }, count(rank + 1)),
      ...seen(row, VALUES[list.of.kind], this.#urls),
      make("span", { class: "alw-map-tick", "aria-hidden": "true" }),
    );
    return option;
  }
}

/** The item that those of a list are like. */
export class LikeLine {
  readonly root = make("div", { class: "alw-map-like", hidden: true });
  #shown: SeenRow | null = null;
  #urls: string[] = [];

  paint(like: SeenRow | null): void {
    set(this.root, { hidden: like === null });
    if (like === this.#shown) return;
    this.#shown = like;
    for (const url of this.#urls) URL.revokeObjectURL(url);
    this.#urls = [];
    this.root.replaceChildren(...(like ? seen(like, "", this.#urls) : []));
  }
}

/**
 * An image where the item is one, and what is said of it.
 *
 * @param unit what the value of the row is, read out
 * @param urls addresses of images, to be revoked
 */
function seen(row: SeenRow, unit: string, urls: string[]): HTMLElement[] {
  const { content, image, value, why } = row;
  const label = row.label === null ? "not labelled" : `labelled ${row.label}`;
  const text = content.kind === "text" ? content.text || "(empty text)" : null;
  const under = why ?? (text === null ? null : label);
  const lines = make(
    "span",
    { class: "alw-map-lines" },
    make(
      "span",
      { class: "alw-map-first" },
      make("span", { class: "alw-map-dot", "aria-hidden": "true" }),
      make(
        "span",
        { class: text === null ? "alw-map-said" : "alw-map-line", dir: "auto", title: text ?? row.item_id },
        text ?? label,
      ),
      make(
        "span",
        { class: "alw-map-value" },
        unit && value ? make("span", { class: "alw-hidden" }, ` ${unit} `) : null,
        value,
      ),
    ),
    under === null ? null : make("span", { class: "alw-map-why", title: under }, under),
  );
  const src = content.kind === "image" ? addressOf(content.mime, image) : null;
  if (content.kind !== "image" || !src) return [lines];
  urls.push(src);
  return [make("img", { class: "alw-map-thumb", src, alt: content.alt, draggable: "false" }), lines];
}
