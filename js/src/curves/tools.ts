/** What is drawn of the curve, and what is asked of it: folded away until it is wanted. */
import { make, set, setText } from "../shared/dom";
import { newId } from "../shared/ids";
import type { Listeners } from "../shared/listeners";
import type { Cleanup } from "../shared/model";
import { AXES, type Axis, type Look, PER, type RoundsTrait, type ToolsTrait } from "./messages";

const OWN = { "data-lm-suppress-shortcuts": "true" };
/** How long a person pauses before what they are moving along is drawn. */
const PAUSE_MS = 150;
/** Where the slider stands while there is no target, in percent. */
const NO_TARGET = 90;

const AXIS_NAMES: Record<Axis, string> = {
  labels: "labels",
  minutes: "minutes of labelling",
  money: "money",
};

export interface ToolEvents {
  /** Draw this; the answer to it has the same id. */
  look(look: Look, id: string): void;
  /** Show a round; null for the newest. */
  round(version: number | null): void;
  png(): void;
  csv(): void;
}

export class Tools {
  readonly root: HTMLElement;
  readonly #events: ToolEvents;
  readonly #listeners: Listeners;
  readonly #metric = make("select", OWN);
  readonly #of = make("select", OWN);
  readonly #axis = make("select", OWN);
  readonly #target = number({ min: 1, max: 100, step: "any" });
  readonly #slider = make("input", { type: "range", min: 1, max: 100, step: 1, ...OWN });
  readonly #budget = number({ min: 1, step: 1 });
  readonly #cost = number({ min: 0, step: "any" });
  readonly #per = make("select", { "aria-label": "Cost of", ...OWN });
  readonly #currency = make("input", {
    type: "text",
    maxlength: 8,
    placeholder: "€",
    "aria-label": "Currency",
    autocomplete: "off",
    ...OWN,
  });
  readonly #round = make("select", OWN);
  readonly #forecast = check();
  readonly #hindsight = check();
  readonly #watched = check();
  readonly #byClass = check();
  readonly #remaining = check();
  readonly #trust = make("span", { class: "alw-tools-why" });
  readonly #note = make("p", { class: "alw-tools-note", role: "status" });
  readonly #png = button("PNG");
  readonly #csv = button("CSV");
  readonly #drawn = new Map<HTMLSelectElement, string>();
  /** What is wanted: what the kernel said last, and what the person changed since. */
  #look: Look | null = null;
  /** The change whose answer is still to come; empty if none is. */
  #awaited = "";
  #telling: Cleanup | null = null;
  #opening: Cleanup | null = null;

  constructor(listeners: Listeners, events: ToolEvents) {
    this.#events = events;
    this.#listeners = listeners;
    this.#slider.setAttribute("aria-label", "Target, in percent");
    this.#fill(
      this.#per,
      PER.map((per) => [per, `per ${per}`]),
    );
    const unit = (text: string) => make("span", { class: "alw-tools-unit" }, text);
    this.root = make(
      "div",
      { class: "alw-tools", role: "group", "aria-label": "Options of the curve", hidden: true },
      make(
        "div",
        { class: "alw-tools-fields" },
        field("Figure", this.#metric),
        field("Class", this.#of),
        field("Against", this.#axis),
        field("Round", this.#round),
        make("div", { class: "alw-tools-pair" }, field("Target", this.#target), unit("%"), this.#slider),
        make("div", { class: "alw-tools-pair" }, field("Budget", this.#budget), unit("labels")),
        make("div", { class: "alw-tools-pair" }, field("Cost", this.#cost), this.#currency, this.#per),
        make(
          "div",
          { class: "alw-tools-pair", role: "group", "aria-label": "Save" },
          make("span", { class: "alw-tools-name" }, "Save"),
          this.#png,
          this.#csv,
        ),
      ),
      tick(this.#forecast, "Forecast", this.#trust),
      tick(
        this.#hindsight,
        "In hindsight",
        "Every round from all audit labels that there are now, so that rounds can be compared; else from those that there were then.",
      ),
      tick(
        this.#watched,
        "Watchable",
        "The interval may be watched all the time: of each model by itself, it holds however often you look while audit labels come in. It is wider; else it is for one look at each point.",
      ),
      tick(this.#byClass, "Each class", "A small curve for every class, the lowest first."),
      tick(
        this.#remaining,
        "Remaining pool",
        "A dotted line as well: accuracy on what remains in the pool, from each batch before it is trained on. It costs no audit label, and gets easier as what is hard is labelled first.",
      ),
      this.#note,
    );
    this.#listen();
  }

  get isOpen(): boolean {
    return !this.root.hidden;
  }

  open(on: boolean): void {
    this.root.hidden = !on;
    if (on) this.#metric.focus();
  }

  show(tools: Partial<ToolsTrait>): void {
    const { look, metrics = [], classes = [], timed = false } = tools;
    setText(this.#trust, tools.forecast ?? "");
    setText(this.#note, tools.note ?? "");
    this.#note.hidden = !tools.note;
    if (!look) return;
    // The answer to an older change knows nothing of the newer one.
    if (tools.answered === this.#awaited) this.#awaited = "";
    if (this.#awaited === "") this.#look = look;
    this.#fill(
      this.#metric,
      metrics.map(({ by, name }) => [by, name]),
    );
    this.#fill(this.#of, [["", "all"], ...classes.map((name): [string, string] => [`=${name}`, name])]);
    const missing: Record<Axis, string> = {
      labels: "",
      minutes: timed ? "" : "too few cards were timed",
      money: this.#look?.cost == null ? "give a cost" : "",
    };
    this.#fill(
      this.#axis,
      AXES.map((axis) => [axis, AXIS_NAMES[axis] + (missing[axis] && ` (${missing[axis]})`)]),
    );
    for (const option of this.#axis.options) option.disabled = missing[option.value as Axis] !== "";
    this.#render();
  }

  showRounds({ all = [], shown = null }: Partial<RoundsTrait>): void {
    const rows = [...all].reverse().map(({ version, words }): [string, string] => [String(version), words]);
    this.#fill(this.#round, [["", "the newest"], ...rows]);
    this.#put(this.#round, shown === null ? "" : String(shown));
  }

  #render(): void {
    const look = this.#look;
    if (!look) return;
    this.#put(this.#metric, look.metric);
    this.#put(this.#of, look.of === null ? "" : `=${look.of}`);
    this.#put(this.#axis, look.axis);
    this.#put(this.#target, look.target === null ? "" : percent(look.target));
    this.#put(this.#slider, look.target === null ? String(NO_TARGET) : percent(look.target));
    this.#slider.classList.toggle("alw-tools-unset", look.target === null);
    this.#put(this.#budget, look.budget === null ? "" : String(look.budget));
    this.#put(this.#cost, look.cost === null ? "" : String(look.cost));
    this.#put(this.#per, look.per);
    this.#put(this.#currency, look.currency);
    set(this.#forecast, { checked: look.forecast });
    set(this.#hindsight, { checked: look.hindsight });
    set(this.#watched, { checked: look.method === "anytime" });
    set(this.#byClass, { checked: look.by_class });
    set(this.#remaining, { checked: look.remaining });
  }

  #listen(): void {
    const on = (element: HTMLElement, name: string, run: () => void) =>
      this.#listeners.dom(element, name, run);
    const changes: [HTMLElement, () => Partial<Look>][] = [
      [this.#metric, () => ({ metric: this.#metric.value })],
      [this.#of, () => ({ of: this.#of.value === "" ? null : this.#of.value.slice(1) })],
      [this.#axis, () => ({ axis: this.#axis.value as Axis })],
      [this.#target, () => ({ target: shareIn(this.#target) })],
      [this.#budget, () => ({ budget: wholeIn(this.#budget) })],
      [this.#cost, () => this.#costs(numberIn(this.#cost))],
      [this.#per, () => ({ per: this.#per.value as Look["per"] })],
      [this.#currency, () => ({ currency: this.#currency.value.trim() })],
      [this.#forecast, () => ({ forecast: this.#forecast.checked })],
      [this.#hindsight, () => ({ hindsight: this.#hindsight.checked })],
      [this.#watched, () => ({ method: this.#watched.checked ? "anytime" : "wilson" })],
      [this.#byClass, () => ({ by_class: this.#byClass.checked })],
      [this.#remaining, () => ({ remaining: this.#remaining.checked })],
    ];
    for (const [element, change] of changes)
      on(element, "change", () => {
        this.#want(change());
        this.#tell();
      });
    on(this.#slider, "input", () => {
      set(this.#target, { value: this.#slider.value });
      this.#want({ target: shareIn(this.#slider) });
      this.#telling = this.#soon(this.#telling, () => this.#tell());
    });
    // What was refused while the person was at its field goes once they leave it.
    on(this.root, "focusout", () => this.#render());
    on(this.#round, "change", () => {
      this.#opening = this.#soon(this.#opening, () => this.#open());
    });
    this.#listeners.dom(this.#round, "keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault(); // it would open the list
      this.#open();
    });
    on(this.#png, "click", () => this.#events.png());
    on(this.#csv, "click", () => this.#events.csv());
  }

  /** Does it once the person pauses, and what was to be done before not at all. */
  #soon(before: Cleanup | null, run: () => void): Cleanup {
    before?.();
    return this.#listeners.timeout(run, PAUSE_MS);
  }

  #open(): void {
    this.#opening?.();
    this.#events.round(this.#round.value === "" ? null : Number(this.#round.value));
  }

  /** Changes one thing of what is wanted; all else stays, whatever the fields show. */
  #want(change: Partial<Look>): void {
    if (!this.#look) return;
    this.#look = { ...this.#look, ...change };
    this.#awaited = newId();
  }

  #tell(): void {
    this.#telling?.();
    if (this.#look) this.#events.look(this.#look, this.#awaited);
  }

  /** A cost, and where it is taken away no axis of money. */
  #costs(cost: number | null): Partial<Look> {
    return cost === null && this.#look?.axis === "money" ? { cost, axis: "labels" } : { cost };
  }

  /** The entries of a list, made anew only when they are others: a list that is open must not close. */
  #fill(select: HTMLSelectElement, entries: [value: string, text: string][]): void {
    const drawn = JSON.stringify(entries);
    if (this.#drawn.get(select) === drawn) return;
    this.#drawn.set(select, drawn);
    const before = select.value;
    select.replaceChildren(...entries.map(([value, text]) => make("option", { value }, text)));
    if (entries.some(([value]) => value === before)) select.value = before;
  }

  /** The value of a field, unless a person is at it. */
  #put(element: HTMLInputElement | HTMLSelectElement, value: string): void {
    const isTyped = element instanceof HTMLInputElement && element.ownerDocument.activeElement === element;
    if (!isTyped) set(element as HTMLInputElement, { value });
  }
}

/** 0.955 as "95.5". */
function percent(share: number): string {
  return String(Math.round(1000 * share) / 10);
}

/** What a field of numbers holds; null where it is empty or none. */
function numberIn(input: HTMLInputElement): number | null {
  const value = Number(input.value);
  return input.value.trim() === "" || !Number.isFinite(value) ? null : value;
}

/** What a field of percents holds, as a share. */
function shareIn(input: HTMLInputElement): number | null {
  const value = numberIn(input);
  return value === null ? null : value / 100;
}

function wholeIn(input: HTMLInputElement): number | null {
  const value = numberIn(input);
  return value === null ? null : Math.round(value);
}

function number(limits: Record<string, string | number>): HTMLInputElement {
  return make("input", { type: "number", inputmode: "decimal", ...limits, ...OWN });
}

function check(): HTMLInputElement {
  return make("input", { type: "checkbox", ...OWN });
}

function button(text: string): HTMLButtonElement {
  return make("button", { type: "button", "aria-label": `Save as ${text}`, ...OWN }, text);
}

function field(name: string, input: HTMLElement): HTMLElement {
  return make("label", { class: "alw-tools-field" }, make("span", { class: "alw-tools-name" }, name), input);
}

function tick(input: HTMLInputElement, name: string, why: string | HTMLElement): HTMLElement {
  const words = typeof why === "string" ? make("span", { class: "alw-tools-why" }, why) : why;
  words.id = newId();
  input.setAttribute("aria-describedby", words.id);
  return make("div", { class: "alw-tools-tick" }, make("label", {}, input, ` ${name}`), words);
}
