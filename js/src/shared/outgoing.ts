import type { Listeners } from "./listeners";

/** Runs something after the frame that is about to be drawn. */
export type AfterFrame = (run: () => void) => void;

const DRAWN = 10; // ms from the start of a frame until it is on screen
const NO_FRAME = 100; // ms: a page in the background draws nothing

/** After the frame that is about to be drawn, or soon where none is. */
export function afterFrame(listeners: Listeners): AfterFrame {
  return (run) => {
    const undo = [
      listeners.frame(() => undo.push(listeners.timeout(once, DRAWN))),
      listeners.timeout(once, NO_FRAME),
    ];
    function once(): void {
      for (const cleanup of undo) cleanup();
      run();
    }
  };
}

/**
 * Messages to Python, in order, each handed over after the frame in which it was written.
 *
 * A host does much for every message (JupyterLab draws its busy mark, its favicon and its toolbars): before the frame
 * of a key press, that would keep the next card waiting.
 */
export class Outgoing<M> {
  readonly #send: (message: M) => void;
  readonly #later: AfterFrame;
  readonly #written: M[] = [];

  /** `send` may throw: a message that cannot go is gone. */
  constructor(send: (message: M) => void, later: AfterFrame) {
    this.#send = send;
    this.#later = later;
  }

  write(message: M): void {
    this.#written.push(message);
    if (this.#written.length === 1) this.#later(() => this.flush());
  }

  /** Hands over at once what was written. */
  flush(): void {
    for (const message of this.#written.splice(0)) {
      try {
        this.#send(message);
      } catch {
        // the connection is gone: what must not be lost is sent again, the rest is asked for again
      }
    }
  }
}
