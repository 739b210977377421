import type { Listeners } from "../shared/listeners";
import type { LabelEvent } from "../shared/messages";
import type { Cleanup } from "../shared/model";
import type { Outbox } from "../shared/outbox";
import type { Board } from "./board";

// ms after labels went to the kernel
const USUAL = 4_500; // saving takes less: a number that comes and goes with every key tells nothing
const LATE = 7_000; // labels normally take far less to be saved
const QUIET = 10_000; // labels unsaved for so long are worth a word

/** Watches the labels that are not saved yet, and says so where they stay it. */
export class Unsaved {
  /** Whether to tell of labels that wait. */
  told = false;
  /** Whether labels wait for much longer than usual. */
  late = false;
  readonly #listeners: Listeners;
  readonly #board: Board;
  readonly #persistent: boolean;
  readonly #changed: () => void;
  /** The oldest label that waits: while others come and go, it tells how long they do. */
  #oldest: LabelEvent | null = null;
  readonly #sent = new WeakSet<LabelEvent>();
  #told: Cleanup | null = null;
  #late: Cleanup | null = null;
  #quiet: Cleanup | null = null;

  constructor(listeners: Listeners, board: Board, persistent: boolean, changed: () => void) {
    this.#listeners = listeners;
    this.#board = board;
    this.#persistent = persistent;
    this.#changed = changed;
  }

  /** Events go to the kernel: until then they are held back while keys are pressed, which is no trouble. */
  sending(events: readonly LabelEvent[], outbox: Outbox): void {
    for (const event of events) this.#sent.add(event);
    this.look(outbox);
  }

  /** The outbox has changed. */
  look(outbox: Outbox): void {
    if (outbox.size === 0) {
      this.#restart(null);
      this.#board.set("unsaved", "warn", null, "");
      this.#board.set("storage", "warn", null, "");
      return;
    }
    if (outbox.oldest !== this.#oldest) this.#restart(outbox.oldest);
    if (this.#persistent && !outbox.durable) {
      const text = "This browser keeps no copy of unsaved labels: its storage is full or forbidden.";
      this.#board.set("storage", "warn", text, "Leave this page open until every label is saved.");
    }
    if (!outbox.oldest || !this.#sent.has(outbox.oldest)) return;
    this.#told ??= this.#listeners.timeout(() => {
      this.told = true;
      this.#changed();
    }, USUAL);
    this.#late ??= this.#listeners.timeout(() => {
      this.late = true;
      this.#changed();
    }, LATE);
    this.#quiet ??= this.#listeners.timeout(() => this.#tell(outbox), QUIET);
  }

  #restart(oldest: LabelEvent | null): void {
    this.#oldest = oldest;
    this.told = this.late = false;
    this.#told?.();
    this.#late?.();
    this.#quiet?.();
    this.#told = this.#late = this.#quiet = null;
  }

  #tell(outbox: Outbox): void {
    this.#quiet = null;
    if (outbox.size === 0) return;
    const remedy =
      outbox.durable && this.#persistent
        ? "They are safe in this browser. If the kernel has stopped, run the cell again and they are saved."
        : "Keep this page open; if the kernel is busy they are saved as soon as it is free.";
    this.#board.set("unsaved", "warn", "The kernel has not confirmed the newest labels yet.", remedy);
    this.#changed();
  }
}
