/** What is drawn: a dot with its interval, and the reliability diagram. Their numbers stand beside them as text. */
import type { BinRow, Figure } from "./messages";

const SPACE = "http://www.w3.org/2000/svg";

function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Record<string, string | number>,
  ...children: (SVGElement | string)[]
): SVGElementTagNameMap[K] {
  const element = document.createElementNS(SPACE, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

const round = (x: number) => Math.round(100 * x) / 100;

/** Size of a dot with its interval. */
const WIDE = 120;
const HIGH = 14;
const EDGE = 4;

/**
 * A figure on a line from 0 to 1: a dot, and its interval as a bar.
 *
 * @param beside where another figure is, to compare with: an upright line
 */
export function dotAndInterval(found: Figure, beside: number | null = null): SVGSVGElement {
  const x = (share: number) => round(EDGE + share * (WIDE - 2 * EDGE));
  const middle = HIGH / 2;
  const drawn: SVGElement[] = [
    svg("line", { class: "alw-mark-track", x1: x(0), x2: x(1), y1: middle, y2: middle }),
  ];
  if (beside !== null)
    drawn.push(svg("line", { class: "alw-mark-beside", x1: x(beside), x2: x(beside), y1: 0, y2: HIGH }));
  const { value, low, high } = found;
  if (low !== null && high !== null)
    drawn.push(svg("line", { class: "alw-mark-interval", x1: x(low), x2: x(high), y1: middle, y2: middle }));
  if (value !== null) drawn.push(svg("circle", { class: "alw-mark-dot", cx: x(value), cy: middle, r: 4 }));
  return svg(
    "svg",
    { class: "alw-mark", viewBox: `0 0 ${WIDE} ${HIGH}`, width: WIDE, height: HIGH, "aria-hidden": "true" },
    ...drawn,
  );
}

/** The reliability diagram: accuracy against confidence, both from 0 to 1; on the diagonal the model is honest. */
export function diagram(bins: readonly BinRow[]): SVGSVGElement {
  const size = 300;
  const [left, bottom, top] = [42, 38, 10];
  const inner = size - left - top;
  const x = (share: number) => round(left + share * inner);
  const y = (share: number) => round(size - bottom - share * (size - bottom - top));
  const drawn: SVGElement[] = [];
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    const text = `${100 * share}`;
    drawn.push(
      svg("line", { class: "alw-mark-grid", x1: x(0), x2: x(1), y1: y(share), y2: y(share) }),
      svg("line", { class: "alw-mark-grid", x1: x(share), x2: x(share), y1: y(0), y2: y(1) }),
      svg("text", { class: "alw-mark-tick", x: x(share), y: y(0) + 15, "text-anchor": "middle" }, text),
      svg("text", { class: "alw-mark-tick", x: left - 6, y: y(share) + 4, "text-anchor": "end" }, text),
    );
  }
  const upright = `translate(11 ${y(0.5)}) rotate(-90)`;
  drawn.push(
    svg(
      "text",
      { class: "alw-mark-title", x: x(0.5), y: size - 5, "text-anchor": "middle" },
      "how sure it is, %",
    ),
    svg(
      "text",
      { class: "alw-mark-title", transform: upright, "text-anchor": "middle" },
      "how often it is right, %",
    ),
    svg("line", { class: "alw-mark-honest", x1: x(0), y1: y(0), x2: x(1), y2: y(1) }),
  );
  const known = bins.filter((bin) => bin.accuracy.value !== null);
  drawn.push(
    svg("polyline", {
      class: "alw-mark-line",
      points: known.map((bin) => `${x(bin.confidence)},${y(bin.accuracy.value!)}`).join(" "),
    }),
  );
  for (const { confidence, accuracy } of known) {
    const at = x(confidence);
    if (accuracy.low !== null && accuracy.high !== null)
      drawn.push(
        svg("line", {
          class: "alw-mark-interval",
          x1: at,
          x2: at,
          y1: y(accuracy.low),
          y2: y(accuracy.high),
        }),
      );
    drawn.push(svg("circle", { class: "alw-mark-dot", cx: at, cy: y(accuracy.value!), r: 4.5 }));
  }
  return svg(
    "svg",
    {
      class: "alw-mark alw-mark-diagram",
      viewBox: `0 0 ${size} ${size}`,
      width: size,
      height: size,
      "aria-hidden": "true",
    },
    ...drawn,
  );
}
