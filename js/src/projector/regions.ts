/** Names of the regions over the plot: words in text nodes, or a small image; the largest win where they overlap. */
import { make } from "../shared/dom";
import { addressOf } from "../shared/images";
import type { Place } from "./lasso";
import type { Regions } from "./state";

/** Room around a name, in CSS pixels. */
const ROOM = 4;
const FADED = "0";
/** The longer side of an image, in CSS pixels. */
const LONG = 32;
/** How many of its lines a name may be moved up or down to have room. */
const ASIDE = [0, -1.75, 1.75];

interface Name {
  index: number;
  element: HTMLElement;
  width: number;
  height: number;
}

type Box = readonly [left: number, top: number, right: number, bottom: number];

/** Whether two boxes have a point in common. */
export function overlap(a: Box, b: Box): boolean {
  return a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
}

const around = (left: number, top: number, width: number, height: number): Box => [
  left - ROOM,
  top - ROOM,
  left + width + ROOM,
  top + height + ROOM,
];

export class RegionNames {
  readonly root = make("div", { class: "alw-map-names", "aria-hidden": "true" });
  #shown: Regions | null = null;
  #names: Name[] = [];
  #urls: string[] = [];

  /** The names to show; null for none. */
  set(regions: Regions | null): void {
    if (regions === this.#shown) return;
    this.#shown = regions;
    this.#forget();
    const bySize = [...(regions?.regions ?? [])].sort((a, b) => b.size - a.size);
    for (const { index, words, image } of bySize) {
      const element = make("div", { class: "alw-map-landmark", "data-index": index });
      const url = image && addressOf(image.mime, regions!.buffers[image.buffer]);
      if (image && url) {
        this.#urls.push(url);
        const scale = LONG / Math.max(image.width, image.height, 1);
        const [width, height] = [image.width * scale, image.height * scale].map(Math.round);
        const look = scale > 1 ? "alw-map-enlarged" : null;
        const picture = make("img", { src: url, alt: "", width, height, class: look });
        picture.onerror = () => this.#drop(element); // bytes that are no image name nothing
        element.append(picture);
      } else element.append(words);
      this.root.append(element);
      this.#names.push({ index, element, width: 0, height: 0 });
    }
  }

  /**
   * Puts the names where their points are, the largest region first; what would lie over another name is not shown.
   *
   * @param where a point is, in CSS pixels
   */
  place(where: (index: number) => Place | null, size: readonly [number, number], moving: boolean): void {
    this.root.style.opacity = moving ? FADED : "";
    if (moving) return;
    for (const name of this.#names) {
      if (name.width > 0) continue; // an image may not be there yet: it is measured again
      name.width = name.element.offsetWidth;
      name.height = name.element.offsetHeight;
    }
    const taken: Box[] = [];
    for (const { index, element, width, height } of this.#names) {
      const place = where(index);
      const isInside = place && place[0] >= 0 && place[1] >= 0 && place[0] <= size[0] && place[1] <= size[1];
      const left = Math.max(ROOM, Math.min((place?.[0] ?? 0) - width / 2, size[0] - width - ROOM));
      const middle = (place?.[1] ?? 0) - height / 2;
      const free = ASIDE.map((lines) => middle + lines * height).find(
        (top) => isInside && !taken.some((other) => overlap(around(left, top, width, height), other)),
      );
      element.style.visibility = free === undefined ? "hidden" : "";
      if (free === undefined) continue;
      taken.push(around(left, free, width, height));
      element.style.transform = `translate(${Math.round(left)}px, ${Math.round(free)}px)`;
    }
  }

  dispose(): void {
    this.#forget();
    this.root.remove();
  }

  #drop(element: HTMLElement): void {
    this.#names = this.#names.filter((name) => name.element !== element);
    element.remove();
  }

  #forget(): void {
    for (const url of this.#urls) URL.revokeObjectURL(url);
    this.#urls = [];
    this.#names = [];
    this.root.replaceChildren();
  }
}
