import { make } from "../shared/dom";
import type { Listeners } from "../shared/listeners";
import type { Task } from "../shared/messages";
import { Classes } from "./classes";
import { Labels } from "./labels";
import type { CardsState } from "./state";
import { TextBox } from "./textbox";

/** What an answer is given with. */
export interface AnswerInput {
  readonly root: HTMLElement;
  /** Where letters are typed: its keys are its own. */
  readonly field: HTMLInputElement | HTMLTextAreaElement;
  paint(state: CardsState): void;
  /** The key of a class was pressed. */
  choose(code: number): void;
  /** Enter was pressed on the card. */
  enter(): void;
  /** The suggestion was pressed. */
  accept(): void;
  /** A letter was typed on the card that means nothing else there. */
  type(text: string): void;
  /** A key pressed in the field. Returns whether it was used. */
  fieldKey(event: KeyboardEvent): boolean;
  /** A key that means nothing on the card. Returns whether it goes on in the field. */
  takes(event: KeyboardEvent): boolean;
}

/** Where an answer is given: classes to choose of, labels to mark, or a box to write in, as the task asks. */
export class Answers {
  readonly root = make("div", {});
  readonly #classes: Classes;
  readonly #labels: Labels;
  readonly #box: TextBox;
  #now: AnswerInput | null = null;

  /** @param home takes the focus when a field is done with. */
  constructor(listeners: Listeners, state: CardsState, home: () => void) {
    this.#classes = new Classes(listeners, state, home);
    this.#labels = new Labels(listeners, state, home);
    this.#box = new TextBox(listeners, state, home);
    this.#pick(state.task);
  }

  /** The one that the task asks for. */
  get now(): AnswerInput {
    return this.#now!;
  }

  paint(state: CardsState): void {
    this.#pick(state.task);
    this.now.paint(state);
  }

  #pick({ kind }: Task): void {
    const wanted = kind === "multilabel" ? this.#labels : kind === "text" ? this.#box : this.#classes;
    if (wanted === this.#now) return;
    this.#now = wanted;
    this.root.replaceChildren(wanted.root);
  }
}
