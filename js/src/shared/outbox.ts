import type { LabelEvent } from "./messages";

/** What the outbox needs of a browser's storage. */
export type Shelf = Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">;

/** Timers, passed in so that tests can turn the clock. */
export interface Timers {
  set(run: () => void, ms: number): unknown;
  clear(id: unknown): void;
}

const realTimers: Timers = {
  set: (run, ms) => setTimeout(run, ms),
  clear: (id) => clearTimeout(id as ReturnType<typeof setTimeout>),
};

export interface OutboxOptions {
  storeId: string;
  /** Where events outlive the page; null keeps them in memory only. */
  shelf: Shelf | null;
  send: (events: LabelEvent[]) => void;
  /** Called whenever the number of unacknowledged events or `durable` changes. */
  changed?: () => void;
  now?: () => number;
  timers?: Timers;
}

const BATCH = 200; // events a message: far below the 10 MB at which a host closes the socket
const MOST = 1_000; // events a message that Python takes
const FIRST_WAIT = 5_000;
const LONGEST_WAIT = 30_000;

/**
 * Events a person made, kept until Python says that they are committed.
 *
 * A send into a dead kernel vanishes without an error, so only an acknowledgement counts: until it comes an event stays
 * in memory, in the browser's storage (one key an event, so that a key press costs the same however many wait), and is
 * sent again after 5, 10, 20 and then every 30 seconds. Python knows event ids, so doubles change nothing.
 */
export class Outbox {
  readonly #waiting = new Map<string, { event: LabelEvent; order: number }>();
  readonly #known = new Set<string>();
  readonly #taken: LabelEvent[] = []; // and not yet posted
  readonly #prefix: string;
  readonly #shelf: Shelf | null;
  readonly #send: (events: LabelEvent[]) => void;
  readonly #changed: () => void;
  readonly #now: () => number;
  readonly #timers: Timers;
  #order = 0;
  #timer: unknown = null;
  #wait = FIRST_WAIT;
  #durable: boolean;

  constructor(options: OutboxOptions) {
    this.#prefix = `alwidgets/${options.storeId}/`;
    this.#shelf = options.shelf;
    this.#send = options.send;
    this.#changed = options.changed ?? (() => {});
    this.#now = options.now ?? Date.now;
    this.#timers = options.timers ?? realTimers;
    this.#durable = options.shelf !== null;
    this.#load();
  }

  /** How many events are not acknowledged. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Whether every waiting event would survive a reload of the page. */
  get durable(): boolean {
    return this.#durable;
  }

  /** The waiting events, oldest first. */
  get events(): LabelEvent[] {
    return [...this.#waiting.values()].map((w) => w.event);
  }

  /** The event that waits longest. */
  get oldest(): LabelEvent | null {
    return this.#waiting.values().next().value?.event ?? null;
  }

  /** Whether an event is from this page, or was left by an earlier one, acknowledged or not. */
  knows(eventId: string): boolean {
    return this.#known.has(eventId);
  }

  has(eventId: string): boolean {
    return this.#waiting.has(eventId);
  }

  /** Keeps an event and sends it at once. */
  add(event: LabelEvent): void {
    this.addAll([event]);
  }

  /** Keeps events and sends them at once. */
  addAll(events: readonly LabelEvent[]): void {
    this.take(events);
    this.post();
  }

  /** Counts events as waiting: the first half of `addAll`, quick enough for the frame of a key press. */
  take(events: readonly LabelEvent[]): void {
    for (const event of events) {
      // newer than everything before, across reloads too, even when the computer's clock was set back
      this.#order = Math.max(this.#order + 1, this.#now());
      this.#waiting.set(event.event_id, { event, order: this.#order });
      this.#known.add(event.event_id);
    }
    this.#taken.push(...events);
    this.#schedule();
    this.#changed();
  }

  /**
   * Puts the events that were taken into storage and sends them, in one message where they are not too many for it. What
   * still waits for the same items goes before them: what Python hears last of an item stands, so an older event must
   * not come after.
   */
  post(): void {
    const events = this.#taken.splice(0);
    if (events.length === 0) return;
    const before = this.#durable;
    for (const { event_id } of events) {
      const entry = this.#waiting.get(event_id);
      if (entry) this.#keep(entry); // or it is committed already
    }
    const items = new Set(events.map((event) => event.item_id));
    const due = this.events.filter((event) => items.has(event.item_id));
    for (let i = 0; i < due.length; i += MOST) this.#trySend(due.slice(i, i + MOST));
    if (this.#durable !== before) this.#changed();
  }

  /** Drops events that are committed (acknowledged twice is fine). */
  acknowledge(eventIds: readonly string[]): void {
    let dropped = 0;
    for (const id of eventIds) if (this.#drop(id)) dropped++;
    if (dropped === 0) return;
    this.#wait = FIRST_WAIT;
    this.#restart();
    this.#changed();
  }

  /** Drops an event that Python will never take; returns it when it was waiting. */
  refuse(eventId: string): LabelEvent | null {
    const event = this.#waiting.get(eventId)?.event ?? null;
    if (this.#drop(eventId)) {
      this.#restart();
      this.#changed();
    }
    return event;
  }

  /** Sends everything that waits, oldest first; call it when there is somebody to hear (again). */
  flush(): void {
    const events = this.events;
    for (let i = 0; i < events.length; i += BATCH) this.#trySend(events.slice(i, i + BATCH));
    this.#schedule();
  }

  /** Stops sending. What waits stays in storage for the next outbox of this store. */
  dispose(): void {
    if (this.#timer !== null) this.#timers.clear(this.#timer);
    this.#timer = null;
  }

  #trySend(events: LabelEvent[]): void {
    try {
      this.#send(events);
    } catch {
      // a dead connection may throw or stay silent; either way the events wait for the next try
    }
  }

  #schedule(): void {
    if (this.#timer !== null || this.#waiting.size === 0) return;
    this.#timer = this.#timers.set(() => {
      this.#timer = null;
      this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT);
      this.flush();
    }, this.#wait);
  }

  #restart(): void {
    this.dispose();
    this.#schedule();
  }

  #keep(entry: { event: LabelEvent; order: number }): void {
    if (this.#shelf === null) return;
    try {
      this.#shelf.setItem(this.#prefix + entry.event.event_id, JSON.stringify(entry));
    } catch {
      this.#durable = false; // full or forbidden: memory still has it
    }
  }

  #drop(eventId: string): boolean {
    if (!this.#waiting.delete(eventId)) return false;
    try {
      this.#shelf?.removeItem(this.#prefix + eventId);
    } catch {
      // it will be sent once more after a reload, which changes nothing
    }
    if (this.#waiting.size === 0) this.#durable = this.#shelf !== null; // storage gets another chance
    return true;
  }

  #load(): void {
    if (this.#shelf === null) return;
    const found: { event: LabelEvent; order: number }[] = [];
    const broken: string[] = [];
    try {
      for (let i = 0; i < this.#shelf.length; i++) {
        const key = this.#shelf.key(i);
        if (!key?.startsWith(this.#prefix)) continue;
        const entry = parse(this.#shelf.getItem(key));
        if (entry && key === this.#prefix + entry.event.event_id) found.push(entry);
        else broken.push(key);
      }
      for (const key of broken) this.#shelf.removeItem(key);
    } catch {
      this.#durable = false;
    }
    found.sort((a, b) => a.order - b.order);
    for (const entry of found) {
      this.#waiting.set(entry.event.event_id, entry);
      this.#known.add(entry.event.event_id);
      this.#order = Math.max(this.#order, entry.order);
    }
  }
}

/** The events of two messages for one, each once and where it came first; null where they are too many for one. */
export function joined(first: readonly LabelEvent[], second: readonly LabelEvent[]): LabelEvent[] | null {
  const sent = new Set(first.map((event) => event.event_id));
  const all = [...first, ...second.filter((event) => !sent.has(event.event_id))];
  return all.length > BATCH ? null : all;
}

/** A stored entry, or null for what is not one (somebody else's, or cut short). */
function parse(text: string | null): { event: LabelEvent; order: number } | null {
  try {
    const entry = JSON.parse(text ?? "");
    const ok =
      typeof entry?.order === "number" &&
      typeof entry.event?.event_id === "string" &&
      typeof entry.event.item_id === "string" &&
      typeof entry.event.kind === "string";
    return ok ? entry : null;
  } catch {
    return null;
  }
}

/** The page's storage, or null where the browser forbids it (merely asking for it may throw). */
export function pageShelf(): Shelf | null {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}
