import { make } from "../shared/dom";
import type { Listeners } from "../shared/listeners";
import type { AnswerInput } from "./answers";
import { draftOf, isUnsaved, write } from "./drafts";
import { isComposing } from "./keys";
import { OWN } from "./parts";
import { Save } from "./save";
import type { CardsState } from "./state";

const LONGEST = 10_000;
/** Where a line ends, as Python sees it. */
const BREAK = /\r\n?|[\n\v\f\u0085\p{Zl}\p{Zp}]/gu;

/** A text to write or to correct. */
export class TextBox implements AnswerInput {
  readonly root: HTMLElement;
  readonly field: HTMLTextAreaElement;
  readonly #save: Save;
  readonly #state: CardsState;
  readonly #home: () => void;
  #multiline: boolean | null = null;

  constructor(listeners: Listeners, state: CardsState, home: () => void) {
    this.#state = state;
    this.#home = home;
    this.field = make("textarea", {
      class: "alw-textbox",
      dir: "auto",
      "aria-label": "Text",
      "aria-multiline": "true",
      maxlength: LONGEST,
      autocomplete: "off",
      ...OWN,
    });
    this.#save = new Save(listeners, () => this.#give());
    this.root = make("div", { class: "alw-written" }, this.field, this.#save.root);
    listeners.dom(this.field, "input", () => this.#wrote());
  }

  paint(state: CardsState): void {
    const multiline = state.task.multiline ?? false;
    if (multiline !== this.#multiline) {
      this.#multiline = multiline;
      this.field.rows = multiline ? 6 : 2;
      if (multiline) this.#save.key("Ctrl Enter", "Control+Enter Meta+Enter");
      else this.#save.key("Enter", "Enter");
    }
    const shown = state.deck.current;
    const text = this.#text().replace(/\r\n?/g, "\n"); // as a box gives it back
    if (this.field.value !== text) this.field.value = text;
    this.field.readOnly = !shown || state.paused;
    const what = isUnsaved(state) ? "not saved yet" : shown?.former != null ? "as saved before" : "";
    this.#save.paint(what, "Save", !shown || state.paused);
  }

  choose(): void {}

  /** Goes on writing: what Enter saves is in the box. */
  enter(): void {
    this.field.focus({ preventScroll: true });
  }

  accept(): void {}

  type(text: string): void {
    this.enter();
    if (this.field.readOnly) return;
    const { selectionStart, selectionEnd } = this.field;
    this.field.setRangeText(text, selectionStart, selectionEnd, "end");
    this.#wrote();
  }

  fieldKey(event: KeyboardEvent): boolean {
    if (isComposing(event)) return false;
    if (event.key === "Escape") {
      this.#home();
      return true;
    }
    if (event.key !== "Enter" || event.altKey) return false;
    if (this.#multiline && (event.shiftKey || !(event.ctrlKey || event.metaKey))) return false;
    if (event.shiftKey) this.#state.say("This text has one line.");
    else if (!event.repeat) this.#give();
    return true;
  }

  /** The browser types the key into the box, which has the focus by then: so dead keys and input methods work. */
  takes(event: KeyboardEvent): boolean {
    const { key } = event;
    const graph = event.getModifierState("AltGraph");
    if (event.repeat || (!graph && (event.ctrlKey || event.metaKey || event.altKey))) return false;
    if ([...key].length !== 1 && key !== "Dead" && key !== "Process") return false;
    this.enter();
    return true;
  }

  #give(): void {
    if (this.#state.deck.current) this.#state.give(this.#text());
  }

  /** What stands in the box, and Enter saves. */
  #text(): string {
    return this.#fit(String(draftOf(this.#state) ?? ""));
  }

  #fit(text: string): string {
    return this.#multiline ? text : text.replace(BREAK, " ");
  }

  #wrote(): void {
    const { field } = this;
    const text = this.#fit(field.value);
    if (text !== field.value) {
      const at = field.selectionStart; // what was pasted keeps its length
      field.value = text;
      field.setSelectionRange(at, at);
    }
    write(this.#state, field.value);
  }
}
