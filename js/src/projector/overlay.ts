/** Where the pointer is, and what it draws above the points: the lasso, and a ring around the point it rests on. */
import type { Place } from "./lasso";

export interface Above {
  accent: string;
  /** Its corners on the screen. */
  lasso: readonly Place[];
  /** What of the lasso is inside. */
  rule: CanvasFillRule;
  /** Its centre and radius. */
  ring: readonly [number, number, number] | null;
}

export function paintAbove(canvas: HTMLCanvasElement, { accent, lasso, rule, ring }: Above): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const ratio = window.devicePixelRatio || 1;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  // In halves: Chromium 156 may leave out a clearing of all of a canvas after which nothing is drawn.
  context.clearRect(0, 0, canvas.width / 2, canvas.height);
  context.clearRect(canvas.width / 2, 0, canvas.width, canvas.height);
  context.strokeStyle = accent;
  context.lineWidth = 2;
  if (lasso.length > 1) {
    context.beginPath();
    for (const [x, y] of lasso) context.lineTo(x, y);
    context.closePath();
    context.fillStyle = `${accent}1f`;
    context.fill(rule);
    context.stroke();
  }
  if (!ring) return;
  context.beginPath();
  context.arc(...ring, 0, 2 * Math.PI);
  context.stroke();
}

/** Where an event happened, from the top left of an element. */
export function placeOf(element: HTMLElement, event: MouseEvent): Place {
  const box = element.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}
