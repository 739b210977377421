import type { Answer, Card } from "../../shared/messages";
import { Cursor } from "./cursor";

/** What was chosen so far; never changed, only replaced. */
interface Choice {
  /** The answer of all items without one of their own, or null before there is one. */
  rest: Answer | null;
  /** Answers of their own, by item. */
  own: ReadonlyMap<string, Answer>;
  out: ReadonlySet<string>;
  /** Whether the random sample was looked at; true where there is none. */
  seen: boolean;
}

/** What becomes of the items when the rest is accepted. */
export interface Outcome {
  given: { card: Card; answer: Answer }[];
  /** Left out. */
  out: Card[];
  /** Without an answer, as there is none for the rest yet. */
  open: number;
  /** Of those given, how many have the answer of the rest. */
  rest: number;
}

/** Items that are answered together: one answer for most of them, exceptions, and what is left out. */
export class Group {
  readonly title: string;
  readonly cards: readonly Card[];
  /** So many, the first, are a random sample, shown before the others; 0 for none. */
  readonly sample: number;
  /** How many more there are, not shown because they have an answer. */
  readonly answered: number;
  cursor: Cursor;
  /** Items that were answered elsewhere meanwhile: they stay in their place, and nothing can be done to them. */
  readonly gone = new Set<string>();
  /** Items whose cards come before this group, as they were put in front of it. */
  readonly behind = new Set<string>();
  /** When it came on screen, in ms. */
  at: number;
  #choice: Choice;
  #past: Choice[] = [];
  #future: Choice[] = [];

  constructor(
    title: string,
    cards: readonly Card[],
    answered: number,
    rest: Answer | null,
    at: number,
    sample = 0,
  ) {
    this.title = title;
    this.cards = cards;
    this.sample = sample;
    this.answered = answered;
    this.#choice = { rest, own: new Map(), out: new Set(), seen: sample === 0 };
    this.cursor = new Cursor(this.shown.length);
    this.at = at;
  }

  /** Whether the random sample is on screen, and not yet the others. */
  get isSampling(): boolean {
    return !this.#choice.seen;
  }

  /** What is on screen. */
  get shown(): readonly Card[] {
    return this.isSampling ? this.cards.slice(0, this.sample) : this.cards;
  }

  /** Of how many in the sample the answer is not that of the rest; null where there is no sample. */
  get odd(): number | null {
    if (this.sample === 0) return null;
    const sample = this.#outcome(this.cards.slice(0, this.sample));
    return sample.given.length - sample.rest + sample.out.length;
  }

  get rest(): Answer | null {
    return this.#choice.rest;
  }

  /** Whether somebody has chosen anything. */
  get touched(): boolean {
    return this.#past.length > 0;
  }

  /** The answer an item has of its own, or null. */
  own(id: string): Answer | null {
    return this.#choice.own.get(id) ?? null;
  }

  /** The answer of what the cursor is for, where that is one. */
  get chosen(): Answer | null {
    const { targets } = this.cursor;
    if (targets.length === 0) return this.rest;
    const answers = new Set(targets.map((i) => this.own(this.cards[i]!.item_id) ?? this.rest));
    return answers.size === 1 ? [...answers][0]! : null;
  }

  isOut(id: string): boolean {
    return this.#choice.out.has(id);
  }

  /** Of what is on screen. */
  get outcome(): Outcome {
    return this.#outcome(this.shown);
  }

  #outcome(cards: readonly Card[]): Outcome {
    const { rest, own, out } = this.#choice;
    const found: Outcome = { given: [], out: [], open: 0, rest: 0 };
    for (const card of cards) {
      if (this.gone.has(card.item_id)) continue;
      const answer = own.get(card.item_id) ?? rest;
      if (out.has(card.item_id)) found.out.push(card);
      else if (answer === null) found.open++;
      else {
        found.given.push({ card, answer });
        if (answer === rest) found.rest++;
      }
    }
    return found;
  }

  /** Gives an answer to the items the cursor is for; where they have it already, it is taken off again. */
  give(answer: Answer): void {
    const cards = this.#aimed();
    if (this.cursor.targets.length === 0) {
      if (answer !== this.rest) this.#choose({ rest: answer });
      return;
    }
    if (cards.length === 0) return;
    const own = new Map(this.#choice.own);
    const out = new Set(this.#choice.out);
    const all = cards.every((card) => own.get(card.item_id) === answer && !out.has(card.item_id));
    for (const { item_id } of cards) {
      out.delete(item_id);
      if (all) own.delete(item_id);
      else own.set(item_id, answer);
    }
    this.#choose({ own, out });
  }

  /** Leaves the items the cursor is for, or these places, out; or takes them in again. */
  leaveOut(places: readonly number[] = this.cursor.targets): void {
    const cards = this.#aimed(places);
    if (cards.length === 0) return;
    const out = new Set(this.#choice.out);
    const all = cards.every((card) => out.has(card.item_id));
    for (const { item_id } of cards) {
      if (all) out.delete(item_id);
      else out.add(item_id);
    }
    this.#choose({ out });
  }

  /** The sample is as it is to be: the others come, with the same answer. */
  goOn(at: number): void {
    this.at = at;
    this.#choose({ seen: true });
    this.cursor = new Cursor(this.shown.length);
  }

  /** Takes the newest choice back; false where there is none. */
  undo(): boolean {
    return this.#step(this.#past, this.#future);
  }

  /** Does again what `undo` took back; false where there is nothing. */
  redo(): boolean {
    return this.#step(this.#future, this.#past);
  }

  /** It is on screen again: what was chosen stands, and is where undo begins. */
  reopen(at: number): void {
    this.at = at;
    this.#past = [];
    this.#future = [];
    this.cursor.to(-1);
  }

  #step(from: Choice[], to: Choice[]): boolean {
    const choice = from.pop();
    if (!choice) return false;
    to.push(this.#choice);
    this.#choice = choice;
    if (this.cursor.size !== this.shown.length) this.cursor = new Cursor(this.shown.length);
    return true;
  }

  #choose(change: Partial<Choice>): void {
    this.#past.push(this.#choice);
    this.#future = [];
    this.#choice = { ...this.#choice, ...change };
  }

  #aimed(places: readonly number[] = this.cursor.targets): Card[] {
    return places.map((i) => this.cards[i]!).filter((card) => !this.gone.has(card.item_id));
  }
}

/** The answer that the model suggests most often; null where it suggests none. */
export function commonest(cards: readonly Card[], answers: readonly Answer[]): Answer | null {
  const seen = cards.filter((card) => card.stream !== "audit");
  const counts = answers.map((answer) => seen.filter((c) => c.suggestion?.answer === answer).length);
  const most = Math.max(0, ...counts);
  return most === 0 ? null : answers[counts.indexOf(most)]!;
}
