import { handBack } from "../shared/handback";
import type { Answers } from "./answers";
import type { Aside } from "./aside";
import type { Comment } from "./comment";
import type { Editor } from "./editor";
import type { Guidelines } from "./guidelines";
import type { Help } from "./help";
import { type Action, actionOf } from "./keys";
import type { Reasons } from "./reasons";
import type { Stage } from "./stage";
import type { CardsState } from "./state";

/** What the keys of a view reach. */
export interface Reach {
  readonly root: HTMLElement;
  readonly stage: Stage;
  readonly answers: Answers;
  readonly comment: Comment;
  readonly guidelines: Guidelines;
  readonly editor: Editor;
  readonly help: Help;
  readonly reasons: Reasons;
  readonly aside: Aside;
  toggleHelp(open?: boolean): void;
  toggleWhy(): void;
  toggleEditor(): void;
}

/** Whose a key is: that of a field, of a panel that is open, or of the card. */
export class Keyboard {
  readonly #state: CardsState;
  readonly #reach: Reach;

  constructor(state: CardsState, reach: Reach) {
    this.#state = state;
    this.#reach = reach;
  }

  press(event: KeyboardEvent): void {
    event.stopPropagation(); // the notebook has keys of its own
    const target = event.target as Element;
    if (target === this.#reach.answers.now.field) {
      if (this.#reach.answers.now.fieldKey(event)) event.preventDefault();
      return;
    }
    if (target.matches(".alw-comment-input")) {
      if (this.#reach.comment.key(event)) event.preventDefault();
      return;
    }
    if (this.#reach.guidelines.root.contains(target) && this.#reach.guidelines.key(event)) return;
    if (this.#reach.editor.root.contains(target)) {
      if (event.key === "Escape") this.#reach.toggleEditor();
      return;
    }
    if (this.#reach.aside.keydown(event)) return;
    if (target.closest("button") && (event.key === "Enter" || event.key === " ")) {
      if (event.repeat) event.preventDefault(); // a button clicks again and again while Enter is held
      return;
    }
    const action = actionOf(this.#state.remap.read(event), this.#state.keys);
    if (action === null) {
      if (event.repeat && (event.key === " " || event.key === "Backspace")) event.preventDefault();
      else if (this.#state.deck.current && !this.#state.paused) this.#reach.answers.now.takes(event);
      return;
    }
    event.preventDefault();
    if (this.#reach.help.open && action.do === "scroll") {
      this.#reach.help.scroll(action.pages);
      return;
    }
    if (this.#reach.help.open && action.do !== "help") {
      this.#reach.toggleHelp(false);
      if (action.do === "leave") return;
    }
    if (this.#reach.editor.open && action.do === "leave") {
      this.#reach.toggleEditor();
      return;
    }
    if (this.#reach.reasons.open && action.do !== "why") {
      this.#reach.reasons.close();
      if (action.do === "leave") return;
    }
    if (this.#state.paused && !["pause", "help", "leave"].includes(action.do)) return;
    this.#act(action);
  }

  #act(action: Action): void {
    switch (action.do) {
      case "earlier":
        this.#reach.aside.earlier.toggle();
        break;
      case "search":
        this.#reach.aside.search.toggle();
        break;
      case "why":
        this.#reach.toggleWhy();
        break;
      case "edit":
        if (this.#state.task.kind === "classification") this.#reach.toggleEditor();
        else this.#reach.answers.now.type("e"); // where it does nothing it is a letter
        break;
      case "pause":
        this.#state.pause();
        break;
      case "answer":
        this.#reach.answers.now.choose(action.code);
        break;
      case "accept":
        this.#reach.answers.now.enter();
        break;
      case "comment":
        this.#reach.comment.toggle();
        break;
      case "guide":
        if (this.#state.guidelines) this.#reach.guidelines.toggle();
        else this.#reach.answers.now.type("g");
        break;
      case "skip":
        this.#state.skip();
        break;
      case "undo":
        this.#state.undo();
        break;
      case "redo":
        this.#state.redo();
        break;
      case "flag":
        this.#state.flag();
        break;
      case "filter":
        this.#reach.answers.now.type(action.text);
        break;
      case "scroll":
        this.#reach.stage.scroll(action.pages);
        break;
      case "pan":
        this.#reach.stage.pan(action.pages);
        break;
      case "zoom":
        if (!this.#reach.stage.zoom()) this.#reach.answers.now.type("z");
        break;
      case "help":
        this.#reach.toggleHelp();
        break;
      case "leave":
        if (this.#reach.stage.unzoom()) break;
        if (this.#reach.comment.open) this.#reach.comment.close(true);
        else if (this.#reach.guidelines.open) this.#reach.guidelines.toggle(false);
        else handBack(this.#reach.root);
        break;
    }
  }
}
