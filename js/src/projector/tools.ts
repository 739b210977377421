/** What can be done with the plot: kinds of lasso, how a pick counts, how points look, lines, a picture, full screen. */
import { icon, make, set, setText } from "../shared/dom";
import { saveFile } from "../shared/files";
import type { Listeners } from "../shared/listeners";
import { Choosing, quantity } from "./choices";
import { type How, SHAPES, type Shape } from "./lasso";
import type { Tool } from "./plot";
import type { MapState } from "./state";

const OWN = { "data-lm-suppress-shortcuts": "true" };

/** A button: its name, its key, and the paths of its icon. */
type Face = readonly [name: string, key: string, ...paths: string[]];

const LASSO = [
  "M8.5 2.5c3.2 0 5.5 1.7 5.5 4s-2.5 4.5-6 4.5-6-1.6-6-3.9S5.2 2.5 8.5 2.5Z",
  "M4.5 10.5c-1.7 1-1.2 2.7.3 3",
];
const SHAPE: Record<Shape, Face> = {
  free: ["Free lasso", "L", ...LASSO],
  rectangle: ["Rectangle", "R", "M2.5 4h11v8h-11Z"],
  brush: [
    "Brush",
    "B",
    "M13.5 2.5 7.6 8.4",
    "M6.6 8.2c1.4.3 2 1.2 1.6 2.6-.5 1.7-2.6 2.7-5.2 2.4 1.2-.8.9-1.8 1.2-3 .3-1.3 1.2-2.2 2.4-2Z",
  ],
};
const HOW: Record<How, Face> = {
  replace: ["Select anew", "N", "M3 3h10v10H3Z"],
  add: ["Add to the selection, also with Ctrl or Cmd", "A", "M8 3.5v9M3.5 8h9"],
  subtract: ["Take from the selection, also with Alt", "S", "M3.5 8h9"],
};
const MORE =
  "M2.5 4.5h6M11.5 4.5h2M2.5 11.5h2M7.5 11.5h6M10 3a1.5 1.5 0 1 1 0 3 1.5 1.5 0 0 1 0-3ZM6 10a1.5 1.5 0 1 1 0 3 1.5 1.5 0 0 1 0-3Z";
const FIT = ["M2.5 6V2.5H6", "M10 2.5h3.5V6", "M13.5 10v3.5H10", "M6 13.5H2.5V10"];
/** The most and the least that the sliders make of sizes and opacities, in percent. */
const RANGE = { min: 25, max: 300, step: 5 };

export interface ToolEvents {
  use(tool: Tool): void;
  fit(): void;
  adjust(size: number, opacity: number): void;
  /** Save what is seen as a picture. */
  save(): void;
  /** Something that the person asked for is not possible. */
  refused(text: string): void;
}

export class Tools {
  /** For the head of the map. */
  readonly lasso: HTMLButtonElement;
  readonly fit: HTMLButtonElement;
  readonly more: HTMLButtonElement;
  /** Above the plot: which lasso, while there is one. */
  readonly bar: HTMLElement;
  /** Above the plot: what is asked for rarely. */
  readonly options: HTMLElement;
  readonly #root: HTMLElement;
  readonly #state: MapState;
  readonly #events: ToolEvents;
  readonly #listeners: Listeners;
  readonly #shapes: Map<Shape, HTMLButtonElement>;
  readonly #hows: Map<How, HTMLButtonElement>;
  readonly #size = slider("Size");
  readonly #opacity = slider("Opacity");
  readonly #sizeBy: Choosing;
  readonly #opacityBy: Choosing;
  readonly #contours = row("Density contours", "D");
  readonly #save = row("Save as PNG", "P");
  readonly #full = row("Full screen", "F");
  #tool: Tool = { shape: null, how: "replace" };

  /** @param root of the map, which becomes as large as the screen */
  constructor(root: HTMLElement, listeners: Listeners, state: MapState, events: ToolEvents) {
    this.#root = root;
    this.#state = state;
    this.#events = events;
    this.#listeners = listeners;
    this.lasso = button("Lasso", "L", ...LASSO);
    this.lasso.classList.add("alw-map-dashed");
    this.lasso.append(make("span", { class: "alw-map-word" }, "Lasso"));
    this.fit = button("Show all", "0", ...FIT);
    this.more = button("More", "O", MORE);
    this.#shapes = new Map(SHAPES.map((shape) => [shape, button(...SHAPE[shape])]));
    this.#shapes.get("free")?.classList.add("alw-map-dashed");
    this.#hows = new Map((["replace", "add", "subtract"] as const).map((how) => [how, button(...HOW[how])]));
    this.bar = make(
      "div",
      { class: "alw-map-bar-tools", hidden: true },
      make("div", { role: "group", "aria-label": "Kind of lasso" }, ...this.#shapes.values()),
      make("div", { role: "group", "aria-label": "What it does" }, ...this.#hows.values()),
    );
    this.#sizeBy = new Choosing(listeners, state, quantity(state, "size"));
    this.#opacityBy = new Choosing(listeners, state, quantity(state, "opacity"));
    this.options = make(
      "div",
      { class: "alw-map-options", role: "group", "aria-label": "More", hidden: true },
      this.#size.root,
      this.#sizeBy.root,
      this.#opacity.root,
      this.#opacityBy.root,
      this.#contours,
      this.#save,
      this.#full,
    );
    this.more.setAttribute("aria-expanded", "false");
    this.#listen();
    this.paint();
    this.#paintTool();
  }

  get isLassoing(): boolean {
    return this.#tool.shape !== null;
  }

  /** Whether the options are shown. */
  get isOpen(): boolean {
    return this.options.hidden === false;
  }

  /** Does what a key stands for; false where it stands for nothing here. */
  key(key: string): boolean {
    const shape = SHAPES.find((name) => SHAPE[name][1] === key.toUpperCase());
    const how = [...this.#hows.keys()].find((name) => HOW[name][1] === key.toUpperCase());
    if (shape) this.toggle(shape);
    else if (how && this.isLassoing) this.#use({ ...this.#tool, how });
    else if (key === "d") this.#state.toggleContours();
    else if (key === "o") this.open(!this.isOpen);
    else if (key === "p") this.#events.save();
    else if (key === "f") void this.fullScreen();
    else return false;
    return true;
  }

  /** Shows what sizes and opacities follow, and whether there are lines. */
  paint(): void {
    this.#contours.setAttribute("aria-pressed", String(this.#state.isContouring));
    this.#sizeBy.paint();
    this.#opacityBy.paint();
  }

  /** Shows the columns that were found. */
  paintColumns(): void {
    this.#sizeBy.paintColumns();
    this.#opacityBy.paintColumns();
  }

  /** What Escape leaves; false where there is nothing. */
  escape(): boolean {
    if (this.isOpen) this.open(false);
    else if (this.isLassoing) this.toggle(this.#tool.shape!);
    else return false;
    return true;
  }

  /** Picks up a lasso, or puts it down. */
  toggle(shape: Shape): void {
    this.#use({ ...this.#tool, shape: this.#tool.shape === shape ? null : shape });
  }

  open(on: boolean): void {
    const isInside = this.options.contains((this.#root.getRootNode() as Document).activeElement);
    this.options.hidden = !on;
    this.more.setAttribute("aria-expanded", String(on));
    if (on) this.#size.input.focus();
    else if (isInside) this.#root.focus({ preventScroll: true });
  }

  async fullScreen(): Promise<void> {
    try {
      if (document.fullscreenElement) await document.exitFullscreen();
      else await this.#root.requestFullscreen();
    } catch {
      this.#events.refused("Full screen is not allowed here.");
    }
  }

  #listen(): void {
    const on = (element: HTMLElement, run: () => void) => this.#listeners.dom(element, "click", run);
    on(this.lasso, () => this.toggle(this.#tool.shape ?? "free"));
    on(this.fit, () => this.#events.fit());
    on(this.more, () => this.open(!this.isOpen));
    on(this.#contours, () => this.#state.toggleContours());
    on(this.#save, () => this.#events.save());
    on(this.#full, () => void this.fullScreen());
    for (const [shape, element] of this.#shapes) on(element, () => this.#use({ ...this.#tool, shape }));
    for (const [how, element] of this.#hows) on(element, () => this.#use({ ...this.#tool, how }));
    for (const { input, said } of [this.#size, this.#opacity]) {
      this.#listeners.dom(input, "input", () => {
        setText(said, `${input.value} %`);
        this.#events.adjust(Number(this.#size.input.value) / 100, Number(this.#opacity.input.value) / 100);
      });
    }
    this.#listeners.dom(this.#root, "fullscreenchange", () => {
      const isFull = document.fullscreenElement !== null;
      setText(this.#full.firstElementChild!, isFull ? "Leave full screen" : "Full screen");
    });
    // A press elsewhere puts the options away.
    this.#listeners.dom(this.#root, "pointerdown", ({ target }) => {
      const isOurs = this.options.contains(target as Node) || this.more.contains(target as Node);
      if (this.isOpen && !isOurs) this.open(false);
    });
  }

  #use(tool: Tool): void {
    // How a pick counts lasts as long as the lasso does.
    this.#tool = tool.shape === null ? { shape: null, how: "replace" } : tool;
    this.#paintTool();
    this.#events.use(this.#tool);
  }

  #paintTool(): void {
    const { shape, how } = this.#tool;
    this.lasso.setAttribute("aria-pressed", String(shape !== null));
    this.bar.hidden = shape === null;
    for (const [name, element] of this.#shapes) element.setAttribute("aria-pressed", String(name === shape));
    for (const [name, element] of this.#hows) element.setAttribute("aria-pressed", String(name === how));
  }
}

/** Hands a picture to the browser as a file. */
export async function download(canvas: HTMLCanvasElement, name: string): Promise<void> {
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/png"));
  if (!blob) throw new Error("the browser made no picture");
  saveFile(blob, name);
}

export function button(name: string, key: string, ...paths: string[]): HTMLButtonElement {
  return make(
    "button",
    {
      type: "button",
      class: "alw-map-tool",
      "aria-label": name,
      title: `${name} (${key})`,
      "aria-keyshortcuts": key,
      ...OWN,
    },
    icon(...paths),
  );
}

function row(name: string, key: string): HTMLButtonElement {
  return make(
    "button",
    { type: "button", class: "alw-map-row", "aria-keyshortcuts": key, ...OWN },
    make("span", {}, name),
    make("kbd", { "aria-hidden": "true" }, key),
  );
}

function slider(name: string): { root: HTMLElement; input: HTMLInputElement; said: HTMLElement } {
  const input = make("input", { type: "range", ...RANGE, ...OWN });
  set(input, { value: "100" });
  const said = make("output", {}, "100 %");
  return {
    root: make("label", { class: "alw-map-slider" }, make("span", {}, name), input, said),
    input,
    said,
  };
}
