/** The header of a comparison: how far it is, what holds it or ends it, and in the end the table. */

import type { CommandMessage, Going, Outcome } from "../comparison/messages";
import { make, setText } from "../shared/dom";
import { handBack } from "../shared/handback";
import { Listeners, whenInside } from "../shared/listeners";
import { type Disposable, defineWidget, type Model } from "../shared/model";

const OWN = { "data-lm-suppress-shortcuts": "true" };
const BUTTON = { type: "button", class: "alw-button", ...OWN };

interface Traits extends Record<string, unknown> {
  going: Partial<Going>;
  outcome: Partial<Outcome>;
}

function start(): Disposable {
  return { dispose() {} };
}

function tableOf(outcome: Partial<Outcome>): HTMLTableElement {
  const head = make("tr", {});
  for (const name of outcome.columns ?? []) head.append(make("th", { scope: "col" }, name));
  const body = make("tbody");
  for (const [first, ...rest] of outcome.rows ?? []) {
    const row = make("tr", {}, make("th", { scope: "row" }, first));
    for (const text of rest) row.append(make("td", {}, text));
    body.append(row);
  }
  return make(
    "table",
    {},
    make("caption", { class: "alw-hidden" }, "What each strategy comes to"),
    make("thead", {}, head),
    body,
  );
}

function view(_state: Disposable, el: HTMLElement, model: Model<Traits>) {
  const listeners = new Listeners();
  const headline = make("p", { class: "alw-comparison-headline", "aria-live": "polite" });
  const detail = make("p", { class: "alw-comparison-detail" });
  const hold = make("button", BUTTON, "Pause");
  const stop = make("button", BUTTON, "Stop");
  const fill = make("div", { class: "alw-bar-fill" });
  const bar = make(
    "div",
    {
      class: "alw-bar",
      role: "progressbar",
      "aria-label": "Rounds played",
      "aria-valuemin": 0,
      "aria-valuemax": 100,
    },
    fill,
  );
  const wide = make("div", {
    class: "alw-comparison-table",
    tabindex: 0,
    role: "region",
    "aria-label": "Table",
    ...OWN,
  });
  const notes = make("ul", { class: "alw-comparison-notes" });
  const root = make(
    "div",
    { class: "alw-root alw-comparison-header" },
    make(
      "div",
      { class: "alw-comparison-line" },
      make("div", { class: "alw-comparison-words" }, headline, detail),
      hold,
      stop,
    ),
    bar,
    wide,
    notes,
  );

  const show = () => {
    const going = model.get("going") ?? {};
    const open = going.state === "running" || going.state === "paused";
    root.dataset.state = going.state ?? "";
    setText(headline, going.headline ?? "");
    setText(detail, going.detail ?? "");
    setText(hold, going.state === "running" ? "Pause" : "Resume");
    hold.hidden = !(open || (going.playable && going.state !== "done"));
    stop.hidden = !open;
    bar.hidden = going.state === "done";
    const share = going.fraction ?? 0;
    fill.style.setProperty("--alw-share", String(share));
    bar.setAttribute("aria-valuenow", String(Math.round(100 * share)));
  };
  const tell = () => {
    const outcome = model.get("outcome") ?? {};
    wide.hidden = !outcome.rows?.length;
    wide.replaceChildren(tableOf(outcome));
    notes.hidden = !outcome.notes?.length;
    notes.replaceChildren(...(outcome.notes ?? []).map((note) => make("li", {}, note)));
  };
  const send = (type: CommandMessage["type"]) => model.send({ type } satisfies CommandMessage);

  listeners.model(model, "change:going", show);
  listeners.model(model, "change:outcome", tell);
  listeners.dom(hold, "click", () => send(hold.textContent === "Pause" ? "pause" : "resume"));
  listeners.dom(stop, "click", () => send("stop"));
  listeners.dom(root, "keydown", (event) => {
    // Tab and what the browser itself does with a button go on; the notebook hears of nothing.
    event.stopPropagation();
    if (event.key === "Escape") handBack(root);
  });
  show();
  tell();

  el.append(root);
  listeners.add(() => root.remove());
  listeners.add(
    whenInside(el, ".alw-comparison", (box) => {
      box.dataset.view = "comparison";
      // Plotly measures its box once, often before it is on the page, and then only when the window changes.
      const observer = new ResizeObserver(() => window.dispatchEvent(new Event("resize")));
      observer.observe(box);
      listeners.add(() => observer.disconnect());
    }),
  );
  return () => listeners.dispose();
}

export default defineWidget<Traits, Disposable>(start, view);
