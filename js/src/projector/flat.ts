/** The points on a plain canvas, for a browser without WebGL. */
import { make } from "../shared/dom";
import { Listeners } from "../shared/listeners";
import { Grid } from "./grid";
import { howOf, type Place } from "./lasso";
import { factorOf } from "./looks";
import { placeOf } from "./overlay";
import { Pace, SUBSET, sample } from "./pace";
import type { Plot, PlotEvents, Scene, Tool } from "./plot";
import { Touch } from "./touch";
import {
  fitting,
  MARGIN,
  pointScale,
  reachOf,
  toPlane,
  toScreen,
  unitsPerPixel,
  type Viewport,
} from "./viewport";

const REACH = 8;
/** A press that moves farther than this is no click. */
const CLICK = 4;
/** How much of its opacity a point keeps while others are selected. */
const INACTIVE = 0.25;

export function flatPlot(events: PlotEvents): Plot {
  return new FlatPlot(events);
}

class FlatPlot implements Plot {
  readonly root = make("canvas", { class: "alw-map-flat", "aria-hidden": "true", "data-plot": "flat" });
  readonly #events: PlotEvents;
  readonly #listeners = new Listeners();
  readonly #pace = new Pace();
  #scene: Scene | null = null;
  #grid: Grid | null = null;
  #sample = new Uint32Array(0);
  #view: Viewport = { x: 0, y: 0, distance: MARGIN };
  #size: Place = [1, 1];
  #factors: Place = [1, 1];
  #selected: Uint8Array | null = null;
  #tool: Tool = { shape: null, how: "replace" };
  /** Corners of the lasso that is being drawn, on the screen. */
  #path: Place[] | null = null;
  #drag: { from: Place; last: Place; hasMoved: boolean } | null = null;
  #hovered: number | null = null;
  #frame: (() => void) | null = null;

  constructor(events: PlotEvents) {
    this.#events = events;
    const dom = this.#listeners.dom.bind(this.#listeners);
    dom(this.root, "mousedown", (event) => this.#down(event));
    dom(window as unknown as HTMLElement, "mousemove", (event) => this.#move(event));
    dom(window as unknown as HTMLElement, "mouseup", (event) => this.#up(event));
    dom(this.root, "mouseleave", () => this.#hover(null));
    dom(this.root, "dblclick", () => this.#events.clear());
    dom(this.root, "wheel", (event) => this.#wheel(event), { passive: false });
    const touch = new Touch(
      this.root,
      (factor, centre, moved) => {
        this.#zoomAt(factor, centre);
        this.#shift(...moved);
      },
      () => this.#tool.shape !== null,
    );
    this.#listeners.add(touch.dispose);
  }

  get viewport(): Viewport {
    return this.#view;
  }

  set viewport(view: Viewport) {
    this.#view = view;
    this.#pace.moved(performance.now());
    this.#ask();
    this.#events.moved();
  }

  draw(scene: Scene): void {
    const isMoved = scene.xy !== this.#scene?.xy;
    const n = scene.codes.length;
    if (n !== this.#scene?.codes.length) this.#selected = null;
    this.#scene = scene;
    if (isMoved) {
      this.#grid = null;
      this.#sample = sample(n, SUBSET);
    }
    this.#changed(isMoved);
  }

  select(indices: ArrayLike<number>): void {
    this.#selected = indices.length > 0 ? new Uint8Array(this.#scene?.codes.length ?? 0) : null;
    for (let k = 0; k < indices.length && this.#selected; k++) this.#selected[indices[k]!] = 1;
    this.#changed(false);
  }

  use(tool: Tool): void {
    this.#tool = tool;
  }

  adjust(size: number, opacity: number): void {
    this.#factors = [size, opacity];
    this.#changed(false);
  }

  where(index: number): Place | null {
    const xy = this.#scene?.xy;
    if (!xy || 2 * index >= xy.length) return null;
    return toScreen(this.#view, this.#size, xy[2 * index]!, xy[2 * index + 1]!);
  }

  resize(width: number, height: number): void {
    this.#size = [width, height];
    const ratio = window.devicePixelRatio || 1;
    this.root.width = Math.round(width * ratio);
    this.root.height = Math.round(height * ratio);
    this.root.style.width = `${width}px`;
    this.root.style.height = `${height}px`;
    this.#changed(true);
  }

  zoom(factor: number): void {
    this.viewport = { ...this.#view, distance: this.#view.distance / factor };
  }

  pan(right: number, up: number): void {
    const { x, y, distance } = this.#view;
    this.viewport = { x: x + right * distance, y: y + up * distance, distance };
  }

  fit(): void {
    if (this.#scene) this.viewport = fitting(reachOf(this.#scene.xy), this.#size);
  }

  async picture(): Promise<HTMLCanvasElement> {
    const canvas = make("canvas", { width: this.root.width, height: this.root.height });
    this.#paint(canvas, null);
    return canvas;
  }

  destroy(): void {
    this.#listeners.dispose();
    this.root.remove();
  }

  // ------------------------------------------------------------------ frames

  #changed(isNew: boolean): void {
    this.#pace.changed(this.#scene?.codes.length ?? 0, isNew);
    this.#ask();
    this.#events.moved();
  }

  #ask(): void {
    this.#frame ??= this.#listeners.frame(() => {
      this.#frame = null;
      const step = this.#pace.next(performance.now());
      if (step?.kind === "subset") {
        this.#paint(this.root, this.#sample);
        this.root.dataset.drawn = "subset";
      } else if (step?.last) {
        this.#paint(this.root, null);
        this.root.dataset.drawn = "all";
        this.#events.painted();
      }
      if (!this.#pace.isComplete) this.#ask();
    });
  }

  /** @param some the points to draw; null for all, in the order of the scene */
  #paint(canvas: HTMLCanvasElement, some: Uint32Array | null): void {
    const context = canvas.getContext("2d");
    const scene = this.#scene;
    if (!context || !scene) return;
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = this.#size;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.globalAlpha = 1;
    context.fillStyle = scene.theme.surface;
    context.fillRect(0, 0, width, height);
    const { colours, sizes, opacities } = scene.look;
    const scale = pointScale(this.#view.distance) * this.#factors[0];
    const order = some ?? scene.order;
    const count = order?.length ?? scene.codes.length;
    for (let k = 0; k < count; k++) {
      const i = order?.[k] ?? k;
      const [left, top] = this.where(i)!;
      const code = scene.codes[i]!;
      const size = (sizes[code] ?? 4) * factorOf("size", scene.steps, i) * scale;
      if (left < -size || top < -size || left > width + size || top > height + size) continue;
      const isDim = this.#selected !== null && this.#selected[i] !== 1;
      const opacity = (opacities[code] ?? 1) * factorOf("opacity", scene.steps, i) * this.#factors[1];
      context.globalAlpha = Math.min(1, opacity) * (isDim ? INACTIVE : 1);
      context.fillStyle = colours[code] ?? "#888";
      context.fillRect(left - size / 2, top - size / 2, size, size);
    }
    context.globalAlpha = 1;
    if (!this.#path || this.#path.length < 2) return;
    context.beginPath();
    for (const [x, y] of this.#path) context.lineTo(x, y);
    context.closePath();
    context.strokeStyle = scene.theme.accent;
    context.lineWidth = 2;
    context.stroke();
  }

  // ------------------------------------------------------------------ the pointer

  #down(event: MouseEvent): void {
    if (event.button !== 0) return;
    const here = placeOf(this.root, event);
    this.#drag = { from: here, last: here, hasMoved: false };
    this.#path = this.#tool.shape || event.shiftKey ? [here] : null;
    this.#hover(null);
  }

  #move(event: MouseEvent): void {
    const here = placeOf(this.root, event);
    const drag = this.#drag;
    if (!drag) {
      if (event.target === this.root) this.#hover(this.#under(here));
      return;
    }
    drag.hasMoved ||= Math.hypot(here[0] - drag.from[0], here[1] - drag.from[1]) > CLICK;
    if (this.#path) {
      if (this.#tool.shape === "rectangle") {
        const [[left, top], [right, bottom]] = [drag.from, here];
        this.#path = [drag.from, [right, top], here, [left, bottom]];
      } else this.#path.push(here);
      this.#pace.moved(performance.now());
      this.#ask();
    } else if (drag.hasMoved) this.#shift(here[0] - drag.last[0], here[1] - drag.last[1]);
    drag.last = here;
  }

  #up(event: MouseEvent): void {
    const [drag, path] = [this.#drag, this.#path];
    this.#drag = this.#path = null;
    if (!drag) return;
    const how = howOf(event, this.#tool.how);
    if (path && drag.hasMoved) {
      const corners = path.map(([x, y]) => toPlane(this.#view, this.#size, x, y));
      this.#changed(false);
      const found = this.#index()?.inside(corners);
      if (found) this.#events.pick(found, how);
      return;
    }
    const index = drag.hasMoved ? null : this.#under(drag.from);
    if (index !== null) this.#events.pick(Uint32Array.of(index), how);
  }

  #wheel(event: WheelEvent): void {
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 12 : 1;
    this.#zoomAt(Math.exp((-lines * event.deltaY) / this.#size[1]), placeOf(this.root, event));
  }

  /** What lies at a place stays there. */
  #zoomAt(factor: number, place: Place): void {
    const [x, y] = toPlane(this.#view, this.#size, ...place);
    const distance = this.#view.distance / factor;
    const unit = unitsPerPixel({ ...this.#view, distance }, this.#size);
    const [width, height] = this.#size;
    this.viewport = { x: x - (place[0] - width / 2) * unit, y: y + (place[1] - height / 2) * unit, distance };
  }

  #shift(right: number, down: number): void {
    const unit = unitsPerPixel(this.#view, this.#size);
    this.viewport = { ...this.#view, x: this.#view.x - right * unit, y: this.#view.y + down * unit };
  }

  #under(place: Place): number | null {
    const [x, y] = toPlane(this.#view, this.#size, ...place);
    return this.#index()?.nearest(x, y, REACH * unitsPerPixel(this.#view, this.#size)) ?? null;
  }

  #index(): Grid | null {
    if (this.#scene) this.#grid ??= new Grid(this.#scene.xy);
    return this.#grid;
  }

  #hover(index: number | null): void {
    if (index === this.#hovered) return;
    this.#hovered = index;
    this.#events.hover(index);
  }
}
