import { count, learning, make, set, setAttribute, setText } from "../shared/dom";
import type { CardsState } from "./state";

/** How far the labelling is, how fast it goes, what is saved and what the model is doing. */
export class Footer {
  readonly root: HTMLElement;
  readonly #bar: HTMLElement;
  readonly #fill: HTMLElement;
  readonly #labelled: HTMLElement;
  readonly #pace: HTMLElement;
  readonly #unsaved: HTMLElement;
  readonly #model: HTMLElement;
  readonly #pulse: HTMLElement;

  constructor() {
    this.#fill = make("div", { class: "alw-bar-fill" });
    this.#bar = make(
      "div",
      { class: "alw-bar", role: "progressbar", "aria-label": "Labelled", "aria-valuemin": 0 },
      this.#fill,
    );
    this.#labelled = make("span", { class: "alw-labelled" });
    this.#pace = make("span", { class: "alw-pace" });
    this.#unsaved = make("span", { class: "alw-unsaved" });
    this.#pulse = make("span", { class: "alw-pulse", "aria-hidden": "true" });
    this.#model = make("span", {});
    this.root = make(
      "div",
      { class: "alw-foot" },
      this.#bar,
      make(
        "div",
        { class: "alw-foot-row" },
        this.#labelled,
        this.#pace,
        make("span", { class: "alw-space" }),
        this.#unsaved,
        make("span", { class: "alw-model" }, this.#pulse, this.#model),
      ),
    );
  }

  paint(state: CardsState): void {
    const { status, labelled, waiting } = state;
    const total = status?.total ?? 0;
    this.#fill.style.setProperty("--alw-share", String(total > 0 ? Math.min(1, labelled / total) : 0));
    setAttribute(this.#bar, "aria-valuemax", Math.max(total, 1));
    setAttribute(this.#bar, "aria-valuenow", Math.min(labelled, Math.max(total, 1)));
    setText(this.#labelled, total > 0 ? `labelled ${count(labelled)} of ${count(total)}` : "");
    const rate = state.pace.perMinute;
    const left = state.pace.timeFor(total - labelled);
    const speed = rate === null ? "" : `${rate < 10 ? rate.toFixed(1) : Math.round(rate)} a minute`;
    setText(this.#pace, left === null ? speed : `${speed}, ${left} left`);

    const saved = status?.saved_to ? "saved" : "";
    setText(this.#unsaved, waiting > 0 ? `${count(waiting)} unsaved` : saved);
    this.#unsaved.classList.toggle("alw-late", waiting > 0 && state.late);
    set(this.#unsaved, { title: status?.saved_to ? `Labels are saved to ${status.saved_to}` : "" });

    const version = state.modelVersion;
    const training = status?.training ?? false;
    const name = version > 0 ? `model ${version}` : training ? "first model" : "no model yet";
    setText(this.#model, training ? `${name}, ${learning(status?.progress)}` : name);
    this.#pulse.classList.toggle("alw-on", training);
  }
}
