/** The plot with what lies above it: rings around the cards' points, and what is under the pointer. */
import { make } from "../shared/dom";
import { Listeners } from "../shared/listeners";
import type { Cleanup } from "../shared/model";
import { type Coordinates, drawingOrder, fill } from "./codecs";
import { flatPlot } from "./flat";
import { glPlot } from "./gl";
import { lookOf, pointSize, type Theme } from "./looks";
import type { Plot, PlotEvents } from "./plot";
import { Popover } from "./popover";
import { RegionNames } from "./regions";
import { Rings } from "./rings";
import type { MapState } from "./state";
import { onTheme, themeOf } from "./theme";

/** How long the pointer rests on a point before its item is asked for. */
const REST_MS = 40;
/** How long an answer may take before the popover says that it waits. */
const PATIENCE_MS = 350;
/** JupyterLab announces a theme before its style sheet is there. */
const THEME_MS = 400;

export const FLAT_NOTICE =
  "This browser has no WebGL, so the map is drawn in a simple way: without zoom, and slowly for large pools.";

export interface StageEvents {
  /** The person selected points on the plot. */
  select(indices: number[]): void;
  /** The plot has to do without WebGL. */
  flat(): void;
  theme(): void;
}

export class Stage {
  readonly root = make("div", { class: "alw-map-stage" });
  readonly popover = new Popover();
  readonly #state: MapState;
  readonly #events: StageEvents;
  readonly #listeners = new Listeners();
  readonly #rings = new Rings();
  readonly #names = new RegionNames();
  readonly #holder = make("div", { class: "alw-map-plot" });
  #canvas: HTMLCanvasElement | null = null;
  #plot: Plot | null = null;
  #isFlat = false;
  #theme: Theme = { dark: false, surface: "#ffffff", accent: "#1976d2" };
  #size: [number, number] = [0, 0];
  #hovered: number | null = null;
  #hovering: Cleanup | null = null;
  #revision = 0;
  /** Coordinates as they fill the plot in the size it had when they came. */
  #filled: { revision: number; xy: Coordinates } | null = null;
  #painting: Cleanup | null = null;
  #gliding = false;
  #lassoing = false;

  constructor(state: MapState, events: StageEvents) {
    this.#state = state;
    this.#events = events;
    this.root.append(this.#holder, this.#rings.canvas, this.#names.root, this.popover.root);
    const sizes = new ResizeObserver(() => this.#resize());
    sizes.observe(this.root);
    this.#listeners.add(() => sizes.disconnect());
    this.#listeners.add(onTheme(() => this.#onTheme()));
    this.#listeners.dom(this.root, "pointerleave", () => this.#hover(null));
    this.#listeners.dom(this.root, "pointerdown", () => this.#hover(null));
  }

  get isDark(): boolean {
    return this.#theme.dark;
  }

  get plot(): Plot | null {
    return this.#plot;
  }

  set lassoing(on: boolean) {
    this.#lassoing = on;
    this.root.classList.toggle("alw-map-lassoing", on);
    this.#plot?.lasso(on);
  }

  /** Draws the points as the state has them. */
  draw(): void {
    const { points, colouring } = this.#state;
    if (!points || !this.#plot || this.#size[0] === 0) return;
    const codes = colouring?.codes.length === points.n ? colouring.codes : new Uint16Array(points.n);
    if (this.#filled?.revision !== points.revision) {
      const xy = fill(points.xy, this.#size[0] / this.#size[1]);
      this.#filled = { revision: points.revision, xy };
    }
    this.#plot.draw({
      xy: this.#filled.xy,
      order: colouring && drawingOrder(colouring),
      codes,
      look: lookOf(colouring, points.n, this.#theme, this.#state.hidden),
      theme: this.#theme,
      glide: this.#revision > 0 && points.revision !== this.#revision,
    });
    this.#revision = points.revision;
  }

  select(): void {
    this.#plot?.select(Array.from(this.#state.marked));
  }

  /** The answer to what the pointer rests on. */
  preview(): void {
    const { preview } = this.#state;
    if (!preview || preview.index !== this.#hovered) return;
    this.#hovering?.();
    this.popover.show(preview, this.#classes());
    this.#place();
  }

  paintRings(): void {
    this.#painting ??= this.#listeners.frame(() => {
      this.#painting = null;
      const { cards, points } = this.#state;
      const radius = pointSize(points?.n ?? 0) / 2 + 3.5;
      const places = this.#plot && !this.#gliding ? cards.map((i) => this.#plot!.where(i)) : [];
      this.#rings.paint(places, radius, this.#theme.accent, this.#theme.surface);
      this.#names.place((i) => this.#plot?.where(i) ?? null, this.#size, this.#gliding);
      this.#place();
    });
  }

  /** Shows the names of the regions as the state has them. */
  paintNames(): void {
    const { regions, points, isNaming } = this.#state;
    this.#names.set(isNaming && regions?.revision === points?.revision ? regions : null);
    this.paintRings();
  }

  dispose(): void {
    this.#hovering?.();
    this.#listeners.dispose();
    this.#plot?.destroy();
    this.#plot = null;
    this.popover.dispose();
    this.#names.dispose();
  }

  #classes(): readonly string[] {
    return this.#state.classes;
  }

  #resize(): void {
    const { clientWidth: width, clientHeight: height } = this.root;
    if (width === 0 || height === 0) return; // hidden: a closed tab of the host
    const first = this.#size[0] === 0;
    this.#size = [width, height];
    this.#rings.resize(width, height);
    if (first) {
      this.#theme = themeOf(this.root);
      this.#makePlot(false);
    }
    this.#plot?.resize(width, height);
    if (first) {
      this.draw();
      this.select();
      this.#events.theme();
    }
    this.paintRings();
  }

  #makePlot(flat: boolean): void {
    this.#plot?.destroy();
    this.#canvas?.remove();
    const events: PlotEvents = {
      hover: (index) => this.#hover(index),
      select: (indices) => this.#events.select(this.#state.visible(indices)),
      moved: () => this.paintRings(),
      gliding: (under) => {
        this.#gliding = under;
        this.paintRings();
      },
      lost: () => this.#fallBack(),
    };
    const canvas = make("canvas", { "aria-hidden": "true" });
    try {
      this.#plot = flat ? flatPlot(canvas, events) : glPlot(canvas, this.root, events);
      this.#isFlat = flat;
      this.#canvas = canvas;
      this.#holder.append(canvas);
      this.#plot.lasso(this.#lassoing);
    } catch {
      this.#plot = null;
      this.#makePlot(true);
    }
    if (this.#isFlat) this.#events.flat();
  }

  #fallBack(): void {
    if (this.#isFlat) return;
    this.#makePlot(true);
    this.#plot?.resize(...this.#size);
    this.draw();
    this.select();
  }

  #onTheme(): void {
    const look = () => {
      const theme = themeOf(this.root);
      if (JSON.stringify(theme) === JSON.stringify(this.#theme) || this.#size[0] === 0) return;
      this.#theme = theme;
      this.draw();
      this.paintRings();
      this.#events.theme();
    };
    look();
    this.#listeners.timeout(look, THEME_MS);
  }

  #hover(index: number | null): void {
    if (index !== null && this.#state.visible([index]).length === 0) index = null;
    if (index === this.#hovered) return;
    this.#hovered = index;
    this.#hovering?.();
    this.popover.hide();
    if (index === null || this.#gliding) return;
    this.#hovering = this.#listeners.timeout(() => {
      this.#state.askPreview(index);
      this.#hovering = this.#listeners.timeout(() => {
        this.popover.wait();
        this.#place();
      }, PATIENCE_MS);
    }, REST_MS);
  }

  #place(): void {
    if (!this.popover.isOpen || this.#hovered === null) return;
    const place = this.#plot?.where(this.#hovered);
    if (place) this.popover.put(place, ...this.#size);
  }
}
