/** The points on a plain canvas, for a browser without WebGL: hover and lasso, no zoom. */
import { Listeners } from "../shared/listeners";
import { allInside, nearest, type Place } from "./lasso";
import type { Plot, PlotEvents, Scene } from "./plot";

const MARGIN = 1.12;
const REACH = 8;

export function flatPlot(canvas: HTMLCanvasElement, events: PlotEvents): Plot {
  return new FlatPlot(canvas, events);
}

class FlatPlot implements Plot {
  readonly #canvas: HTMLCanvasElement;
  readonly #events: PlotEvents;
  readonly #listeners = new Listeners();
  #scene: Scene | null = null;
  #places = new Float32Array(0);
  #size: Place = [1, 1];
  #selected = new Set<number>();
  #lassoMode = false;
  #path: Place[] | null = null;
  #hovered: number | null = null;

  constructor(canvas: HTMLCanvasElement, events: PlotEvents) {
    this.#canvas = canvas;
    this.#events = events;
    const listeners = this.#listeners;
    listeners.dom(canvas, "pointerdown", (event) => this.#down(event as PointerEvent));
    listeners.dom(canvas, "pointermove", (event) => this.#move(event as PointerEvent));
    listeners.dom(canvas, "pointerup", (event) => this.#up(event as PointerEvent));
    listeners.dom(canvas, "pointerleave", () => this.#hover(null));
    listeners.dom(canvas, "dblclick", () => this.#events.select([]));
  }

  draw(scene: Scene): void {
    this.#scene = scene;
    this.#place();
    this.#paint();
    this.#events.moved();
  }

  select(indices: readonly number[]): void {
    this.#selected = new Set(indices);
    this.#paint();
  }

  lasso(on: boolean): void {
    this.#lassoMode = on;
  }

  where(index: number): Place | null {
    return 2 * index < this.#places.length ? [this.#places[2 * index]!, this.#places[2 * index + 1]!] : null;
  }

  resize(width: number, height: number): void {
    this.#size = [width, height];
    const ratio = window.devicePixelRatio || 1;
    this.#canvas.width = Math.round(width * ratio);
    this.#canvas.height = Math.round(height * ratio);
    this.#canvas.style.width = `${width}px`;
    this.#canvas.style.height = `${height}px`;
    this.#place();
    this.#paint();
    this.#events.moved();
  }

  zoom(): void {}
  pan(): void {}
  fit(): void {}

  destroy(): void {
    this.#listeners.dispose();
  }

  #place(): void {
    const xy = this.#scene?.xy;
    if (!xy) return;
    const [width, height] = this.#size;
    const half = height / 2 / MARGIN;
    this.#places = new Float32Array(xy.length);
    for (let i = 0; i < xy.length; i += 2) {
      this.#places[i] = width / 2 + xy[i]! * half;
      this.#places[i + 1] = height / 2 - xy[i + 1]! * half;
    }
  }

  #paint(): void {
    const context = this.#canvas.getContext("2d");
    const scene = this.#scene;
    if (!context || !scene) return;
    const ratio = window.devicePixelRatio || 1;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.fillStyle = scene.theme.surface;
    context.fillRect(0, 0, ...this.#size);
    const { colours, sizes, opacities } = scene.look;
    const dim = this.#selected.size > 0 ? 0.25 : 1;
    for (let k = 0; k < scene.codes.length; k++) {
      const i = scene.order?.[k] ?? k;
      const code = scene.codes[i]!;
      const size = sizes[code] ?? 4;
      context.globalAlpha = (opacities[code] ?? 1) * (this.#selected.has(i) ? 1 : dim);
      context.fillStyle = colours[code] ?? "#888";
      context.fillRect(this.#places[2 * i]! - size / 2, this.#places[2 * i + 1]! - size / 2, size, size);
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

  #at(event: PointerEvent): Place {
    const box = this.#canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  #down(event: PointerEvent): void {
    if (event.button !== 0) return;
    if (this.#lassoMode || event.shiftKey) {
      this.#canvas.setPointerCapture?.(event.pointerId);
      this.#path = [this.#at(event)];
      this.#hover(null);
      return;
    }
    const index = nearest(this.#places, ...this.#at(event), REACH);
    if (index !== null) this.#events.select([index]);
  }

  #move(event: PointerEvent): void {
    if (this.#path) {
      this.#path.push(this.#at(event));
      this.#paint();
    } else {
      this.#hover(nearest(this.#places, ...this.#at(event), REACH));
    }
  }

  #up(event: PointerEvent): void {
    const path = this.#path;
    if (!path) return;
    this.#path = null;
    this.#canvas.releasePointerCapture?.(event.pointerId);
    this.#paint();
    this.#events.select(allInside(this.#places, path));
  }

  #hover(index: number | null): void {
    if (index === this.#hovered) return;
    this.#hovered = index;
    this.#events.hover(index);
  }
}
