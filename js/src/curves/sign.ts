/** The stop sign: whether to go on labelling and why, what more labels are worth, and an offer to pick otherwise. */

import { make, setText } from "../shared/dom";
import { handBack } from "../shared/handback";
import type { Listeners } from "../shared/listeners";
import type { StrategyMessage } from "./messages";

/** What the sign says; what is empty or missing is not shown. */
export interface Advice {
  stop?: boolean;
  title?: string;
  reason?: string;
  worth?: string;
  /** Why random cards would do better, in words. */
  losing?: string;
  /** What went wrong with an offer that was taken. */
  problem?: string;
}

export class Sign {
  readonly root: HTMLElement;
  readonly #title = make("strong", { class: "alw-sign-title" });
  readonly #reason = make("span");
  readonly #worth = make("p", { class: "alw-sign-worth" });
  readonly #evidence = make("span");
  readonly #switch = make(
    "button",
    { type: "button", class: "alw-button alw-sign-switch", "data-lm-suppress-shortcuts": "true" },
    "Draw cards at random",
  );
  readonly #offer = make("p", { class: "alw-sign-offer" }, this.#evidence, this.#switch);
  readonly #line = make(
    "p",
    { class: "alw-sign-line" },
    make("span", { class: "alw-sign-mark", "aria-hidden": "true" }),
    this.#title,
    " ",
    this.#reason,
  );

  constructor(listeners: Listeners, send: (message: StrategyMessage) => void) {
    this.root = make("div", { class: "alw-sign" }, this.#line, this.#worth, this.#offer);
    listeners.dom(this.#switch, "click", () => send({ type: "strategy", name: "random" }));
    listeners.dom(this.#switch, "keydown", (event) => {
      if (event.key === "Escape") handBack(this.root);
    });
  }

  show(advice: Advice): void {
    this.root.hidden = !(advice.reason || advice.worth || advice.losing || advice.problem);
    this.root.dataset.stop = String(advice.stop ?? false);
    this.#line.hidden = !advice.reason;
    setText(this.#title, advice.title ?? "");
    setText(this.#reason, advice.reason ?? "");
    this.#worth.hidden = !advice.worth;
    setText(this.#worth, advice.worth ?? "");
    this.#offer.hidden = !(advice.losing || advice.problem);
    setText(this.#evidence, advice.problem || advice.losing || "");
    this.#switch.hidden = !advice.losing;
  }
}
