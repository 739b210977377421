import { newId } from "../shared/ids";
import { Listeners } from "../shared/listeners";
import type {
  Answer,
  ClassChange,
  FromCards,
  LabelEvent,
  Mark,
  Reasons,
  Status,
  StoreTrait,
  Task,
  ToCards,
  Words,
} from "../shared/messages";
import type { Cleanup, Model } from "../shared/model";
import { joined, Outbox, pageShelf, type Shelf, type Timers } from "../shared/outbox";
import {
  type AfterFrame,
  type AtRest,
  afterFrame,
  atRest,
  Outgoing,
  type Unhurried,
  unhurried,
} from "../shared/outgoing";
import { Blobs } from "./blobs";
import { Board, type Notice } from "./board";
import { CardDeck } from "./deck";
import { Drafts } from "./drafts";
import { Guard } from "./guard";
import { Inbox } from "./inbox";
import { keysOf } from "./keys";
import { Pace } from "./pace";
import { Past } from "./past";
import { Remap } from "./remap";
import { Supply } from "./supply";
import { Groups } from "./together/groups";
import { Unsaved } from "./unsaved";
import { deedOf, nameOf, sentence } from "./words";

export interface CardsTraits extends Record<string, unknown> {
  _task: Task;
  _store: StoreTrait;
  /** Markdown; empty where there are none. */
  _guidelines: string;
  /** By the usual key, the one that takes its place. */
  _keys?: Record<string, string>;
}

/** What a test may put in place of the browser. */
export interface World {
  shelf: Shelf | null;
  now: () => number;
  newId: () => string;
  timers?: Timers;
  afterFrame?: AfterFrame;
  atRest?: AtRest;
}

/** All there is to the cards of one model; any number of views look at it and press its buttons. */
export class CardsState {
  readonly deck: CardDeck;
  readonly outbox: Outbox;
  readonly drafts: Drafts;
  /** Comments that were written and neither sent nor given up. */
  readonly begun: Drafts;
  readonly blobs = new Blobs();
  readonly pace = new Pace();
  readonly groups: Groups;
  readonly past: Past;
  readonly listeners = new Listeners();
  readonly store: StoreTrait;
  task: Task;
  /** How to label, in Markdown. */
  guidelines: string;
  keys: (string | null)[] = [];
  readonly remap: Remap;
  readonly guard: Guard;
  status: Status | null = null;
  /** Labels given, counting those still on their way. */
  labelled = 0;
  /** Whether the person is away: nothing is answered, and the clock stands still. */
  paused = false;
  /** What Python said last about why a card is there. */
  reasons: Reasons | null = null;
  /** The words that drive the suggestion on some card, as Python said last. */
  words: Words | null = null;
  /** The newest thing to read out; views say it when it changes. */
  said = "";
  readonly #world: World;
  readonly #watchers = new Set<() => void>();
  readonly #board = new Board();
  readonly #waiting: Unsaved;
  readonly #supply: Supply;
  readonly #outgoing: Outgoing<FromCards>;
  readonly #soon: AfterFrame;
  /** Whether a label that is not posted yet fills a batch. */
  #fills = false;

  constructor(model: Model<CardsTraits>, world?: Partial<World>) {
    this.#world = { shelf: pageShelf(), now: Date.now, newId, ...world };
    this.#soon = this.afterFrame(this.listeners);
    const resting = this.#world.atRest ?? atRest(this.listeners, this.#soon);
    const send = (message: FromCards) => {
      if (message.type === "events") this.#waiting.sending(message.events, this.outbox);
      model.send(message);
    };
    this.#outgoing = new Outgoing(send, this.#soon, resting, joinEvents);
    this.task = model.get("_task");
    this.store = model.get("_store");
    this.guidelines = model.get("_guidelines") ?? "";
    this.keys = keysOf(this.task);
    this.remap = new Remap(model.get("_keys") ?? {});
    this.deck = new CardDeck({ now: () => new Date(this.#world.now()), newId: this.#world.newId });
    this.guard = new Guard(this.#world.now);
    this.#supply = new Supply(this.listeners, this.deck, (message) => this.#send(message), this.#world.now);
    const { persistent } = this.store;
    this.#waiting = new Unsaved(this.listeners, this.#board, persistent, () => this.#changed());
    const shelf = persistent ? this.#world.shelf : null;
    this.drafts = new Drafts(this.store.id, shelf, this.listeners);
    this.begun = new Drafts(this.store.id, shelf, this.listeners, "comments");
    this.outbox = new Outbox({
      storeId: this.store.id,
      shelf,
      send: (events) => this.#sendEvents(events),
      changed: () => this.#outboxChanged(),
      now: this.#world.now,
      ...(this.#world.timers ? { timers: this.#world.timers } : {}),
    });
    this.deck.expect(this.outbox.events);
    const hands = {
      send: (message: FromCards) => this.#send(message),
      say: (text: string) => this.say(text),
      note: (text: string, remedy: string) => this.#board.set("hint", "info", text, remedy),
      did: (events: readonly LabelEvent[], said: string, labels: number) =>
        this.#didAll(events, said, labels),
      changed: () => this.#changed(),
      now: this.#world.now,
    };
    this.groups = new Groups(this, hands);
    this.past = new Past(this, hands);
    const inbox = new Inbox(this, this.#board, this.#supply, () => this.#changed());
    this.listeners.model(model, "msg:custom", (message: ToCards, buffers?: DataView[]) =>
      inbox.receive(message, buffers ?? []),
    );
    this.listeners.model(model, "change:_task", () => {
      this.task = model.get("_task");
      this.keys = keysOf(this.task);
      this.#changed();
    });
    this.listeners.model(model, "change:_guidelines", () => {
      this.guidelines = model.get("_guidelines") ?? "";
      this.#changed();
    });
    this.#supply.ask();
    this.outbox.flush();
    this.#outboxChanged();
  }

  /** Runs `watcher` after every change; returns what stops it. */
  watch(watcher: () => void): Cleanup {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** For what a view draws beside a card: a press that comes soon after a frame waits for the next one. */
  unhurried(listeners: Listeners): Unhurried {
    return this.#world.atRest ?? unhurried(listeners, this.afterFrame(listeners));
  }

  /** For what a view does once the card is on screen. */
  afterFrame(listeners: Listeners): AfterFrame {
    return this.#world.afterFrame ?? afterFrame(listeners);
  }

  get notices(): Notice[] {
    return this.#board.notices;
  }

  /** The newest model there is, or 0. */
  get modelVersion(): number {
    return this.status?.model_version ?? this.deck.modelVersion;
  }

  /** Labels that wait, or 0 while they do so no longer than usual. */
  get waiting(): number {
    return this.#waiting.told ? this.outbox.size : 0;
  }

  /** Whether labels wait for much longer than usual to be saved. */
  get late(): boolean {
    return this.#waiting.late;
  }

  get unsaved(): number {
    return this.outbox.size;
  }

  /** What keys go to: the group on screen, or the card. */
  get front(): object | null {
    return this.groups.open ?? this.deck.current;
  }

  /** Whether a press that comes now was meant for what was on screen before. */
  get hasty(): boolean {
    return this.guard.hasty(this.front);
  }

  /** The words that drive the suggestion on the card on screen, once Python told them. */
  get driving(): readonly Mark[] {
    const card = this.deck.current?.card;
    return card?.suggestion && this.words?.item_id === card.item_id ? this.words.marks : [];
  }

  /** Place of an answer among those of the task, or -1. */
  codeOf(answer: Answer | null): number {
    return this.task.answers.indexOf(answer);
  }

  /** What a person calls an answer. */
  nameOf(answer: Answer): string {
    return nameOf(this.task, answer);
  }

  // What a person does. Each paints the views first. The event is kept once the frame with the next card is drawn: to
  // write to the browser's storage wakes another process, which may then run in place of the page.

  answer(code: number): void {
    const answer = this.task.answers[code];
    if (answer !== undefined) this.give(answer);
  }

  give(answer: Answer): void {
    const { current } = this.deck;
    if (current === null || this.paused || this.groups.open) return;
    const more = current.stands === "answer" ? 0 : 1;
    this.drafts.drop(current.card.item_id);
    this.pace.add(this.#world.now());
    this.#did(this.deck.answer(answer), sentence(deedOf(this.task, answer)), more);
  }

  /** Puts a remark on the card on screen; an empty one takes it off. */
  comment(text: string): void {
    const remark = text.trim();
    const card = this.deck.current?.card;
    if (!card || remark === (card.comment ?? "")) return;
    this.#did(this.deck.comment(remark), remark ? "Comment kept." : "Comment taken off.", 0);
  }

  /** Answers what the model suggests, where it suggests something. */
  accept(): void {
    const suggestion = this.deck.current?.card.suggestion;
    if (suggestion) this.answer(this.codeOf(suggestion.answer));
    else if (this.deck.current) this.say("This card has no suggestion to accept.");
  }

  skip(): void {
    const stands = this.deck.current?.stands;
    const event = this.deck.skip();
    if (stands) {
      this.past.forget();
      this.say("Left as it was.");
    } else this.#did(event, "Skipped.", 0);
  }

  flag(): void {
    const event = this.deck.flag();
    if (event) this.#did(event, event.kind === "flag" ? "Flagged." : "Flag taken off.", 0);
  }

  undo(): void {
    if (this.groups.undo()) return;
    const last = this.deck.last;
    const event = this.deck.undo();
    if (!event || !last) {
      // Done before this page was: Python knows.
      if (this.outbox.size === 0) {
        this.guard.asked();
        this.#send({ type: "undo" });
      } else this.say("The newest labels are not saved yet; undo once they are.");
      return;
    }
    this.groups.inFront();
    const wasAnswer = last.event.kind === "answer";
    if (wasAnswer) this.pace.remove();
    this.#did(
      event,
      wasAnswer ? `Took back ${this.nameOf(last.event.answer)}.` : "Took back the skip.",
      wasAnswer && last.stands !== "answer" ? -1 : 0,
    );
  }

  redo(): void {
    if (this.groups.redo()) return;
    const again = this.deck.again;
    const event = this.deck.redo();
    if (!again || !event) {
      this.say("There is nothing to do again.");
      return;
    }
    const isAnswer = event.kind === "answer";
    this.#did(
      event,
      isAnswer ? sentence(`${deedOf(this.task, event.answer)} again`) : "Skipped again.",
      isAnswer && again.stands !== "answer" ? 1 : 0,
    );
  }

  changeClasses(what: ClassChange, name: string, to: string | null): void {
    this.#send({ type: "classes", what, name, to });
  }

  /** Asks Python why the card on screen is there. */
  askWhy(): void {
    const card = this.deck.current?.card;
    if (card) this.#send({ type: "why", item_id: card.item_id, draw_id: card.draw_id });
  }

  pause(paused = !this.paused): void {
    this.paused = paused;
    if (!paused) {
      this.deck.restart();
      this.pace.rest();
    }
    this.say(paused ? "Paused." : "Going on.");
  }

  dismiss(key: string): void {
    if (this.#board.dismiss(key)) this.#changed();
  }

  /** Keeps and sends at once what waits for a frame or for the hands to rest. */
  flush(): void {
    this.outbox.post();
    this.#outgoing.flush();
  }

  dispose(): void {
    this.flush();
    this.listeners.dispose();
    this.drafts.keep();
    this.outbox.dispose();
    this.blobs.dispose();
    this.#watchers.clear();
  }

  #did(event: LabelEvent | null, said: string, labels: number): void {
    if (event) this.#didAll([event], said, labels);
  }

  #didAll(events: readonly LabelEvent[], said: string, labels: number): void {
    this.said = said;
    this.labelled = Math.max(0, this.labelled + labels);
    this.#board.set("hint", "info", null, "");
    this.groups.forget();
    if (events.some((e) => e.kind === "answer" || e.kind === "skip")) this.past.forget();
    const lacked = (this.status?.until_fit ?? 0) - this.outbox.size;
    this.outbox.take(events); // tells the views
    this.#fills ||= lacked > 0 && lacked <= events.length;
    this.#soon(() => this.outbox.post());
    this.#supply.ask();
  }

  /** Tells that a press was not taken. */
  refuse(): void {
    const text = "The card changed before that press, which was not taken.";
    this.#board.set("hint", "info", text, "What was there is dealt with elsewhere: look at this one.");
    this.say(text);
  }

  /** Has a text read out. */
  say(text: string): void {
    this.said = text;
    this.#changed();
  }

  #outboxChanged(): void {
    this.#waiting.look(this.outbox);
    this.#changed();
  }

  /** Labels may wait until the hands rest while the browser keeps a copy; not the one for which the model waits. */
  #sendEvents(events: LabelEvent[]): void {
    const message: FromCards = { type: "events", events };
    const isDue = this.#fills || !this.outbox.durable;
    this.#fills = false;
    if (isDue) this.#outgoing.write(message);
    else this.#outgoing.hold(message);
  }

  #send(message: FromCards): void {
    this.outbox.post(); // what was done before goes before
    this.#outgoing.write(message);
  }

  #changed(): void {
    for (const watcher of this.#watchers) watcher();
  }
}

/** Labels held back go in one message: the host works for each, and the kernel commits for each. */
function joinEvents(first: FromCards, second: FromCards): FromCards | null {
  if (first.type !== "events" || second.type !== "events") return null;
  const events = joined(first.events, second.events);
  return events && { type: "events", events };
}
