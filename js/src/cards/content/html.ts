import { make } from "../../shared/dom";
import type { HtmlContent } from "../../shared/messages";
import { cleaned } from "./clean";

/** On paper: markup brings colours of its own, made for a white page. */
const PAPER = `
:host { color-scheme: light; color: #1f1f1f; background: #fff; }
* { box-sizing: border-box; max-width: 100%; }
img { height: auto; }
table { border-collapse: collapse; }
td, th { padding: 2px 8px; text-align: start; vertical-align: top; }
pre { white-space: pre-wrap; }
a { color: #0b57d0; text-decoration: underline; }
:host > div > :first-child { margin-top: 0; }
:host > div > :last-child { margin-bottom: 0; }
`;

const clean = new WeakMap<HtmlContent, DocumentFragment>();

/** Whether markup was cleaned before. */
export const isPrepared = (content: HtmlContent) => clean.has(content);

/** Cleans markup before its card is on screen: much of it takes longer than a key press may. */
export function prepared(content: HtmlContent): DocumentFragment {
  let fragment = clean.get(content);
  if (!fragment) {
    fragment = cleaned(content.markup) ?? new DocumentFragment();
    const seen = fragment.textContent?.trim() || fragment.querySelector("img");
    if (!seen) fragment.replaceChildren(content.text || "Nothing of this markup can be shown.");
    clean.set(content, fragment);
  }
  return fragment;
}

/** Markup, cleaned, behind a shadow root: its styles stay inside, those of the page outside. */
export function html(content: HtmlContent): HTMLElement {
  const host = make("div", { class: "alw-html", dir: "auto" });
  const root = host.attachShadow({ mode: "open" });
  const shown = prepared(content).cloneNode(true);
  root.append(make("style", {}, PAPER), make("div", {}, shown));
  return host;
}
