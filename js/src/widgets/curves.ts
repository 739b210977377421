/** The header above the learning curves; it also marks the box it shares with the plot as the curves view. */

import type { FileMessage, FromCurves, Look, PanelsTrait, RoundsTrait, ToolsTrait } from "../curves/messages";
import { Panels } from "../curves/panels";
import { picture } from "../curves/picture";
import { type Advice, Sign } from "../curves/sign";
import { Tools } from "../curves/tools";
import { make, setText } from "../shared/dom";
import { saveFile } from "../shared/files";
import { handBack } from "../shared/handback";
import { newId } from "../shared/ids";
import { Listeners, whenInside } from "../shared/listeners";
import { type Disposable, defineWidget, type Model } from "../shared/model";

const OWN = { "data-lm-suppress-shortcuts": "true" };

export interface CurvesTraits extends Record<string, unknown> {
  /** `picking`: which strategy chooses the cards, and why; `lines`: what else there is to say. */
  summary: { headline?: string; detail?: string; picking?: string; lines?: string[] };
  /** Whether to go on labelling. */
  advice: Advice;
  tools: Partial<ToolsTrait>;
  rounds: Partial<RoundsTrait>;
  panels: Partial<PanelsTrait>;
}

function start(): Disposable {
  return { dispose() {} };
}

function view(_state: Disposable, el: HTMLElement, model: Model<CurvesTraits>) {
  const listeners = new Listeners();
  const send = (message: FromCurves) => {
    failed.hidden = true;
    try {
      model.send(message);
    } catch {
      fail("The kernel does not answer: run the cell again.");
    }
  };
  let box: HTMLElement = el;
  // Of several views of one model only that saves a file which asked for it; of two wishes the newer one is met.
  let wanted = "";

  const headline = make("p", { class: "alw-curves-headline" });
  const detail = make("p", { class: "alw-curves-detail" });
  const picking = make("p", { class: "alw-curves-detail" });
  const lines = make("div", { class: "alw-curves-lines" });
  const back = make("button", { type: "button", class: "alw-button", ...OWN }, "Back to the newest");
  const lookedAt = make("span");
  const looking = make("p", { class: "alw-curves-back", hidden: true }, lookedAt, " ", back);
  const failed = make("p", { class: "alw-tools-note", role: "alert", hidden: true });
  const fail = (words: string) => {
    setText(failed, words);
    failed.hidden = false;
  };
  const sign = new Sign(listeners, send);
  const panels = new Panels();
  const tools = new Tools(listeners, {
    look: (look: Look, id) => send({ type: "look", id, ...look }),
    round: (version) => send({ type: "round", version }),
    csv: () => {
      wanted = newId();
      send({ type: "table", id: wanted });
    },
    png: () => void save(),
  });
  tools.root.id = newId();
  const fold = make(
    "button",
    {
      type: "button",
      class: "alw-button alw-curves-fold",
      "aria-expanded": "false",
      "aria-controls": tools.root.id,
      ...OWN,
    },
    "Options",
  );
  const root = make(
    "div",
    { class: "alw-root alw-curves-header" },
    make(
      "div",
      { class: "alw-curves-top" },
      make("div", { class: "alw-curves-words", "aria-live": "polite" }, headline, detail, picking, lines),
      fold,
    ),
    tools.root,
    failed,
    looking,
    sign.root,
  );

  const open = (on: boolean) => {
    tools.open(on);
    fold.setAttribute("aria-expanded", String(on));
  };
  const save = async () => {
    failed.hidden = true;
    try {
      const title = headline.textContent ?? "";
      saveFile(await picture(box, title), `${title.replace(/[^\w%.() -]+/g, " ").trim() || "curve"}.png`);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      fail(`The picture could not be made: ${why}. In Python, view.figure can be saved, too.`);
    }
  };
  const show = () => {
    const summary = model.get("summary") ?? {};
    setText(headline, summary.headline ?? "");
    setText(detail, summary.detail ?? "");
    detail.hidden = !summary.detail;
    setText(picking, summary.picking ?? "");
    picking.hidden = !summary.picking;
    const said = summary.lines ?? [];
    if (JSON.stringify(said) !== JSON.stringify([...lines.children].map((p) => p.textContent)))
      lines.replaceChildren(...said.map((line) => make("p", {}, line)));
  };
  const showRounds = () => {
    const rounds = model.get("rounds") ?? {};
    tools.showRounds(rounds);
    looking.hidden = (rounds.shown ?? null) === null;
    setText(lookedAt, rounds.words ?? "");
  };
  const advise = () => sign.show(model.get("advice") ?? {});
  const showTools = () => tools.show(model.get("tools") ?? {});
  const showPanels = () => panels.show(model.get("panels") ?? {});
  const traits = { summary: show, advice: advise, tools: showTools, rounds: showRounds, panels: showPanels };
  for (const [name, run] of Object.entries(traits)) {
    listeners.model(model, `change:${name}`, run);
    run();
  }
  listeners.model(model, "msg:custom", (message: FileMessage) => {
    if (message.type !== "file" || message.id !== wanted) return;
    wanted = "";
    saveFile(new Blob([message.text], { type: "text/csv" }), message.name);
  });
  listeners.dom(fold, "click", () => open(!tools.isOpen));
  listeners.dom(back, "click", () => {
    fold.focus(); // the button goes with the answer
    send({ type: "round", version: null });
  });
  listeners.dom(root, "keydown", (event) => {
    // Tab and what the browser itself does with a field go on; the notebook hears of nothing.
    event.stopPropagation();
    if (event.key !== "Escape") return;
    if (tools.root.contains(event.target as Node)) {
      open(false);
      fold.focus();
    } else if (!looking.hidden) {
      handBack(root);
      send({ type: "round", version: null });
    } else handBack(root);
  });

  el.append(root);
  listeners.add(() => root.remove());
  listeners.add(
    whenInside(el, ".alw-curves", (found) => {
      box = found;
      box.dataset.view = "curves";
      box.append(panels.root); // below the plot
      // Plotly measures its box once, often before it is on the page, and then only when the window changes.
      const observer = new ResizeObserver(() => window.dispatchEvent(new Event("resize")));
      observer.observe(box);
      listeners.add(() => observer.disconnect());
      listeners.add(() => panels.root.remove());
    }),
  );
  return () => listeners.dispose();
}

export default defineWidget<CurvesTraits, Disposable>(start, view);
