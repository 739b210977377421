import { icon, make } from "../shared/dom";
import type { Listeners } from "../shared/listeners";
import type { CardsState, Notice } from "./state";

export const CROSS = "M4.5 4.5l7 7m0-7l-7 7";

/** What the person should know, each with its remedy and a button that puts it away. */
export class Notices {
  readonly root: HTMLElement;
  readonly #shown = new Map<string, { notice: Notice; element: HTMLElement }>();

  constructor(listeners: Listeners, dismiss: (key: string) => void) {
    this.root = make("div", { class: "alw-notices" });
    listeners.dom(this.root, "click", (event) => {
      const key = (event.target as Element).closest<HTMLElement>("[data-dismiss]")?.dataset.dismiss;
      if (key) dismiss(key);
    });
  }

  paint(state: CardsState): void {
    const wanted = new Map(state.notices.map((n) => [n.key, n]));
    for (const [key, { notice, element }] of this.#shown) {
      const now = wanted.get(key);
      if (now && now.text === notice.text && now.remedy === notice.remedy) continue;
      element.remove();
      this.#shown.delete(key);
    }
    for (const notice of wanted.values()) {
      if (this.#shown.has(notice.key)) continue;
      const element = banner(notice);
      this.#shown.set(notice.key, { notice, element });
      this.root.append(element);
    }
  }
}

function banner({ key, tone, text, remedy }: Notice): HTMLElement {
  return make(
    "div",
    { class: `alw-notice alw-${tone}`, role: tone === "info" ? "status" : "alert" },
    make(
      "p",
      {},
      make("span", { class: "alw-notice-text" }, text),
      remedy ? make("span", { class: "alw-notice-remedy" }, ` ${remedy}`) : null,
    ),
    make(
      "button",
      {
        type: "button",
        class: "alw-quiet",
        "data-dismiss": key,
        "aria-label": "Dismiss this notice",
        "data-lm-suppress-shortcuts": "true",
      },
      icon(CROSS),
    ),
  );
}
