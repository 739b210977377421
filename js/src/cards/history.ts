import type { Card, LabelEvent } from "../shared/messages";
import type { Group } from "./together/group";

/** What stands for an item whose card is shown again. */
export type Stands = "answer" | "skip" | undefined;

/** One thing a person did that can be taken back. */
export interface Deed {
  event: LabelEvent;
  card: Card;
  /** The group it was done in: its deeds are taken back together. */
  group?: Group;
  /** What it replaced. */
  stands?: Stands;
}

/** What was done here, newest last, and what of it was taken back. A step is one deed, or those of a group. */
export class History {
  readonly #depth: number;
  #done: Deed[] = [];
  #undone: Deed[] = [];

  /** `depth` is how many deeds can be taken back; a group is never kept in part. */
  constructor(depth: number) {
    this.#depth = depth;
  }

  /** The deeds that stand. */
  get done(): readonly Deed[] {
    return this.#done;
  }

  /** The deeds that stand and those that were taken back. */
  get all(): Deed[] {
    return [...this.#done, ...this.#undone];
  }

  /** The newest deed that can be taken back. */
  get last(): Deed | null {
    return this.#done.at(-1) ?? null;
  }

  /** How many deeds the newest step has. */
  get inLast(): number {
    const group = this.last?.group;
    return group ? this.#of(group).length : Math.min(1, this.#done.length);
  }

  /** The deed that can be done again. */
  get again(): Deed | null {
    return this.#undone.at(-1) ?? null;
  }

  /** Takes in a step. */
  add(...deeds: Deed[]): void {
    this.#done.push(...deeds);
    for (let oldest = 0; this.#done.length - oldest >= this.#depth; ) {
      this.#done.splice(0, oldest);
      const first = this.#done[0]?.group;
      oldest = first ? this.#of(first).length : 1;
    }
  }

  /** Takes the newest step back. */
  takeBack(): Deed[] {
    const deeds = this.#done.splice(start(this.#done));
    this.#undone.push(...deeds);
    return deeds;
  }

  /** The step that was taken back last, to be done again. */
  doAgain(): Deed[] {
    return this.#undone.splice(start(this.#undone));
  }

  /** Nothing can be done again: something else was done. */
  forgetUndone(): void {
    this.#undone = [];
  }

  /** Removes an event's deed, or all of its group; empty where there is none. */
  remove(eventId: string): Deed[] {
    const deed = this.#done.find((d) => d.event.event_id === eventId);
    if (!deed) return [];
    const { group } = deed;
    if (!group) return [this.removeOne(eventId)!];
    const deeds = this.#of(group);
    this.#done = this.#done.filter((d) => d.group !== group);
    return deeds;
  }

  /** Removes an event's deed alone. */
  removeOne(eventId: string): Deed | null {
    const at = this.#done.findIndex((d) => d.event.event_id === eventId);
    return at < 0 ? null : this.#done.splice(at, 1)[0]!;
  }

  /** Removes what was done to an item, but for the deeds to `keep`. */
  forget(itemId: string, keep: (deed: Deed) => boolean): void {
    this.#done = this.#done.filter((deed) => {
      if (deed.card.item_id !== itemId || keep(deed)) return true;
      deed.group?.gone.add(itemId);
      return false;
    });
    this.#undone = this.#undone.filter((deed) => deed.card.item_id !== itemId);
  }

  #of(group: Group): Deed[] {
    return this.#done.filter((deed) => deed.group === group);
  }
}

/** Where the newest step begins. */
function start(deeds: readonly Deed[]): number {
  const group = deeds.at(-1)?.group;
  return group ? deeds.findIndex((deed) => deed.group === group) : Math.max(0, deeds.length - 1);
}
