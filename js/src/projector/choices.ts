/** What the points are coloured or sized by: a list in groups, and a way to one of ten thousand columns. */
import { count, make, setText } from "../shared/dom";
import { newId } from "../shared/ids";
import type { Listeners } from "../shared/listeners";
import type { Choice, ChoicesMessage, ColourBy, What } from "./messages";
import type { MapState } from "./state";

const OWN = { "data-lm-suppress-shortcuts": "true" };
const COLUMN = "meta:";
/** The entry that opens the field for a column's name. */
const ANOTHER = "another";
/** How long the person pauses before columns are looked for. */
const PAUSE_MS = 150;

/** What is chosen with a list. */
export interface Chosen {
  /** As it is called: "Colour by". */
  readonly label: string;
  /** What was asked for, or else is shown; "" for nothing. */
  readonly by: ColourBy;
  readonly name: string | null | undefined;
  /** What choosing nothing is called, where that can be. */
  readonly nothing?: string;
  /** Whether it can be chosen here. */
  offers(choice: Choice): boolean;
  choose(by: ColourBy): void;
}

/** What the points are coloured by. */
export function colour(state: MapState): Chosen {
  return {
    label: "Colour by",
    get by() {
      return state.asked ?? state.colouring?.by ?? "label";
    },
    get name() {
      return state.colouring?.by === this.by ? state.colouring.name : undefined;
    },
    offers: () => true,
    choose: (by) => state.colourBy(by),
  };
}

/** The quantity that sizes or opacities follow. */
export function quantity(state: MapState, what: What): Chosen {
  return {
    label: what === "size" ? "Size by" : "Opacity by",
    nothing: "the same for all",
    get by() {
      return state.varying.by(what) ?? "";
    },
    get name() {
      const shown = state.varying.shown[what];
      return shown?.by === this.by ? shown.name : undefined;
    },
    offers: (choice) => choice.quantity === true,
    choose: (by) => state.vary(what, by || null),
  };
}

export class Choosing {
  readonly root: HTMLElement;
  readonly #state: MapState;
  readonly #listeners: Listeners;
  readonly #chosen: Chosen;
  readonly #select = make("select", { class: "alw-map-select", ...OWN });
  readonly #list = make("datalist", { id: newId() });
  readonly #column = make("input", {
    type: "text",
    class: "alw-map-column",
    placeholder: "a part of its name",
    list: this.#list.id,
    autocomplete: "off",
    spellcheck: "false",
    hidden: true,
    ...OWN,
  });
  readonly #found = make("span", { class: "alw-map-found", role: "status" });
  #drawn = "";
  #pause: (() => void) | null = null;

  constructor(listeners: Listeners, state: MapState, chosen: Chosen) {
    this.#listeners = listeners;
    this.#state = state;
    this.#chosen = chosen;
    this.#select.setAttribute("aria-label", chosen.label);
    this.#column.setAttribute("aria-label", `Column to ${chosen.label.toLowerCase()}`);
    const label = make("label", { class: "alw-map-by" }, make("span", {}, chosen.label), this.#select);
    this.root = make("div", { class: "alw-map-colour" }, label, this.#column, this.#list, this.#found);
    listeners.dom(this.#select, "change", () => {
      if (this.#select.value === ANOTHER) this.#open();
      else this.#choose(this.#select.value);
    });
    this.#found.hidden = true;
    listeners.dom(this.#column, "input", (event) => {
      // An entry of the list was chosen: no letter was typed.
      const isChosen = !("inputType" in event) || event.inputType === "insertReplacementText";
      if (isChosen && this.#known.includes(this.#column.value)) this.#take(this.#column.value);
      else this.#typed();
    });
    listeners.dom(this.#column, "keydown", (event) => {
      if (event.isComposing || (event.key !== "Escape" && event.key !== "Enter")) return;
      event.stopPropagation();
      event.preventDefault();
      const typed = this.#column.value.trim();
      if (event.key === "Escape") this.#close();
      else if (this.#known.includes(typed)) this.#take(typed);
      else if (this.#state.columns?.search === typed && this.#known[0]) this.#take(this.#known[0]);
    });
  }

  /** Shows what there is, what is shown, and what was asked for. */
  paint(): void {
    const { choices } = this.#state;
    // Made anew only when the choices are others: a list that is open must not close.
    const drawn = choices ? JSON.stringify(choices) : this.#drawn;
    if (choices && drawn !== this.#drawn) {
      this.#drawn = drawn;
      this.#select.replaceChildren(...this.#options(choices));
      const columns = this.#select.lastElementChild;
      if (columns && choices.n_columns > (choices.groups.at(-1)?.choices.length ?? 0))
        columns.append(make("option", { value: ANOTHER }, `One of ${count(choices.n_columns)} columns…`));
    }
    const { by, name } = this.#chosen;
    if (![...this.#select.options].some((option) => option.value === by)) {
      const home = this.#select.querySelector("optgroup:last-of-type") ?? this.#select;
      home.prepend(make("option", { value: by }, name ?? by.replace(COLUMN, "")));
    }
    if (this.#select.value !== by) this.#select.value = by;
  }

  /** Shows the columns that were found. */
  paintColumns(): void {
    const { columns } = this.#state;
    if (!columns || columns.search !== this.#column.value.trim()) return;
    this.#list.replaceChildren(...columns.names.map((name) => make("option", { value: name })));
    setText(this.#found, columns.total === 1 ? "1 column" : `${count(columns.total)} columns`);
  }

  get #known(): readonly string[] {
    return this.#state.columns?.names ?? [];
  }

  #options({ groups }: ChoicesMessage): HTMLElement[] {
    const { nothing } = this.#chosen;
    const offered = groups
      .map(({ name, choices }) => ({ name, choices: choices.filter((c) => this.#chosen.offers(c)) }))
      .filter(({ choices }) => choices.length > 0)
      .map(({ name, choices }) => {
        const options = choices.map((choice) => {
          const text = choice.needs ? `${choice.name} (needs ${choice.needs})` : choice.name;
          return make("option", { value: choice.by, disabled: choice.needs !== null }, text);
        });
        return make("optgroup", { label: name }, ...options);
      });
    return nothing ? [make("option", { value: "" }, nothing), ...offered] : offered;
  }

  #open(): void {
    this.paint(); // the list shows again what is on the map
    this.#column.hidden = this.#found.hidden = false;
    this.#column.value = "";
    this.#column.focus({ preventScroll: true });
    this.#state.findColumns("");
  }

  #close(): void {
    this.#pause?.();
    this.#column.hidden = this.#found.hidden = true;
    this.#select.focus({ preventScroll: true });
  }

  #typed(): void {
    this.#pause?.();
    const search = this.#column.value.trim();
    this.#pause = this.#listeners.timeout(() => this.#state.findColumns(search), PAUSE_MS);
  }

  #take(name: string): void {
    this.#close();
    this.#choose(COLUMN + name);
  }

  #choose(by: string): void {
    this.#chosen.choose(by);
    this.paint();
  }
}
