/** What the tabs have in common. */
import type { Figures } from "./messages";

/** What is on a tab. */
export interface Pane<F extends Figures> {
  readonly root: HTMLElement;
  draw(figures: F, buffers: readonly DataView[]): void;
}

/** Selects the items of a place on the tab. */
export type Select = (place: number[]) => void;
