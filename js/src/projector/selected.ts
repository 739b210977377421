/** What can be done with the selection: it takes the place of the caption below the map. */
import { count, icon, make, set, setText } from "../shared/dom";
import type { Listeners } from "../shared/listeners";
import type { MapState } from "./state";
import { button } from "./tools";

const OWN = { "data-lm-suppress-shortcuts": "true" };
const ALIKE = ["M5 3.5a2.2 2.2 0 1 1 0 4.4 2.2 2.2 0 0 1 0-4.4Z", "M11.5 4.5v4M9.5 6.5h4M3 12.5h10"];
const MARK = "M4 2.5h8v11L8 10.6l-4 2.9Z";
const FILE = ["M8 2.5v7.2M4.9 6.8 8 9.9l3.1-3.1", "M2.8 13.2h10.4"];
/** So many come as one grid, as Python has it. */
const AT_ONCE = 500;

export interface SelectionEvents {
  /** The focus goes back to the map. */
  leave(): void;
  /** List what is most like the one point that is selected. */
  alike(): void;
  /** Give the selection a name, to keep it as a slice. */
  keep(): void;
}

function labelling(name: string, words: string, key: string): HTMLButtonElement {
  return make(
    "button",
    { type: "button", class: `alw-map-${name}`, "aria-keyshortcuts": key, ...OWN },
    make("span", {}, words),
    make("kbd", { class: "alw-map-key", "aria-hidden": "true" }, key),
  );
}

export class SelectionBar {
  readonly root: HTMLElement;
  readonly #state: MapState;
  readonly #events: SelectionEvents;
  readonly #chosen = make("span", { class: "alw-map-chosen" });
  readonly #next = labelling("next", "Label these next", "Enter");
  readonly #together = labelling("together", "Together", "T");
  readonly #alike = button("More like this", "M", ...ALIKE);
  readonly #keep = button("Save as a slice", "K", MARK);
  readonly #save = button("Save as CSV", "C", ...FILE);
  readonly #clear = make(
    "button",
    {
      type: "button",
      class: "alw-map-clear",
      "aria-label": "Clear the selection",
      title: "Clear (Esc)",
      ...OWN,
    },
    icon("M4 4l8 8M12 4l-8 8"),
  );

  constructor(listeners: Listeners, state: MapState, events: SelectionEvents) {
    this.#state = state;
    this.#events = events;
    this.root = make(
      "div",
      { class: "alw-map-selection", hidden: true },
      this.#chosen,
      this.#next,
      this.#together,
      this.#alike,
      this.#keep,
      this.#save,
      this.#clear,
    );
    listeners.dom(this.#next, "click", () => state.label());
    listeners.dom(this.#together, "click", () => state.label("together"));
    listeners.dom(this.#alike, "click", () => events.alike());
    listeners.dom(this.#keep, "click", () => events.keep());
    listeners.dom(this.#save, "click", () => state.save());
    listeners.dom(this.#clear, "click", () => {
      state.select([]);
      events.leave();
    });
  }

  /** Draws it; returns the selection in words. */
  paint(): string {
    const { selection, queueing, saving } = this.#state;
    const n = selection.length;
    const focused = (this.root.getRootNode() as Document | ShadowRoot).activeElement;
    const hadFocus = this.root.contains(focused);
    set(this.root, { hidden: n === 0 });
    if (n === 0 && hadFocus) this.#events.leave();
    setText(this.#chosen, `${count(n)} selected`);
    set(this.#next, { disabled: queueing });
    const isPart = n > AT_ONCE;
    const title = isPart ? `The first ${AT_ONCE} come as one grid; the others stay selected` : "";
    set(this.#together, { disabled: queueing, title });
    setText(this.#together.firstElementChild!, isPart ? `First ${AT_ONCE} together` : "Together");
    set(this.#save, { disabled: saving });
    set(this.#alike, { hidden: n !== 1 });
    if (n === 0) return "";
    const together = isPart ? `the first ${AT_ONCE} together` : "together";
    return `${count(n)} selected. Enter labels them next, T ${together}.`;
  }
}
