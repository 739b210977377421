/** One view of the diagnostics: what they come from, the tabs, and what is on the one that is open. */
import { make, setAttribute, setText } from "../shared/dom";
import { handBack } from "../shared/handback";
import { newId } from "../shared/ids";
import { Listeners } from "../shared/listeners";
import { CalibrationPane } from "./calibration";
import { ClassesPane } from "./classes";
import { ConfusionPane } from "./confusion";
import { ItemsPane } from "./items";
import { type Figures, type Of, TABS, type Tab, TRAINABLE } from "./messages";
import type { Pane } from "./parts";
import { RoundsPane } from "./rounds";
import { SlicesPane } from "./slices";
import type { Change, DiagnosticsState, Shown } from "./state";

const OWN = { "data-lm-suppress-shortcuts": "true" };
const NAMES: Record<Tab, string> = {
  confusion: "Confusion",
  classes: "Classes",
  slices: "Slices",
  calibration: "Calibration",
  items: "Items",
  rounds: "Rounds",
};
/** How long a good notice stays. */
const NOTICE_MS = 8_000;

export class DiagnosticsView {
  readonly listeners = new Listeners();
  readonly root: HTMLElement;
  readonly #state: DiagnosticsState;
  readonly #panes: { [T in Tab]: Pane<Extract<Figures, { tab: T }>> };
  readonly #about = make("p", { class: "alw-diag-about" });
  readonly #ended = make("p", { class: "alw-diag-small", hidden: true });
  readonly #of: Record<Of, HTMLButtonElement> = {
    audit: make("button", { type: "button", class: "alw-diag-toggle", ...OWN }, "Audit labels"),
    train: make("button", { type: "button", class: "alw-diag-toggle", ...OWN }, "Training labels"),
  };
  readonly #tabs = new Map<Tab, HTMLElement>();
  readonly #panel = make("div", { class: "alw-diag-panel", role: "tabpanel", tabindex: 0, ...OWN });
  readonly #note = make("p", { class: "alw-diag-note" });
  readonly #notice = make("p", { class: "alw-diag-notice", role: "status" });
  #tab: Tab = "confusion";
  #isSeen = false;
  #drawn: Shown | null = null;
  #quiet: (() => void) | null = null;

  constructor(state: DiagnosticsState) {
    this.#state = state;
    const { listeners } = this;
    const select = (tab: Tab) => (place: number[]) => state.select(tab, place);
    this.#panes = {
      confusion: new ConfusionPane(listeners, select("confusion")),
      classes: new ClassesPane(listeners),
      slices: new SlicesPane(listeners, select("slices")),
      calibration: new CalibrationPane(),
      items: new ItemsPane(listeners, select("items")),
      rounds: new RoundsPane(listeners, select("rounds"), (version, other) => state.compare(version, other)),
    };
    const id = newId();
    const list = make("div", { class: "alw-diag-tabs", role: "tablist", "aria-label": "Diagnostics" });
    setAttribute(this.#panel, "id", `${id}-panel`);
    for (const tab of TABS) {
      const attributes = { id: `${id}-${tab}`, role: "tab", "aria-controls": `${id}-panel`, ...OWN };
      const button = make("button", { type: "button", class: "alw-diag-tab", ...attributes }, NAMES[tab]);
      this.#tabs.set(tab, button);
      list.append(button);
      listeners.dom(button, "click", () => this.open(tab));
    }
    listeners.dom(list, "keydown", (event) => this.#tabKey(event));
    const which = { class: "alw-diag-switch", role: "group", "aria-label": "Which labels" };
    this.root = make(
      "div",
      { class: "alw-root alw-diag", "data-view": "diagnostics", "data-tab": this.#tab, role: "region" },
      make(
        "div",
        { class: "alw-diag-head" },
        make("div", { class: "alw-diag-source" }, this.#about, this.#ended),
        make("div", which, this.#of.audit, this.#of.train),
      ),
      list,
      this.#panel,
      this.#notice,
    );
    setAttribute(this.root, "aria-label", "Diagnostics");
    for (const of of ["audit", "train"] as const)
      listeners.dom(this.#of[of], "click", () => {
        state.of = of;
      });
    listeners.dom(this.root, "keydown", (event) => this.#key(event));
    listeners.add(state.watch((change) => this.#follow(change)));
    this.#watchSight();
    this.#size();
    this.open(this.#tab);
  }

  dispose(): void {
    this.#quiet?.();
    this.listeners.dispose();
    this.root.remove();
  }

  open(tab: Tab): void {
    this.#tab = tab;
    this.root.dataset.tab = tab;
    for (const [name, button] of this.#tabs) {
      setAttribute(button, "aria-selected", String(name === tab));
      setAttribute(button, "tabindex", name === tab ? 0 : -1);
    }
    setAttribute(this.#panel, "aria-labelledby", this.#tabs.get(tab)!.id);
    this.#panel.scrollTop = 0;
    this.#drawn = null;
    setText(this.#notice, ""); // it was about another tab
    this.#ask();
    this.#paint();
  }

  /** What nobody sees is not asked for: working it out takes the kernel's time. */
  #watchSight(): void {
    if (typeof IntersectionObserver === "undefined") {
      this.#isSeen = true;
      return;
    }
    const observer = new IntersectionObserver((entries) => {
      this.#isSeen = entries.at(-1)?.isIntersecting ?? false;
      this.#ask();
    });
    observer.observe(this.root);
    this.listeners.add(() => observer.disconnect());
  }

  #ask(): void {
    if (this.#isSeen && this.#state.isStale(this.#tab)) this.#state.look(this.#tab);
  }

  #follow(change: Change): void {
    if (change === "height") this.#size();
    else if (change === "notice") this.#say();
    else {
      if (change === "stale") this.#ask();
      this.#paint();
    }
  }

  #size(): void {
    this.root.style.setProperty("--alw-diag-height", `${this.#state.height}px`);
  }

  #paint(): void {
    const state = this.#state;
    const tab = this.#tab;
    const shown = state.shown(tab);
    const message = shown?.message ?? null;
    const isTrainable = TRAINABLE.includes(tab);
    const of = isTrainable ? state.of : "audit";
    for (const name of ["audit", "train"] as const)
      setAttribute(this.#of[name], "aria-pressed", String(name === of));
    this.#of.train.disabled = !isTrainable;
    setAttribute(
      this.#of.train,
      "title",
      isTrainable ? "Biased: the model has learnt them" : "Only audit labels can tell this",
    );
    const isOther = message !== null && message.of !== of;
    setText(this.#about, isOther || !message ? "" : message.about);
    this.#about.classList.toggle("alw-diag-biased", !isOther && (message?.biased ?? false));
    this.#ended.hidden = state.closed === null;
    setText(this.#ended, state.closed === null ? "" : `The session is closed: this is how it stood.`);
    setAttribute(this.#panel, "aria-busy", String(shown === null || isOther));
    if (shown === this.#drawn && shown !== null && !isOther) return;
    this.#drawn = isOther ? null : shown;
    if (!shown || isOther) {
      setText(this.#note, "Working it out…");
      this.#panel.replaceChildren(this.#note);
      return;
    }
    this.#draw(shown);
  }

  #draw({ message, buffers }: Shown): void {
    const { figures, note, tab } = message;
    setText(this.#note, note ?? "");
    const parts: Node[] = note ? [this.#note] : [];
    if (figures) {
      const pane = this.#panes[tab] as Pane<Figures>;
      pane.draw(figures, buffers);
      parts.push(pane.root);
    }
    // What has the keyboard stays where it is.
    const isSame = parts.length === this.#panel.childNodes.length;
    if (isSame && parts.every((part, k) => part === this.#panel.childNodes[k])) return;
    this.#panel.replaceChildren(...parts);
  }

  #say(): void {
    const { notice } = this.#state;
    this.#quiet?.();
    this.#quiet = null;
    setText(this.#notice, notice?.text ?? "");
    this.#notice.classList.toggle("alw-diag-bad", notice?.bad ?? false);
    if (notice && !notice.bad)
      this.#quiet = this.listeners.timeout(() => setText(this.#notice, ""), NOTICE_MS);
  }

  #tabKey(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const at = TABS.indexOf(this.#tab);
    const last = TABS.length - 1;
    const to = {
      ArrowRight: at === last ? 0 : at + 1,
      ArrowLeft: at === 0 ? last : at - 1,
      Home: 0,
      End: last,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.open(TABS[to]!);
    this.#tabs.get(this.#tab)!.focus({ preventScroll: true });
  }

  #key(event: KeyboardEvent): void {
    // Tab and what the browser itself does with a button go on; the notebook hears of nothing.
    event.stopPropagation();
    if (event.key !== "Escape" || event.isComposing) return;
    event.preventDefault();
    handBack(this.root);
  }
}
