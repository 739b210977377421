import { make } from "../../shared/dom";
import type { CardContent, PairContent } from "../../shared/messages";

/** Two contents side by side; where there is no room, one below the other. */
export function pair(content: PairContent, part: (content: CardContent) => HTMLElement): HTMLElement {
  const side = (name: string, inner: CardContent) =>
    make("div", { class: "alw-side", role: "group", "aria-label": name }, part(inner));
  return make("div", { class: "alw-pair" }, side("Left", content.left), side("Right", content.right));
}
