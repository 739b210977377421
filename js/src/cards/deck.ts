import type { Answer, Card, EventKind, LabelEvent } from "../shared/messages";

/** The card on screen. */
export interface Shown {
  card: Card;
  /** ISO time at which it came on screen. */
  at: string;
  /** The answer it had before it was taken back, or null. */
  former: Answer | null;
}

/** One thing a person did that can be taken back. */
interface Deed {
  event: LabelEvent;
  card: Card;
}

interface Waiting {
  card: Card;
  former: Answer | null;
  /** Came back by undo or refusal, or was on screen: a new queue does not push it out. */
  kept: boolean;
}

export interface DeckOptions {
  now: () => Date;
  newId: () => string;
  /** How many deeds can be taken back. */
  depth?: number;
}

const LOW = 12; // fewer than that, or than this share of the last queue, and more are asked for
const LOW_SHARE = 0.6;

/**
 * The cards of one model: what is on screen, what comes next, what was done. No DOM, no messages: it turns deeds into
 * events and takes in what Python says.
 */
export class CardDeck {
  readonly #now: () => Date;
  readonly #newId: () => string;
  readonly #depth: number;
  readonly #history: Deed[] = [];
  /** Taken back here and not done again, newest last; a new answer or skip forgets them. */
  #undone: Deed[] = [];
  /** Events taken back here, so that Python's echo of it does nothing. */
  readonly #retracted = new Set<string>();
  /** What a remark replaced, by its event, in case Python refuses it. */
  readonly #remarks = new Map<string, { item: string; before: string }>();
  /** Answered or skipped: ids of draws, and of items for cards without a draw or whose answer is not saved yet. */
  readonly #doneDraws = new Set<string>();
  readonly #doneItems = new Set<string>();
  readonly #unsaved = new Map<string, string>(); // event id -> item id
  #queue: Waiting[] = [];
  #current: Shown | null = null;
  #exhausted = false;
  #full = 0; // cards that the last queue had
  #modelVersion = 0;
  #fed = false;

  constructor(options: DeckOptions) {
    this.#now = options.now;
    this.#newId = options.newId;
    this.#depth = options.depth ?? 200;
  }

  get current(): Shown | null {
    return this.#current;
  }

  /** The cards behind the one on screen, next one first. */
  get upcoming(): Card[] {
    return this.#queue.map((w) => w.card);
  }

  /** The newest deed that `undo` would take back. */
  get last(): Deed | null {
    return this.#history.at(-1) ?? null;
  }

  /** The deed that `redo` would do again: the card on screen is the one that it was taken back from. */
  get again(): Deed | null {
    const deed = this.#undone.at(-1);
    return deed && deed.card.item_id === this.#current?.card.item_id ? deed : null;
  }

  /** Every card whose content may be shown again. */
  get live(): Card[] {
    const shown = this.#current ? [this.#current.card] : [];
    return [...shown, ...this.upcoming, ...this.#history.map((d) => d.card)];
  }

  /** `waiting` for cards, `showing` one, or `exhausted`: nothing left to label. */
  get phase(): "waiting" | "showing" | "exhausted" {
    if (this.#current) return "showing";
    return this.#fed && this.#exhausted ? "exhausted" : "waiting";
  }

  /** Whether it is time to ask for more cards. */
  get low(): boolean {
    return this.#fed && !this.#exhausted && this.#queue.length < Math.max(LOW, LOW_SHARE * this.#full);
  }

  /** Whether a queue has ever come. */
  get fed(): boolean {
    return this.#fed;
  }

  get modelVersion(): number {
    return this.#modelVersion;
  }

  /** Tells of events from an earlier page that are still on their way: their items are not shown again. */
  expect(events: readonly LabelEvent[]): void {
    const taken = new Set(events.filter((e) => e.kind === "retract").map((e) => e.target));
    for (const e of events) {
      if (isLabel(e.kind) && !taken.has(e.event_id)) this.#unsaved.set(e.event_id, e.item_id);
    }
  }

  /** Takes a new queue. It replaces what waits, but never the card on screen nor the cards that came back. */
  refill(cards: readonly Card[], modelVersion: number, exhausted: boolean): void {
    const unsaved = new Set(this.#unsaved.values());
    const seen = new Set<string>(this.#current ? [this.#current.card.item_id] : []);
    const fresh = new Map<string, Card>();
    for (const card of cards) {
      if (seen.has(card.item_id) || this.#isDone(card, unsaved)) continue;
      seen.add(card.item_id);
      fresh.set(card.item_id, card);
    }
    const kept = this.#queue.filter((w) => w.kept);
    for (const w of kept) fresh.delete(w.card.item_id);
    this.#queue = [...kept, ...[...fresh.values()].map((card) => ({ card, former: null, kept: false }))];
    this.#full = cards.length;
    this.#modelVersion = modelVersion;
    this.#exhausted = exhausted;
    this.#fed = true;
    if (!this.#current) this.#advance();
  }

  /** Gives the card on screen an answer and shows the next one. */
  answer(answer: Answer): LabelEvent | null {
    this.#undone = [];
    return this.#finish("answer", answer);
  }

  /** The card on screen is shown from now on: somebody was away. */
  restart(): void {
    if (this.#current) this.#current.at = this.#now().toISOString();
  }

  skip(): LabelEvent | null {
    this.#undone = [];
    return this.#finish("skip", null);
  }

  /** Flags the card on screen, or takes its flag back. */
  flag(): LabelEvent | null {
    if (!this.#current) return null;
    const { card, at } = this.#current;
    const target = card.flag;
    const event = this.#event(target ? "retract" : "flag", card, { target, shown_at: at });
    this.#current.card = { ...card, flag: target ? null : event.event_id };
    return event;
  }

  /** Puts a remark on the card on screen; an empty one takes it off. */
  comment(text: string): LabelEvent | null {
    if (!this.#current) return null;
    const { card, at } = this.#current;
    const event = this.#event("comment", card, { comment: text, shown_at: at });
    this.#remarks.set(event.event_id, { item: card.item_id, before: card.comment ?? "" });
    this.#current.card = { ...card, comment: text };
    return event;
  }

  /** Takes the newest answer or skip back and shows its card again; the card on screen waits behind it. */
  undo(): LabelEvent | null {
    const deed = this.#history.pop();
    if (!deed) return null;
    this.#release(deed.event, deed.card);
    this.#retracted.add(deed.event.event_id);
    this.#undone.push(deed);
    this.#show(deed.card, deed.event.answer);
    return this.#event("retract", deed.card, { target: deed.event.event_id });
  }

  /** Does again what `undo` took back last. */
  redo(): LabelEvent | null {
    const deed = this.again;
    if (!deed) return null;
    this.#undone.pop();
    return this.#finish(deed.event.kind === "skip" ? "skip" : "answer", deed.event.answer);
  }

  /** Python took an event back (not on our behalf): its card is shown again. */
  undone(eventId: string, card: Card): void {
    if (this.#retracted.has(eventId)) return;
    const at = this.#history.findIndex((d) => d.event.event_id === eventId);
    const deed = at >= 0 ? this.#history.splice(at, 1)[0]! : null;
    this.#retracted.add(eventId);
    this.#unsaved.delete(eventId);
    if (deed) this.#release(deed.event, card);
    this.#forget(card);
    if (this.#current?.card.item_id === card.item_id) return;
    this.#show(card, deed?.event.answer ?? null);
  }

  /** An item was answered elsewhere: its card goes. */
  labelled(itemId: string): void {
    this.#queue = this.#queue.filter((w) => w.card.item_id !== itemId);
    if (this.#current?.card.item_id === itemId) this.#advance();
  }

  /** Events are committed. */
  saved(eventIds: readonly string[]): void {
    for (const id of eventIds) {
      this.#unsaved.delete(id);
      this.#remarks.delete(id);
    }
  }

  /** Python refused an event: its card comes next once more. Returns that card, when the event is one of ours. */
  refused(eventId: string): Card | null {
    this.#unsaved.delete(eventId);
    if (this.#unflag(eventId) || this.#unremark(eventId)) return null;
    const at = this.#history.findIndex((d) => d.event.event_id === eventId);
    if (at < 0) return null;
    const deed = this.#history.splice(at, 1)[0]!;
    this.#release(deed.event, deed.card);
    this.#queue = this.#queue.filter((w) => w.card.item_id !== deed.card.item_id);
    if (this.#current?.card.item_id !== deed.card.item_id) {
      this.#queue.unshift({ card: deed.card, former: deed.event.answer, kept: true });
    }
    if (!this.#current) this.#advance();
    return deed.card;
  }

  #finish(kind: "answer" | "skip", answer: Answer | null): LabelEvent | null {
    if (!this.#current) return null;
    const { card, at } = this.#current;
    const event = this.#event(kind, card, { answer, shown_at: at });
    this.#history.push({ event, card });
    if (this.#history.length > this.#depth) this.#history.shift();
    if (card.draw_id === null) this.#doneItems.add(card.item_id);
    else this.#doneDraws.add(card.draw_id);
    this.#unsaved.set(event.event_id, card.item_id);
    this.#current = null;
    this.#advance();
    return event;
  }

  #advance(): void {
    const next = this.#queue.shift();
    this.#current = next ? { card: next.card, at: this.#now().toISOString(), former: next.former } : null;
  }

  /** Puts a card on screen; the one there now waits right behind it. */
  #show(card: Card, former: Answer | null): void {
    this.#queue = this.#queue.filter((w) => w.card.item_id !== card.item_id);
    if (this.#current) {
      this.#queue.unshift({ card: this.#current.card, former: this.#current.former, kept: true });
    }
    this.#current = { card, at: this.#now().toISOString(), former };
  }

  #isDone(card: Card, unsaved: ReadonlySet<string>): boolean {
    if (unsaved.has(card.item_id)) return true;
    // a new draw of an item that has an answer is a second look, asked for on purpose
    return card.draw_id === null ? this.#doneItems.has(card.item_id) : this.#doneDraws.has(card.draw_id);
  }

  /** Takes off the flag that an event gave; false when no card here has that flag. */
  #unflag(eventId: string): boolean {
    const holders = [this.#current, ...this.#queue, ...this.#history].filter((h) => h?.card.flag === eventId);
    for (const holder of holders) holder!.card = { ...holder!.card, flag: null };
    return holders.length > 0;
  }

  /** Puts back the remark that an event replaced; false when it is no such event. */
  #unremark(eventId: string): boolean {
    const remark = this.#remarks.get(eventId);
    if (!remark) return false;
    this.#remarks.delete(eventId);
    for (const holder of [this.#current, ...this.#queue, ...this.#history]) {
      if (holder?.card.item_id === remark.item) holder.card = { ...holder.card, comment: remark.before };
    }
    return true;
  }

  /** The card may be shown again. */
  #release(event: LabelEvent, card: Card): void {
    this.#unsaved.delete(event.event_id);
    this.#forget(card);
  }

  #forget(card: Card): void {
    this.#doneItems.delete(card.item_id);
    if (card.draw_id !== null) this.#doneDraws.delete(card.draw_id);
  }

  #event(kind: EventKind, card: Card, more: Partial<LabelEvent>): LabelEvent {
    return {
      event_id: this.#newId(),
      item_id: card.item_id,
      kind,
      answer: null,
      target: null,
      draw_id: card.draw_id,
      shown_at: null,
      answered_at: this.#now().toISOString(),
      ...more,
    };
  }
}

function isLabel(kind: EventKind): boolean {
  return kind === "answer" || kind === "skip";
}
