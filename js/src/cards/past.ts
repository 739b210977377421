import type { Answer, Card, Earlier, EarlierRow } from "../shared/messages";
import type { Deed } from "./history";
import type { CardsState } from "./state";
import type { Hands } from "./together/groups";
import { inWords } from "./why";

/** What was answered or skipped, in a line. */
export type Row = Omit<EarlierRow, "seq"> & { saved: boolean };

/** What was answered before: by this page and not saved yet, and what Python tells. */
export class Past {
  readonly #state: CardsState;
  readonly #hands: Hands;
  #own: Deed[] = [];
  #told = new Map<number, EarlierRow>();
  #more = false;
  #loading = false;
  #wanted: string | null = null;

  constructor(state: CardsState, hands: Hands) {
    this.#state = state;
    this.#hands = hands;
  }

  /** Newest first. */
  get rows(): Row[] {
    const own = this.#own.map((deed) => this.#rowOf(deed));
    const known = new Set(own.map((row) => row.item_id));
    const told = [...this.#told.values()].filter((row) => !known.has(row.item_id));
    return [...own, ...told.sort((a, b) => b.seq - a.seq).map((row) => ({ ...row, saved: true }))];
  }

  /** Whether there is more before the last row. */
  get more(): boolean {
    return this.#more;
  }

  get loading(): boolean {
    return this.#loading;
  }

  /** Begins anew. */
  open(): void {
    this.#told.clear();
    this.#more = false;
    this.#own = [];
    const { deck, outbox } = this.#state;
    for (const { event_id, item_id } of outbox.events.reverse()) {
      const deed = deck.done(item_id);
      if (deed?.event.event_id === event_id) this.#own.push(deed);
    }
    this.#ask(null);
  }

  /** Asks for what was before the last row. */
  loadMore(): void {
    if (this.#more && !this.#loading) this.#ask(Math.min(...this.#told.keys()));
  }

  /** Takes in rows, in whatever order they come, and twice as well as once. */
  receive({ rows, more }: Earlier): void {
    const oldest = Math.min(...this.#told.keys());
    this.#loading = false;
    // the answer that reaches furthest back knows whether there is more
    if (rows.every((row) => row.seq < oldest)) this.#more = more;
    for (const row of rows) this.#told.set(row.seq, row);
  }

  /** Shows a card again: at once where this page still has it, else Python is asked for it. */
  choose(itemId: string): void {
    const own = this.#own.find((deed) => deed.card.item_id === itemId);
    this.#wanted = itemId;
    if (own) this.show(own.card, own.event.answer);
    else this.#hands.send({ type: "show", item_id: itemId });
    this.#hands.changed();
  }

  /** Somebody went on meanwhile: a card that comes late must not take the place of the one they look at. */
  forget(): void {
    this.#wanted = null;
  }

  /** Puts the card that was asked for on screen. */
  show(card: Card, former: Answer | null): void {
    if (this.#wanted !== card.item_id) return;
    this.#wanted = null;
    this.#state.deck.showAgain(card, former);
    this.#state.groups.inFront();
    const was = former === null ? "It was skipped." : `Its answer was ${this.#state.nameOf(former)}.`;
    this.#hands.say(`An earlier card. ${was}`);
  }

  #ask(before: number | null): void {
    this.#loading = true;
    this.#hands.send({ type: "earlier", before });
    this.#hands.changed();
  }

  #rowOf({ event, card }: Deed): Row {
    return {
      item_id: card.item_id,
      kind: event.kind === "skip" ? "skip" : "answer",
      answer: event.answer,
      at: event.answered_at,
      text: inWords(card.content).slice(0, 240),
      flag: card.flag !== null,
      comment: card.comment ?? null,
      saved: !this.#state.outbox.has(event.event_id),
    };
  }
}
