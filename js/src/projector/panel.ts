/** The panel beside the map: edge cases, the points by colour, more like one of them, and slices; rows with a cursor. */
import { count, icon, make, set, setAttribute, setText } from "../shared/dom";
import type { Listeners } from "../shared/listeners";
import type { Cleanup } from "../shared/model";
import type { Colouring } from "./codecs";
import { ListChoice } from "./listchoice";
import { coloursOf } from "./looks";
import type { Source } from "./messages";
import type { Change } from "./parts";
import { LikeLine, Rows } from "./rows";
import type { MapState } from "./state";
import { listed, ordered, waiting } from "./words";

const OWN = { "data-lm-suppress-shortcuts": "true" };
const BACK = "M9.5 3.5 5 8l4.5 4.5";
const AHEAD = "M6.5 3.5 11 8l-4.5 4.5";
const AGAIN = ["M13 8a5 5 0 1 1-1.5-3.6", "M13.3 2.2v2.9h-2.9"];
const CROSS = "M4 4l8 8M12 4l-8 8";
/** Rows that a page key passes. */
const STRIDE = 10;

export interface PanelEvents {
  /** The panel was closed, or left with Escape: the focus goes back to the map. */
  leave(): void;
  /** The point that the list is at; null for none. */
  point(index: number | null): void;
  toggled(open: boolean): void;
}

function act(name: string, key: string, title: string): HTMLButtonElement {
  const attributes = { type: "button", class: "alw-map-act", title, "aria-keyshortcuts": key, ...OWN };
  return make("button", attributes, name);
}

function small(name: string, title: string, ...paths: string[]): HTMLButtonElement {
  const attributes = { type: "button", class: "alw-map-small", "aria-label": name, title, ...OWN };
  return make("button", attributes, icon(...paths));
}

export class Panel {
  readonly root: HTMLElement;
  readonly #state: MapState;
  readonly #events: PanelEvents;
  readonly #rows = new Rows();
  readonly #back = small("Back to the list before", "Back (Esc)", BACK);
  readonly #choice: ListChoice;
  readonly #again = small("List anew", "List anew, with what is known by now", ...AGAIN);
  readonly #close = small("Close the panel", "Close (Esc)", CROSS);
  readonly #order = act("", "R", "Reverse the order (R)");
  readonly #only = act("Selection only", "", "List the selected points only");
  readonly #how = make("div", { class: "alw-map-how" }, this.#order, this.#only);
  readonly #like = new LikeLine();
  readonly #list = make("div", {
    class: "alw-map-list",
    role: "listbox",
    tabindex: 0,
    "aria-multiselectable": "true",
    ...OWN,
  });
  readonly #note = make("p", { class: "alw-map-listed", role: "status" });
  readonly #select = act("Select", "Space", "Select it, or no longer (Space)");
  readonly #next = act("Label next", "Enter", "Put the selection, or else this, on the next cards (Enter)");
  readonly #more = act("More like this", "M", "List the items that are most like it (M)");
  readonly #take = act("Select", "Enter", "Select the items of this slice (Enter)");
  readonly #delete = act("Delete", "Delete", "Delete this slice (Del)");
  readonly #undo = act("Undo", "Control+Z", "Have the slice back that was deleted (Ctrl Z)");
  readonly #earlier = small("Rows before", "Rows before", BACK);
  readonly #later = small("Rows after", "Rows after", AHEAD);
  readonly #range = make("span", { class: "alw-map-span" });
  readonly #pager = make("div", { class: "alw-map-pager" }, this.#earlier, this.#range, this.#later);
  #using: Cleanup | null = null;
  #slice = 0;
  #revealed: HTMLElement | null = null;
  #pointed: number | null = null;
  #table: { colouring: Colouring | null; dark: boolean; colours: string[] } | null = null;
  #isDark = false;

  constructor(listeners: Listeners, state: MapState, events: PanelEvents) {
    this.#state = state;
    this.#events = events;
    this.#choice = new ListChoice(listeners, state.lists);
    const actions = [this.#select, this.#next, this.#more, this.#take, this.#delete, this.#undo];
    this.root = make(
      "div",
      { class: "alw-map-panel", role: "group", "aria-label": "Panel", hidden: true },
      make("div", { class: "alw-map-panel-head" }, this.#back, this.#choice.root, this.#again, this.#close),
      this.#how,
      this.#like.root,
      this.#list,
      this.#note,
      this.#pager,
      make("div", { class: "alw-map-acts" }, ...actions),
    );
    const on = (element: HTMLElement, run: () => void) => listeners.dom(element, "click", run);
    const { lists } = state;
    on(this.#back, () => this.#goBack());
    on(this.#again, () => lists.again());
    on(this.#close, () => this.open(false));
    on(this.#order, () => this.#reverse());
    on(this.#only, () => lists.ofSelection(!lists.isOfSelection));
    on(this.#select, () => this.#toggle());
    on(this.#next, () => this.#label());
    on(this.#more, () => this.#moreLikeThis());
    on(this.#take, () => this.#slices("select"));
    on(this.#delete, () => this.#slices("delete"));
    on(this.#undo, () => this.#restore());
    on(this.#earlier, () => this.#page(-1));
    on(this.#later, () => this.#page(1));
    listeners.dom(this.#list, "pointerdown", () => this.#list.focus({ preventScroll: true }));
    listeners.dom(this.#list, "click", (event) => this.#click(event));
    listeners.dom(this.root, "keydown", (event) => this.#key(event));
    listeners.add(() => this.#rows.dispose());
    listeners.add(() => this.#like.paint(null));
    listeners.add(() => this.#using?.());
  }

  get isOpen(): boolean {
    return !this.root.hidden;
  }

  /** Shows the panel and gives it the keyboard, or closes it. */
  open(on: boolean): void {
    if (on !== this.isOpen) {
      this.root.hidden = !on;
      this.#using?.();
      this.#using = on ? this.#state.lists.use() : null;
      this.#events.toggled(on);
    }
    if (on) this.#list.focus({ preventScroll: true });
    else this.#events.leave();
    this.paint("list");
  }

  /** Lists what is most like an item. */
  similar(index: number): void {
    this.#state.lists.similar(index);
    this.open(true);
  }

  set isDark(dark: boolean) {
    this.#isDark = dark;
    this.paint("colours");
  }

  paint(change: Change): void {
    if (!this.isOpen) {
      if (change === "list") this.#point(null);
      return;
    }
    if (change === "list" || change === "colours") this.#paintList();
    if (change === "list" || change === "colours" || change === "selection") this.#paintRows();
  }

  #paintList(): void {
    const { lists, colouring } = this.#state;
    const { list, isSlicing, isWaiting, slices } = lists;
    this.#choice.paint();
    set(this.#back, { hidden: !lists.canGoBack });
    const isNew =
      isSlicing || !list
        ? this.#rows.drawSlices(this.#list, slices ?? [])
        : this.#rows.draw(this.#list, list);
    if (isNew) this.#list.scrollTop = 0;
    setAttribute(this.#list, "aria-busy", String(isWaiting));
    setAttribute(this.#list, "aria-label", listed(lists, colouring));
    setAttribute(this.#list, "aria-multiselectable", String(!isSlicing));
    const total = isSlicing ? (slices?.length ?? 0) : (list?.total ?? 0);
    const none = isSlicing ? "No slice is kept yet. Select some points and press K." : list?.note;
    const undo = isSlicing && lists.deleted !== null ? `“${lists.deleted}” is deleted.` : "";
    setText(
      this.#note,
      isWaiting && total === 0 ? waiting(lists) : undo || (total === 0 ? (none ?? "") : ""),
    );
    set(this.#note, { hidden: this.#note.textContent === "" });
    this.#like.paint(isSlicing ? null : (list?.like ?? null));
    this.#paintPager(total);
    this.#slice = Math.max(0, Math.min(this.#slice, total - 1));
    const place = isSlicing ? this.#slice : (list?.at ?? 0) - (list?.start ?? 0);
    const option = this.#rows.at(this.#list, place);
    // Once: what the person scrolls or moves afterwards stays there.
    if (option && option !== this.#revealed) this.#reveal(option);
    this.#revealed = option;
    this.#point(lists.row?.index ?? null);
  }

  #point(index: number | null): void {
    if (index !== this.#pointed) this.#events.point(index);
    this.#pointed = index;
  }

  #paintRows(): void {
    const { lists, selection, colouring } = this.#state;
    const { list, isSlicing, row } = lists;
    const of = isSlicing ? undefined : list?.of;
    set(this.#how, { hidden: of?.kind !== "points" });
    if (of?.kind === "points") {
      setText(this.#order, ordered(colouring, of.descending));
      set(this.#only, { hidden: selection.length === 0 });
      setAttribute(this.#only, "aria-pressed", String(lists.isOfSelection));
    }
    const colours = this.#colours();
    const colourOf = (index: number) => colours[colouring?.codes[index] ?? 0] ?? colours[0]!;
    if (list && !isSlicing) this.#rows.paint(list.rows, selection, colourOf);
    for (const button of [this.#select, this.#next, this.#more]) {
      set(button, { hidden: isSlicing });
      button.disabled = row === null;
    }
    if (selection.length > 0) this.#next.disabled = this.#state.queueing;
    const isSelected = row !== null && Array.prototype.includes.call(selection, row.index);
    setText(this.#select, isSelected ? "Deselect" : "Select");
    const isEmpty = (lists.slices?.length ?? 0) === 0;
    for (const button of [this.#take, this.#delete]) set(button, { hidden: !isSlicing || isEmpty });
    set(this.#undo, { hidden: !isSlicing || lists.deleted === null });
  }

  #paintPager(total: number): void {
    const { list, isSlicing } = this.#state.lists;
    const first = list?.start ?? 0;
    const last = first + (list?.rows.length ?? 0);
    set(this.#earlier, { hidden: isSlicing || total <= last - first, disabled: first === 0 });
    set(this.#later, { hidden: isSlicing || total <= last - first, disabled: last >= total });
    const range = `${count(first + 1)}–${count(last)} of ${count(total)}`;
    const all = total === 1 ? "1 row" : `${count(total)} rows`;
    setText(this.#range, total === 0 ? "" : this.#later.hidden ? all : range);
    set(this.#pager, { hidden: total === 0 || isSlicing });
  }

  #colours(): string[] {
    const { colouring } = this.#state;
    if (this.#table?.colouring !== colouring || this.#table.dark !== this.#isDark)
      this.#table = { colouring, dark: this.#isDark, colours: coloursOf(colouring, this.#isDark) };
    return this.#table.colours;
  }

  /** Scrolls the list alone: the notebook stays where it is. */
  #reveal(option: HTMLElement): void {
    const { offsetTop: top, offsetHeight: height } = option;
    if (top < this.#list.scrollTop) this.#list.scrollTop = top;
    else if (top + height > this.#list.scrollTop + this.#list.clientHeight)
      this.#list.scrollTop = top + height - this.#list.clientHeight;
  }

  #click(event: MouseEvent): void {
    const k = this.#rows.indexOf(event.target);
    if (k < 0) return;
    const { lists } = this.#state;
    if (lists.isSlicing) {
      this.#slice = k;
      this.paint("list");
      this.#slices("select");
      return;
    }
    const rank = (lists.list?.start ?? 0) + k;
    if (event.shiftKey) this.#extend(rank);
    else lists.go(rank);
    const isTick = (event.target as Element).closest(".alw-map-tick") !== null;
    if (!event.shiftKey && (isTick || event.ctrlKey || event.metaKey)) this.#toggle();
  }

  #key(event: KeyboardEvent): void {
    event.stopPropagation();
    if (event.isComposing) return;
    if (event.key === "Escape") {
      event.preventDefault();
      if (!this.#goBack()) this.open(false);
      return;
    }
    if (event.target !== this.#list) return; // buttons and the choice have keys of their own
    if (this.#run(event)) event.preventDefault();
  }

  /** Does what a key on the list stands for; false where it stands for nothing. */
  #run(event: KeyboardEvent): boolean {
    const { lists } = this.#state;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (event.ctrlKey || event.metaKey) {
      if (key === "a" && !lists.isSlicing) this.#selectPage();
      else if (key === "z" && lists.isSlicing) this.#restore();
      else return false;
      return true;
    }
    if (event.altKey) return false;
    const total = lists.isSlicing ? (lists.slices?.length ?? 0) : (lists.list?.total ?? 0);
    const at = lists.isSlicing ? this.#slice : (lists.list?.at ?? 0);
    const to = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + STRIDE,
      PageUp: at - STRIDE,
      Home: 0,
      End: total - 1,
    }[key];
    if (to !== undefined) this.#go(Math.max(0, Math.min(total - 1, to)), event.shiftKey);
    else if (key === "e") this.open(false);
    else if (lists.isSlicing) {
      if (key === "Enter" || key === " ") this.#slices("select");
      else if (key === "Delete") this.#slices("delete");
      else return false;
    } else if (key === " ") this.#toggle();
    else if (key === "Enter") this.#label();
    else if (key === "t") this.#label("together");
    else if (key === "m") this.#moreLikeThis();
    else if (key === "r") this.#reverse();
    else if (key === "Backspace") this.#goBack();
    else return false;
    return true;
  }

  #go(place: number, extend: boolean): void {
    if (!this.#state.lists.isSlicing) {
      if (extend) this.#extend(place);
      else this.#state.lists.go(place);
      return;
    }
    this.#slice = place;
    this.paint("list");
  }

  #page(by: -1 | 1): void {
    const { list } = this.#state.lists;
    if (list) this.#state.lists.go(by > 0 ? list.start + list.rows.length : list.start - 1);
    this.#list.focus({ preventScroll: true });
  }

  #goBack(): boolean {
    const isBack = this.#state.lists.back();
    if (isBack) this.#list.focus({ preventScroll: true });
    return isBack;
  }

  #reverse(): void {
    const of = this.#state.lists.list?.of;
    if (of?.kind === "points") this.#state.lists.points(!of.descending);
  }

  get #source(): Source {
    return this.#state.lists.list?.of.kind === "edge_cases" ? "edge cases" : "list";
  }

  #toggle(): void {
    const { row } = this.#state.lists;
    if (row) this.#state.toggleSelected(row.index, this.#source);
  }

  /** Selects all rows from the one that the person is at to another one. */
  #extend(rank: number): void {
    const { lists } = this.#state;
    const { list } = lists;
    if (!list) return;
    const [from, to] = [Math.min(list.at, rank), Math.max(list.at, rank)];
    this.#add(list.rows.slice(Math.max(0, from - list.start), to - list.start + 1).map((row) => row.index));
    lists.go(rank);
  }

  #selectPage(): void {
    this.#add((this.#state.lists.list?.rows ?? []).map((row) => row.index));
  }

  #add(indices: readonly number[]): void {
    const both = new Set([...Array.from(this.#state.selection), ...indices]);
    this.#state.select(Uint32Array.from(both), this.#source);
  }

  #label(how: "next" | "together" = "next"): void {
    if (this.#state.selection.length === 0) this.#toggle();
    this.#state.label(how);
  }

  #moreLikeThis(): void {
    const { row } = this.#state.lists;
    if (row) this.similar(row.index);
  }

  #slices(what: "select" | "delete"): void {
    const slice = this.#state.lists.slices?.[this.#slice];
    if (slice) this.#state.lists.slice(what, slice.name);
    if (what === "delete") this.#list.focus({ preventScroll: true });
  }

  #restore(): void {
    const { deleted } = this.#state.lists;
    if (deleted !== null) this.#state.lists.slice("restore", deleted);
    this.#list.focus({ preventScroll: true });
  }
}
