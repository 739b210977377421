import type { CardContent, ImageContent } from "../../shared/messages";
import type { FileContent } from "../blobs";
import { audio } from "./audio";
import { fields } from "./fields";
import { html } from "./html";
import { pair } from "./pair";
import { table } from "./table";
import { text } from "./text";
import { unseen } from "./unseen";

/** What the stage gives to those who draw. */
export interface Context {
  /** The URL of a file, or null where none came. */
  url: (file: FileContent) => string | null;
  /** The image, decoded ahead where possible, or null where none came. */
  image: (file: ImageContent) => HTMLImageElement | null;
}

/** Draws a content; one that is `inside` another is drawn smaller. */
export function render(content: CardContent, context: Context, inside = false): HTMLElement {
  switch (content.kind) {
    case "text":
      return text(content, inside);
    case "image":
      return context.image(content) ?? unseen("No image came with this card.");
    case "audio":
      return audio(content, context);
    case "table":
      return table(content);
    case "html":
      return html(content);
    case "pair":
      return pair(content, (part) => render(part, context, true));
    case "fields":
      return fields(content, (part) => render(part, context, true));
    default:
      return unseen("This page is older than the kernel's alwidgets. Reload the page.");
  }
}
