import { make, setText } from "../shared/dom";
import type { Listeners } from "../shared/listeners";
import { palette } from "../shared/palette";
import { isLong } from "./keys";
import type { CardsState } from "./state";

const FLASH = 160; // ms that a class shows that it was given

/** The class buttons and, above ten classes, the box that filters them. */
export class Classes {
  readonly root: HTMLElement;
  readonly #filter: HTMLInputElement;
  readonly #filterRow: HTMLElement;
  readonly #none: HTMLElement;
  readonly #group: HTMLElement;
  readonly #press: (code: number) => void;
  readonly #left: () => void;
  #buttons: HTMLButtonElement[] = [];
  #names: readonly string[] = [];
  #matches: number[] = [];
  #picked = 0;
  #suggested = -1;
  #former = -1;
  #flashed: (() => void) | null = null;
  readonly #listeners: Listeners;

  /** @param press a class was chosen. @param left the filter is done with; the focus may go home. */
  constructor(listeners: Listeners, press: (code: number) => void, left: () => void) {
    this.#listeners = listeners;
    this.#press = press;
    this.#left = left;
    this.#filter = make("input", {
      type: "text",
      class: "alw-filter",
      placeholder: "Filter classes",
      "aria-label": "Filter classes",
      autocomplete: "off",
      spellcheck: "false",
      "data-lm-suppress-shortcuts": "true",
    });
    this.#filterRow = make(
      "div",
      { class: "alw-filter-row", hidden: true },
      this.#filter,
      make("kbd", { class: "alw-key", "aria-hidden": "true" }, "/"),
    );
    this.#none = make("p", { class: "alw-unseen", role: "status", hidden: true }, "No class matches.");
    this.#group = make("div", { class: "alw-classes", role: "group", "aria-label": "Classes" });
    this.root = make("div", { class: "alw-answers" }, this.#filterRow, this.#group, this.#none);
    listeners.dom(this.#filter, "input", () => this.#narrow());
    listeners.dom(this.#group, "click", (event) => {
      const button = (event.target as Element).closest<HTMLButtonElement>("button");
      const code = button ? this.#buttons.indexOf(button) : -1;
      if (code >= 0) this.#press(code);
    });
  }

  get filter(): HTMLInputElement {
    return this.#filter;
  }

  paint(state: CardsState): void {
    if (state.task.classes !== this.#names) this.#build(state);
    const group = state.groups.open;
    const shown = group ? null : state.deck.current;
    const idea = group ? group.chosen : (shown?.card.suggestion?.answer ?? null);
    const suggested = idea === null ? -1 : state.codeOf(idea);
    const former = shown?.former != null ? state.codeOf(shown.former) : -1;
    this.#mark("alw-suggested", this.#suggested, suggested);
    this.#mark("alw-former", this.#former, former);
    this.#buttons[this.#former]?.removeAttribute("aria-description");
    this.#buttons[former]?.setAttribute("aria-description", "your former answer");
    this.#suggested = suggested;
    this.#former = former;
    const idle = shown === null && !group;
    if (this.#buttons[0] && this.#buttons[0].disabled !== idle)
      for (const b of this.#buttons) b.disabled = idle;
  }

  /** Shows for a moment which class was given: two steps, not an animation, which would redraw the page at every frame. */
  flash(code: number): void {
    this.#flashed?.();
    const button = this.#buttons[code];
    if (!button) return;
    button.classList.add("alw-given");
    const done = this.#listeners.timeout(() => this.#flashed?.(), FLASH);
    this.#flashed = () => {
      this.#flashed = null;
      done();
      button.classList.remove("alw-given");
    };
  }

  /** Puts the focus into the filter, with a first letter typed already. */
  startFilter(text: string): void {
    this.#filter.value += text;
    this.#filter.focus({ preventScroll: true });
    this.#narrow();
  }

  clearFilter(): void {
    if (this.#filter.value === "") return;
    this.#filter.value = "";
    this.#narrow();
  }

  /** A key pressed inside the filter. Returns whether it was used. */
  filterKey(event: KeyboardEvent): boolean {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return false;
    switch (event.key) {
      case "Enter": {
        const code = this.#matches[this.#picked];
        if (!event.repeat && this.#filter.value !== "" && code !== undefined) {
          this.clearFilter();
          this.#left();
          this.#press(code);
        }
        return true;
      }
      case "Escape":
        this.clearFilter();
        this.#left();
        return true;
      case "ArrowDown":
      case "ArrowUp":
        this.#pick(this.#picked + (event.key === "ArrowDown" ? 1 : -1));
        return true;
    }
    return false;
  }

  #mark(name: string, before: number, after: number): void {
    if (before === after) return;
    this.#buttons[before]?.classList.remove(name);
    this.#buttons[after]?.classList.add(name);
  }

  #build(state: CardsState): void {
    this.#names = state.task.classes;
    this.#suggested = this.#former = -1;
    const colours = palette(Math.max(-1, ...state.task.codes) + 1);
    this.#buttons = this.#names.map((name, code) => {
      const key = state.keys[code] ?? null;
      const dot = make("span", { class: "alw-dot", "aria-hidden": "true" });
      dot.style.setProperty("--alw-dot", colours[state.task.codes[code]!]!);
      return make(
        "button",
        {
          type: "button",
          class: "alw-class",
          title: name,
          disabled: true,
          "aria-keyshortcuts": key,
          "data-lm-suppress-shortcuts": "true",
        },
        dot,
        make("span", { class: "alw-class-name" }, name),
        // where the name is its own key a cap would say it twice
        key === null || key === name ? null : make("kbd", { class: "alw-key", "aria-hidden": "true" }, key),
      );
    });
    this.#group.classList.toggle(
      "alw-terse",
      this.#names.every((name) => name.length <= 2),
    );
    const long = isLong(state.task);
    this.#group.classList.toggle("alw-many", long);
    this.#filterRow.hidden = !long;
    this.#group.replaceChildren(...this.#buttons);
    this.#filter.value = "";
    this.#narrow();
  }

  #narrow(): void {
    const wanted = this.#filter.value.trim().toLocaleLowerCase();
    const starts: number[] = [];
    const holds: number[] = [];
    this.#names.forEach((name, code) => {
      const at = name.toLocaleLowerCase().indexOf(wanted);
      this.#buttons[code]!.hidden = at < 0;
      if (at === 0) starts.push(code);
      else if (at > 0) holds.push(code);
    });
    this.#matches = [...starts, ...holds]; // what begins with the letters is meant first
    this.#none.hidden = this.#matches.length > 0;
    this.#pick(0);
  }

  #pick(at: number): void {
    this.#buttons[this.#matches[this.#picked] ?? -1]?.classList.remove("alw-picked");
    for (const b of this.#group.querySelectorAll(".alw-picked")) b.classList.remove("alw-picked");
    this.#picked = this.#matches.length === 0 ? 0 : (at + this.#matches.length) % this.#matches.length;
    if (this.#filter.value === "") return;
    const button = this.#buttons[this.#matches[this.#picked] ?? -1];
    button?.classList.add("alw-picked");
    button?.scrollIntoView?.({ block: "nearest" });
    setText(this.#none, "No class matches.");
  }
}
