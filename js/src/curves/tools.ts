/** What is drawn of the curve, and what is asked of it: folded away until it is wanted. */
import { make, set, setText } from "../shared/dom";
import { newId } from "../shared/ids";
import type { Listeners } from "../shared/listeners";
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
  look(look: Look): void;
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
  readonly #byClass = check();
  readonly #trust = make("span", { class: "alw-tools-why" });
  readonly #note = make("p", { class: "alw-tools-note", role: "status" });
  readonly #png = button("PNG");
  readonly #csv = button("CSV");
  readonly #drawn = new Map<HTMLSelectElement, string>();
  #pause: (() => void) | null = null;

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
      tick(this.#byClass, "Each class", "A small curve for every class, the lowest first."),
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
    this.#fill(
      this.#metric,
      metrics.map(({ by, name }) => [by, name]),
    );
    this.#fill(this.#of, [["", "all"], ...classes.map((name): [string, string] => [`=${name}`, name])]);
    const missing: Record<Axis, string> = {
      labels: "",
      minutes: timed ? "" : "too few cards were timed",
      money: look.cost === null ? "give a cost" : "",
    };
    this.#fill(
      this.#axis,
      AXES.map((axis) => [axis, AXIS_NAMES[axis] + (missing[axis] && ` (${missing[axis]})`)]),
    );
    for (const option of this.#axis.options) option.disabled = missing[option.value as Axis] !== "";
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
    set(this.#byClass, { checked: look.by_class });
  }

  showRounds({ all = [], shown = null }: Partial<RoundsTrait>): void {
    const rows = [...all].reverse().map(({ version, words }): [string, string] => [String(version), words]);
    this.#fill(this.#round, [["", "the newest"], ...rows]);
    this.#put(this.#round, shown === null ? "" : String(shown));
  }

  #listen(): void {
    const on = (element: HTMLElement, name: string, run: () => void) =>
      this.#listeners.dom(element, name, run);
    const fields = [this.#metric, this.#of, this.#axis, this.#target, this.#budget, this.#cost, this.#per];
    for (const element of [...fields, this.#currency, this.#forecast, this.#hindsight, this.#byClass])
      on(element, "change", () => this.#tell());
    on(this.#slider, "input", () => {
      set(this.#target, { value: this.#slider.value });
      this.#soon(() => this.#tell());
    });
    on(this.#round, "change", () => this.#soon(() => this.#open()));
    this.#listeners.dom(this.#round, "keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault(); // it would open the list
      this.#open();
    });
    on(this.#png, "click", () => this.#events.png());
    on(this.#csv, "click", () => this.#events.csv());
  }

  /** Does it once the person pauses. */
  #soon(run: () => void): void {
    this.#pause?.();
    this.#pause = this.#listeners.timeout(run, PAUSE_MS);
  }

  #open(): void {
    this.#pause?.();
    this.#events.round(this.#round.value === "" ? null : Number(this.#round.value));
  }

  #tell(): void {
    const share = numberIn(this.#target);
    const budget = numberIn(this.#budget);
    const cost = numberIn(this.#cost);
    const axis = this.#axis.value as Axis;
    this.#events.look({
      metric: this.#metric.value,
      of: this.#of.value === "" ? null : this.#of.value.slice(1),
      axis: axis === "money" && cost === null ? "labels" : axis,
      hindsight: this.#hindsight.checked,
      by_class: this.#byClass.checked,
      forecast: this.#forecast.checked,
      target: share === null ? null : share / 100,
      budget: budget === null ? null : Math.round(budget),
      cost,
      per: this.#per.value as Look["per"],
      currency: this.#currency.value.trim(),
    });
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
