/** What a lasso took or left by mistake: says so above the plot, and puts it right at a press. */
import { count, make, set, setText } from "../shared/dom";
import type { Listeners } from "../shared/listeners";
import { combine, type How } from "./lasso";
import type { MapState } from "./state";

const OWN = { "data-lm-suppress-shortcuts": "true" };
const TITLE =
  "A map in two dimensions cannot keep all neighbours together. This compares with the items themselves: their 15 nearest neighbours.";

const button = () => make("button", { type: "button", class: "alw-map-mend", ...OWN });

export class GuardLine {
  readonly root: HTMLElement;
  readonly #state: MapState;
  readonly #out = button();
  readonly #in = button();

  constructor(listeners: Listeners, state: MapState, done: () => void) {
    this.#state = state;
    this.root = make(
      "div",
      { class: "alw-map-guard", role: "group", "aria-label": "The selection", title: TITLE, hidden: true },
      this.#out,
      this.#in,
    );
    listeners.dom(this.#out, "click", () => {
      this.#mend(state.guard?.doubtful, "subtract");
      done();
    });
    listeners.dom(this.#in, "click", () => {
      this.#mend(state.guard?.missing, "add");
      done();
    });
  }

  /** Draws what there is to say; returns it in words. */
  paint(): string {
    const { guard } = this.#state;
    const doubtful = guard?.doubtful.length ?? 0;
    const missing = guard?.missing.length ?? 0;
    set(this.root, { hidden: doubtful + missing === 0 });
    set(this.#out, { hidden: doubtful === 0 });
    set(this.#in, { hidden: missing === 0 });
    const least = guard?.sampled ? "at least " : "";
    const out = least + (doubtful === 1 ? "1 looks misplaced" : `${count(doubtful)} look misplaced`);
    const more = least + (missing === 1 ? "1 more belongs here" : `${count(missing)} more belong here`);
    setText(this.#out, `${out}: take out`);
    setText(this.#in, `${more}: add`);
    return [doubtful ? out : "", missing ? more : ""].filter(Boolean).join(", ");
  }

  #mend(indices: Uint32Array<ArrayBuffer> | undefined, how: How): void {
    const { points, selection } = this.#state;
    if (indices && points) this.#state.select(combine(selection, indices, how, points.n));
  }
}
