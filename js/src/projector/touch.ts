/** Fingers on a plot: one moves the plane, or draws the lasso where there is one; two zoom. */
import { Listeners } from "../shared/listeners";
import type { Place } from "./lasso";

/** What moves less is a tap, in CSS pixels. */
const TAP = 6;

type Pinch = (factor: number, centre: Place, moved: Place) => void;

export class Touch {
  readonly #element: HTMLElement;
  readonly #pinch: Pinch;
  readonly #listeners = new Listeners();
  readonly #fingers = new Map<number, Place>();
  readonly #isDrawing: () => boolean;
  /** Where one finger was put down, until it moves. */
  #begin: Place | null = null;
  #isLasso = false;

  /**
   * @param pinch is told by what factor two fingers parted, around which place, and how far that moved
   * @param isDrawing whether one finger draws a lasso
   */
  constructor(element: HTMLElement, pinch: Pinch, isDrawing: () => boolean) {
    this.#element = element;
    this.#pinch = pinch;
    this.#isDrawing = isDrawing;
    for (const name of ["pointerdown", "pointermove", "pointerup", "pointercancel"]) {
      this.#listeners.dom(element, name, (event) => {
        if ((event as PointerEvent).pointerType === "touch") this.#take(event as PointerEvent);
      });
    }
    // The browser's own mouse events after a touch would come in addition to those below.
    this.#listeners.dom(element, "touchstart", (event) => event.preventDefault(), { passive: false });
  }

  readonly dispose = (): void => this.#listeners.dispose();

  #take(event: PointerEvent): void {
    const before = [...this.#fingers.values()];
    const here: Place = [event.clientX, event.clientY];
    if (event.type === "pointerdown") {
      this.#element.setPointerCapture?.(event.pointerId);
      this.#fingers.set(event.pointerId, here);
      if (this.#fingers.size === 1) {
        this.#begin = here;
        this.#isLasso = this.#isDrawing();
        if (this.#isLasso) this.#mouse("mousedown", event, 1);
      } else {
        if (this.#isLasso) this.#mouse("mouseup", event, 0);
        this.#begin = null;
        this.#isLasso = false;
      }
      return;
    }
    if (!this.#fingers.has(event.pointerId)) return;
    if (event.type === "pointermove") {
      this.#fingers.set(event.pointerId, here);
      if (this.#isLasso) this.#mouse("mousemove", event, 1);
      else this.#follow(before, [...this.#fingers.values()]);
      return;
    }
    this.#fingers.delete(event.pointerId);
    if (this.#isLasso) this.#mouse("mouseup", event, 0);
    else if (event.type === "pointerup" && this.#begin) {
      for (const type of ["mousedown", "mouseup", "click"])
        this.#mouse(type, event, type === "mousedown" ? 1 : 0);
    }
    this.#begin = null;
    this.#isLasso = false;
  }

  #follow(before: readonly Place[], now: readonly Place[]): void {
    if (now.length > 2) return;
    // A finger is never quite still: only what goes a little farther is no tap.
    if (this.#begin && apart([this.#begin, now[0]!]) < TAP) return;
    if (this.#begin) {
      this.#spread([this.#begin], now);
      this.#begin = null;
    } else this.#spread(before, now);
  }

  #spread(before: readonly Place[], now: readonly Place[]): void {
    const [a, b] = [middle(before), middle(now)];
    const factor = now.length === 2 ? apart(now) / Math.max(1, apart(before)) : 1;
    const box = this.#element.getBoundingClientRect();
    this.#pinch(factor, [a[0] - box.left, a[1] - box.top], [b[0] - a[0], b[1] - a[1]]);
  }

  #mouse(
    type: string,
    { clientX, clientY, ctrlKey, metaKey, altKey, shiftKey }: PointerEvent,
    buttons: number,
  ): void {
    const keys = { ctrlKey, metaKey, altKey, shiftKey };
    const options = { bubbles: true, cancelable: true, view: window, clientX, clientY, buttons, ...keys };
    this.#element.dispatchEvent(new MouseEvent(type, options));
  }
}

function middle([a, b]: readonly Place[]): Place {
  return b ? [(a![0] + b[0]) / 2, (a![1] + b[1]) / 2] : a!;
}

function apart([a, b]: readonly Place[]): number {
  return Math.hypot(a![0] - b![0], a![1] - b![1]);
}
