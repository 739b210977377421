/** The points on a WebGL canvas: three numbers and a colour each, no object. */
import type REGL from "regl";
import type { Coordinates } from "./codecs";
import { FACTORS, type Look, type Steps } from "./looks";
import { SUBSET, sample } from "./pace";
import { pointScale, type Viewport } from "./viewport";

/** How much of its opacity a point keeps while others are selected. */
export const INACTIVE = 0.22;
/** Sizes travel as bytes, in steps of an eighth of a pixel. */
const STEPS = 8;

const VERTEX = `
precision highp float;
attribute vec2 start, end;
attribute vec4 colour;
attribute float size;
uniform vec4 view; // its centre, and what is to be multiplied with to get to the edges
uniform float along, scale, opacity;
varying vec4 ink;
varying float diameter;
void main() {
  gl_Position = vec4((mix(start, end, along) - view.xy) * view.zw, 0, 1);
  ink = vec4(colour.rgb, min(1.0, colour.a * opacity));
  diameter = max(1.0, size * scale);
  gl_PointSize = diameter + 1.0;
}`;

const FRAGMENT = `
precision highp float;
varying vec4 ink;
varying float diameter;
void main() {
  float far = length(gl_PointCoord - 0.5) * (diameter + 1.0);
  float inside = clamp(diameter / 2.0 - far + 0.5, 0.0, 1.0);
  if (inside == 0.0) discard;
  gl_FragColor = vec4(ink.rgb, ink.a * inside);
}`;

const WHOLE = "precision highp float; attribute vec2 at; void main() { gl_Position = vec4(at, 0, 1); }";
const COPY = `
precision highp float;
uniform sampler2D picture;
uniform vec2 size;
void main() { gl_FragColor = texture2D(picture, gl_FragCoord.xy / size); }`;

/** What the points look like. */
export interface Paint {
  codes: Uint16Array;
  look: Look;
  steps?: Steps | undefined;
  /** 1 for a point that is selected; null when none is. */
  selected: Uint8Array | null;
  accent: string;
}

interface Buffers {
  start: REGL.Buffer;
  end: REGL.Buffer;
  colour: REGL.Buffer;
  size: REGL.Buffer;
}

interface Drawing extends Buffers {
  first: number;
  count: number;
  view: [number, number, number, number];
  along: number;
  scale: number;
  opacity: number;
}

export class PointLayer {
  readonly #regl: REGL.Regl;
  readonly #all: Buffers;
  /** The points that stand for all while the view moves. */
  readonly #some: Buffers;
  readonly #points: REGL.DrawCommand;
  readonly #copy: REGL.DrawCommand;
  readonly #picture: REGL.Framebuffer2D;
  #sample: Uint32Array = new Uint32Array(0);
  /** The order to draw in; null for the points' own. */
  #order: Uint32Array | null = null;
  #n = 0;
  /** Hands all points to the graphics card: those that stand for them are drawn before, and sooner. */
  #placeAll: (() => void) | null = null;
  #dyeAll: (() => void) | null = null;
  surface: [number, number, number] = [1, 1, 1];
  /** On what is drawn: factors on the sizes and opacities. */
  size = 1;
  opacity = 1;

  constructor(regl: REGL.Regl) {
    this.#regl = regl;
    const buffers = () => ({
      start: regl.buffer({ usage: "static", type: "float" }),
      end: regl.buffer({ usage: "static", type: "float" }),
      colour: regl.buffer({ usage: "dynamic", type: "uint8" }),
      size: regl.buffer({ usage: "dynamic", type: "uint8" }),
    });
    this.#all = buffers();
    this.#some = buffers();
    this.#picture = regl.framebuffer({ width: 1, height: 1, depth: false, stencil: false });
    const prop = <K extends keyof Drawing>(name: K) => regl.prop<Drawing, K>(name);
    this.#points = regl({
      vert: VERTEX,
      frag: FRAGMENT,
      depth: { enable: false },
      blend: {
        enable: true,
        func: {
          srcRGB: "src alpha",
          srcAlpha: "one",
          dstRGB: "one minus src alpha",
          dstAlpha: "one minus src alpha",
        },
      },
      attributes: {
        start: { buffer: prop("start"), size: 2 },
        end: { buffer: prop("end"), size: 2 },
        colour: { buffer: prop("colour"), size: 4, type: "uint8", normalized: true },
        size: { buffer: prop("size"), size: 1, type: "uint8" },
      },
      uniforms: {
        view: prop("view"),
        along: prop("along"),
        scale: prop("scale"),
        opacity: prop("opacity"),
      },
      primitive: "points",
      offset: prop("first"),
      count: prop("count"),
    });
    this.#copy = regl({
      vert: WHOLE,
      frag: COPY,
      depth: { enable: false },
      attributes: { at: [-4, -4, 4, -4, 0, 4] },
      uniforms: {
        picture: () => this.#picture,
        size: ({ drawingBufferWidth: w, drawingBufferHeight: h }) => [w, h],
      },
      count: 3,
    });
  }

  /**
   * Takes over where the points are.
   *
   * @param from where they come from, to move on from there; null for no movement
   * @param order of drawing; null for theirs
   */
  place(xy: Coordinates, from: Coordinates | null, order: Uint32Array | null): void {
    this.#n = xy.length / 2;
    this.#order = order;
    this.#sample = sample(this.#n, SUBSET);
    const fill = (buffers: Buffers, pick: (values: Coordinates) => Float32Array) => {
      const end = pick(xy);
      buffers.end(end);
      buffers.start(from ? pick(from) : end);
    };
    fill(this.#some, (values) => inOrder(values, this.#sampled()));
    this.#placeAll = () => fill(this.#all, (values) => (order ? inOrder(values, order) : values));
  }

  /** Takes over what they look like. */
  paint({ codes, look, steps, selected, accent }: Paint): void {
    const n = this.#n;
    const tables = [
      table(look.colours, look.opacities, selected ? INACTIVE : 1),
      table([accent], [1], 1),
    ] as const;
    const sizes = Uint8Array.from(look.sizes, (size) => Math.min(255, Math.round(size * STEPS)));
    const { size, opacity } = steps ?? { size: null, opacity: null };
    const dye = (ids: Uint32Array | null, buffers: Buffers) => {
      const count = ids?.length ?? n;
      const colours = new Uint32Array(count);
      const channels = new Uint8Array(colours.buffer);
      const diameters = new Uint8Array(count);
      for (let k = 0; k < count; k++) {
        const i = ids ? ids[k]! : k;
        const code = codes[i]!;
        colours[k] = selected?.[i] === 1 ? tables[1][0]! : tables[0][code]!;
        diameters[k] = size ? Math.min(255, sizes[code]! * FACTORS.size[size[i]!]!) : sizes[code]!;
        if (opacity && selected?.[i] !== 1) channels[4 * k + 3]! *= FACTORS.opacity[opacity[i]!]!;
      }
      buffers.colour(channels);
      buffers.size(diameters);
    };
    dye(this.#sampled(), this.#some);
    this.#dyeAll = () => dye(this.#order, this.#all);
  }

  /** Draws those that stand for all, straight to the screen. */
  drawSubset(view: Viewport, aspect: number, along = 1): void {
    this.#clear();
    this.#draw(this.#some, 0, this.#sample.length, view, aspect, along);
  }

  /** Paints some of all points beside the screen; the first clear what was there. */
  paintAll(first: number, count: number, view: Viewport, aspect: number): void {
    this.#placeAll?.();
    this.#dyeAll?.();
    this.#placeAll = this.#dyeAll = null;
    this.#picture.use(() => {
      if (first === 0) this.#clear();
      this.#draw(this.#all, first, count, view, aspect, 1);
    });
  }

  /** Shows what was painted. */
  show(): void {
    this.#copy();
  }

  resize(width: number, height: number): void {
    this.#picture.resize(Math.max(1, width), Math.max(1, height));
  }

  #clear(): void {
    this.#regl.clear({ color: [...this.surface, 1] });
  }

  #draw(buffers: Buffers, first: number, count: number, view: Viewport, aspect: number, along: number): void {
    if (count === 0) return;
    const ratio = window.devicePixelRatio || 1;
    this.#points({
      ...buffers,
      first,
      count,
      view: [view.x, view.y, 1 / view.distance / aspect, 1 / view.distance],
      along,
      scale: (pointScale(view.distance) * ratio * this.size) / STEPS,
      opacity: this.opacity,
    });
  }

  /** The items of the subset, in the order they are drawn in. */
  #sampled(): Uint32Array {
    const order = this.#order;
    return order ? this.#sample.map((k) => order[k]!) : this.#sample;
  }
}

function inOrder(xy: Coordinates, order: Uint32Array): Float32Array {
  const found = new Float32Array(2 * order.length);
  for (let k = 0; k < order.length; k++) {
    found[2 * k] = xy[2 * order[k]!]!;
    found[2 * k + 1] = xy[2 * order[k]! + 1]!;
  }
  return found;
}

/** Red, green and blue of `#rrggbb`, from 0 to 1. */
export function rgb(colour: string): [number, number, number] {
  const value = Number.parseInt(colour.slice(1, 7), 16) || 0;
  return [(value >> 16) / 255, ((value >> 8) & 255) / 255, (value & 255) / 255];
}

/** Colours as four bytes each, in one number. */
function table(colours: readonly string[], opacities: readonly number[], factor: number): Uint32Array {
  const bytes = new Uint8Array(4 * colours.length);
  colours.forEach((colour, code) => {
    bytes.set(
      rgb(colour).map((v) => Math.round(v * 255)),
      4 * code,
    );
    bytes[4 * code + 3] = Math.round(255 * Math.min(1, (opacities[code] ?? 1) * factor));
  });
  return new Uint32Array(bytes.buffer);
}
