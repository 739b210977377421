import { make } from "../shared/dom";

export const FLAG = "M4 14V2.5h7.5l-1.8 3.2 1.8 3.3H4";
export const BUBBLE = "M2.5 3h11v7.5H8L5 13.2v-2.7H2.5z";
export const BOOK =
  "M8 4C6.6 3 4.6 2.8 2.5 3v9.2c2.1-.2 4.1 0 5.5 1 1.4-1 3.4-1.2 5.5-1V3C11.4 2.8 9.4 3 8 4zm0 0v9.2";
export const BARS = "M5.5 3.5v9m5-9v9";
export const CROSS = "M4.5 4.5l7 7m0-7l-7 7";
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
