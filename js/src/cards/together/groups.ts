import { count } from "../../shared/dom";
import type { Answer, Card, FromCards, LabelEvent, Together } from "../../shared/messages";
import type { CardsState } from "../state";
import { commonest, Group } from "./group";

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
    return this.#waiting.flatMap((group) => group.cards);
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
  receive({ title, cards, left_out }: Together): void {
    this.#searched = null;
    const { deck, task } = this.#state;
    const first = this.#waiting[0];
    if (first && !first.touched) this.#shut(first);
    // delivered twice, some are done or in a group
    const known = new Set(this.cards.map(keyOf));
    const fresh = cards.filter((card) => !known.has(keyOf(card)) && !deck.isDone(card));
    if (fresh.length === 0) return;
    if (ONE_BY_ONE.has(task.kind)) {
      this.#next(fresh.map((card) => ({ card, former: null })));
      const text = `Items of this kind are labelled one by one: ${cardsOf(fresh.length)} next.`;
      this.#hands.note(text, "");
      this.#hands.say(text);
      return;
    }
    const rest = commonest(fresh, task.answers);
    const group = new Group(title, fresh, left_out, rest, this.#hands.now());
    this.#waiting.push(group);
    if (this.open === group) this.#hands.say(`${count(fresh.length)} items to label together.`);
    else this.#hands.say(`${count(fresh.length)} more items to label together come after this.`);
  }

  /** An item was answered elsewhere. */
  labelled(itemId: string): void {
    for (const group of this.#waiting) {
      if (group.cards.some((card) => card.item_id === itemId)) group.gone.add(itemId);
    }
    const left = this.#waiting.filter((group) => group.gone.size < group.cards.length);
    if (left.length < this.#waiting.length) this.#hands.say("All of these have their answers now.");
    this.#waiting = left;
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
    const { given, out, open } = group.outcome;
    if (open > 0) {
      group.cursor.to(-1);
      this.#hands.say("Choose the answer for the rest first.");
    } else if (given.length === 0) this.#hands.say("All are left out: there is nothing to label.");
    else {
      const events = this.#state.deck.answerAll(group, given, new Date(group.at));
      this.#done(group, events, `Labelled ${count(given.length)} together.`);
      this.#next(out.map((card) => ({ card, former: null })));
    }
  }

  /** Closes the group without an answer: its items come as cards. */
  close(): void {
    const group = this.open;
    if (!group) return;
    this.#shut(group);
    const text = `Nothing was labelled: ${cardsOf(group.cards.length - group.gone.size)} next, one by one.`;
    const own = group.touched ? "What you chose for an item is marked on its card." : "";
    this.#hands.note(text, own);
    this.#hands.say(text);
  }

  /** Takes the newest choice back, or else the group that was answered last; false where it is neither. */
  undo(): boolean {
    if (this.open?.undo()) {
      this.#hands.say("Took the last choice back.");
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

  #done(group: Group, events: readonly LabelEvent[], said: string): void {
    this.#waiting = this.#waiting.filter((g) => g !== group);
    this.#state.deck.restart();
    this.#state.pace.rest();
    this.#hands.did(events, `${said} Undo takes all of them back.`, events.length);
  }

  #shut(group: Group): void {
    this.#waiting = this.#waiting.filter((g) => g !== group);
    const left = group.cards.filter((card) => !group.gone.has(card.item_id));
    this.#next(left.map((card) => ({ card, former: group.own(card.item_id) })));
  }

  #next(cards: readonly { card: Card; former: Answer | null }[]): void {
    this.#state.deck.next(cards);
    this.#state.deck.restart();
  }
}

const keyOf = (card: Card) => JSON.stringify([card.item_id, card.draw_id]);

const cardsOf = (n: number) => (n === 1 ? "one card comes" : `${count(n)} cards come`);
