/** The points on WebGL, by regl-scatterplot. */
import createScatterplot, { createRenderer } from "regl-scatterplot";
import type { Place } from "./lasso";
import { GLIDE_MS, isStill, type Plot, type PlotEvents, type Scene } from "./plot";

type Scatterplot = ReturnType<typeof createScatterplot>;
type Row = [x: number, y: number, code: number];

const MARGIN = 1.12;
const INACTIVE = 0.22;

/** @throws where there is no WebGL, or not enough of it. */
export function glPlot(canvas: HTMLCanvasElement, overlay: HTMLElement, events: PlotEvents): Plot {
  return new GlPlot(canvas, overlay, events);
}

class GlPlot implements Plot {
  readonly #renderer: ReturnType<typeof createRenderer>;
  readonly #scatter: Scatterplot;
  readonly #events: PlotEvents;
  readonly #surface = document.createElement("canvas");
  readonly #onLost: (event: Event) => void;
  #rows: Row[] = [];
  #xy: Scene["xy"] | null = null;
  #next: Scene | null = null;
  #busy = false;
  #destroyed = false;
  #width = 1;
  #height = 1;
  /** How far the points reach from the centre. */
  #reach: [number, number] = [1, 1];
  #selected: readonly number[] = [];

  constructor(canvas: HTMLCanvasElement, overlay: HTMLElement, events: PlotEvents) {
    this.#events = events;
    // A renderer of our own is as large as the map; the library's would be as large as the window.
    this.#renderer = createRenderer({ canvas: this.#surface });
    if (!this.#renderer.isSupported) {
      this.#renderer.destroy();
      throw new Error("WebGL lacks float textures");
    }
    this.#onLost = (event) => {
      event.preventDefault();
      events.lost();
    };
    this.#surface.addEventListener("webglcontextlost", this.#onLost);
    const mac = /mac/i.test(navigator.platform);
    const options = {
      canvas,
      renderer: this.#renderer,
      syncEvents: true,
      width: 1,
      height: 1,
      cameraDistance: MARGIN,
      colorBy: "valueA",
      sizeBy: "valueA",
      opacityBy: "valueA",
      opacityInactiveScale: INACTIVE,
      pointSizeSelected: 1,
      pointOutlineWidth: 0,
      pointScaleMode: "asinh",
      lassoOnLongPress: true,
      lassoInitiatorParentElement: overlay,
      lassoLineWidth: 2,
      deselectOnEscape: false,
      actionKeyMap: { lasso: "shift", merge: mac ? "cmd" : "ctrl", remove: "alt" },
      spatialIndexUseWorker: false,
    };
    this.#scatter = createScatterplot(options as unknown as Parameters<typeof createScatterplot>[0]);
    this.#scatter.subscribe("pointOver", (index: number) => events.hover(index));
    this.#scatter.subscribe("pointOut", () => events.hover(null));
    this.#scatter.subscribe("select", ({ points }: { points: number[] }) => {
      this.#selected = points;
      events.select([...points]);
    });
    this.#scatter.subscribe("deselect", () => {
      this.#selected = [];
      events.select([]);
    });
    this.#scatter.subscribe("draw", () => events.moved());
  }

  draw(scene: Scene): void {
    this.#next = { ...scene, glide: scene.glide || (this.#next?.glide ?? false) };
    if (!this.#busy) void this.#drawAll();
  }

  async #drawAll(): Promise<void> {
    this.#busy = true;
    try {
      while (this.#next && !this.#destroyed) {
        const scene = this.#next;
        this.#next = null;
        await this.#drawOne(scene);
      }
    } catch {
      if (!this.#destroyed) this.#events.lost();
    } finally {
      this.#busy = false;
    }
  }

  async #drawOne(scene: Scene): Promise<void> {
    const { xy, codes, look, theme } = scene;
    const n = codes.length;
    const moved = xy !== this.#xy;
    const glide = scene.glide && moved && this.#rows.length === n && n > 0 && !isStill();
    if (moved) {
      this.#rows = Array.from({ length: n }, (_, i) => [xy[2 * i]!, xy[2 * i + 1]!, 0]);
      this.#reach = [0, 0];
      for (let i = 0; i < xy.length; i++) {
        this.#reach[i % 2] = Math.max(this.#reach[i % 2]!, Math.abs(xy[i]!));
      }
    }
    for (let i = 0; i < n; i++) this.#rows[i]![2] = codes[i]!;
    this.#xy = xy;
    await this.#scatter.set({
      backgroundColor: theme.surface,
      pointColor: look.colours,
      pointColorActive: theme.accent,
      pointSize: look.sizes,
      opacity: look.opacities,
      lassoColor: theme.accent,
      pointOrder: scene.order,
    });
    if (this.#destroyed) return;
    // The index of where the points are is costly for a million, and recolouring moves none.
    const spatialIndex = moved ? undefined : this.#scatter.get("spatialIndex");
    if (glide) this.#events.gliding(true);
    try {
      await this.#scatter.draw(this.#rows, {
        zDataType: "categorical",
        select: [...this.#selected],
        ...(spatialIndex ? { spatialIndex } : {}),
        ...(glide ? { transition: true, transitionDuration: GLIDE_MS } : {}),
      });
    } finally {
      if (glide) this.#events.gliding(false);
    }
  }

  select(indices: readonly number[]): void {
    if (this.#destroyed || sameNumbers(indices, this.#selected)) return;
    this.#selected = [...indices];
    if (!this.#scatter.get("isPointsDrawn")) return; // the drawing that is under way selects
    if (indices.length === 0) this.#scatter.deselect({ preventEvent: true });
    else this.#scatter.select([...indices], { preventEvent: true });
  }

  lasso(on: boolean): void {
    void this.#scatter.set({ mouseMode: on ? "lasso" : "panZoom" });
  }

  where(index: number): Place | null {
    if (this.#destroyed || !this.#scatter.get("isPointsDrawn")) return null;
    return this.#scatter.getScreenPosition(index) ?? null;
  }

  resize(width: number, height: number): void {
    if (this.#destroyed || (width === this.#width && height === this.#height)) return;
    this.#width = width;
    this.#height = height;
    this.#renderer.resize(width, height);
    void this.#scatter.set({ width, height });
  }

  zoom(factor: number): void {
    this.#look(this.#target(), this.#distance() / factor);
  }

  pan(right: number, up: number): void {
    const [x, y] = this.#target();
    const distance = this.#distance();
    this.#look([x + right * distance, y + up * distance], distance);
  }

  fit(): void {
    this.#look([0, 0], this.#fitting());
  }

  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.#next = null;
    this.#surface.removeEventListener("webglcontextlost", this.#onLost);
    this.#scatter.destroy();
    this.#renderer.destroy();
  }

  #fitting(): number {
    const [right, top] = this.#reach;
    return MARGIN * Math.max(top, (right * this.#height) / Math.max(1, this.#width));
  }

  #target(): [number, number] {
    const [x, y] = this.#scatter.get("cameraTarget");
    return [x, y];
  }

  #distance(): number {
    const distance = this.#scatter.get("cameraDistance") as number | number[];
    return typeof distance === "number" ? distance : (distance[0] ?? MARGIN);
  }

  #look(target: [number, number], distance: number): void {
    if (!this.#scatter.get("isPointsDrawn")) return;
    const still = isStill();
    this.#scatter
      .zoomToLocation(target, distance, { transition: !still, transitionDuration: 150 })
      .catch(() => {}); // another movement came first
  }
}

function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}
