/**
 * The points on WebGL. regl-scatterplot has the renderer, the camera with its gestures, and the lasso. The points are a
 * layer of ours on its renderer: its own would take an object a point, and draw all of them in each frame.
 */
import createScatterplot, { createRenderer } from "regl-scatterplot";
import { make } from "../shared/dom";
import { Listeners } from "../shared/listeners";
import type { Coordinates } from "./codecs";
import { Grid } from "./grid";
import { howOf, type Place } from "./lasso";
import { PointLayer, rgb } from "./layer";
import { FACTORS, factorOf } from "./looks";
import { paintAbove, placeOf } from "./overlay";
import { Pace } from "./pace";
import { GLIDE_MS, isStill, type Plot, type PlotEvents, type Scene, type Tool } from "./plot";
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

type Scatterplot = ReturnType<typeof createScatterplot>;

/** How far beside a point the pointer may be, in CSS pixels. */
const REACH = 4;
/** A press that moves farther than this is no click. */
const CLICK = 4;
const ZOOM_MS = 150;
/** What the library calls the shapes of a lasso. */
const TYPES = { free: "freeform", rectangle: "rectangle", brush: "brush" } as const;

/** @throws where there is no WebGL, or not enough of it. */
export function glPlot(events: PlotEvents): Plot {
  return new GlPlot(events);
}

class GlPlot implements Plot {
  readonly root = make("div", { class: "alw-map-gl", "data-plot": "gl" });
  readonly #events: PlotEvents;
  readonly #listeners = new Listeners();
  readonly #surface = make("canvas", { "aria-hidden": "true" });
  /** Above the points: takes the pointer, and shows the lasso. */
  readonly #hand = make("canvas", { "aria-hidden": "true" });
  readonly #renderer: ReturnType<typeof createRenderer>;
  readonly #scatter: Scatterplot;
  readonly #layer: PointLayer;
  readonly #pace = new Pace();
  #scene: Scene | null = null;
  #grid: Grid | null = null;
  #selected: Uint8Array | null = null;
  #isPaintDue = false;
  #view: Viewport = { x: 0, y: 0, distance: MARGIN };
  /** What the view is to be in the next frame, where it was set. */
  #aim: Viewport | null = null;
  #size: Place = [1, 1];
  #reach: Place = [1, 1];
  #glide: { from: Coordinates; begin: number | null } | null = null;
  #tool: Tool = { shape: null, how: "replace" };
  #isBrush = false;
  #keys = { ctrlKey: false, metaKey: false, altKey: false };
  #pressed: Place | null = null;
  #lassoed: readonly Place[] = [];
  #isLassoing = false;
  #hovered: number | null = null;
  #isDestroyed = false;

  constructor(events: PlotEvents) {
    this.#events = events;
    // A renderer of our own is as large as the map; the library's would be as large as the window.
    // Points have soft edges of their own: to sample each pixel several times would only cost time.
    this.#surface.getContext("webgl", { alpha: false, antialias: false, preserveDrawingBuffer: true });
    this.#renderer = createRenderer({ canvas: this.#surface });
    if (!this.#renderer.isSupported) {
      this.#renderer.destroy();
      throw new Error("WebGL lacks float textures");
    }
    this.root.append(this.#surface, this.#hand);
    this.#layer = new PointLayer(this.#renderer.regl);
    const options = {
      canvas: this.#hand,
      // What it would draw is drawn by the layer, and only when something changed.
      renderer: Object.create(this.#renderer, { render: { value: () => {} } }),
      syncEvents: true,
      width: 1,
      height: 1,
      cameraDistance: MARGIN,
      lassoOnLongPress: true,
      lassoLongPressIndicatorParentElement: this.root,
      lassoInitiatorParentElement: this.root,
      deselectOnEscape: false,
      actionKeyMap: { lasso: "shift" },
      spatialIndexUseWorker: false,
    };
    this.#scatter = createScatterplot(options as unknown as Parameters<typeof createScatterplot>[0]);
    this.#holdCamera();
    void this.#scatter.draw([]); // until it has drawn, it takes no gestures
    this.#listeners.add(this.#renderer.onFrame(() => this.#frame(performance.now())));
    this.#listen();
    const touch = new Touch(
      this.#hand,
      (factor, centre, moved) => this.#pinch(factor, centre, moved),
      () => this.#tool.shape !== null,
    );
    this.#listeners.add(touch.dispose);
  }

  get viewport(): Viewport {
    return this.#view;
  }

  set viewport({ x, y, distance }: Viewport) {
    this.#aim = { x, y, distance };
    void this.#scatter.set({ cameraTarget: [x, y], cameraDistance: distance });
  }

  draw(scene: Scene): void {
    const before = this.#scene;
    const isMoved = before?.xy !== scene.xy;
    const n = scene.codes.length;
    this.#scene = scene;
    this.#layer.surface = rgb(scene.theme.surface);
    if (isMoved) {
      if (this.#glide) this.#end();
      const canGlide = scene.glide && before?.codes.length === n && n > 0 && !isStill();
      if (before && canGlide) this.#begin(before.xy);
    }
    if (isMoved || before?.order !== scene.order) {
      this.#layer.place(scene.xy, this.#glide?.from ?? null, scene.order);
    }
    if (isMoved) {
      this.#reach = reachOf(scene.xy);
      this.#grid = null;
      if (before?.codes.length !== n) this.#selected = null;
    }
    this.#isPaintDue = true;
    this.#pace.changed(n, isMoved);
  }

  select(indices: ArrayLike<number>): void {
    const n = this.#scene?.codes.length ?? 0;
    const had = this.#selected !== null;
    this.#selected = null;
    if (indices.length > 0 && n > 0) {
      this.#selected = new Uint8Array(n);
      for (let k = 0; k < indices.length; k++) this.#selected[indices[k]!] = 1;
    }
    if (!had && !this.#selected) return;
    this.#isPaintDue = true;
    this.#pace.changed(n, false);
  }

  use(tool: Tool): void {
    this.#tool = tool;
    const type = TYPES[tool.shape ?? "free"];
    this.#isBrush = type === "brush";
    const settings = { mouseMode: tool.shape ? "lasso" : "panZoom", lassoType: type };
    void this.#scatter.set(settings as Parameters<Scatterplot["set"]>[0]);
  }

  adjust(size: number, opacity: number): void {
    this.#layer.size = size;
    this.#layer.opacity = opacity;
    this.#pace.changed(this.#scene?.codes.length ?? 0, false);
  }

  where(index: number): Place | null {
    const xy = this.#scene?.xy;
    if (!xy || 2 * index >= xy.length) return null;
    return toScreen(this.#view, this.#size, xy[2 * index]!, xy[2 * index + 1]!);
  }

  resize(width: number, height: number): void {
    // A context that is lost, and not yet told to be, cannot take another size.
    if (this.#isDestroyed || this.#surface.getContext("webgl")?.isContextLost()) return;
    if (width === this.#size[0] && height === this.#size[1]) return;
    this.#size = [width, height];
    this.#renderer.resize(width, height);
    this.#surface.style.width = `${width}px`;
    this.#surface.style.height = `${height}px`;
    this.#layer.resize(this.#surface.width, this.#surface.height);
    void this.#scatter.set({ width, height });
    this.#pace.changed(this.#scene?.codes.length ?? 0, true);
  }

  zoom(factor: number): void {
    const { x, y, distance } = this.#view;
    this.#go({ x, y, distance: distance / factor });
  }

  pan(right: number, up: number): void {
    const { x, y, distance } = this.#view;
    this.#go({ x: x + right * distance, y: y + up * distance, distance });
  }

  fit(): void {
    this.#go(fitting(this.#reach, this.#size));
  }

  async picture(): Promise<HTMLCanvasElement> {
    while (!this.#pace.isComplete && !this.#isDestroyed) await new Promise(requestAnimationFrame);
    const canvas = make("canvas", { width: this.#surface.width, height: this.#surface.height });
    canvas.getContext("2d")?.drawImage(this.#surface, 0, 0);
    return canvas;
  }

  destroy(): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    this.#listeners.dispose();
    this.#scatter.destroy();
    this.#renderer.destroy();
    this.root.remove();
  }

  // ------------------------------------------------------------------ frames

  #frame(now: number): void {
    const scene = this.#scene;
    if (!scene || this.#isDestroyed) return;
    const aspect = this.#size[0] / this.#size[1];
    const isMoved = this.#follow();
    if (isMoved) this.#pace.moved(now);
    if (this.#glide) {
      this.#tint();
      this.#glide.begin ??= now;
      const along = Math.min(1, (now - this.#glide.begin) / GLIDE_MS);
      this.#layer.drawSubset(this.#view, aspect, along * along * (3 - 2 * along)); // slow at both ends
      if (along === 1) this.#end();
      return;
    }
    const step = this.#pace.next(now);
    if (step) {
      this.#tint();
      if (step.kind === "subset") {
        this.#layer.drawSubset(this.#view, aspect);
        this.root.dataset.drawn = "subset";
      } else {
        this.#layer.paintAll(step.first, step.count, this.#view, aspect);
        if (step.last) this.#show();
      }
    }
    if (isMoved) {
      this.#overlay();
      this.#events.moved();
    }
  }

  #show(): void {
    const isFirst = this.root.dataset.drawn === undefined;
    this.#layer.show();
    this.root.dataset.drawn = "all";
    this.#events.painted();
    if (isFirst) this.#events.moved();
    // After the frame: what comes next is for the pointer, which nobody moved yet.
    if (!this.#grid) this.#listeners.timeout(() => this.#index(), 0);
  }

  /** Colours of points are worked out only for a frame that shows them. */
  #tint(): void {
    if (!this.#isPaintDue || !this.#scene) return;
    const { codes, look, steps, theme } = this.#scene;
    this.#layer.paint({ codes, look, steps, selected: this.#selected, accent: theme.accent });
    this.#isPaintDue = false;
  }

  /** Looks where the camera is; true when it moved. */
  #follow(): boolean {
    this.#aim = null;
    const view = this.#scatter.get("cameraView") as ArrayLike<number>;
    const distance = 1 / view[0]!;
    const [x, y] = [-view[12]! * distance, -view[13]! * distance];
    const old = this.#view;
    if (x === old.x && y === old.y && distance === old.distance) return false;
    this.#view = { x, y, distance };
    return true;
  }

  #begin(from: Coordinates): void {
    this.#glide = { from, begin: null };
    this.#hover(null);
    this.#events.gliding(true);
  }

  #end(): void {
    this.#glide = null;
    this.#events.gliding(false);
    this.#events.moved();
    this.#pace.changed(this.#scene?.codes.length ?? 0, false);
  }

  // ------------------------------------------------------------------ the camera

  /** A camera that measures a hidden map would divide by its width of 0, and never find back from there. */
  #holdCamera(): void {
    const camera = this.#scatter.get("camera") as unknown as { refresh: () => void };
    const measure = camera.refresh;
    camera.refresh = () => {
      if (this.#hand.clientWidth > 0 && this.#hand.clientHeight > 0) measure();
    };
  }

  #go({ x, y, distance }: Viewport): void {
    this.#scatter
      .zoomToLocation([x, y], distance, { transition: !isStill(), transitionDuration: ZOOM_MS })
      .catch(() => {}); // another movement came first
  }

  /** Two fingers: the plane follows them. */
  #pinch(factor: number, centre: Place, moved: Place): void {
    const view = this.#aim ?? this.#view;
    const [x, y] = toPlane(view, this.#size, ...centre);
    const distance = view.distance / factor;
    const unit = unitsPerPixel({ ...view, distance }, this.#size);
    const [left, top] = [centre[0] + moved[0] - this.#size[0] / 2, centre[1] + moved[1] - this.#size[1] / 2];
    this.viewport = { x: x - left * unit, y: y + top * unit, distance };
  }

  // ------------------------------------------------------------------ the pointer

  #listen(): void {
    const dom = this.#listeners.dom.bind(this.#listeners);
    const hand = this.#hand;
    dom(this.#surface, "webglcontextlost", (event) => {
      event.preventDefault(); // or it would never come back
      if (this.#isDestroyed) return;
      this.#surface.addEventListener("webglcontextrestored", () => this.#events.restored(), { once: true });
      this.#events.lost(this.#surface);
    });
    dom(hand, "mousedown", (event) => {
      this.#pressed = placeOf(hand, event);
      // The library begins a lasso where the mouse is first moved to; it is to begin where it was pressed.
      if (this.#tool.shape || event.shiftKey) window.dispatchEvent(new MouseEvent("mousemove", event));
    });
    dom(hand, "mousemove", (event) => {
      if (event.buttons === 0 && this.#lassoed.length === 0) this.#hover(this.#under(event));
    });
    dom(hand, "mouseleave", () => this.#hover(null));
    dom(hand, "click", (event) => this.#click(event));
    dom(hand, "dblclick", () => this.#events.clear());
    // Before the library hears of it and ends the lasso.
    dom(
      window as unknown as HTMLElement,
      "mouseup",
      ({ ctrlKey, metaKey, altKey }) => {
        this.#keys = { ctrlKey, metaKey, altKey };
      },
      { capture: true },
    );
    this.#scatter.subscribe("lassoStart", () => {
      this.#isLassoing = true;
    });
    this.#scatter.subscribe("lassoExtend", ({ coordinates }) => {
      if (!this.#isLassoing) return; // the library tells of the newest corners late
      this.#lassoed = coordinates as unknown as Place[];
      this.#overlay();
    });
    this.#scatter.subscribe("lassoEnd", ({ coordinates }) => {
      this.#isLassoing = false;
      this.#lassoed = [];
      this.#overlay();
      const found = this.#index()?.inside(coordinates as unknown as Place[], this.#isBrush);
      if (found) this.#events.pick(found, howOf(this.#keys, this.#tool.how));
    });
  }

  #click(event: MouseEvent): void {
    const [x, y] = placeOf(this.#hand, event);
    const pressed = this.#pressed ?? [x, y];
    this.#pressed = null;
    if (Math.hypot(x - pressed[0], y - pressed[1]) > CLICK) return;
    const index = this.#under(event);
    if (index !== null) this.#events.pick(Uint32Array.of(index), howOf(event, this.#tool.how));
  }

  #under(event: MouseEvent): number | null {
    if (!this.#scene || this.#glide) return null;
    const [x, y] = toPlane(this.#view, this.#size, ...placeOf(this.#hand, event));
    const { look, steps } = this.#scene;
    const largest = Math.max(...look.sizes) * (steps?.size ? Math.max(...FACTORS.size) : 1);
    const radius = (largest * this.#scale) / 2;
    return this.#index()?.nearest(x, y, (radius + REACH) * unitsPerPixel(this.#view, this.#size)) ?? null;
  }

  #hover(index: number | null): void {
    if (index === this.#hovered) return;
    this.#hovered = index;
    this.#overlay();
    this.#events.hover(index);
  }

  #index(): Grid | null {
    if (this.#scene && !this.#isDestroyed) this.#grid ??= new Grid(this.#scene.xy);
    return this.#grid;
  }

  /** What lies above the points: the lasso while it is drawn, and a ring around what is under the pointer. */
  #overlay(): void {
    if (!this.#scene) return;
    const { theme, look, steps, codes } = this.#scene;
    const place = this.#hovered === null ? null : this.where(this.#hovered);
    const i = this.#hovered ?? 0;
    const size = (look.sizes[codes[i] ?? 0] ?? 4) * factorOf("size", steps, i) * this.#scale;
    paintAbove(this.#hand, {
      accent: theme.accent,
      lasso: this.#lassoed.map(([x, y]) => toScreen(this.#view, this.#size, x, y)),
      rule: this.#isBrush ? "nonzero" : "evenodd",
      ring: place && [...place, size / 2 + 2],
    });
  }

  /** How much larger than in their table the points are drawn. */
  get #scale(): number {
    return pointScale(this.#view.distance) * this.#layer.size;
  }
}
