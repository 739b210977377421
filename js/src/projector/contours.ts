/** Lines around where the points lie densest, on a canvas between the points and the names. */
import { make } from "../shared/dom";
import { palette } from "../shared/palette";
import type { Colouring, Coordinates } from "./codecs";
import { areClassesDrawn, type Contour, densityContours } from "./density";
import type { Place } from "./lasso";
import type { Theme } from "./looks";
import { toScreen, type Viewport } from "./viewport";

/** What the lines depend on. */
interface Shown {
  xy: Coordinates;
  colouring: Colouring | null;
  hidden: ReadonlySet<number>;
}

export class Contours {
  readonly canvas = make("canvas", { class: "alw-map-contours", "aria-hidden": "true" });
  #shown: Shown | null = null;
  #contours: readonly Contour[] = [];
  #classes = 0;

  resize(width: number, height: number): void {
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
  }

  /** The points to draw lines around; null for no lines. Works out only what is new. */
  set(shown: Shown | null): void {
    const before = this.#shown;
    this.#shown = shown;
    if (!shown) this.#contours = [];
    else if (!before || isOther(before, shown)) {
      this.#contours = densityContours(shown.xy, shown.colouring, shown.hidden);
      this.#classes = shown.colouring?.categories?.length ?? 0;
    }
    this.canvas.dataset.contours = String(this.#contours.length);
  }

  paint(view: Viewport, size: Place, theme: Theme): void {
    const context = this.canvas.getContext("2d");
    if (!context) return;
    const ratio = window.devicePixelRatio || 1;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, ...size);
    context.lineJoin = "round";
    const colours = palette(this.#classes);
    for (const { code, share, rings } of this.#contours) {
      context.beginPath();
      for (const ring of rings) {
        const [x, y] = toScreen(view, size, ring[0]!, ring[1]!);
        context.moveTo(x, y);
        for (let k = 2; k < ring.length; k += 2)
          context.lineTo(...toScreen(view, size, ring[k]!, ring[k + 1]!));
        context.closePath();
      }
      // A rim in the colour of the page: a line crosses points of any colour.
      context.globalAlpha = 0.7;
      context.strokeStyle = theme.surface;
      context.lineWidth = 3.5;
      context.stroke();
      context.globalAlpha = code === null ? 0.95 - 0.55 * share : 1;
      context.strokeStyle = code === null ? (theme.dark ? "#ffffff" : "#000000") : colours[code - 1]!;
      context.lineWidth = code === null && share > 0.5 ? 1.25 : 2;
      context.stroke();
    }
    context.globalAlpha = 1;
  }
}

/** Whether other lines belong to these points: colours count only where they tell the points apart. */
function isOther(before: Shown, now: Shown): boolean {
  if (before.xy !== now.xy) return true;
  const isApart = [before, now].some(
    ({ colouring, hidden }) => hidden.size > 0 || areClassesDrawn(colouring),
  );
  return isApart && (before.colouring !== now.colouring || before.hidden !== now.hidden);
}
