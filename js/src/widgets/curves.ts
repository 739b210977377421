/** The header above the learning curves; it also marks the box it shares with the plot as the curves view. */

import { type Advice, Sign } from "../curves/sign";
import { make } from "../shared/dom";
import { Listeners, whenInside } from "../shared/listeners";
import { type Disposable, defineWidget, type Model } from "../shared/model";

interface Traits extends Record<string, unknown> {
  /** `picking`: which strategy chooses the cards, and why. */
  summary: { headline?: string; detail?: string; picking?: string };
  /** Whether to go on labelling. */
  advice: Advice;
}

function start(): Disposable {
  return { dispose() {} };
}

function view(_state: Disposable, el: HTMLElement, model: Model<Traits>) {
  const listeners = new Listeners();
  const headline = make("p", { class: "alw-curves-headline" });
  const detail = make("p", { class: "alw-curves-detail" });
  const picking = make("p", { class: "alw-curves-detail" });
  const sign = new Sign(listeners, (message) => model.send(message));
  const root = make(
    "div",
    { class: "alw-root alw-curves-header", "aria-live": "polite" },
    headline,
    detail,
    picking,
    sign.root,
  );

  const show = () => {
    const summary = model.get("summary") ?? {};
    headline.textContent = summary.headline ?? "";
    detail.textContent = summary.detail ?? "";
    detail.hidden = !summary.detail;
    picking.textContent = summary.picking ?? "";
    picking.hidden = !summary.picking;
  };
  const advise = () => sign.show(model.get("advice") ?? {});
  listeners.model(model, "change:summary", show);
  listeners.model(model, "change:advice", advise);
  show();
  advise();

  el.append(root);
  listeners.add(() => root.remove());
  listeners.add(
    whenInside(el, ".alw-curves", (box) => {
      box.dataset.view = "curves";
      // Plotly measures its box once, often before it is on the page, and then only when the window changes.
      const observer = new ResizeObserver(() => window.dispatchEvent(new Event("resize")));
      observer.observe(box);
      listeners.add(() => observer.disconnect());
    }),
  );
  return () => listeners.dispose();
}

export default defineWidget<Traits, Disposable>(start, view);
