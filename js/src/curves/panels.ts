/** Small curves, one a class, on common axes: from 0 to 1, by the rounds. */
import { make, setText } from "../shared/dom";
import type { PanelPoint, PanelsTrait } from "./messages";

const SPACE = "http://www.w3.org/2000/svg";
/** Of the drawing, which is stretched to the room there is. */
const WIDE = 100;
const HIGH = 60;

export class Panels {
  readonly root = make("div", { class: "alw-root alw-panels", role: "group", hidden: true });
  readonly #title = make("p", { class: "alw-panels-title" });
  readonly #grid = make("div", { class: "alw-panels-grid" });
  readonly #foot = make("p", { class: "alw-panels-foot" });

  constructor() {
    this.root.append(this.#title, this.#grid, this.#foot);
  }

  show({ title, panels, more, axes, end }: Partial<PanelsTrait>): void {
    this.root.hidden = !panels?.length;
    this.root.setAttribute("aria-label", title ?? "");
    setText(this.#title, title ?? "");
    setText(this.#foot, [axes, more].filter(Boolean).join(" "));
    this.#grid.replaceChildren(...(panels ?? []).map((panel) => draw(panel, end || 1)));
  }
}

function draw({ name, words, points }: PanelsTrait["panels"][number], end: number): HTMLElement {
  const svg = document.createElementNS(SPACE, "svg");
  const attributes = { viewBox: `0 0 ${WIDE} ${HIGH}`, preserveAspectRatio: "none", role: "img" };
  for (const [key, value] of Object.entries(attributes)) svg.setAttribute(key, value);
  svg.setAttribute("aria-label", `${name}: ${words}`);
  svg.append(
    path("alw-panel-level", [0, 0.5, 1].map((y) => `M0 ${HIGH * (1 - y)}H${WIDE}`).join("")),
    path("alw-panel-band", band(points, end)),
    path("alw-panel-line", line(points, end)),
  );
  return make(
    "figure",
    { class: "alw-panel" },
    make(
      "figcaption",
      {},
      make("span", { class: "alw-panel-name", title: name }, name),
      make("span", { class: "alw-panel-words" }, words),
    ),
    svg,
  );
}

function path(className: string, d: string): SVGPathElement {
  const element = document.createElementNS(SPACE, "path");
  element.setAttribute("class", className);
  element.setAttribute("vector-effect", "non-scaling-stroke");
  element.setAttribute("d", d);
  return element;
}

const place = (x: number, y: number, end: number) =>
  `${((WIDE * x) / end).toFixed(2)} ${(HIGH * (1 - y)).toFixed(2)}`;

/** The figures; of a single one a dot. */
export function line(points: readonly PanelPoint[], end: number): string {
  const places = points.map(([x, value]) => place(x, value, end));
  if (places.length === 1) return `M${places[0]}h0.01`;
  return places.length ? `M${places.join("L")}` : "";
}

/** Their intervals: there along the upper ends, and back along the lower ones. */
export function band(points: readonly PanelPoint[], end: number): string {
  if (points.length < 2) return "";
  const upper = points.map(([x, , , high]) => place(x, high, end));
  const lower = points.map(([x, , low]) => place(x, low, end)).reverse();
  return `M${[...upper, ...lower].join("L")}Z`;
}
