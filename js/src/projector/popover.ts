/** What an item is, beside its point. Text goes into text nodes, images come as blobs. */
import { make, percent, setText } from "../shared/dom";
import { addressOf } from "../shared/images";
import { palette } from "../shared/palette";
import type { Place } from "./lasso";
import { Sound } from "./sound";
import type { Preview } from "./state";

const LONGEST = 400;
const GAP = 14;
/** Images smaller than this are shown in whole pixels. */
const PIXELATED = 96;

export class Popover {
  readonly root = make("div", { class: "alw-map-popover", role: "tooltip", hidden: true });
  readonly #image = make("img", { class: "alw-map-image", alt: "", hidden: true });
  readonly #text = make("p", { class: "alw-map-text", hidden: true });
  readonly #sound = new Sound();
  readonly #facts = make("dl", { class: "alw-map-facts" });
  #url: string | null = null;

  constructor() {
    this.root.append(this.#image, this.#sound.root, this.#text, this.#facts);
    this.#image.onerror = () => {
      this.#image.hidden = true;
      this.#say("This image cannot be shown: its file is damaged.");
    };
  }

  get isOpen(): boolean {
    return !this.root.hidden;
  }

  /** Whether it holds a sound. */
  get isHeard(): boolean {
    return this.isOpen && this.#sound.isThere;
  }

  /** Plays its sound, or stops it; false where there is none. */
  toggleSound(): boolean {
    return this.isOpen && this.#sound.toggle();
  }

  wait(): void {
    this.#clear();
    this.#say("Waiting for the kernel…");
    this.root.hidden = false;
  }

  show(preview: Preview, classes: readonly string[]): void {
    this.#clear();
    const { content, file } = preview;
    if (content.kind === "text") {
      const text = content.text;
      this.#say(text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text || "(empty text)");
    } else if (content.kind === "audio") {
      if (file) this.#sound.show(file, content.mime);
    } else {
      this.#url = addressOf(content.mime, file);
      if (this.#url) this.#image.src = this.#url;
      this.#image.alt = content.alt;
      const small = Math.max(content.width, content.height) <= PIXELATED;
      this.#image.classList.toggle("alw-map-pixels", small);
      this.#image.hidden = this.#url === null;
    }
    this.#fact("Label", preview.label ?? "none yet", preview.label, classes);
    if (preview.prediction !== null) {
      const sure = preview.confidence === null ? "" : `, ${percent(preview.confidence)}`;
      this.#fact("Prediction", `${preview.prediction}${sure}`, preview.prediction, classes);
    }
    this.root.hidden = false;
  }

  hide(): void {
    this.root.hidden = true;
    this.#clear();
  }

  /** Beside `place`, on the side where there is room in a plot of this size. */
  put(place: Place, width: number, height: number): void {
    const [x, y] = place;
    const { offsetWidth: w, offsetHeight: h } = this.root;
    const left = x + GAP + w <= width ? x + GAP : x - GAP - w;
    const top = Math.min(Math.max(y - h / 2, 6), Math.max(6, height - h - 6));
    this.root.style.transform = `translate(${Math.round(Math.max(6, left))}px, ${Math.round(top)}px)`;
  }

  dispose(): void {
    this.#clear();
    this.root.remove();
  }

  #say(text: string): void {
    setText(this.#text, text);
    this.#text.hidden = false;
  }

  #fact(name: string, value: string, className: string | null, classes: readonly string[]): void {
    const code = className === null ? -1 : classes.indexOf(className);
    const dot = make("span", { class: "alw-map-dot", "aria-hidden": "true" });
    dot.style.background = code >= 0 ? palette(classes.length)[code]! : "transparent";
    if (code < 0) dot.classList.add("alw-map-dot-empty");
    this.#facts.append(make("dt", {}, name), make("dd", {}, dot, value));
  }

  #clear(): void {
    if (this.#url) URL.revokeObjectURL(this.#url);
    this.#url = null;
    this.#sound.clear();
    this.#image.removeAttribute("src");
    this.#image.hidden = true;
    this.#text.hidden = true;
    this.#facts.replaceChildren();
  }
}
