import { icon, make, setText } from "../shared/dom";
import type { Listeners } from "../shared/listeners";
import { classColour } from "../shared/palette";
import { FLAG, type Home, OWN } from "./parts";
import type { Row } from "./past";
import type { CardsState } from "./state";

const PAGE = 8;

/** What was answered before, newest first; one of it can be shown again. Lies over the card. */
export class EarlierPanel {
  readonly root: HTMLElement;
  readonly #state: CardsState;
  readonly #view: Home;
  readonly #list: HTMLElement;
  readonly #more = make("button", { type: "button", class: "alw-act", hidden: true, ...OWN }, "Load more");
  readonly #note = make("p", { class: "alw-earlier-note", role: "status" });
  #rows: Row[] = [];
  #items: HTMLElement[] = [];
  #drawn = "";
  #at = 0;

  constructor(listeners: Listeners, state: CardsState, view: Home) {
    this.#state = state;
    this.#view = view;
    this.#list = make("div", {
      class: "alw-earlier-list",
      role: "listbox",
      tabindex: 0,
      "aria-label": "Earlier cards, newest first",
      ...OWN,
    });
    this.root = make(
      "div",
      { class: "alw-earlier", role: "dialog", "aria-label": "Earlier cards", hidden: true },
      make("p", { class: "alw-help-title" }, "Earlier cards"),
      this.#list,
      make("div", { class: "alw-earlier-foot" }, this.#more, this.#note),
    );
    listeners.dom(this.#more, "click", () => state.past.loadMore());
    listeners.dom(this.#list, "click", (event) => {
      const item = (event.target as Element).closest<HTMLElement>("[role=option]");
      if (item) this.#choose(this.#items.indexOf(item));
    });
  }

  get open(): boolean {
    return !this.root.hidden;
  }

  toggle(open = !this.open): void {
    if (open === this.open) return;
    this.root.hidden = !open;
    if (!open) {
      this.#view.focus();
      return;
    }
    this.#at = 0;
    this.#drawn = "";
    this.#state.past.open();
    this.paint();
    this.#focus();
  }

  paint(): void {
    if (this.#state.groups.open) this.root.hidden = true; // it lies over the card, and the keys are the group's
    if (!this.open) return;
    const { past } = this.#state;
    const { rows } = past;
    const drawn = JSON.stringify(rows);
    if (drawn !== this.#drawn) {
      this.#drawn = drawn;
      this.#draw(rows);
    }
    this.#more.hidden = !past.more;
    this.#more.disabled = past.loading;
    if (this.#more === this.root.ownerDocument.activeElement && this.#more.matches("[hidden], :disabled"))
      this.#focus();
    const none = past.loading ? "Asking the kernel…" : rows.length === 0 ? "Nothing was answered yet." : "";
    setText(this.#note, none || (past.more ? "" : "That is all."));
  }

  /** A key pressed in here. Returns whether it was used. */
  keydown(event: KeyboardEvent): boolean {
    const { key } = event;
    const button = (event.target as Element).closest("button") !== null;
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return false;
    if (key === "Escape" || (key.toLowerCase() === "b" && !event.repeat)) this.toggle(false);
    else if (button) return event.repeat && (key === "Enter" || key === " ");
    else if (key === "Enter" && !event.repeat) this.#choose(this.#at);
    else {
      const place = { ArrowDown: 1, ArrowUp: -1, PageDown: PAGE, PageUp: -PAGE }[key];
      if (place !== undefined) this.#go(this.#at + place);
      else if (key === "Home" || key === "End") this.#go(key === "Home" ? 0 : this.#rows.length - 1);
      else return key === " " || key === "Enter";
    }
    return true;
  }

  #go(place: number): void {
    if (place >= this.#rows.length) this.#state.past.loadMore();
    this.#items[this.#at]?.setAttribute("aria-selected", "false");
    this.#at = Math.max(0, Math.min(this.#rows.length - 1, place));
    this.#focus();
  }

  #choose(place: number): void {
    const row = this.#rows[place];
    if (!row) return;
    this.toggle(false);
    this.#state.past.choose(row.item_id);
  }

  #focus(): void {
    for (const [i, item] of this.#items.entries()) item.tabIndex = i === this.#at ? 0 : -1;
    const item = this.#items[this.#at];
    item?.setAttribute("aria-selected", "true");
    const target = item ?? this.#list;
    target.focus({ preventScroll: true });
    target.scrollIntoView?.({ block: "nearest" });
  }

  #draw(rows: Row[]): void {
    const active = this.root.ownerDocument.activeElement;
    const held = this.root.contains(active) && active?.closest("button") === null;
    const before = this.#rows[this.#at]?.item_id;
    this.#rows = rows;
    this.#items = rows.map((row) => this.#item(row));
    this.#list.replaceChildren(...this.#items);
    this.#list.tabIndex = rows.length > 0 ? -1 : 0;
    const same = rows.findIndex((row) => row.item_id === before);
    this.#at = Math.max(0, same);
    if (held) this.#focus();
    else if (this.#items[this.#at]) this.#items[this.#at]!.tabIndex = 0;
  }

  #item(row: Row): HTMLElement {
    const { task } = this.#state;
    const code = row.kind === "answer" ? this.#state.codeOf(row.answer) : -1;
    const dot = make("span", { class: code < 0 ? "alw-dot alw-none" : "alw-dot", "aria-hidden": "true" });
    if (code >= 0) dot.style.setProperty("--alw-dot", classColour(task.codes[code] ?? 0));
    const name = row.kind === "skip" ? "skipped" : this.#state.nameOf(row.answer);
    return make(
      "div",
      { class: "alw-earlier-row", role: "option", tabindex: -1, "aria-selected": "false", ...OWN },
      dot,
      make("span", { class: "alw-earlier-answer", title: name }, name),
      make("span", { class: "alw-earlier-text", dir: "auto", title: row.comment ?? row.text }, row.text),
      row.flag
        ? make("span", { class: "alw-earlier-flag", role: "img", "aria-label": "flagged" }, icon(FLAG))
        : null,
      row.comment ? make("span", { class: "alw-earlier-remark" }, row.comment) : null,
      row.saved
        ? make("span", { class: "alw-earlier-at" }, when(row.at))
        : make("span", { class: "alw-earlier-at alw-waits" }, "not saved yet"),
    );
  }
}

const time = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });

/** The time of a day, or the day where that is not today. */
function when(at: string | null): string {
  const date = at === null ? null : new Date(at);
  if (!date || Number.isNaN(date.getTime())) return "";
  return date.toDateString() === new Date().toDateString() ? time.format(date) : day.format(date);
}
