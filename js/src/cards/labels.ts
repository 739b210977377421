import { make } from "../shared/dom";
import type { Listeners } from "../shared/listeners";
import type { Answer } from "../shared/messages";
import type { AnswerInput } from "./answers";
import { Choices } from "./choices";
import { draftOf, isUnsaved, write } from "./drafts";
import { isLong } from "./keys";
import { OWN } from "./parts";
import { Save } from "./save";
import type { CardsState } from "./state";

/** Any number of labels: each is marked or not, and Enter saves those that are. */
export class Labels implements AnswerInput {
  readonly root: HTMLElement;
  readonly #choices: Choices;
  readonly #save: Save;
  readonly #state: CardsState;
  readonly #pills = make("ul", { class: "alw-pills", "aria-label": "Marked", hidden: true });
  #marked: readonly number[] = [];
  #code = new Map<string, number>();

  constructor(listeners: Listeners, state: CardsState, home: () => void) {
    this.#state = state;
    const enter = () => {
      home();
      this.enter();
    };
    const chosen = (code: number) => this.choose(code);
    this.#choices = new Choices(listeners, { chosen, enter, left: home }, "label", "Labels");
    this.#save = new Save(listeners, () => this.enter(), this.#pills);
    this.#save.key(state.remap.cap("Enter"), state.remap.aria("Enter"));
    this.root = make("div", { class: "alw-labels" }, this.#choices.root, this.#save.root);
    listeners.dom(this.#pills, "click", (event) => {
      const pill = (event.target as Element).closest<HTMLElement>("[data-code]");
      if (!pill) return;
      home(); // it goes, and would take the focus with it
      this.choose(Number(pill.dataset.code));
    });
  }

  get field(): HTMLInputElement {
    return this.#choices.filter;
  }

  paint(state: CardsState): void {
    const anew = this.#choices.paint(state);
    if (anew) this.#learn(state);
    const shown = state.deck.current;
    const suggested = this.#codes(shown?.card.suggestion?.answer ?? null);
    const draft = draftOf(state);
    const marked = this.#codes(draft);
    const last = this.#marked;
    this.#choices.mark("alw-suggested", suggested, (button, on) => {
      if (on) button.setAttribute("aria-description", "suggested by the model");
      else button.removeAttribute("aria-description");
    });
    this.#choices.mark("alw-marked", marked, (button, on) => button.setAttribute("aria-pressed", String(on)));
    const names = shown ? state.nameOf(marked.map((code) => state.task.classes[code]!)) : "";
    const before = shown?.former != null && !isUnsaved(state) ? "as saved before" : "";
    const long = isLong(state.task);
    const told = long && marked.length > 0 ? "" : names;
    const what = [told, before].filter(Boolean).join(" · ");
    this.#save.paint(what, `Save ${names}`.trim(), !shown || state.paused);
    this.#pills.hidden = !long || marked.length === 0;
    const same = !anew && last.length === marked.length && last.every((code, i) => code === marked[i]);
    if (long && !same)
      this.#pills.replaceChildren(...marked.map((code) => pill(code, state.task.classes[code]!)));
    this.#marked = marked;
  }

  choose(code: number): void {
    const { answers } = this.#state.task;
    const label = answers[code];
    if (label === undefined) return;
    const marked = new Set(draftOf(this.#state) as string[] | null);
    const off = marked.delete(label as string);
    if (!off) marked.add(label as string);
    const draft = answers.filter((name) => marked.has(name as string)) as string[];
    write(this.#state, draft, `${label} ${off ? "no longer marked" : "marked"}.`);
  }

  enter(): void {
    const draft = draftOf(this.#state);
    if (draft !== null)
      this.#state.give(this.#codes(draft).map((code) => this.#state.task.answers[code] as string));
  }

  /** Marks what the model suggests, and nothing else. */
  accept(): void {
    const suggestion = this.#state.deck.current?.card.suggestion;
    if (suggestion) write(this.#state, suggestion.answer, `Marked ${this.#state.nameOf(suggestion.answer)}.`);
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

  #learn({ task }: CardsState): void {
    this.#code = new Map(task.answers.map((label, code) => [String(label), code]));
    for (const code of this.#code.values()) this.#choices.button(code)?.setAttribute("aria-pressed", "false");
  }

  /** Codes of the labels of an answer that are there, in their order. */
  #codes(answer: Answer): number[] {
    if (!Array.isArray(answer)) return [];
    return answer.flatMap((label) => this.#code.get(label) ?? []);
  }
}

/** A label that is marked: the list may be long, and it far down. */
function pill(code: number, name: string): HTMLElement {
  return make(
    "li",
    {},
    make(
      "button",
      { type: "button", class: "alw-pill", "data-code": code, "aria-label": `Take off ${name}`, ...OWN },
      make("span", { class: "alw-pill-name" }, name),
      make("span", { "aria-hidden": "true" }, "×"),
    ),
  );
}
