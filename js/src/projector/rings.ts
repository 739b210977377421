/** Rings around the points that are on the cards, and around the one that a list is at, on a canvas above the plot. */
import { make } from "../shared/dom";
import type { Place } from "./lasso";

export class Rings {
  readonly canvas = make("canvas", { class: "alw-map-rings", "aria-hidden": "true" });

  resize(width: number, height: number): void {
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
  }

  /** @param rings centre and radius of each; null for one that is not on the screen */
  paint(rings: readonly (readonly [...Place, number] | null)[], ink: string, halo: string): void {
    const context = this.canvas.getContext("2d");
    if (!context) return;
    const ratio = window.devicePixelRatio || 1;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    for (const [width, colour] of [
      [4.5, halo],
      [2, ink],
    ] as const) {
      context.lineWidth = width;
      context.strokeStyle = colour;
      for (const ring of rings) {
        if (!ring) continue;
        context.beginPath();
        context.arc(...ring, 0, 2 * Math.PI);
        context.stroke();
      }
    }
  }
}
