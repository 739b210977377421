import type { Listeners } from "./listeners";

/** Runs something after the frame that is about to be drawn. */
export type AfterFrame = (run: () => void) => void;

/** One message that says what two say, the first one first; null where they are of different things. */
export type Join<M> = (first: M, second: M) => M | null;

/** Runs something once it has not been asked for anew for a while, the newest that was given. */
export type AtRest = (run: () => void) => void;

/** Runs something soon or, where keys are pressed fast, once that is over; `pressed` says whether this is for a key. */
export type Unhurried = (run: () => void, pressed: boolean) => void;

const DRAWN = 16; // ms from the start of a frame until it is on screen, on a busy machine too
const NO_FRAME = 100; // ms: a page in the background draws nothing
const REST = 300; // ms without a press: the person reads
const LONGEST = 10_000; // ms that a message is held back while presses go on, until the next of them
const LAG = 2_000; // ms that what is drawn may lag behind quick hands

/** After the frame that is about to be drawn, or soon where none is; in the order in which it was asked for. */
export function afterFrame(listeners: Listeners): AfterFrame {
  const waiting: (() => void)[] = [];
  const drain = () => {
    try {
      waiting[0]?.();
    } finally {
      waiting.shift();
      if (waiting.length > 0) drain(); // and what was asked for meanwhile: the frame is drawn
    }
  };
  return (run) => {
    if (waiting.push(run) > 1) return;
    const undo = [
      listeners.frame(() => undo.push(listeners.timeout(once, DRAWN))),
      listeners.timeout(once, NO_FRAME),
    ];
    function once(): void {
      for (const cleanup of undo) cleanup();
      drain();
    }
  };
}

/**
 * When nobody asked for `REST` ms. While somebody goes on asking, `soon` after the first who does so `longest` ms after
 * the oldest: then what comes of it is over before the next press, as far as that can be.
 */
export function atRest(listeners: Listeners, soon: AfterFrame, longest = LONGEST): AtRest {
  let undo: (() => void)[] = [];
  let latest: () => void = () => {};
  let asked = 0;
  let isDue = false;
  const once = () => {
    for (const cleanup of undo) cleanup();
    undo = [];
    isDue = false;
    latest();
  };
  // one timer for all presses in a row: to set one anew takes as long as much of a press
  const look = () => {
    const left = asked + REST - performance.now();
    if (left > 0) undo[0] = listeners.timeout(look, left);
    else once();
  };
  const due = () => {
    isDue = true;
  };
  return (run) => {
    latest = run;
    asked = performance.now();
    if (undo.length === 0) undo = [listeners.timeout(look, REST), listeners.timeout(due, longest)];
    if (!isDue) return;
    isDue = false;
    soon(once);
  };
}

/**
 * For what is drawn beside a card: at once, for a press after its frame, and less than `REST` ms after another press as
 * `atRest` does.
 */
export function unhurried(listeners: Listeners, soon: AfterFrame): Unhurried {
  const resting = atRest(listeners, soon, LAG);
  let last = Number.NEGATIVE_INFINITY;
  return (run, pressed) => {
    const now = performance.now();
    const isHurried = now - last < REST;
    if (pressed) last = now;
    if (isHurried) resting(run);
    else if (pressed) soon(run);
    else run();
  };
}

/**
 * Messages to Python, in order, each handed over after the frame in which it was written, joined where they can be.
 *
 * A host does much for every message (JupyterLab draws its busy mark, its favicon and its toolbars, when it goes and
 * again when it is answered): before or soon before the frame of a key press, that would keep the next card waiting.
 */
export class Outgoing<M> {
  readonly #send: (message: M) => void;
  readonly #afterFrame: AfterFrame;
  readonly #atRest: AtRest;
  readonly #join: Join<M>;
  readonly #written: M[] = [];
  #isDue = false;

  /** `send` may throw: a message that cannot go is gone. */
  constructor(
    send: (message: M) => void,
    afterFrame: AfterFrame,
    atRest: AtRest,
    join: Join<M> = () => null,
  ) {
    this.#join = join;
    this.#send = send;
    this.#afterFrame = afterFrame;
    this.#atRest = atRest;
  }

  /** Hands a message over after the frame, and before it what was held back. */
  write(message: M): void {
    this.#add(message);
    if (this.#isDue) return;
    this.#isDue = true;
    this.#afterFrame(() => this.flush());
  }

  /** Hands a message over when the hands rest: one that comes while presses go on would only keep these waiting. */
  hold(message: M): void {
    this.#add(message);
    this.#atRest(() => this.flush());
  }

  /** Hands over at once what was written. */
  flush(): void {
    this.#isDue = false;
    for (const message of this.#written.splice(0)) {
      try {
        this.#send(message);
      } catch {
        // the connection is gone: what must not be lost is sent again, the rest is asked for again
      }
    }
  }

  #add(message: M): void {
    const last = this.#written.at(-1);
    const joined = last === undefined ? null : this.#join(last, message);
    if (joined === null) this.#written.push(message);
    else this.#written.splice(-1, 1, joined);
  }
}
