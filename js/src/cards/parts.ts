import { make } from "../shared/dom";

export const FLAG = "M4 14V2.5h7.5l-1.8 3.2 1.8 3.3H4";
export const PENCIL = "M3 13l.7-3L10.5 3.2l2.3 2.3L6 12.3z";
export const CLOCK = "M8 4.5V8l2.3 1.6M8 2a6 6 0 1 1-.01 0";
export const TILES = "M2.5 2.5h4.5v4.5H2.5zM9 2.5h4.5v4.5H9zM2.5 9h4.5v4.5H2.5zM9 9h4.5v4.5H9z";
/** Keys pressed here are none of JupyterLab's. */
export const OWN = { "data-lm-suppress-shortcuts": "true" };

/** Where the keyboard is at home. */
export interface Home {
  focus(): void;
}

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
