import { make } from "../shared/dom";

export const FLAG = "M4 14V2.5h7.5l-1.8 3.2 1.8 3.3H4";
export const PENCIL = "M3 13l.7-3L10.5 3.2l2.3 2.3L6 12.3z";
/** Keys pressed here are none of JupyterLab's. */
export const OWN = { "data-lm-suppress-shortcuts": "true" };

/** A quiet button with the key that does the same. */
export function button(name: string, key: string, label: string, ...children: Node[]): HTMLButtonElement {
  return make(
    "button",
    { type: "button", class: `alw-quiet alw-${name}`, "aria-keyshortcuts": key, ...OWN },
    ...children,
    make("span", {}, label),
  );
}

/** A key's cap. */
export const cap = (text: string) => make("kbd", { class: "alw-key", "aria-hidden": "true" }, text);
