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
import { Outbox, pageShelf, type Shelf, type Timers } from "../shared/outbox";
import { Blobs } from "./blobs";
import { Board, type Notice } from "./board";
import { CardDeck } from "./deck";
import { Drafts } from "./drafts";
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
}

const SETTLE = 400; // Python's status and its acknowledgement come in either order

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
  readonly #model: Model<CardsTraits>;
  readonly #world: World;
  readonly #watchers = new Set<() => void>();
  readonly #board = new Board();
  readonly #waiting: Unsaved;
  readonly #supply: Supply;
  #settling: Cleanup | null = null;

  constructor(model: Model<CardsTraits>, world?: Partial<World>) {
    this.#model = model;
    this.#world = { shelf: pageShelf(), now: Date.now, newId, ...world };
    this.task = model.get("_task");
    this.store = model.get("_store");
    this.guidelines = model.get("_guidelines") ?? "";
    this.keys = keysOf(this.task);
    this.remap = new Remap(model.get("_keys") ?? {});
    this.deck = new CardDeck({ now: () => new Date(this.#world.now()), newId: this.#world.newId });
    this.#supply = new Supply(this.listeners, this.deck, (message) => this.#send(message), this.#world.now);
    const { persistent } = this.store;
    this.#waiting = new Unsaved(this.listeners, this.#board, persistent, () => this.#changed());
    const shelf = persistent ? this.#world.shelf : null;
    this.drafts = new Drafts(this.store.id, shelf, this.listeners);
    this.begun = new Drafts(this.store.id, shelf, this.listeners, "comments");
    this.outbox = new Outbox({
      storeId: this.store.id,
      shelf,
      send: (events) => this.#send({ type: "events", events }),
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
    this.listeners.model(model, "msg:custom", (message: ToCards, buffers?: DataView[]) =>
      this.receive(message, buffers ?? []),
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

  get notices(): Notice[] {
    return this.#board.notices;
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

  // What a person does. Each paints the views first and keeps and sends the event after, so that the next card is
  // there in the frame of the key press.

  answer(code: number): void {
    const answer = this.task.answers[code];
    if (answer !== undefined) this.give(answer);
  }

  give(answer: Answer): void {
    const { current } = this.deck;
    if (current === null || this.paused || this.groups.open) return;
    const more = current.stands === "answer" ? 0 : 1;
    this.drafts.drop(current.card.item_id);
    this.#did(this.deck.answer(answer), sentence(deedOf(this.task, answer)), more);
    this.pace.add(this.#world.now());
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
      if (this.outbox.size === 0) this.#send({ type: "undo" });
      else this.say("The newest labels are not saved yet; undo once they are.");
      return;
    }
    this.groups.inFront();
    const wasAnswer = last.event.kind === "answer";
    this.#did(
      event,
      wasAnswer ? `Took back ${this.nameOf(last.event.answer)}.` : "Took back the skip.",
      wasAnswer && last.stands !== "answer" ? -1 : 0,
    );
    if (wasAnswer) this.pace.remove();
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

  dispose(): void {
    this.listeners.dispose();
    this.drafts.keep();
    this.outbox.dispose();
    this.blobs.dispose();
    this.#watchers.clear();
  }

  /** Takes in a message from Python. */
  receive(message: ToCards, buffers: readonly DataView[]): void {
    switch (message.type) {
      case "queue":
        this.#supply.came();
        this.blobs.add(message.cards, buffers);
        this.deck.refill(message.cards, message.model_version, message.exhausted);
        this.blobs.keep([...this.deck.live, ...this.groups.cards]);
        this.#supply.ask();
        break;
      case "ack":
        this.deck.saved(message.event_ids);
        this.#elsewhere(message.items ?? {});
        this.#settle();
        this.outbox.acknowledge(message.event_ids); // tells the views
        return;
      case "refused":
        this.#refused(message.event_id, message.reason);
        break;
      case "reasons":
        this.reasons = message;
        break;
      case "words":
        this.words = message;
        break;
      case "labelled":
        this.#answeredElsewhere(message.item_id);
        this.#supply.ask();
        break;
      case "undone": {
        this.blobs.add([message.card], buffers);
        const before = this.deck.current;
        const group = this.deck.undone(message.event_id, message.card);
        if (group) this.groups.returned(group);
        else if (this.deck.current !== before) this.groups.inFront();
        this.said = "A label was taken back.";
        break;
      }
      case "together":
        this.blobs.add(message.cards, buffers);
        this.groups.receive(message);
        break;
      case "earlier":
        this.past.receive(message);
        break;
      case "shown":
        this.blobs.add([message.card], buffers);
        this.past.show(message.card, message.former);
        break;
      case "status":
        this.status = message;
        this.labelled = this.unsaved > 0 ? Math.max(this.labelled, message.labelled) : message.labelled;
        this.#board.set(
          "error",
          "bad",
          message.error,
          message.model_version > 0
            ? "Labelling goes on; the last model stays in use."
            : "Labelling goes on.",
        );
        // said once, in one status: it stays until it is put away or there is a newer one
        if (message.notice) this.#board.news("notice", "info", message.notice, "");
        break;
      case "problem":
        this.groups.failed();
        this.#board.news(`problem:${message.text}`, "bad", message.text, message.remedy);
        break;
    }
    this.#changed();
  }

  #answeredElsewhere(itemId: string): void {
    const draft = this.deck.current?.card.item_id === itemId ? this.drafts.of(itemId) : null;
    this.deck.labelled(itemId);
    this.groups.labelled(itemId);
    if (draft === null) return;
    const text = `An item was answered elsewhere meanwhile; not saved from here: ${this.nameOf(draft)}.`;
    this.#board.set("elsewhere", "warn", text, "It is there again when the item comes back.");
    this.said = text;
  }

  /** Items that were answered on another page that shows this view. */
  #elsewhere(items: Record<string, string>): void {
    const others = Object.keys(items).filter((eventId) => !this.outbox.knows(eventId));
    for (const eventId of others) this.#answeredElsewhere(items[eventId]!);
    if (others.length === 0) return;
    this.#supply.ask();
    this.#changed();
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
    this.#changed();
    this.outbox.addAll(events);
    this.#supply.ask();
  }

  /** Has a text read out. */
  say(text: string): void {
    this.said = text;
    this.#changed();
  }

  #refused(eventId: string | null, reason: string): void {
    if (eventId === null) this.groups.failed();
    const event = eventId === null ? null : this.outbox.refuse(eventId);
    const deed = eventId === null ? null : this.deck.refused(eventId);
    const counted = event?.kind === "answer" && deed?.stands !== "answer";
    if (deed && counted) this.labelled = Math.max(0, this.labelled - 1);
    const remedy = deed ? "The card comes back next: give it an answer again, or skip it." : "";
    this.#board.news(`refused:${reason}`, "bad", reason, remedy);
    this.said = `Not saved: ${reason}`;
  }

  /** Takes Python's count once its status and its acknowledgement are both in. */
  #settle(): void {
    this.#settling?.();
    this.#settling = this.listeners.timeout(() => {
      if (this.status && this.unsaved === 0) this.labelled = this.status.labelled;
      this.#changed();
    }, SETTLE);
  }

  #outboxChanged(): void {
    this.#waiting.look(this.outbox);
    this.#changed();
  }

  #send(message: FromCards): void {
    try {
      this.#model.send(message);
    } catch {
      // the connection is gone: events wait in the outbox, the rest is asked for again
    }
  }

  #changed(): void {
    for (const watcher of this.#watchers) watcher();
  }
}
