import { count } from "../../shared/dom";
import type { Card, FromCards, LabelEvent, Together } from "../../shared/messages";
import type { CardsState } from "../state";
import { commonest, Group } from "./group";
import { lesson } from "./words";

/** What the state of the cards lets the groups do. */
export interface Hands {
  send(message: FromCards): void;
  /** Tells what happened: read out, and seen until something else is. */
  say(text: string): void;
  /** Puts a notice up. */
  note(text: string, remedy: string): void;
  /** Keeps and sends what was done. `labels` is by how many labels there are more. */
  did(events: readonly LabelEvent[], said: string, labels: number): void;
  changed(): void;
  now(): number;
}

const SEEN = 500; // ms: a key pressed sooner was meant for what was there before
const ONE_BY_ONE = new Set(["multilabel", "text"]);

/** The groups of items that wait to be labelled together; the first is on screen, in place of the card. */
export class Groups {
  readonly #state: CardsState;
  readonly #hands: Hands;
  #waiting: Group[] = [];
  /** Closed without an answer, until something else is done. */
  #closed: Group | null = null;
  /** What was asked for and has not come. */
  #searched: string | null = null;

  constructor(state: CardsState, hands: Hands) {
    this.#state = state;
    this.#hands = hands;
  }

  /** The group on screen, or null. */
  get open(): Group | null {
    const first = this.#waiting[0];
    const shown = this.#state.deck.current?.card.item_id;
    return first && !(shown !== undefined && first.behind.has(shown)) ? first : null;
  }

  /** Every card of a group: its content may be shown. */
  get cards(): Card[] {
    const closed = this.#closed ? [this.#closed] : [];
    return [...this.#waiting, ...closed].flatMap((group) => group.cards);
  }

  /** Whether `undo` has something to do here. */
  get undoable(): boolean {
    return this.open?.touched || this.#closed !== null;
  }

  /** What was searched for, while the answer is on its way. */
  get searched(): string | null {
    return this.#searched;
  }

  /** Asks for the items that contain a text. */
  search(text: string): void {
    this.#searched = text;
    this.#hands.send({ type: "together", search: text });
    this.#hands.say(`Searching for ${text}.`);
  }

  /** A problem came: it may be that nothing was found. */
  failed(): void {
    this.#searched = null;
  }

  /** Takes in a group from Python. */
  receive({ title, cards, sample, left_out }: Together): void {
    this.#searched = null;
    const { deck, task } = this.#state;
    const first = this.#waiting[0];
    if (first && !first.touched) this.#waiting.shift();
    // delivered twice, some are done or in a group
    const known = new Set(this.#waiting.flatMap((group) => group.cards).map(keyOf));
    const fresh = cards.filter((card) => !known.has(keyOf(card)) && !deck.isDone(card));
    if (fresh.length === 0) return;
    if (ONE_BY_ONE.has(task.kind)) {
      deck.next(fresh);
      const text = `Items of this kind are labelled one by one: ${cardsOf(fresh.length)} next.`;
      this.#hands.note(text, "");
      this.#hands.say(text);
      return;
    }
    const rest = commonest(fresh, task.answers);
    const drawn = new Set(cards.slice(0, sample));
    const sampled = fresh.filter((card) => drawn.has(card)).length;
    const group = new Group(title, fresh, left_out, rest, this.#hands.now(), sampled);
    this.#waiting.push(group);
    const also = sampled > 0 ? ` A random ${sampled} of them first.` : "";
    if (this.open === group) this.#hands.say(`${items(fresh.length)} to label together.${also}`);
    else this.#hands.say(`${count(fresh.length)} more items to label together come after this.`);
  }

  /** An item was answered elsewhere. */
  labelled(itemId: string): void {
    for (const group of this.#closed ? [this.#closed, ...this.#waiting] : this.#waiting) {
      if (group.cards.some((card) => card.item_id === itemId)) group.gone.add(itemId);
    }
    const left = this.#waiting.filter((group) => group.gone.size < group.cards.length);
    if (left.length === this.#waiting.length) return;
    const before = this.open;
    this.#waiting = left;
    if (this.open !== before) this.#comes();
    this.#hands.say("All of these have their answers now.");
  }

  /** Something else was done: what was closed stays closed. */
  forget(): void {
    this.#closed = null;
  }

  /** The card on screen was put there before whatever group there is. */
  inFront(): void {
    const shown = this.#state.deck.current?.card.item_id;
    if (shown !== undefined) this.#waiting[0]?.behind.add(shown);
  }

  // What a person does to the group on screen.

  /** Gives a class to the items selected, or to the rest. */
  give(code: number): void {
    const answer = this.#state.task.answers[code];
    const group = this.open;
    if (!group || answer === undefined || this.#state.paused) return;
    group.give(answer);
    this.#hands.say("");
  }

  /** The keyboard, or the selection, is elsewhere. */
  moved(): void {
    this.#hands.changed();
  }

  leaveOut(places?: readonly number[]): void {
    const group = this.open;
    if (!group || this.#state.paused) return;
    if ((places ?? group.cursor.targets).length === 0) this.#hands.say("Go to an item to leave it out.");
    else {
      group.leaveOut(places);
      this.#hands.say("");
    }
  }

  /** Answers the group as it stands. */
  accept(): void {
    const group = this.open;
    if (!group || this.#state.paused || this.#hands.now() - group.at < SEEN) return;
    const { given, open } = group.outcome;
    if (open > 0) {
      group.cursor.to(-1);
      this.#hands.say("Choose the answer for the rest first.");
    } else if (group.isSampling) {
      group.goOn(this.#hands.now());
      this.#hands.say(`All ${items(group.cards.length)} now. ${lesson(group)}`);
    } else if (given.length === 0) this.#hands.say("All are left out: there is nothing to label.");
    else {
      const events = this.#state.deck.answerAll(group, given, new Date(group.at));
      this.#done(group, events, `Labelled ${count(given.length)} together.`);
    }
  }

  /** Closes the group without an answer; `undo` brings it back as it was. */
  close(): void {
    const group = this.open;
    if (!group) return;
    this.#waiting.shift();
    this.#comes();
    this.#closed = group;
    this.#state.deck.restart();
    const text = "Nothing was labelled.";
    const remedy = `Undo brings the ${items(group.cards.length)} back, with what you chose.`;
    this.#hands.note(text, remedy);
    this.#hands.say(`${text} ${remedy}`);
  }

  /** Takes the newest choice back, or else the group that was answered last; false where it is neither. */
  undo(): boolean {
    if (this.open?.undo()) {
      this.#hands.say("Took the last choice back.");
      return true;
    }
    const closed = this.#closed;
    if (closed) {
      closed.at = this.#hands.now();
      this.#waiting.unshift(closed);
      this.#closed = null;
      this.#hands.note("", "");
      this.#hands.say(`${items(closed.cards.length)} to label together.`);
      return true;
    }
    const group = this.#state.deck.last?.group;
    if (!group) return false;
    const events = this.#state.deck.takeBack();
    this.returned(group);
    this.#hands.did(events, `Took back ${count(events.length)} labels.`, -events.length);
    return true;
  }

  /** Does again what `undo` took back last; false where that was neither. */
  redo(): boolean {
    if (this.open?.redo()) {
      this.#hands.say("Chose that again.");
      return true;
    }
    const group = this.#state.deck.again?.group;
    if (!group) return false;
    const events = this.#state.deck.doAgain(new Date(group.at));
    this.#done(group, events, `Labelled ${count(events.length)} together again.`);
    return true;
  }

  /** A group's labels were taken back: it is shown again, with its answers. */
  returned(group: Group): void {
    group.reopen(this.#hands.now());
    this.#waiting = [group, ...this.#waiting.filter((g) => g !== group)];
  }

  /** The group that is first now has not been seen before. */
  #comes(): void {
    if (this.open) this.open.at = this.#hands.now();
  }

  #done(group: Group, events: readonly LabelEvent[], said: string): void {
    this.#waiting = this.#waiting.filter((g) => g !== group);
    this.#comes();
    this.#state.deck.restart();
    this.#state.pace.rest();
    this.#hands.did(events, `${said} Undo takes all of them back.`, events.length);
  }
}

const keyOf = (card: Card) => JSON.stringify([card.item_id, card.draw_id]);

const items = (n: number) => `${count(n)} ${n === 1 ? "item" : "items"}`;

const cardsOf = (n: number) => (n === 1 ? "one card comes" : `${count(n)} cards come`);
