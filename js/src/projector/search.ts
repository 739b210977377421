/** The search box: what is found stands out on the map as one types; Enter selects it. */
import { count, make, percent, setText } from "../shared/dom";
import type { Listeners } from "../shared/listeners";
import type { Cleanup } from "../shared/model";
import type { MapState } from "./state";

const OWN = { "data-lm-suppress-shortcuts": "true" };
/** How long the person pauses before what was typed is looked for. */
const PAUSE_MS = 150;

export class SearchBox {
  readonly root: HTMLElement;
  readonly #state: MapState;
  readonly #listeners: Listeners;
  readonly #leave: () => void;
  readonly #input = make("input", {
    type: "search",
    class: "alw-map-search",
    "aria-label": "Search the items",
    "aria-keyshortcuts": "/",
    placeholder: "Search",
    title: 'Search (/): words, "an exact phrase", column:word, column>number, "a column"!=word',
    autocomplete: "off",
    spellcheck: "false",
    maxlength: 1000,
    ...OWN,
  });
  readonly #status = make("span", { class: "alw-map-hits", role: "status" });
  #pause: Cleanup | null = null;
  /** Enter was pressed before what was typed had been found. */
  #taking = false;

  /** @param leave gives the focus back to the map */
  constructor(listeners: Listeners, state: MapState, leave: () => void) {
    this.#listeners = listeners;
    this.#state = state;
    this.#leave = leave;
    this.root = make("div", { class: "alw-map-seek" }, this.#input, this.#status);
    listeners.dom(this.#input, "focus", () => {
      if (state.searched === "") state.search(""); // has the index begun
    });
    listeners.dom(this.#input, "input", () => this.#typed());
    listeners.dom(this.#input, "keydown", (event) => this.#key(event));
  }

  focus(): void {
    this.#input.focus({ preventScroll: true });
    this.#input.select();
  }

  paint(): void {
    const { found, indexing, searched } = this.#state;
    if (searched === "" && this.#input.value !== "" && !this.#pause) this.#input.value = "";
    const parts: string[] = [];
    const none = found === null && searched.trim() === "";
    if (found?.error) parts.push(found.error);
    else if (found) {
      parts.push(found.total === 1 ? "1 item" : `${count(found.total)} items`);
      if (found.indices.length < found.total) parts.push(`first ${count(found.indices.length)} shown`);
      if (found.read < found.n) parts.push(`in the first ${count(found.read)} of ${count(found.n)}`);
      if (found.hint) parts.push(found.hint);
    } else if (!none) parts.push("searching…");
    if (indexing !== null) parts.push(`indexing ${percent(indexing)}`);
    setText(this.#status, parts.join(" · "));
    this.#status.title = parts.join(" · ");
    this.#status.classList.toggle("alw-map-bad", Boolean(found?.error));
    this.#take();
  }

  #typed(): void {
    this.#taking = false;
    this.#pause?.();
    this.#pause = this.#listeners.timeout(() => this.#ask(), this.#input.value === "" ? 0 : PAUSE_MS);
  }

  #ask(): void {
    this.#pause?.();
    this.#pause = null;
    this.#state.search(this.#input.value);
    this.paint();
  }

  #key(event: KeyboardEvent): void {
    if (event.isComposing || (event.key !== "Enter" && event.key !== "Escape")) return;
    event.stopPropagation();
    event.preventDefault();
    if (event.key === "Enter") {
      this.#taking = this.#input.value.trim() !== "";
      if (this.#pause) this.#ask();
      else this.#take();
      return;
    }
    this.#taking = false;
    this.#input.value = "";
    this.#ask();
    this.#leave();
  }

  /** Selects what was found, once it is there. */
  #take(): void {
    const { found } = this.#state;
    if (!this.#taking || !found || found.error || found.indices.length === 0) return;
    this.#taking = false;
    this.#input.value = "";
    this.#state.takeFound();
    this.#leave();
  }
}
