/** Elements made by the DOM API only: what comes from a pool ends in text nodes and attributes, never in markup. */

type Attributes = Record<string, string | number | boolean | null | undefined>;
type Child = Node | string | null | undefined;

function fill(element: Element, attributes: Attributes, children: Child[]): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children) if (child !== null && child !== undefined) element.append(child);
}

/** An element with attributes and children; strings become text nodes. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  fill(element, attributes, children);
  return element;
}

/** An icon of 16 by 16, drawn with the text's colour and hidden from screen readers. */
export function icon(...paths: string[]): SVGSVGElement {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  fill(svg, { viewBox: "0 0 16 16", class: "alw-icon", "aria-hidden": "true", focusable: "false" }, []);
  for (const d of paths) {
    const path = document.createElementNS(space, "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}

const number = new Intl.NumberFormat("en");

/** 1102 as "1,102". */
export function count(n: number): string {
  return number.format(n);
}

/** A share of 0 to 1 as whole percent: 0.934 as "93 %", never "100 %" for what is only nearly sure. */
export function percent(share: number): string {
  const whole = Math.round(share * 100);
  return `${share < 1 && whole === 100 ? 99 : share > 0 && whole === 0 ? 1 : whole} %`;
}

/** That a model is being fitted, and how far that has come where it is known. */
export function learning(progress: number | null | undefined): string {
  return typeof progress === "number" ? `learning ${percent(progress)}` : "learning…";
}

// What a view draws it draws whole, at every change. For a write the browser works out styles again, whether or not it
// changes anything, so these write only what differs.

/** Sets properties. */
export function set<T extends object, K extends keyof T>(on: T, values: Pick<T, K>): void {
  for (const key in values) if (on[key] !== values[key]) on[key] = values[key];
}

/** Sets an attribute, or takes it off for null. */
export function setAttribute(element: Element, name: string, value: string | number | null): void {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, String(value));
}

/** Sets the text. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
