import { make, setText } from "../shared/dom";
import type { Listeners } from "../shared/listeners";
import { cap, OWN } from "./parts";

/** The button that saves what was marked or written, and what that is. */
export class Save {
  readonly root: HTMLElement;
  readonly #what = make("span", { class: "alw-save-what" });
  readonly #cap = cap("Enter");
  readonly #button: HTMLButtonElement;

  constructor(listeners: Listeners, save: () => void, ...before: HTMLElement[]) {
    this.#button = make(
      "button",
      { type: "button", class: "alw-save", ...OWN },
      make("span", {}, "Save"),
      this.#cap,
    );
    this.root = make("div", { class: "alw-save-row" }, ...before, this.#what, this.#button);
    listeners.dom(this.#button, "click", save);
  }

  /** @param what is told beside the button. @param name is the button's, where "Save" is too little. */
  paint(what: string, name: string, disabled: boolean): void {
    setText(this.#what, what);
    this.#what.title = what;
    if (this.#button.getAttribute("aria-label") !== name) this.#button.setAttribute("aria-label", name);
    this.#button.disabled = disabled;
  }

  /** Says which key saves. */
  key(shown: string, keys: string): void {
    setText(this.#cap, shown);
    this.#button.setAttribute("aria-keyshortcuts", keys);
  }
}
