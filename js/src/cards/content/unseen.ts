import { make } from "../../shared/dom";

/** A word where there is nothing to see. */
export function unseen(text: string): HTMLElement {
  return make("p", { class: "alw-unseen" }, text);
}
