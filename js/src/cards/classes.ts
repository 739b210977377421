import type { Listeners } from "../shared/listeners";
import type { AnswerInput } from "./answers";
import { Choices } from "./choices";
import { isLong } from "./keys";
import type { CardsState } from "./state";

const FLASH = 300; // ms that a class shows that it was given

/** One class of several: choosing it is the answer. */
export class Classes implements AnswerInput {
  readonly #choices: Choices;
  readonly #listeners: Listeners;
  readonly #state: CardsState;
  #moment: (() => void) | null = null;

  constructor(listeners: Listeners, state: CardsState, home: () => void) {
    this.#listeners = listeners;
    this.#state = state;
    const chosen = (code: number, typed: boolean) => {
      if (typed) home();
      this.choose(code);
    };
    this.#choices = new Choices(listeners, { chosen, enter: () => {}, left: home }, "class", "Classes");
  }

  get root(): HTMLElement {
    return this.#choices.root;
  }

  get field(): HTMLInputElement {
    return this.#choices.filter;
  }

  paint(state: CardsState): void {
    this.#choices.paint(state);
    const group = state.groups.open;
    const shown = group ? null : state.deck.current;
    const idea = group ? group.chosen : (shown?.card.suggestion?.answer ?? null);
    this.#choices.mark("alw-suggested", idea === null ? [] : [state.codeOf(idea)]);
    const former = shown?.former != null ? [state.codeOf(shown.former)] : [];
    this.#choices.mark("alw-former", former, (button, on) => {
      if (on) button.setAttribute("aria-description", "your former answer");
      else button.removeAttribute("aria-description");
    });
  }

  choose(code: number): void {
    const { deck, groups } = this.#state;
    const showing = deck.phase === "showing" || groups.open !== null;
    if (groups.open) groups.give(code);
    else this.#state.answer(code);
    if (showing) this.#flash(code);
  }

  enter(): void {
    this.accept();
  }

  accept(): void {
    const suggestion = this.#state.deck.current?.card.suggestion;
    this.#state.accept();
    if (suggestion) this.#flash(this.#state.codeOf(suggestion.answer));
  }

  type(text: string): void {
    if (isLong(this.#state.task)) this.#choices.startFilter(text);
  }

  fieldKey(event: KeyboardEvent): boolean {
    return this.#choices.filterKey(event);
  }

  takes(): boolean {
    return false;
  }

  /**
   * Shows for a moment which class was given, unless the next is given within it: that would flicker, and every frame
   * drawn for it keeps a press that comes soon after waiting. Two steps, not an animation, which draws them all.
   */
  #flash(code: number): void {
    const button = this.#moment ? undefined : this.#choices.button(code);
    this.#moment?.();
    button?.classList.add("alw-given");
    const done = this.#listeners.timeout(() => this.#moment?.(), FLASH);
    this.#moment = () => {
      this.#moment = null;
      done();
      button?.classList.remove("alw-given");
    };
  }
}
