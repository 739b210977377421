import { make } from "../shared/dom";
import type { Listeners } from "../shared/listeners";
import { palette } from "../shared/palette";
import { isComposing, isLong } from "./keys";
import { cap, OWN } from "./parts";
import type { CardsState } from "./state";

/** What a person does with the choices. */
export interface Choosing {
  /** One was chosen by its button, or by Enter in the filter. */
  chosen(code: number, typed: boolean): void;
  /** Enter in the filter with nothing typed. */
  enter(): void;
  /** The filter is done with: the focus may go home. */
  left(): void;
}

/** A button for each class and, above ten, a box that filters them. */
export class Choices {
  readonly root: HTMLElement;
  readonly filter: HTMLInputElement;
  readonly #filterRow: HTMLElement;
  readonly #none: HTMLElement;
  readonly #group: HTMLElement;
  readonly #does: Choosing;
  #buttons: HTMLButtonElement[] = [];
  #names: readonly string[] = [];
  #matches: number[] = [];
  #picked = 0;
  readonly #marked = new Map<string, readonly number[]>(); // by the name of a mark, who has it

  /** @param one what a choice is called. @param all what they are called together. */
  constructor(listeners: Listeners, does: Choosing, one: string, all: string) {
    this.#does = does;
    this.filter = make("input", {
      type: "text",
      class: "alw-filter",
      placeholder: `Filter ${all.toLowerCase()}`,
      "aria-label": `Filter ${all.toLowerCase()}`,
      autocomplete: "off",
      spellcheck: "false",
      ...OWN,
    });
    this.#filterRow = make("div", { class: "alw-filter-row", hidden: true }, this.filter, cap("/"));
    this.#none = make("p", { class: "alw-unseen", role: "status", hidden: true }, `No ${one} matches.`);
    this.#group = make("div", { class: "alw-classes", role: "group", "aria-label": all });
    this.root = make("div", { class: "alw-answers" }, this.#filterRow, this.#group, this.#none);
    listeners.dom(this.filter, "input", () => this.#narrow());
    listeners.dom(this.#group, "click", (event) => {
      const button = (event.target as Element).closest<HTMLButtonElement>("button");
      const code = button ? this.#buttons.indexOf(button) : -1;
      if (code >= 0) does.chosen(code, false);
    });
  }

  /** Draws the buttons anew where the classes changed; whether they did. */
  paint(state: CardsState): boolean {
    const anew = state.task.classes !== this.#names;
    if (anew) this.#build(state);
    const idle = state.deck.current === null && state.groups.open === null;
    if (this.#buttons[0] && this.#buttons[0].disabled !== idle)
      for (const b of this.#buttons) b.disabled = idle;
    return anew;
  }

  button(code: number): HTMLButtonElement | undefined {
    return this.#buttons[code];
  }

  /** Gives these buttons, and no others, a class; `tell` says it in their attributes. */
  mark(
    name: string,
    codes: readonly number[],
    tell?: (button: HTMLButtonElement, on: boolean) => void,
  ): void {
    const before = this.#marked.get(name) ?? [];
    if (before.length === codes.length && before.every((code, i) => code === codes[i])) return;
    this.#marked.set(name, codes);
    for (const [who, on] of [
      [before, false],
      [codes, true],
    ] as const) {
      for (const code of who) {
        const button = this.#buttons[code];
        if (!button) continue;
        button.classList.toggle(name, on);
        tell?.(button, on);
      }
    }
  }

  /** Puts the focus into the filter, with a first letter typed already. */
  startFilter(text: string): void {
    this.filter.value += text;
    this.filter.focus({ preventScroll: true });
    this.#narrow();
  }

  clearFilter(): void {
    if (this.filter.value === "") return;
    this.filter.value = "";
    this.#narrow();
  }

  /** A key pressed inside the filter. Returns whether it was used. */
  filterKey(event: KeyboardEvent): boolean {
    if (isComposing(event) || event.ctrlKey || event.metaKey || event.altKey) return false;
    switch (event.key) {
      case "Enter": {
        if (event.repeat) return true;
        const code = this.#matches[this.#picked];
        if (this.filter.value === "") this.#does.enter();
        else if (code !== undefined) {
          this.clearFilter();
          this.#does.chosen(code, true);
        }
        return true;
      }
      case "Escape":
        this.clearFilter();
        this.#does.left();
        return true;
      case "ArrowDown":
      case "ArrowUp":
        this.#pick(this.#picked + (event.key === "ArrowDown" ? 1 : -1));
        return true;
    }
    return false;
  }

  #build(state: CardsState): void {
    this.#names = state.task.classes;
    this.#marked.clear();
    const colours = palette(Math.max(-1, ...state.task.codes) + 1);
    this.#buttons = this.#names.map((name, code) => {
      const key = state.keys[code] ?? null;
      const dot = make("span", { class: "alw-dot", "aria-hidden": "true" });
      dot.style.setProperty("--alw-dot", colours[state.task.codes[code]!]!);
      return make(
        "button",
        { type: "button", class: "alw-class", title: name, disabled: true, "aria-keyshortcuts": key, ...OWN },
        dot,
        make("span", { class: "alw-class-name" }, name),
        // where the name is its own key a cap would say it twice
        key === null || key === name ? null : cap(key),
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
    this.filter.value = "";
    this.#narrow();
  }

  #narrow(): void {
    const wanted = this.filter.value.trim().toLocaleLowerCase();
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
    for (const b of this.#group.querySelectorAll(".alw-picked")) b.classList.remove("alw-picked");
    this.#picked = this.#matches.length === 0 ? 0 : (at + this.#matches.length) % this.#matches.length;
    if (this.filter.value === "") return;
    const button = this.#buttons[this.#matches[this.#picked] ?? -1];
    button?.classList.add("alw-picked");
    button?.scrollIntoView?.({ block: "nearest" });
  }
}
