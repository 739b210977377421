/** Fingers on a plot: one does what the mouse does, two move and zoom the plane. */
import { Listeners } from "../shared/listeners";
import type { Place } from "./lasso";

type Pinch = (factor: number, centre: Place, moved: Place) => void;

export class Touch {
  readonly #element: HTMLElement;
  readonly #pinch: Pinch;
  readonly #listeners = new Listeners();
  readonly #fingers = new Map<number, Place>();
  #isMouse = false;
  #hasMoved = false;

  /** @param pinch is told by what factor two fingers parted, around which place, and how far that moved */
  constructor(element: HTMLElement, pinch: Pinch) {
    this.#element = element;
    this.#pinch = pinch;
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
        this.#isMouse = true;
        this.#hasMoved = false;
        this.#mouse("mousedown", event, 1);
      } else if (this.#isMouse) {
        this.#isMouse = false;
        this.#mouse("mouseup", event, 0);
      }
      return;
    }
    if (!this.#fingers.has(event.pointerId)) return;
    if (event.type === "pointermove") {
      this.#fingers.set(event.pointerId, here);
      this.#hasMoved = true;
      if (this.#isMouse) this.#mouse("mousemove", event, 1);
      else if (this.#fingers.size === 2) this.#spread(before, [...this.#fingers.values()]);
      return;
    }
    this.#fingers.delete(event.pointerId);
    if (!this.#isMouse) return;
    this.#isMouse = false;
    this.#mouse("mouseup", event, 0);
    if (event.type === "pointerup" && !this.#hasMoved) this.#mouse("click", event, 0);
  }

  #spread(before: readonly Place[], now: readonly Place[]): void {
    const [a, b] = [middle(before), middle(now)];
    const factor = apart(now) / Math.max(1, apart(before));
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
  return [(a![0] + b![0]) / 2, (a![1] + b![1]) / 2];
}

function apart([a, b]: readonly Place[]): number {
  return Math.hypot(a![0] - b![0], a![1] - b![1]);
}
