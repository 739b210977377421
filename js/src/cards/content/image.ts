import { make } from "../../shared/dom";
import type { ImageContent } from "../../shared/messages";
import { unseen } from "./unseen";

const SMALL = 128; // images up to this size are shown as the pixels they are

/** An image that begins to load at once, before it is on screen. */
export function image(content: ImageContent, url: string): HTMLImageElement {
  const { alt, width, height } = content;
  const element = make("img", { class: "alw-image", alt, draggable: "false", decoding: "sync" });
  element.classList.toggle("alw-pixels", Math.max(width, height) <= SMALL);
  element.onerror = () => element.replaceWith(unseen("This image cannot be shown: its file is damaged."));
  element.src = url;
  return element;
}
