import { make } from "../shared/dom";
import type { Listeners } from "../shared/listeners";
import type { ClassChange } from "../shared/messages";
import type { CardsState } from "./state";

const OWN = { "data-lm-suppress-shortcuts": "true" };

/** A form that changes the classes while somebody labels; shown over the card. */
export class Editor {
  readonly root: HTMLElement;
  readonly #added = field("Name of the new class", "new class");
  readonly #renamed = choice("Class to rename");
  readonly #name = field("Its new name", "new name");
  readonly #merged = choice("Class to merge");
  readonly #into = choice("Class that it becomes part of");
  #names: readonly string[] = [];

  constructor(listeners: Listeners, change: (what: ClassChange, name: string, to: string | null) => void) {
    const act = (form: HTMLFormElement, run: () => void) =>
      listeners.dom(form, "submit", (event) => {
        event.preventDefault();
        run();
      });
    const add = line("Add", this.#added);
    const rename = line("Rename", this.#renamed, "to", this.#name);
    const merge = line("Merge", this.#merged, "into", this.#into);
    this.root = make(
      "div",
      { class: "alw-editor", role: "dialog", "aria-label": "Classes", hidden: true },
      make("p", { class: "alw-help-title" }, "Classes"),
      add,
      rename,
      merge,
      make(
        "p",
        { class: "alw-editor-note" },
        "Labels follow: those given so far, and those still on their way.",
      ),
    );
    act(add, () => {
      const name = this.#added.value.trim();
      this.#added.value = "";
      if (name) change("add", name, null);
    });
    act(rename, () => {
      const to = this.#name.value.trim();
      this.#name.value = "";
      if (to) change("rename", this.#renamed.value, to);
    });
    act(merge, () => {
      if (this.#merged.value !== this.#into.value) change("merge", this.#merged.value, this.#into.value);
    });
  }

  get open(): boolean {
    return !this.root.hidden;
  }

  toggle(open = !this.open): void {
    this.root.hidden = !open;
    if (open) this.#added.focus({ preventScroll: true });
  }

  paint(state: CardsState): void {
    // as many options as classes, so not before somebody looks
    if (!this.open || state.task.classes === this.#names) return;
    this.#names = state.task.classes;
    for (const select of [this.#renamed, this.#merged, this.#into]) {
      const before = select.value;
      select.replaceChildren(...this.#names.map((name) => make("option", { value: name }, name)));
      if (this.#names.includes(before)) select.value = before;
    }
    if (this.#into.value === this.#merged.value && this.#names[1]) this.#into.value = this.#names[1];
  }
}

function field(label: string, placeholder: string): HTMLInputElement {
  return make("input", {
    type: "text",
    class: "alw-editor-input",
    "aria-label": label,
    placeholder,
    autocomplete: "off",
    spellcheck: "false",
    ...OWN,
  });
}

function choice(label: string): HTMLSelectElement {
  return make("select", { class: "alw-editor-input", "aria-label": label, ...OWN });
}

function line(verb: string, ...parts: (HTMLElement | string)[]): HTMLFormElement {
  const shown = parts.map((part) => (typeof part === "string" ? make("span", {}, part) : part));
  return make(
    "form",
    { class: "alw-editor-line" },
    ...shown,
    make("button", { type: "submit", class: "alw-act", ...OWN }, verb),
  );
}
