import type { Answer, Card, EventKind, LabelEvent } from "../shared/messages";
import { type Deed, History, type Stands } from "./history";
import type { Group } from "./together/group";

/** The card on screen. */
export interface Shown {
  card: Card;
  /** ISO time at which it came on screen. */
  at: string;
  /** The answer it had before it was taken back, or null. */
  former: Answer | null;
  /** An earlier card that is shown again: what stands for its item until there is a new answer. */
  stands?: Stands;
}

interface Waiting {
  card: Card;
  former: Answer | null;
  stands?: Stands;
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
  readonly #history: History;
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
    this.#history = new History(options.depth ?? 200);
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
    return this.#history.last;
  }

  /** How many deeds the newest step has: one, or those of a group. */
  get inLast(): number {
    return this.#history.inLast;
  }

  /** The deed that `redo` would do again, whichever card is on screen. */
  get again(): Deed | null {
    return this.#history.again;
  }

  /** Every card whose content may be shown again. */
  get live(): Card[] {
    const shown = this.#current ? [this.#current.card] : [];
    return [...shown, ...this.upcoming, ...this.#history.done.map((d) => d.card)];
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
    this.#history.forgetUndone();
    return this.#finish("answer", answer);
  }

  /** The card on screen is shown from now on: somebody was away. */
  restart(): void {
    if (this.#current) this.#current.at = this.#now().toISOString();
  }

  skip(): LabelEvent | null {
    if (this.#current?.stands) {
      this.#advance(); // what stands for it stays
      return null;
    }
    this.#history.forgetUndone();
    return this.#finish("skip", null);
  }

  /** Flags the card on screen, or takes its flag back. */
  flag(): LabelEvent | null {
    if (!this.#current) return null;
    const { card, at } = this.#current;
    const target = card.flag;
    const event = this.#event(target ? "retract" : "flag", card, { target, shown_at: at });
    this.#change(card.item_id, { flag: target ? null : event.event_id });
    return event;
  }

  /** Puts a remark on the card on screen; an empty one takes it off. */
  comment(text: string): LabelEvent | null {
    if (!this.#current) return null;
    const { card, at } = this.#current;
    const event = this.#event("comment", card, { comment: text, shown_at: at });
    this.#remarks.set(event.event_id, { item: card.item_id, before: card.comment ?? "" });
    this.#change(card.item_id, { comment: text });
    return event;
  }

  /** Takes the newest answer or skip back and shows its card again; the card on screen waits behind it. */
  undo(): LabelEvent | null {
    if (this.last?.group) return null;
    const [deed] = this.#history.takeBack();
    if (!deed) return null;
    const back = this.#retract(deed);
    // the same item, shown again, would claim that what was just taken back still stands
    if (this.#shows(deed.card)) this.#current = null;
    this.#show(deed.card, deed.event.answer, deed.stands);
    return back;
  }

  /** Does again what `undo` took back last. */
  redo(): LabelEvent | null {
    if (this.again?.group) return null;
    const [deed] = this.#history.doAgain();
    if (!deed) return null;
    if (!this.#shows(deed.card)) this.#show(deed.card, null, deed.stands);
    return this.#finish(deed.event.kind === "skip" ? "skip" : "answer", deed.event.answer);
  }

  /** Answers cards in one step, which `takeBack` takes back and `doAgain` does again. */
  answerAll(group: Group, given: readonly { card: Card; answer: Answer }[], at: Date): LabelEvent[] {
    this.#history.forgetUndone();
    return this.#finishAll(group, given, at);
  }

  /** Takes the newest step back, where that is a group's; empty where it is not. */
  takeBack(): LabelEvent[] {
    if (!this.last?.group) return [];
    return this.#history.takeBack().map((deed) => this.#retract(deed));
  }

  /** Does again what `takeBack` took back last; empty where something else was done since. */
  doAgain(at: Date): LabelEvent[] {
    const group = this.again?.group;
    if (!group) return [];
    const given = this.#history.doAgain().map(({ card, event }) => ({ card, answer: event.answer }));
    return this.#finishAll(group, given, at);
  }

  /** Puts cards behind the one on screen, before all others. */
  next(cards: readonly Card[]): void {
    const ids = new Set(cards.map((card) => card.item_id));
    const behind = this.#queue.filter((w) => !ids.has(w.card.item_id));
    const fresh = cards.filter((card) => card.item_id !== this.#current?.card.item_id);
    this.#queue = [...fresh.map((card) => ({ card, former: null, kept: true })), ...behind];
    if (!this.#current) this.#advance();
  }

  /** Shows an earlier card again, with what stands for its item. */
  showAgain(card: Card, former: Answer | null): void {
    if (this.#shows(card)) this.#current = null;
    this.#show(card, former, former === null ? "skip" : "answer");
  }

  /** Whether a card has its answer, or its item has one that is not saved yet. */
  isDone(card: Card): boolean {
    return this.#isDone(card, new Set(this.#unsaved.values()));
  }

  /** What was done here to an item last, if it can still be taken back. */
  done(itemId: string): Deed | null {
    return this.#history.done.filter((deed) => deed.card.item_id === itemId).at(-1) ?? null;
  }

  /** Python took an event back (not on our behalf): its card is shown again, or its whole group returned. */
  undone(eventId: string, card: Card): Group | null {
    if (this.#retracted.has(eventId)) return null;
    const deeds = this.#history.remove(eventId);
    const group = deeds[0]?.group;
    if (group) {
      for (const deed of deeds) this.#retract(deed);
      return group;
    }
    const deed = deeds[0] ?? null;
    this.#retracted.add(eventId);
    this.#unsaved.delete(eventId);
    if (deed) this.#release(deed.event, card);
    this.#forget(card);
    if (this.#current?.card.item_id !== card.item_id) this.#show(card, deed?.event.answer ?? null);
    return null;
  }

  /** An item was answered elsewhere: its card goes, and with it what was done here before, which no longer stands. */
  labelled(itemId: string): void {
    // an answer of ours that is still on its way is newer
    this.#history.forget(itemId, ({ event }) => this.#unsaved.has(event.event_id));
    this.#drop(new Set([itemId]));
  }

  /** Events are committed. */
  saved(eventIds: readonly string[]): void {
    for (const id of eventIds) {
      this.#unsaved.delete(id);
      this.#remarks.delete(id);
    }
  }

  /** Python refused an event: its card comes next once more. Returns the deed, when it is one of ours. */
  refused(eventId: string): Deed | null {
    this.#unsaved.delete(eventId);
    if (this.#unflag(eventId) || this.#unremark(eventId)) return null;
    const deed = this.#history.removeOne(eventId);
    if (!deed) return null;
    this.#release(deed.event, deed.card);
    this.#queue = this.#queue.filter((w) => w.card.item_id !== deed.card.item_id);
    const { card, event, stands } = deed;
    if (!this.#shows(card)) this.#queue.unshift({ card, former: event.answer, stands, kept: true });
    if (!this.#current) this.#advance();
    return deed;
  }

  #finish(kind: "answer" | "skip", answer: Answer | null): LabelEvent | null {
    if (!this.#current) return null;
    const { card, at } = this.#current;
    const { stands } = this.#current;
    const event = this.#event(kind, card, { answer, shown_at: at });
    this.#did({ event, card, stands });
    this.#current = null;
    this.#advance();
    return event;
  }

  #finishAll(group: Group, given: readonly { card: Card; answer: Answer }[], at: Date): LabelEvent[] {
    const bulk = this.#newId();
    const shown_at = at.toISOString();
    const deeds = given.map(({ card, answer }) => {
      return { event: this.#event("answer", card, { answer, shown_at, bulk }), card, group };
    });
    this.#did(...deeds);
    this.#drop(new Set(given.map(({ card }) => card.item_id)));
    return deeds.map(({ event }) => event);
  }

  #did(...deeds: Deed[]): void {
    this.#history.add(...deeds);
    for (const { card, event } of deeds) {
      if (card.draw_id === null) this.#doneItems.add(card.item_id);
      else this.#doneDraws.add(card.draw_id);
      this.#unsaved.set(event.event_id, card.item_id);
    }
  }

  /** Takes a deed back, which is no longer in the history. */
  #retract(deed: Deed): LabelEvent {
    this.#release(deed.event, deed.card);
    this.#retracted.add(deed.event.event_id);
    return this.#event("retract", deed.card, { target: deed.event.event_id });
  }

  /** Takes the cards of items from the screen and from the queue. */
  #drop(items: ReadonlySet<string>): void {
    this.#queue = this.#queue.filter((w) => !items.has(w.card.item_id));
    if (this.#current && items.has(this.#current.card.item_id)) this.#advance();
  }

  /** Whether an item's card is on screen. */
  #shows(card: Card): boolean {
    return this.#current?.card.item_id === card.item_id;
  }

  #advance(): void {
    const next = this.#queue.shift();
    this.#current = next ? { ...shown(next), at: this.#now().toISOString() } : null;
  }

  /** Puts a card on screen; the one there now waits right behind it. */
  #show(card: Card, former: Answer | null, stands?: Stands): void {
    this.#queue = this.#queue.filter((w) => w.card.item_id !== card.item_id);
    if (this.#current) this.#queue.unshift({ ...shown(this.#current), kept: true });
    this.#current = { card, at: this.#now().toISOString(), former, stands };
  }

  #isDone(card: Card, unsaved: ReadonlySet<string>): boolean {
    if (unsaved.has(card.item_id)) return true;
    // a new draw of an item that has an answer is a second look, asked for on purpose
    return card.draw_id === null ? this.#doneItems.has(card.item_id) : this.#doneDraws.has(card.draw_id);
  }

  /** Takes off the flag that an event gave; false when no card here has that flag. */
  #unflag(eventId: string): boolean {
    const holder = this.#holders.find((h) => h.card.flag === eventId);
    if (holder) this.#change(holder.card.item_id, { flag: null });
    return holder !== undefined;
  }

  /** Puts back the remark that an event replaced; false when it is no such event. */
  #unremark(eventId: string): boolean {
    const remark = this.#remarks.get(eventId);
    if (!remark) return false;
    this.#remarks.delete(eventId);
    this.#change(remark.item, { comment: remark.before });
    return true;
  }

  /** Whatever has a card that is shown or may be shown again. */
  get #holders(): { card: Card }[] {
    const shown = this.#current ? [this.#current] : [];
    return [...shown, ...this.#queue, ...this.#history.all];
  }

  /** Puts a flag or a remark on an item's card, or takes it off, wherever that card is. */
  #change(itemId: string, to: Pick<Card, "flag"> | Pick<Card, "comment">): void {
    for (const holder of this.#holders) {
      if (holder.card.item_id === itemId) holder.card = { ...holder.card, ...to };
    }
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

const shown = ({ card, former, stands }: Omit<Shown, "at">) => ({ card, former, stands });

function isLabel(kind: EventKind): boolean {
  return kind === "answer" || kind === "skip";
}
