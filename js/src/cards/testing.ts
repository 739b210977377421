/** Fakes for the tests of the cards: cards, a clock that is turned by hand, a browser's storage, a host's model. */
import type { Card, FromCards, LabelEvent, StoreTrait, Task, ToCards } from "../shared/messages";
import type { Model } from "../shared/model";
import type { Shelf, Timers } from "../shared/outbox";
import type { CardsTraits } from "./state";

export function textCard(id: string, more: Partial<Card> = {}): Card {
  return {
    item_id: id,
    draw_id: `draw-${id}`,
    stream: "train",
    content: { kind: "text", text: `text of ${id}` },
    metadata: {},
    suggestion: null,
    reason: { strategy: "margin", score: 0.1, model_version: 1 },
    flag: null,
    ...more,
  };
}

export const textCards = (...ids: string[]): Card[] => ids.map((id) => textCard(id));

/** Ids e1, e2, … */
export function counter(prefix = "e"): () => string {
  let n = 0;
  return () => `${prefix}${++n}`;
}

export function anEvent(id: string, more: Partial<LabelEvent> = {}): LabelEvent {
  return {
    event_id: id,
    item_id: `item-${id}`,
    kind: "answer",
    answer: "spam",
    target: null,
    draw_id: null,
    shown_at: null,
    answered_at: "2026-03-01T09:30:00.000Z",
    ...more,
  };
}

/** Timers and a clock (ms) that move only by `pass`. */
export class FakeTime implements Timers {
  now = 1_000_000;
  #next = 1;
  #due = new Map<number, { at: number; run: () => void }>();

  get pending(): number {
    return this.#due.size;
  }

  set(run: () => void, ms: number): unknown {
    this.#due.set(this.#next, { at: this.now + ms, run });
    return this.#next++;
  }

  clear(id: unknown): void {
    this.#due.delete(id as number);
  }

  pass(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const first = [...this.#due].filter(([, t]) => t.at <= end).sort((a, b) => a[1].at - b[1].at)[0];
      if (!first) break;
      this.#due.delete(first[0]);
      this.now = first[1].at;
      first[1].run();
    }
    this.now = end;
  }
}

/** Storage that can be full, and counts what is written. */
export class FakeShelf implements Shelf {
  readonly kept = new Map<string, string>();
  room = Number.POSITIVE_INFINITY;
  writes = 0;

  get length(): number {
    return this.kept.size;
  }

  key(i: number): string | null {
    return [...this.kept.keys()].sort()[i] ?? null; // a browser's order is its own, too
  }

  getItem(key: string): string | null {
    return this.kept.get(key) ?? null;
  }

  setItem(key: string, value: string): void {
    if (this.kept.size >= this.room) throw new DOMException("full", "QuotaExceededError");
    this.writes++;
    this.kept.set(key, value);
  }

  removeItem(key: string): void {
    this.kept.delete(key);
  }
}

// biome-ignore lint/suspicious/noExplicitAny: as in the host's own types
type Handler = (...args: any[]) => void;

/** How the cards ask for one of these classes. */
export function classification(classes: string[]): Task {
  return {
    kind: "classification",
    classes,
    answers: classes,
    codes: classes.map((_, code) => code),
    keys: null,
  };
}

/** How the cards ask which of these labels apply. */
export function multiLabel(labels: string[]): Task {
  return { ...classification(labels), kind: "multilabel" };
}

/** How the cards ask for a text. */
export function freeText(multiline = false): Task {
  return { ...classification([]), kind: "text", multiline };
}

/** A host's model, with Python played by the test. */
export class FakeModel implements Model<CardsTraits> {
  readonly sent: FromCards[] = [];
  readonly handlers = new Map<string, Set<Handler>>();
  alive = true;
  traits: CardsTraits;

  constructor(classes: string[], store: Partial<StoreTrait> = {}) {
    this.traits = {
      _task: classification(classes),
      _store: { id: "store-1", persistent: true, name: "labels.db", ...store },
      _guidelines: "",
    };
  }

  get listeners(): number {
    return [...this.handlers.values()].reduce((n, set) => n + set.size, 0);
  }

  /** All events sent, doubles included. */
  get heard(): LabelEvent[] {
    return this.sent.flatMap((m) => (m.type === "events" ? m.events : []));
  }

  /** All events sent, as Python keeps them: in the order of their coming, without doubles. */
  get events(): LabelEvent[] {
    return [...new Map(this.heard.map((e) => [e.event_id, e])).values()];
  }

  get<K extends keyof CardsTraits>(key: K): CardsTraits[K] {
    return this.traits[key];
  }

  set<K extends keyof CardsTraits>(key: K, value: CardsTraits[K]): void {
    this.traits = { ...this.traits, [key]: value };
    for (const run of this.handlers.get(`change:${String(key)}`) ?? []) run();
  }

  on(name: string, run: Handler): void {
    const set = this.handlers.get(name) ?? new Set();
    this.handlers.set(name, set.add(run));
  }

  off(name?: string | null, run?: Handler | null): void {
    if (name && run) this.handlers.get(name)?.delete(run);
  }

  save_changes(): void {}

  send(message: FromCards): void {
    if (!this.alive) throw new Error("Cannot send");
    this.sent.push(structuredClone(message));
  }

  /** A message from Python. */
  receive(message: ToCards, buffers: DataView[] = []): void {
    for (const run of this.handlers.get("msg:custom") ?? []) run(message, buffers);
  }

  /** A queue from Python. */
  queue(cards: Card[], more: { model_version?: number; exhausted?: boolean } = {}): void {
    this.receive({ type: "queue", cards, model_version: 1, exhausted: false, ...more });
  }
}
