import { icon, set } from "../shared/dom";
import type { Listeners } from "../shared/listeners";
import { EarlierPanel } from "./earlier";
import { button, CLOCK, TILES } from "./parts";
import type { CardsState } from "./state";
import { Grid, type GridHome } from "./together/grid";
import { Search } from "./together/search";

/** What one leaves the card for: items to label together, the search for them, and earlier cards. */
export class Aside {
  readonly grid: Grid;
  readonly search: Search;
  readonly earlier: EarlierPanel;
  /** Buttons for the search and for earlier cards. */
  readonly find = button("find", "t", "Together", icon(TILES));
  readonly back = button("back", "b", "Earlier", icon(CLOCK));
  readonly #state: CardsState;

  constructor(listeners: Listeners, state: CardsState, view: GridHome) {
    this.#state = state;
    this.grid = new Grid(listeners, state, view);
    this.search = new Search(listeners, state, view);
    this.earlier = new EarlierPanel(listeners, state, view);
    this.find.title = "Label together what contains a text";
    this.back.title = "Back to an earlier card";
    listeners.dom(this.find, "click", () => this.search.toggle());
    listeners.dom(this.back, "click", () => this.earlier.toggle());
  }

  paint(): void {
    const { groups, paused } = this.#state;
    const where = { hidden: groups.open !== null, disabled: paused };
    set(this.back, where);
    set(this.find, where);
    this.grid.paint();
    this.search.paint(this.#state);
    this.earlier.paint();
  }

  /** Whether the focus stays where it was put. */
  holds(target: Element): boolean {
    return [this.grid, this.search, this.earlier].some(({ root }) => root.contains(target));
  }

  /** A key pressed on the cards. Returns whether it is dealt with. */
  keydown(event: KeyboardEvent): boolean {
    if (this.earlier.open) {
      if (this.earlier.keydown(event)) event.preventDefault();
      return true;
    }
    const leaves = event.key === "Escape" && !event.isComposing;
    if (this.search.open && (leaves || this.search.root.contains(event.target as Element))) {
      if (leaves) this.search.toggle(false);
      return true;
    }
    return this.grid.keydown(event);
  }
}
