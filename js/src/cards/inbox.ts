import type { Card, ToCards } from "../shared/messages";
import type { Cleanup } from "../shared/model";
import type { Board } from "./board";
import type { CardsState } from "./state";
import type { Supply } from "./supply";

const SETTLE = 400; // Python's status and its acknowledgement come in either order

/** Takes in what Python says to the cards of one model. */
export class Inbox {
  readonly #state: CardsState;
  readonly #board: Board;
  readonly #supply: Supply;
  readonly #changed: () => void;
  #settling: Cleanup | null = null;

  constructor(state: CardsState, board: Board, supply: Supply, changed: () => void) {
    this.#state = state;
    this.#board = board;
    this.#supply = supply;
    this.#changed = changed;
  }

  /** Takes in a message and what came with it. */
  receive(message: ToCards, buffers: readonly DataView[]): void {
    const { blobs, deck, groups, outbox, past } = this.#state;
    switch (message.type) {
      case "queue":
        this.#supply.came();
        blobs.add(message.cards, buffers);
        deck.refill(message.cards, message.model_version, message.exhausted);
        blobs.keep([...deck.live, ...groups.cards]);
        this.#supply.ask();
        break;
      case "ack":
        deck.saved(message.event_ids);
        this.#swaps(() => this.#elsewhere(message.items ?? {}));
        this.#settle();
        outbox.acknowledge(message.event_ids); // tells the views
        return;
      case "refused":
        this.#refused(message.event_id, message.reason);
        break;
      case "reasons":
        this.#state.reasons = message;
        break;
      case "words":
        this.#state.words = message;
        break;
      case "labelled":
        this.#swaps(() => this.#answeredElsewhere(message.item_id));
        this.#supply.ask();
        break;
      case "undone": {
        blobs.add([message.card], buffers);
        const bring = () => this.#undone(message.event_id, message.card);
        if (this.#state.guard.answered()) bring();
        else this.#swaps(bring);
        this.#state.said = "A label was taken back.";
        break;
      }
      case "together":
        blobs.add(message.cards, buffers);
        groups.receive(message);
        break;
      case "earlier":
        past.receive(message);
        break;
      case "shown":
        blobs.add([message.card], buffers);
        past.show(message.card, message.former);
        break;
      case "status":
        this.#status(message);
        break;
      case "problem":
        groups.failed();
        this.#board.news(`problem:${message.text}`, "bad", message.text, message.remedy);
        break;
    }
    this.#changed();
  }

  #status(status: Extract<ToCards, { type: "status" }>): void {
    const state = this.#state;
    state.status = status;
    state.labelled = state.unsaved > 0 ? Math.max(state.labelled, status.labelled) : status.labelled;
    this.#board.set(
      "error",
      "bad",
      status.error,
      status.model_version > 0 ? "Labelling goes on; the last model stays in use." : "Labelling goes on.",
    );
    const back = status.round_shown ?? null;
    this.#board.set(
      "back",
      "info",
      back === null ? null : `The map and the curve show model ${back}.`,
      "The cards and what they suggest go by the newest.",
    );
    // said once, in one status: it stays until it is put away or there is a newer one
    if (status.notice) this.#board.news("notice", "info", status.notice, "");
  }

  /** Does what somebody elsewhere brought about: what comes on screen by it takes no press at once. */
  #swaps(what: () => void): void {
    const before = this.#state.front;
    what();
    const now = this.#state.front;
    if (before && now && now !== before) this.#state.guard.swapped(now);
  }

  #undone(eventId: string, card: Card): void {
    const { deck, groups } = this.#state;
    const before = deck.current;
    const group = deck.undone(eventId, card);
    if (group) groups.returned(group);
    else if (deck.current !== before) groups.inFront();
  }

  #answeredElsewhere(itemId: string): void {
    const { deck, drafts, groups } = this.#state;
    const draft = deck.current?.card.item_id === itemId ? drafts.of(itemId) : null;
    deck.labelled(itemId);
    groups.labelled(itemId);
    if (draft === null) return;
    const text = `An item was answered elsewhere meanwhile; not saved from here: ${this.#state.nameOf(draft)}.`;
    this.#board.set("elsewhere", "warn", text, "It is there again when the item comes back.");
    this.#state.said = text;
  }

  /** Items that were answered on another page that shows this view. */
  #elsewhere(items: Record<string, string>): void {
    const { outbox } = this.#state;
    const others = Object.keys(items).filter((eventId) => !outbox.knows(eventId));
    for (const eventId of others) this.#answeredElsewhere(items[eventId]!);
    if (others.length === 0) return;
    this.#supply.ask();
    this.#changed();
  }

  #refused(eventId: string | null, reason: string): void {
    const state = this.#state;
    if (eventId === null) state.groups.failed();
    const event = eventId === null ? null : state.outbox.refuse(eventId);
    const deed = eventId === null ? null : state.deck.refused(eventId);
    const counted = event?.kind === "answer" && deed?.stands !== "answer";
    if (deed && counted) state.labelled = Math.max(0, state.labelled - 1);
    const remedy = deed ? "The card comes back next: give it an answer again, or skip it." : "";
    this.#board.news(`refused:${reason}`, "bad", reason, remedy);
    state.said = `Not saved: ${reason}`;
  }

  /** Takes Python's count once its status and its acknowledgement are both in. */
  #settle(): void {
    const state = this.#state;
    this.#settling?.();
    this.#settling = state.listeners.timeout(() => {
      if (state.status && state.unsaved === 0) state.labelled = state.status.labelled;
      this.#changed();
    }, SETTLE);
  }
}
