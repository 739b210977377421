/** What the points are coloured by: a list in groups, and a way to one of ten thousand columns. */
import { count, make, setText } from "../shared/dom";
import { newId } from "../shared/ids";
import type { Listeners } from "../shared/listeners";
import type { MapState } from "./state";

const OWN = { "data-lm-suppress-shortcuts": "true" };
const COLUMN = "meta:";
/** The entry that opens the field for a column's name. */
const ANOTHER = "another";
/** How long the person pauses before columns are looked for. */
const PAUSE_MS = 150;

export class ColourSelect {
  readonly root: HTMLElement;
  readonly #state: MapState;
  readonly #listeners: Listeners;
  readonly #select = make("select", { class: "alw-map-select", "aria-label": "Colour by", ...OWN });
  readonly #list = make("datalist", { id: newId() });
  readonly #column = make("input", {
    type: "text",
    class: "alw-map-column",
    "aria-label": "Column to colour by",
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

  constructor(listeners: Listeners, state: MapState) {
    this.#listeners = listeners;
    this.#state = state;
    const label = make("label", { class: "alw-map-by" }, make("span", {}, "Colour by"), this.#select);
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
    const { choices, colouring, asked } = this.#state;
    // Made anew only when the choices are others: a list that is open must not close.
    const drawn = choices ? JSON.stringify(choices) : this.#drawn;
    if (choices && drawn !== this.#drawn) {
      this.#drawn = drawn;
      this.#select.replaceChildren(...choices.groups.map((group) => this.#group(group)));
      const columns = this.#select.lastElementChild;
      if (columns && choices.n_columns > (choices.groups.at(-1)?.choices.length ?? 0))
        columns.append(make("option", { value: ANOTHER }, `One of ${count(choices.n_columns)} columns…`));
    }
    const by = asked ?? colouring?.by ?? "label";
    if (![...this.#select.options].some((option) => option.value === by)) {
      const name = colouring?.by === by ? colouring.name : undefined;
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

  #group({ name, choices }: { name: string; choices: { by: string; name: string; needs: string | null }[] }) {
    const options = choices.map((choice) => {
      const text = choice.needs ? `${choice.name} (needs ${choice.needs})` : choice.name;
      return make("option", { value: choice.by, disabled: choice.needs !== null }, text);
    });
    return make("optgroup", { label: name }, ...options);
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
    this.#state.colourBy(by);
    this.paint();
  }
}
