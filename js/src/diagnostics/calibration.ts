/** Calibration: the reliability diagram, and what it comes to in words. */
import { make } from "../shared/dom";
import { diagram } from "./marks";
import type { BinRow, CalibrationFigures } from "./messages";
import type { Pane } from "./parts";
import { figure, share } from "./words";

export class CalibrationPane implements Pane<CalibrationFigures> {
  readonly root: HTMLElement = make("div", { class: "alw-diag-calibration" });

  draw(figures: CalibrationFigures): void {
    const words = figures.words.map(([title, text]) =>
      make("div", {}, make("p", { class: "alw-diag-figure" }, title), make("p", {}, text)),
    );
    const parts: HTMLElement[] = [make("div", { class: "alw-diag-words" }, ...words)];
    if (figures.bins.length > 0) {
      const caption =
        "Dots on the dashed line: right as often as it says. Each is a bin of the audit labels.";
      parts.unshift(
        make(
          "figure",
          { class: "alw-diag-diagram" },
          diagram(figures.bins),
          table(figures.bins),
          make("figcaption", { class: "alw-diag-small" }, caption),
        ),
      );
    }
    this.root.replaceChildren(...parts);
  }
}

/** The diagram to be read out. */
function table(bins: readonly BinRow[]): HTMLElement {
  const head = make("tr");
  for (const name of ["how sure it is", "how often it is right", "labels"])
    head.append(make("th", { scope: "col" }, name));
  const body = make("tbody");
  for (const { confidence, accuracy } of bins)
    body.append(
      make(
        "tr",
        {},
        make("td", {}, share(confidence)),
        make("td", {}, figure(accuracy)),
        make("td", {}, `${accuracy.n}`),
      ),
    );
  return make(
    "div",
    { class: "alw-hidden" },
    make("table", {}, make("caption", {}, "Reliability"), make("thead", {}, head), body),
  );
}
