/** The plot with what lies above it: rings around the cards' points, and what is under the pointer. */
import { make } from "../shared/dom";
import { Listeners } from "../shared/listeners";
import type { Cleanup } from "../shared/model";
import { type Colouring, type Coordinates, drawingOrder, fill } from "./codecs";
import { Contours } from "./contours";
import { flatPlot } from "./flat";
import { glPlot } from "./gl";
import { combine, type How, type Place } from "./lasso";
import { factorOf, lookOf, pointSize, type Theme } from "./looks";
import type { Plot, PlotEvents, Tool } from "./plot";
import { Popover } from "./popover";
import { RegionNames } from "./regions";
import { Rings } from "./rings";
import type { MapState } from "./state";
import { onTheme, themeOf } from "./theme";
import { MARGIN, toPlane } from "./viewport";

/** How long the pointer rests on a point before its item is asked for. */
const REST_MS = 40;
/** How long an answer may take before the popover says that it waits. */
const PATIENCE_MS = 350;
/** CSS pixels between a point and its ring: of those on the cards, and of the one that a list is at. */
const CARD_ROOM = 3.5;
const LIST_ROOM = 10;
/** CSS pixels from the edge of the plot that a point in sight is away. */
const EDGE = 12;
/** JupyterLab announces a theme before its style sheet is there; on a busy machine, long before. */
const THEME_MS = [400, 1500, 5000];

export const FLAT_NOTICE =
  "This browser has no WebGL, so the map is drawn in a simple way, and slowly for large pools.";
export const LOST_NOTICE =
  "The graphics card is not available just now, so the map is drawn in a simple way until it is back.";

export interface StageEvents {
  /** The person selected points on the plot. */
  select(indices: Uint32Array<ArrayBuffer>): void;
  /** The plot has to do without WebGL, or has it back: what to tell, null for nothing. */
  flat(notice: string | null): void;
  theme(): void;
}

export class Stage {
  readonly root = make("div", { class: "alw-map-stage" });
  readonly popover = new Popover();
  readonly #state: MapState;
  readonly #events: StageEvents;
  readonly #listeners = new Listeners();
  readonly #contours = new Contours();
  readonly #rings = new Rings();
  readonly #names = new RegionNames();
  readonly #holder = make("div", { class: "alw-map-plot" });
  #plot: Plot | null = null;
  #theme: Theme = { dark: false, surface: "#ffffff", accent: "#1976d2" };
  #size: [number, number] = [0, 0];
  #hovered: number | null = null;
  #hovering: Cleanup | null = null;
  #revision = 0;
  /** Coordinates as they fill the plot in the size it had when they came. */
  #filled: { revision: number; aspect: number; xy: Coordinates } | null = null;
  #painting: Cleanup | null = null;
  #gliding = false;
  /** Held so that it is told when the graphics card is back. */
  #lost: HTMLCanvasElement | null = null;
  /** The point that a list is at. */
  #at: number | null = null;
  #tool: Tool = { shape: null, how: "replace" };
  #factors: [number, number] = [1, 1];
  #ordered: { colouring: Colouring; sizes: Uint8Array | null; order: Uint32Array | null } | null = null;

  constructor(state: MapState, events: StageEvents) {
    this.#state = state;
    this.#events = events;
    this.root.append(
      this.#holder,
      this.#contours.canvas,
      this.#rings.canvas,
      this.#names.root,
      this.popover.root,
    );
    const sizes = new ResizeObserver(() => this.#resize());
    sizes.observe(this.root);
    this.#listeners.add(() => sizes.disconnect());
    this.#listeners.add(onTheme(() => this.#onTheme()));
    this.#listeners.dom(this.root, "pointerleave", () => this.#hover(null));
    this.#listeners.dom(this.root, "pointerdown", ({ shiftKey }) => {
      // A sound stays: the press may be there to hear it.
      if (!this.popover.isHeard || shiftKey || this.#tool.shape) this.#hover(null);
    });
  }

  get isDark(): boolean {
    return this.#theme.dark;
  }

  get plot(): Plot | null {
    return this.#plot;
  }

  get tool(): Tool {
    return this.#tool;
  }

  set tool(tool: Tool) {
    this.#tool = tool;
    this.root.classList.toggle("alw-map-lassoing", tool.shape !== null);
    this.#plot?.use(tool);
  }

  /** What is seen of the points, with the lines around them and the rings around those on the cards. */
  async picture(): Promise<HTMLCanvasElement> {
    if (!this.#plot) throw new Error("there is no map yet");
    const picture = await this.#plot.picture();
    const paper = picture.getContext("2d");
    for (const canvas of [this.#contours.canvas, this.#rings.canvas]) {
      const { width, height } = canvas;
      paper?.drawImage(canvas, 0, 0, width, height, 0, 0, picture.width, picture.height);
    }
    return picture;
  }

  /** Factors on how large and how opaque points are. */
  adjust(size: number, opacity: number): void {
    this.#factors = [size, opacity];
    this.#plot?.adjust(size, opacity);
    this.paintRings();
  }

  /** Rings a point, and brings it into sight. */
  point(index: number | null): void {
    this.#at = index;
    this.paintRings();
    const plot = this.#plot;
    const place = index === null ? null : plot?.where(index);
    if (!plot || !place || isWithin(place, this.#size)) return;
    const [x, y] = toPlane(plot.viewport, this.#size, ...place);
    plot.viewport = { ...plot.viewport, x, y };
  }

  /** Draws the points as the state has them. */
  draw(): void {
    const { points, colouring } = this.#state;
    if (!points || !this.#plot || this.#size[0] === 0) return;
    const codes = colouring?.codes.length === points.n ? colouring.codes : new Uint16Array(points.n);
    if (this.#filled?.revision !== points.revision) {
      const aspect = this.#size[0] / this.#size[1];
      this.#filled = { revision: points.revision, aspect, xy: fill(points.xy, aspect, points.box) };
    }
    this.#plot.draw({
      xy: this.#filled.xy,
      order: this.#order(colouring),
      codes,
      steps: this.#state.varying.steps,
      look: lookOf(colouring, points.n, this.#theme, this.#state.hidden),
      theme: this.#theme,
      glide: this.#revision > 0 && points.revision !== this.#revision,
    });
    this.#revision = points.revision;
    this.paintContours();
  }

  select(): void {
    this.#plot?.select(Array.from(this.#state.marked));
  }

  #order(colouring: Colouring | null): Uint32Array | null {
    if (!colouring) return null;
    const sizes = this.#state.varying.steps.size;
    if (this.#ordered?.colouring !== colouring || this.#ordered.sizes !== sizes)
      this.#ordered = { colouring, sizes, order: drawingOrder(colouring, sizes) };
    return this.#ordered.order;
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
      this.#rings.paint(this.#gliding ? [] : this.#ringed(), this.#theme.accent, this.#theme.surface);
      if (this.#plot) this.#contours.paint(this.#plot.viewport, this.#size, this.#theme);
      this.#names.place((i) => this.#plot?.where(i) ?? null, this.#size, this.#gliding);
      this.#place();
    });
  }

  /** Where the points on the cards are, and how large; a wider ring is around the one that a list is at. */
  #ringed(): ([number, number, number] | null)[] {
    const { cards, points, varying } = this.#state;
    const radius = (pointSize(points?.n ?? 0) * this.#factors[0]) / 2;
    const ring = (i: number, room: number): [number, number, number] | null => {
      const place = this.#plot?.where(i);
      return place ? [...place, radius * factorOf("size", varying.steps, i) + room] : null;
    };
    const rings = cards.map((i) => ring(i, CARD_ROOM));
    return this.#at === null ? rings : [...rings, ring(this.#at, LIST_ROOM)];
  }

  /** Draws lines around where the points lie densest, as the state has them. */
  paintContours(): void {
    const { isContouring, colouring, hidden } = this.#state;
    const isSeen = isContouring && this.#filled && !this.#gliding;
    this.#contours.set(isSeen ? { xy: this.#filled!.xy, colouring, hidden } : null);
    this.paintRings();
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
    this.#contours.resize(width, height);
    this.#rings.resize(width, height);
    if (first) {
      this.#theme = themeOf(this.root);
      const notice = this.#makePlot(false);
      if (notice) this.#events.flat(notice);
    }
    this.#plot?.resize(width, height);
    if (this.#isWhole && Math.abs(width / height / this.#filled!.aspect - 1) > 0.01) {
      this.#filled = null;
      this.draw();
    }
    if (first) {
      this.draw();
      this.select();
      this.#events.theme();
    }
    this.paintRings();
  }

  /** Whether the view shows the points as they fill it: nobody moved it. */
  get #isWhole(): boolean {
    if (!this.#plot || !this.#filled) return false;
    const { x, y, distance } = this.#plot.viewport;
    return Math.max(Math.abs(x), Math.abs(y), Math.abs(distance - MARGIN)) < 1e-3;
  }

  /** Returns what there is to say about it. */
  #makePlot(flat: boolean): string | null {
    let notice = flat ? LOST_NOTICE : null;
    const before = this.#plot;
    const events: PlotEvents = {
      hover: (index) => this.#hover(index),
      pick: (indices, how) => this.#pick(indices, how),
      clear: () => {
        if (this.#state.selection.length > 0) this.#events.select(new Uint32Array(0));
      },
      moved: () => this.paintRings(),
      gliding: (under) => {
        this.#gliding = under;
        this.paintContours();
      },
      painted: () => {
        const { dataset } = this.root;
        dataset.painted = String(Number(dataset.painted ?? 0) + 1);
        const { x, y, distance } = this.#plot?.viewport ?? { x: 0, y: 0, distance: 1 };
        dataset.viewport = [x, y, distance].map((value) => value.toFixed(4)).join(" ");
      },
      lost: (canvas) => {
        this.#lost = canvas;
        this.#change(true);
      },
      restored: () => {
        this.#lost = null;
        this.#change(false);
      },
    };
    try {
      this.#plot = flat ? flatPlot(events) : glPlot(events);
    } catch {
      this.#plot = flatPlot(events);
      notice = FLAT_NOTICE;
    }
    this.root.dataset.plot = this.#plot.root.dataset.plot ?? "";
    this.#plot.use(this.#tool);
    this.#plot.adjust(...this.#factors);
    if (before) this.#plot.viewport = before.viewport;
    before?.destroy();
    this.#holder.replaceChildren(this.#plot.root);
    return notice;
  }

  /** Goes on without WebGL, or with it again. */
  #change(flat: boolean): void {
    if (!this.#plot || (!flat && this.#lost)) return;
    this.#gliding = false;
    this.#revision = 0; // nothing glides from one plot to another
    const notice = this.#makePlot(flat);
    this.#plot.resize(...this.#size);
    this.draw();
    this.select();
    this.#events.flat(notice);
  }

  #pick(indices: Uint32Array<ArrayBuffer>, how: How): void {
    const { points, selection } = this.#state;
    if (indices.length === 1 && indices[0] === this.#hovered) this.popover.toggleSound();
    if (points) this.#events.select(combine(selection, this.#state.visible(indices), how, points.n));
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
    for (const ms of THEME_MS) this.#listeners.timeout(look, ms);
  }

  #hover(index: number | null): void {
    if (index !== null && !this.#state.shows(index)) index = null;
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

/** Whether a place is on a plot of this size, and not at its very edge. */
function isWithin([left, top]: Place, [width, height]: Place): boolean {
  return left >= EDGE && top >= EDGE && left <= width - EDGE && top <= height - EDGE;
}
