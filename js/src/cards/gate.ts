import type { Listeners } from "../shared/listeners";
import type { CardsState } from "./state";

const FIELD = "input, textarea";
const PASS = new Set(["Escape", "Tab", "Shift", "Control", "Alt", "AltGraph", "Meta"]);

/**
 * Lets no key and no click through for as long as the guard says that they were meant for another card.
 *
 * @param refused one was not let through.
 */
export function gate(root: HTMLElement, listeners: Listeners, state: CardsState, refused: () => void): void {
  let typing = false; // whether the newest key went into a field: the words in it go on
  const stop = (event: Event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    refused();
  };
  const key = (event: KeyboardEvent) => {
    const hasty = state.hasty && !PASS.has(event.key) && !event.isComposing;
    if (!hasty) typing = (event.target as Element).matches(FIELD);
    else {
      if (typing) state.guard.renew();
      stop(event);
    }
  };
  listeners.dom(root, "keydown", key, { capture: true });
  listeners.dom(root, "click", (event) => state.hasty && stop(event), { capture: true });
}
