import { make } from "../../shared/dom";
import type { AudioContent } from "../../shared/messages";
import type { Context } from "./render";
import { unseen } from "./unseen";

/** Keys that the browser's player has a use for while it has the focus; all others are the cards'. */
const PLAYED = new Set([" ", "ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"]);

/** The browser's own player. It waits to be started. */
export function audio(content: AudioContent, context: Context): HTMLElement {
  const url = context.url(content);
  if (url === null) return unseen("No sound came with this card.");
  const player = make("audio", {
    class: "alw-audio",
    controls: true,
    preload: "metadata",
    tabindex: 0,
    "aria-label": content.alt,
    "data-lm-suppress-shortcuts": "true",
  });
  player.onerror = () => player.replaceWith(unseen("This sound cannot be played: its file is damaged."));
  player.src = url;
  return player;
}

/** Whether a key press is for the player that has the focus. */
export function isPlayers(event: KeyboardEvent): boolean {
  const plain = !(event.ctrlKey || event.metaKey || event.altKey);
  return plain && PLAYED.has(event.key) && (event.target as Element).localName === "audio";
}
