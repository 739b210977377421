import { count, icon, make, setText } from "../../shared/dom";
import type { Listeners } from "../../shared/listeners";
import type { Card } from "../../shared/messages";
import { classColour } from "../../shared/palette";
import { rowsOf } from "../help";
import { CROSS, cap, type Home, OWN } from "../parts";
import { Pause } from "../pause";
import type { CardsState } from "../state";
import { placeFor, REST } from "./cursor";
import type { Group } from "./group";
import { gridActionOf, outKey } from "./keys";
import { ideaOf, type Look, Tile } from "./tile";
import { aim, keyRange, lesson, promise, size } from "./words";

/** Where the keyboard is before the grid comes and after it is gone, and where classes are found by their letters. */
export interface GridHome extends Home {
  startFilter(text: string): void;
}

/** Items to label together, in place of the card. */
export class Grid {
  readonly root: HTMLElement;
  readonly #state: CardsState;
  readonly #view: GridHome;
  readonly #title = make("span", { class: "alw-together-title" });
  readonly #size = make("span", { class: "alw-together-size" });
  readonly #number = make("span", {});
  readonly #list: HTMLElement;
  readonly #rest: HTMLElement;
  readonly #restDot = make("span", { class: "alw-dot", "aria-hidden": "true" });
  readonly #restName = make("span", { class: "alw-for-rest-name" });
  readonly #promise = make("span", { class: "alw-promise" });
  readonly #accept = make("button", { type: "button", class: "alw-act alw-accept", ...OWN });
  readonly #acceptText = make("span", {});
  readonly #out = make("button", { type: "button", class: "alw-act alw-leave-out", ...OWN });
  readonly #outText = make("span", {});
  readonly #outCap = cap("X");
  readonly #byKey = make("span", { class: "alw-by-key" });
  readonly #byTouch = make("span", { class: "alw-by-touch" });
  readonly #keys = headButton("Keys of the grid", "?");
  readonly #close = headButton("Close without labelling", icon(CROSS));
  readonly #help = make("div", { class: "alw-help", role: "dialog", "aria-label": "Keys", hidden: true });
  readonly #pause: Pause;
  #group: Group | null = null;
  #sampling = false;
  #tiles: Tile[] = [];

  constructor(listeners: Listeners, state: CardsState, view: GridHome) {
    this.#state = state;
    this.#view = view;
    this.#pause = new Pause(listeners, () => state.pause(false));
    this.#rest = make(
      "div",
      {
        class: "alw-for-rest",
        role: "option",
        tabindex: 0,
        "aria-selected": "true",
        "data-place": REST,
        ...OWN,
      },
      make("span", { class: "alw-for-rest-label" }, "The rest"),
      this.#restDot,
      this.#restName,
      this.#promise,
    );
    this.#list = make("div", {
      class: "alw-items",
      role: "listbox",
      "aria-label": "Items to label together",
      "aria-multiselectable": "true",
      "data-lm-suppress-shortcuts": "true",
    });
    const hint = make("p", { class: "alw-together-hint" }, this.#byKey, this.#byTouch);
    this.#accept.append(this.#acceptText, cap("Enter"));
    this.#out.append(this.#outText, this.#outCap);
    this.root = make(
      "div",
      { class: "alw-card alw-together", role: "group", "aria-label": "Label together", hidden: true },
      make(
        "div",
        { class: "alw-card-head" },
        this.#title,
        this.#size,
        make("span", { class: "alw-space" }),
        this.#keys,
        this.#close,
      ),
      this.#list,
      make("div", { class: "alw-together-foot" }, this.#accept, this.#out, hint),
      this.#pause.root,
      this.#help,
    );
    listeners.dom(this.#list, "click", (event) => this.#click(event));
    listeners.dom(this.#accept, "click", () => state.groups.accept());
    listeners.dom(this.#out, "click", () => state.groups.leaveOut());
    listeners.dom(this.#close, "click", () => state.groups.close());
    listeners.dom(this.#keys, "click", () => this.#toggleHelp());
  }

  /** Puts the focus where the keyboard is in the grid; false where there is no grid. */
  focus(): boolean {
    if (!this.#group || this.root.hidden) return false;
    const at = this.#element(this.#group.cursor.at);
    at.focus({ preventScroll: true });
    at.scrollIntoView?.({ block: "nearest" });
    return true;
  }

  paint(): void {
    const group = this.#state.groups.open;
    const { root } = this;
    const active = root.ownerDocument.activeElement;
    const came = group !== this.#group || (group?.isSampling ?? false) !== this.#sampling;
    if (came) {
      this.#group = group;
      this.#sampling = group?.isSampling ?? false;
      this.#toggleHelp(false);
      const left = group === null && root.contains(active);
      root.hidden = group === null;
      this.#build(group);
      if (left) this.#view.focus();
    }
    if (!group) return;
    this.#pause.paint(this.#state);
    this.#paintRest(group);
    this.#paintItems(group);
    this.#paintFoot(group);
    const view = root.closest("[data-view]");
    const follows = this.#list.contains(active) && active !== this.#element(group.cursor.at);
    if (follows || (came && view?.contains(active))) this.focus();
  }

  /** A key pressed while the grid is there. Returns whether it is dealt with. */
  keydown(event: KeyboardEvent): boolean {
    const group = this.#group;
    if (!group) return false;
    const target = event.target as Element;
    if (target.closest("button, input") && (event.key === "Enter" || event.key === " ")) return false;
    if (target.localName === "input") return false;
    const action = gridActionOf(event, this.#state.keys);
    if (!action) {
      if (event.repeat && (event.key === " " || event.key === "Backspace")) event.preventDefault();
      return true;
    }
    event.preventDefault();
    if (!this.#help.hidden && action.do !== "help") {
      this.#toggleHelp(false);
      if (action.do === "leave") return true;
    }
    const { groups, paused } = this.#state;
    if (paused && !["pause", "help"].includes(action.do)) return action.do !== "leave";
    const { cursor } = group;
    switch (action.do) {
      case "move": {
        const place = placeFor(action.key, cursor.at, this.#shape());
        if (place !== null) cursor.to(place, action.step);
        break;
      }
      case "toggle":
        cursor.toggle();
        break;
      case "all":
        cursor.all();
        break;
      case "answer":
        groups.give(action.code);
        return true;
      case "out":
        groups.leaveOut();
        return true;
      case "accept":
        groups.accept();
        return true;
      case "undo":
        this.#state.undo();
        return true;
      case "redo":
        this.#state.redo();
        return true;
      case "pause":
        this.#state.pause();
        return true;
      case "filter":
        this.#view.startFilter(action.text);
        return true;
      case "help":
        this.#toggleHelp();
        return true;
      case "leave":
        groups.close();
        return true;
    }
    groups.moved();
    return true;
  }

  #element(place: number): HTMLElement {
    return this.#tiles[place]?.root ?? this.#rest;
  }

  #shape() {
    const style = getComputedStyle(this.#list).gridTemplateColumns;
    const columns = Math.max(1, style.split(" ").filter((track) => track.endsWith("px")).length);
    const row = this.#tiles[0]?.root.offsetHeight || 1;
    return { size: this.#tiles.length, columns, rows: Math.floor(this.#list.clientHeight / row) - 1 };
  }

  #build(group: Group | null): void {
    const { blobs } = this.#state;
    const cards = group?.shown ?? [];
    this.#tiles = cards.map((card, place) => new Tile(card, place, (file) => blobs.url(file)));
    const thumbs = cards.length > 0 && cards.every((card) => card.content.kind === "image");
    this.#list.classList.toggle("alw-thumbs", thumbs);
    this.#list.replaceChildren(this.#rest, ...this.#tiles.map((tile) => tile.root));
    this.#list.scrollTop = 0;
    if (!group) return;
    setText(this.#title, group.title || "Label together");
    this.#title.title = group.title;
    const more = group.answered > 0 ? `, ${count(group.answered)} more have an answer` : "";
    this.#size.replaceChildren(this.#number, make("span", { class: "alw-together-more" }, more));
  }

  #paintRest(group: Group): void {
    const { rest, cursor } = group;
    this.#rest.tabIndex = cursor.at === REST ? 0 : -1;
    this.#rest.setAttribute("aria-selected", String(cursor.targets.length === 0));
    this.#restDot.style.setProperty("--alw-dot", this.#colour(rest) ?? "transparent");
    this.#restDot.classList.toggle("alw-none", rest === null);
    setText(this.#restName, rest === null ? "choose a class" : this.#state.nameOf(rest));
    this.#rest.classList.toggle("alw-open", rest === null);
    setText(this.#number, size(group));
    this.#size.title = lesson(group);
    setText(
      this.#promise,
      promise(group, (answer) => this.#state.nameOf(answer)),
    );
  }

  #paintItems(group: Group): void {
    const targets = new Set(group.cursor.targets);
    for (const [place, card] of group.shown.entries()) {
      const look = this.#look(group, card);
      const at = place === group.cursor.at;
      this.#tiles[place]!.paint({ ...look, selected: targets.has(place), at });
    }
  }

  #look(group: Group, card: Card): Omit<Look, "selected" | "at"> {
    const { item_id: id } = card;
    const own = group.own(id);
    const answer = own ?? group.rest;
    if (group.gone.has(id)) {
      return { verdict: "answered elsewhere", colour: null, state: "gone", idea: "" };
    }
    const idea = ideaOf(card, answer, (a) => this.#state.nameOf(a));
    if (group.isOut(id)) return { verdict: "left out", colour: null, state: "out", idea };
    if (answer === null) return { verdict: "no answer yet", colour: null, state: "open", idea };
    const verdict = this.#state.nameOf(answer);
    return { verdict, colour: this.#colour(answer), state: own === null ? "rest" : "own", idea };
  }

  #paintFoot(group: Group): void {
    const { given, open } = group.outcome;
    const { targets } = group.cursor;
    const all = group.isSampling;
    this.#accept.disabled = this.#state.paused || (given.length === 0 && !all) || open > 0;
    setText(
      this.#acceptText,
      all ? `Go on to all ${count(group.cards.length)}` : `Label ${count(given.length)}`,
    );
    this.#out.disabled = this.#state.paused || targets.length === 0;
    const allOut = targets.length > 0 && targets.every((i) => group.isOut(group.cards[i]!.item_id));
    setText(this.#outText, allOut ? "Take in" : "Leave out");
    setText(this.#outCap, outKey(this.#state.keys));
    const keys = keyRange(this.#state.keys);
    const go = targets.length === 0 ? "Arrows go to the items." : "Home goes back to the rest.";
    setText(this.#byKey, `${keys || "The classes"} answer ${aim(group)}. ${go}`);
    setText(this.#byTouch, `The classes below answer ${aim(group)}.`);
  }

  #colour(answer: Group["rest"]): string | null {
    const code = this.#state.codeOf(answer);
    return answer === null || code < 0 ? null : classColour(this.#state.task.codes[code] ?? 0);
  }

  #click(event: MouseEvent): void {
    const group = this.#group;
    const target = event.target as Element;
    const item = target.closest<HTMLElement>("[data-place]");
    if (!group || !item || this.#state.paused) return;
    const place = Number(item.dataset.place);
    if (target.closest("[data-out]")) {
      group.cursor.to(place);
      this.#state.groups.leaveOut([place]);
      return;
    }
    if (event.ctrlKey || event.metaKey) group.cursor.toggle(place);
    else group.cursor.to(place, event.shiftKey ? "extend" : "go");
    this.#state.groups.moved();
  }

  #toggleHelp(open = this.#help.hidden): void {
    this.#help.hidden = !open;
    this.#keys.setAttribute("aria-expanded", String(open));
    if (!open) return;
    const { keys } = this.#state;
    const rows: [string, string][] = [
      ["Arrows", "go from item to item; with Shift they select"],
      [keyRange(keys), "answer of the items selected, or of the rest"],
      [outKey(keys), "leave an item out, or take it in again"],
      ["Enter", "label all that is not left out; of a sample, go on to all"],
      ["Home", "back to the line for the rest"],
      ["Space", "select an item, or not"],
      ["Ctrl A", "select all"],
      ["Backspace", "take the last choice back (Ctrl Z too)"],
      ["Ctrl Y", "do again what was taken back"],
      ["P", "pause, or go on"],
      ["?", "show or hide this list"],
      ["Esc", "close without labelling; undo brings it back"],
    ];
    const title = make("p", { class: "alw-help-title" }, "Keys");
    this.#help.replaceChildren(title, make("dl", { class: "alw-help-rows" }, ...rowsOf(rows)));
  }
}

function headButton(label: string, ...children: (Node | string)[]): HTMLButtonElement {
  return make(
    "button",
    { type: "button", class: "alw-quiet alw-help-button", "aria-label": label, title: label, ...OWN },
    ...children,
  );
}
