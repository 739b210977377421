import type { Listeners } from "../shared/listeners";
import type { Answer } from "../shared/messages";
import type { Shelf } from "../shared/outbox";
import type { Shown } from "./deck";
import type { CardsState } from "./state";

const LONGEST = 100; // drafts in the browser's storage: the newest of them
const SOON = 400; // ms from a change to storage, so that typing costs nothing

/**
 * What was marked or written for an item and is not saved yet.
 *
 * It outlives its card's going away, and in the browser's storage the page: the cell may be run again.
 */
export class Drafts {
  readonly #key: string;
  readonly #shelf: Shelf | null;
  readonly #listeners: Listeners;
  readonly #drafts = new Map<string, Answer>(); // by item, oldest first
  readonly #changed = new Set<string>();

  /**
   * @param shelf where drafts outlive the page; null keeps them in memory only.
   * @param what they are of: each kind has a place of its own in storage.
   */
  constructor(storeId: string, shelf: Shelf | null, listeners: Listeners, what = "drafts") {
    this.#key = `alwidgets-${what}/${storeId}`;
    this.#shelf = shelf;
    this.#listeners = listeners;
    for (const [item, draft] of this.#stored()) this.#drafts.set(item, draft);
    listeners.add(() => this.keep());
  }

  of(itemId: string): Answer {
    return this.#drafts.get(itemId) ?? null;
  }

  set(itemId: string, draft: Answer): void {
    this.#drafts.delete(itemId);
    this.#drafts.set(itemId, draft);
    this.#later(itemId);
  }

  /** The item has its answer. */
  drop(itemId: string): void {
    if (this.#drafts.delete(itemId)) this.#later(itemId);
  }

  /** Puts into storage what is not there yet. */
  keep(): void {
    if (this.#shelf === null || this.#changed.size === 0) return;
    const all = this.#stored(); // another page of this store may have put some there
    for (const item of this.#changed) {
      const draft = this.#drafts.get(item);
      all.delete(item);
      if (draft !== undefined) all.set(item, draft);
    }
    this.#changed.clear();
    try {
      if (all.size === 0) this.#shelf.removeItem(this.#key);
      else this.#shelf.setItem(this.#key, JSON.stringify([...all].slice(-LONGEST)));
    } catch {
      // full or forbidden: memory still has them
    }
  }

  #later(itemId: string): void {
    if (this.#changed.size === 0) this.#listeners.timeout(() => this.keep(), SOON);
    this.#changed.add(itemId);
  }

  #stored(): Map<string, Answer> {
    try {
      const found: unknown = JSON.parse(this.#shelf?.getItem(this.#key) ?? "[]");
      return new Map(Array.isArray(found) ? found.filter(isDraft) : []);
    } catch {
      return new Map();
    }
  }
}

function isDraft(entry: unknown): entry is [string, Answer] {
  if (!Array.isArray(entry) || typeof entry[0] !== "string") return false;
  const draft: unknown = entry[1];
  return typeof draft === "string" || (Array.isArray(draft) && draft.every((n) => typeof n === "string"));
}

/** What is marked or written for the card on screen: the draft, else what is there at first. */
export function draftOf({ deck, drafts, task }: CardsState): Answer {
  const shown = deck.current;
  return shown ? (drafts.of(shown.card.item_id) ?? atFirst(task.kind, shown)) : null;
}

/** Whether something is marked or written for the card on screen that is not saved. */
export function isUnsaved({ deck, drafts }: CardsState): boolean {
  return deck.current !== null && drafts.of(deck.current.card.item_id) !== null;
}

/** Marks or writes something on the card on screen, to be saved later. */
export function write(state: CardsState, draft: Answer, said = state.said): void {
  const shown = state.deck.current;
  if (!shown || state.paused) return;
  if (same(draft, atFirst(state.task.kind, shown))) state.drafts.drop(shown.card.item_id);
  else state.drafts.set(shown.card.item_id, draft);
  state.say(said);
}

/** The answer it had, else what the model suggests or the text begins with. */
function atFirst(kind: string, { card, former }: Shown): Answer {
  return former ?? (kind === "text" ? (card.start ?? "") : (card.suggestion?.answer ?? []));
}

function same(a: Answer, b: Answer): boolean {
  return (
    a === b ||
    (Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((n, i) => n === b[i]))
  );
}
