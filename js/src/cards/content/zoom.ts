import type { Listeners } from "../../shared/listeners";

const STILL = 4; // pixels a pointer may move and still be a click

/** Shows an image alone in the stage, at its own pixels or at twice what fits; dragging and scrolling pan. */
export class Zoom {
  readonly #box: HTMLElement;
  readonly #changed: () => void;
  #image: HTMLImageElement | null = null;
  #before: Node[] = [];
  #place: Comment | null = null;
  #held: { x: number; y: number; left: number; top: number } | null = null;
  #dragged = false;

  /** `changed` runs after each change of what the box holds. */
  constructor(box: HTMLElement, listeners: Listeners, changed: () => void) {
    this.#box = box;
    this.#changed = changed;
    listeners.dom(box, "click", (event) => this.#click(event));
    listeners.dom(box, "pointerdown", (event) => this.#press(event));
    listeners.dom(box, "pointermove", (event) => this.#drag(event));
    for (const end of ["pointerup", "pointercancel"]) {
      listeners.dom(box, end, () => {
        this.#held = null;
      });
    }
  }

  get on(): boolean {
    return this.#image !== null;
  }

  /** Zooms in on the first image, or out again; false where there is no image. */
  toggle(): boolean {
    if (this.leave()) return true;
    const image = this.#box.querySelector<HTMLImageElement>("img.alw-image");
    if (image) this.#enter(image, 0.5, 0.5);
    return image !== null;
  }

  /** Zooms out; false where nothing was zoomed. */
  leave(): boolean {
    const image = this.#image;
    if (!image) return false;
    this.forget();
    this.#box.replaceChildren(...this.#before);
    this.#place?.replaceWith(image);
    this.#before = [];
    this.#place = null;
    this.#changed();
    return true;
  }

  /** The box is about to show something else. */
  forget(): void {
    this.#image?.style.removeProperty("width");
    this.#image?.style.removeProperty("height");
    this.#image = null;
    this.#held = null;
    this.#box.classList.toggle("alw-zoomed", false);
  }

  /** Zooms in, with the point at these shares of the image's width and height in the middle. */
  #enter(image: HTMLImageElement, x: number, y: number): void {
    const box = this.#box;
    const [width, height] = sizeOf(image);
    const scale = Math.max(1, 2 * fitOf(image));
    this.#place = document.createComment("");
    image.replaceWith(this.#place);
    this.#before = [...box.childNodes];
    this.#image = image;
    image.style.width = `${width * scale}px`;
    image.style.height = `${height * scale}px`;
    box.classList.add("alw-zoomed");
    box.replaceChildren(image);
    box.scrollLeft = x * width * scale - box.clientWidth / 2;
    box.scrollTop = y * height * scale - box.clientHeight / 2;
    this.#changed();
  }

  #click(event: MouseEvent): void {
    const image = (event.target as Element).closest<HTMLImageElement>("img.alw-image");
    if (this.#dragged) this.#dragged = false;
    else if (this.on) this.leave();
    else if (image) {
      // the image lies in the middle of its element
      const frame = image.getBoundingClientRect();
      const fit = fitOf(image);
      const [width, height] = sizeOf(image).map((side) => side * fit || 1) as [number, number];
      const x = (event.clientX - frame.left - (frame.width - width) / 2) / width;
      const y = (event.clientY - frame.top - (frame.height - height) / 2) / height;
      this.#enter(image, x, y);
    }
  }

  #press(event: PointerEvent): void {
    this.#dragged = false;
    // fingers pan by scrolling
    if (!this.on || event.button !== 0 || event.pointerType === "touch") return;
    const { scrollLeft: left, scrollTop: top } = this.#box;
    this.#held = { x: event.clientX, y: event.clientY, left, top };
    this.#box.setPointerCapture(event.pointerId);
  }

  #drag(event: PointerEvent): void {
    const held = this.#held;
    if (!held) return;
    const [dx, dy] = [event.clientX - held.x, event.clientY - held.y];
    if (Math.abs(dx) + Math.abs(dy) > STILL) this.#dragged = true;
    this.#box.scrollLeft = held.left - dx;
    this.#box.scrollTop = held.top - dy;
  }
}

function sizeOf(image: HTMLImageElement): [number, number] {
  return [image.naturalWidth || 1, image.naturalHeight || 1];
}

/** Pixels of the screen for one of the image. */
function fitOf(image: HTMLImageElement): number {
  const { width, height } = image.getBoundingClientRect();
  const [w, h] = sizeOf(image);
  const fit = Math.min(width / w, height / h);
  return image.classList.contains("alw-pixels") ? fit : Math.min(1, fit);
}
