import { make, setAttribute, setText } from "../../shared/dom";
import type { CardContent, Mark, TextContent } from "../../shared/messages";

const OWN = { "data-lm-suppress-shortcuts": "true" }; // it takes the focus where its lines are long

/** A text, or code: white space kept, and long lines scroll. */
export function text(content: TextContent, inside: boolean): HTMLElement {
  const nodes = marked(content.text, content.marks ?? []);
  if (content.code) {
    const name = content.language ? `Code, ${content.language}` : "Code";
    // its language is of no writing direction, whatever letters it begins with
    const code = make("code", { dir: "ltr", class: "alw-code" }, ...nodes);
    return make("pre", { class: "alw-code-box", role: "group", "aria-label": name, ...OWN }, code);
  }
  return make("p", { class: "alw-text", dir: "auto", "data-size": sizeOf(content.text, inside) }, ...nodes);
}

/** Puts a plain text in the place of another: quicker than a new element, for which a browser works out all styles. */
export function rewrite(element: Element | null, content: CardContent): boolean {
  if (content.kind !== "text" || content.code || content.marks?.length) return false;
  if (!element?.matches("p.alw-text")) return false;
  setAttribute(element, "data-size", sizeOf(content.text, false));
  setText(element, content.text);
  return true;
}

function sizeOf({ length }: string, inside: boolean): "short" | "medium" | "long" {
  return inside || length >= 320 ? "long" : length >= 80 ? "medium" : "short";
}

/** The text in pieces, those between the ends of a mark highlighted. Marks that overlap are cut short. */
export function marked(text: string, marks: readonly Mark[]): Node[] {
  if (marks.length === 0) return [document.createTextNode(text)];
  const places = unitsOf(text);
  const largest = Math.max(...marks.map(([, , weight]) => Math.abs(weight))) || 1;
  const nodes: Node[] = [];
  let done = 0;
  for (const [start, end, weight] of [...marks].sort((a, b) => a[0] - b[0])) {
    const from = Math.max(done, places[start] ?? text.length);
    const to = places[end] ?? text.length;
    if (to <= from) continue;
    if (from > done) nodes.push(document.createTextNode(text.slice(done, from)));
    const title = `Weight ${weight.toPrecision(2)}: speaks ${weight < 0 ? "against" : "for"} the suggestion`;
    const mark = make("mark", { class: "alw-mark", title }, text.slice(from, to));
    mark.classList.toggle("alw-against", weight < 0);
    mark.style.setProperty("--alw-weight", (Math.abs(weight) / largest).toFixed(2));
    nodes.push(mark);
    done = to;
  }
  if (done < text.length) nodes.push(document.createTextNode(text.slice(done)));
  return nodes;
}

/** Where each code point begins, in JavaScript's units; Python counts code points. */
function unitsOf(text: string): number[] {
  const places: number[] = [];
  let at = 0;
  for (const character of text) {
    places.push(at);
    at += character.length;
  }
  places.push(at);
  return places;
}
