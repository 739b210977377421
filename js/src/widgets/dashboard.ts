/** The header of the dashboard: how far, how good, what the model is doing. It also marks its grid as the dashboard. */
import { count, learning, make, setText } from "../shared/dom";
import { Listeners, whenInside } from "../shared/listeners";
import { type Disposable, defineWidget, type Model } from "../shared/model";

interface Standing {
  labelled?: number;
  total?: number;
  audit?: number;
  model_version?: number;
  training?: boolean;
  progress?: number | null;
  /** What is estimated: "accuracy", or "every label right". */
  measure?: string;
  /** Such as "91 % (80 to 97 %)"; null while nothing is known. */
  accuracy?: string | null;
  saved_to?: string | null;
}

interface Traits extends Record<string, unknown> {
  name: string;
  status: Standing;
}

/** A figure with its name, such as "accuracy  91 %". */
function figure(text: string) {
  const name = make("dt", {}, text);
  const value = make("dd", { class: "alw-figure-value" });
  const note = make("dd", { class: "alw-figure-note" });
  return { root: make("div", { class: "alw-figure" }, name, value, note), name, value, note };
}

function start(): Disposable {
  return { dispose() {} };
}

function view(_state: Disposable, el: HTMLElement, model: Model<Traits>) {
  const listeners = new Listeners();
  const name = make("div", { class: "alw-title", role: "heading", "aria-level": 3 });
  const saved = make("div", { class: "alw-saved" });
  const labelled = figure("labelled");
  const accuracy = figure("accuracy");
  const learner = figure("model");
  const pulse = make("span", { class: "alw-pulse", "aria-hidden": "true" });
  const fill = make("div", { class: "alw-bar-fill" });
  const bar = make("div", { class: "alw-bar", "aria-hidden": "true" }, fill);
  const root = make(
    "div",
    { class: "alw-root alw-dashboard-header" },
    make("div", { class: "alw-names" }, name, saved),
    make("dl", { class: "alw-figures" }, labelled.root, accuracy.root, learner.root),
    bar,
  );
  learner.root.append(pulse);

  const show = () => {
    const s = model.get("status") ?? {};
    const total = s.total ?? 0;
    const done = s.labelled ?? 0;
    setText(name, model.get("name") ?? "");
    setText(saved, s.saved_to ? `saved to ${s.saved_to}` : "kept in memory only");
    setText(labelled.value, count(done));
    setText(labelled.note, total > 0 ? `of ${count(total)}` : "");
    setText(accuracy.name, s.measure ?? "accuracy");
    const [estimate, interval] = split(s.accuracy ?? null);
    setText(accuracy.value, estimate);
    setText(accuracy.note, interval);
    accuracy.root.title = s.audit ? `From ${count(s.audit)} audit labels, drawn at random.` : "";
    const version = s.model_version ?? 0;
    setText(learner.value, version > 0 ? String(version) : "–");
    setText(learner.note, s.training ? learning(s.progress) : version > 0 ? "up to date" : "not trained yet");
    pulse.classList.toggle("alw-on", s.training ?? false);
    fill.style.setProperty("--alw-share", String(total > 0 ? Math.min(1, done / total) : 0));
  };
  listeners.model(model, "change:name", show);
  listeners.model(model, "change:status", show);
  show();

  el.append(root);
  listeners.add(() => root.remove());
  listeners.add(
    whenInside(el, ".alw-dashboard", (box) => {
      box.dataset.view = "dashboard";
    }),
  );
  return () => listeners.dispose();
}

/** "91 % (80 to 97 %)" as the estimate and its interval. */
function split(accuracy: string | null): [string, string] {
  if (!accuracy) return ["–", "not known yet"];
  const parts = /^([^(]+)\((.+)\)$/.exec(accuracy);
  return parts ? [parts[1]!.trim(), parts[2]!] : [accuracy, ""];
}

export default defineWidget<Traits, Disposable>(start, view);
