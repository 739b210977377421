/** One view of the map: the plot, what can be done with it, and what it says about itself. */
import { make, setText } from "../shared/dom";
import { Listeners } from "../shared/listeners";
import { Choosing, colour } from "./choices";
import { GuardLine } from "./guard";
import { KeepForm } from "./keeping";
import { Legend } from "./legend";
import { Panel } from "./panel";
import { Scales } from "./scales";
import { SearchBox } from "./search";
import { SelectionBar } from "./selected";
import { Spaces } from "./spaces";
import { Stage } from "./stage";
import type { Change, MapState } from "./state";
import { button, download, Tools } from "./tools";
import { announced, caption, described } from "./words";

const OWN = { "data-lm-suppress-shortcuts": "true" };
const NAMES = ["M2.5 5V2.8h11V5", "M8 2.8v10.4", "M5.8 13.2h4.4"];
const LINES = ["M6 4h7.5M6 8h7.5M6 12h7.5", "M2.8 4h.01M2.8 8h.01M2.8 12h.01"];
/** Narrower than this, the panel lies below the map. */
const NARROW = 620;
const HINT = "Drag moves, Shift and drag lassos, the wheel zooms";
/** How long a good message stays. */
const NOTICE_MS = 6_000;

export class MapView {
  readonly listeners = new Listeners();
  readonly root: HTMLElement;
  readonly #state: MapState;
  readonly #stage: Stage;
  readonly #legend: Legend;
  readonly #scales = new Scales();
  readonly #spaces: Spaces;
  readonly #guard: GuardLine;
  readonly #by: Choosing;
  readonly #search: SearchBox;
  readonly #panel: Panel;
  readonly #keep: KeepForm;
  readonly #names = button("Region names", "G", ...NAMES);
  readonly #lists = button("Lists", "E", ...LINES);
  readonly #tools: Tools;
  readonly #caption = make("span", { class: "alw-map-caption" });
  readonly #bar = make("div", { class: "alw-map-bar", hidden: true }, make("div"));
  readonly #progress = make("span", { class: "alw-map-progress alw-map-hint" }, HINT);
  readonly #selection: SelectionBar;
  readonly #notice = make("p", { class: "alw-map-notice", hidden: true });
  readonly #empty = make("p", { class: "alw-map-empty" }, "Waiting for the kernel…");
  readonly #live = make("div", { class: "alw-hidden", role: "status", "aria-live": "polite" });
  readonly #image = make("div", { class: "alw-map-body", role: "img" });
  #noticeTimer: (() => void) | null = null;
  #announced = "";

  constructor(state: MapState) {
    this.#state = state;
    this.#stage = new Stage(state, {
      select: (indices) => state.select(indices),
      flat: (text) => this.#show(text === null ? null : { kind: "bad", text }),
      theme: () => {
        this.#paintLegend();
        this.#panel.isDark = this.#stage.isDark;
      },
    });
    this.#by = new Choosing(this.listeners, state, colour(state));
    const leave = () => this.root.focus({ preventScroll: true });
    this.#search = new SearchBox(this.listeners, state, leave);
    this.#legend = new Legend(this.listeners, {
      select: (indices) => state.select(indices),
      toggle: (code) => state.toggle(code),
    });
    this.#legend.root.append(this.#scales.root);
    this.#spaces = new Spaces(this.listeners, state);
    this.#guard = new GuardLine(this.listeners, state, leave);
    this.#keep = new KeepForm(this.listeners, state, leave);
    this.#panel = new Panel(this.listeners, state, {
      leave,
      point: (index) => this.#stage.point(index),
      toggled: (open) => {
        this.#lists.setAttribute("aria-expanded", String(open));
        this.root.classList.toggle("alw-map-listing", open);
      },
    });
    this.#lists.setAttribute("aria-expanded", "false");
    this.#selection = new SelectionBar(this.listeners, state, {
      leave,
      alike: () => this.#moreLikeThis(),
      keep: () => this.#keep.open(!this.#keep.isOpen),
    });
    this.#image.append(this.#stage.root);
    this.root = make("div", {
      class: "alw-root alw-map",
      role: "application",
      "aria-roledescription": "map",
      tabindex: 0,
      "data-view": "projector",
      "data-layout": "",
      "data-space": "",
      "data-colour-by": "",
      "data-colour-version": "",
      "data-selected": 0,
      ...OWN,
    });
    this.#tools = new Tools(this.root, this.listeners, state, {
      use: (tool) => {
        this.#stage.tool = tool;
      },
      fit: () => this.#stage.plot?.fit(),
      adjust: (size, opacity) => this.#stage.adjust(size, opacity),
      save: () => void this.#picture(),
      refused: (text) => this.#show({ kind: "bad", text }),
    });
    this.root.append(
      make(
        "div",
        { class: "alw-map-head" },
        this.#by.root,
        this.#spaces.root,
        make("span", { class: "alw-map-space" }),
        this.#search.root,
        this.#tools.lasso,
        this.#names,
        this.#lists,
        this.#tools.fit,
        this.#tools.more,
      ),
      make(
        "div",
        { class: "alw-map-main" },
        make(
          "div",
          { class: "alw-map-area" },
          make(
            "div",
            { class: "alw-map-pair" },
            make(
              "div",
              { class: "alw-map-canvas" },
              this.#image,
              this.#empty,
              this.#tools.bar,
              this.#tools.options,
              this.#spaces.figures,
              this.#guard.root,
              this.#notice,
              this.#bar,
            ),
            this.#legend.root,
          ),
        ),
        this.#panel.root,
      ),
      make(
        "div",
        { class: "alw-map-foot" },
        this.#caption,
        this.#progress,
        this.#spaces.stop,
        this.#selection.root,
      ),
      this.#keep.root,
      this.#live,
    );
    this.root.style.setProperty("--alw-map-height", `${state.height}px`);
    this.#listen();
    for (const change of ["points", "colours", "progress", "selection", "notice"] as const)
      this.#paint(change);
  }

  dispose(): void {
    this.#noticeTimer?.();
    this.#stage.dispose();
    this.listeners.dispose();
    this.root.remove();
  }

  #listen(): void {
    const { listeners, root } = this;
    const state = this.#state;
    listeners.add(state.watch((change) => this.#paint(change)));
    listeners.add(state.onHeight(() => root.style.setProperty("--alw-map-height", `${state.height}px`)));
    listeners.dom(this.#names, "click", () => state.toggleNames());
    listeners.dom(this.#lists, "click", () => this.#panel.open(!this.#panel.isOpen));
    const sizes = new ResizeObserver(() => {
      const { clientWidth: width } = root;
      if (width > 0) root.classList.toggle("alw-map-narrow", width < NARROW);
    });
    sizes.observe(root);
    listeners.add(() => sizes.disconnect());
    listeners.dom(this.#notice, "click", () => state.dismiss());
    listeners.dom(root, "keydown", (event) => this.#key(event));
    // The focus goes where the person presses, before the host can take it.
    listeners.dom(this.#stage.root, "pointerdown", () => root.focus({ preventScroll: true }));
    // Shift and drag is a lasso here; JupyterLab would select cells with it, and keep the mouse until it is released.
    listeners.dom(this.#stage.root, "mousedown", (event) => {
      if (event.shiftKey) event.stopPropagation();
    });
    // The wheel scrolls the notebook until the map was pressed: a page must not get stuck on it.
    listeners.dom(
      this.#stage.root,
      "wheel",
      (event) => {
        if (!this.#hasFocus()) event.stopPropagation();
      },
      { capture: true, passive: true },
    );
  }

  #hasFocus(): boolean {
    const focused = (this.root.getRootNode() as Document | ShadowRoot).activeElement;
    return focused !== null && this.root.contains(focused);
  }

  #key(event: KeyboardEvent): void {
    event.stopPropagation();
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const plot = this.#stage.plot;
    if (event.key === "Escape") {
      if (this.#tools.isOpen) this.#tools.escape();
      else if (this.#state.selection.length > 0) this.#state.select([]);
      else if (!this.#tools.escape()) (event.target as HTMLElement).blur();
      this.#handled(event);
      return;
    }
    if (event.target !== this.root) return; // buttons and the list have keys of their own
    if (event.key === " " && this.#stage.popover.toggleSound()) {
      this.#handled(event);
      return;
    }
    const run = {
      Enter: () => this.#state.label(),
      t: () => this.#state.label("together"),
      g: () => this.#state.toggleNames(),
      e: () => this.#panel.open(true),
      m: () => this.#moreLikeThis(),
      k: () => this.#keep.open(true),
      c: () => this.#state.save(),
      "/": () => this.#search.focus(),
      "0": () => plot?.fit(),
      "+": () => plot?.zoom(1.4),
      "=": () => plot?.zoom(1.4),
      "-": () => plot?.zoom(1 / 1.4),
      ArrowLeft: () => plot?.pan(-0.2, 0),
      ArrowRight: () => plot?.pan(0.2, 0),
      ArrowUp: () => plot?.pan(0, 0.2),
      ArrowDown: () => plot?.pan(0, -0.2),
    }[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (run) run();
    else if (!this.#tools.key(event.key.toLowerCase())) return;
    this.#handled(event);
  }

  /** Lists what is most like the one point that is selected. */
  #moreLikeThis(): void {
    const { selection } = this.#state;
    if (selection.length === 1) this.#panel.similar(selection[0]!);
    else this.#show({ kind: "bad", text: "Select one point, to list what is most like it." });
  }

  #handled(event: KeyboardEvent): void {
    event.preventDefault();
    // Esc leaves the selection or the lasso, not the map.
    if (event.key === "Escape" && this.#state.selection.length > 0) this.root.focus({ preventScroll: true });
  }

  /** Saves the points as they are seen, with the rings around those on the cards. */
  async #picture(): Promise<void> {
    const { points, colouring } = this.#state;
    if (!points || !this.#stage.plot) return;
    try {
      await download(await this.#stage.picture(), `map-${points.layout}-${colouring?.by ?? "plain"}.png`);
    } catch (error) {
      this.#show({ kind: "bad", text: `The picture could not be saved (${(error as Error).message}).` });
    }
  }

  #paint(change: Change): void {
    const { points, colouring, progress, selection } = this.#state;
    const { dataset } = this.root;
    if (change === "points" || change === "colours") {
      dataset.layout = points?.layout ?? "";
      dataset.colourBy = colouring?.by ?? "";
      dataset.colourVersion = colouring ? String(colouring.version) : "";
      setText(this.#caption, caption(points));
      this.#empty.hidden = points !== null;
      this.#stage.draw();
    }
    if (change === "layout") dataset.space = this.#state.layout?.space ?? "";
    if (change === "colours") {
      this.#paintLegend();
      this.#stage.popover.hide();
    }
    if (change === "hidden" || change === "varied") {
      this.#paintLegend();
      this.#stage.draw();
    }
    if (change === "contours") {
      this.#stage.paintContours();
      setText(this.#live, `Density contours ${this.#state.isContouring ? "on" : "off"}.`);
    }
    if (change === "found" || change === "selection") this.#search.paint();
    if (change === "found") this.#stage.select();
    if (change === "regions" || change === "points") {
      this.#names.setAttribute("aria-pressed", String(this.#state.isNaming));
      this.#stage.paintNames();
    }
    for (const part of [this.#by, this.#tools]) {
      if (change === "columns") part.paintColumns();
      else part.paint();
    }
    if (change === "cards" || change === "points") this.#stage.paintRings();
    if (change === "preview") this.#stage.preview();
    this.#panel.paint(change);
    if (change === "list" || change === "selection") this.#keep.paint();
    if (change === "progress") this.#paintProgress(progress.fraction, progress.text);
    if (["progress", "layout", "points", "selection"].includes(change)) this.#spaces.paint();
    if (change === "selection") this.#paintSelection(selection.length);
    if (change === "selection" || change === "guard") this.#paintGuard();
    if (change === "notice") this.#show(this.#state.notice);
    const description = described(points, colouring, selection.length);
    this.#image.setAttribute("aria-label", description);
    this.root.setAttribute("aria-label", description);
  }

  #paintGuard(): void {
    const said = this.#guard.paint();
    if (said) setText(this.#live, `Of the selection, ${said}.`);
  }

  #paintLegend(): void {
    const { colouring, hidden, varying } = this.#state;
    this.#legend.paint(colouring, this.#stage.isDark, hidden);
    this.#scales.paint(varying.shown);
  }

  #paintProgress(fraction: number | null, text: string | null): void {
    this.#bar.hidden = text === null;
    this.#bar.classList.toggle("alw-map-unknown", fraction === null);
    (this.#bar.firstElementChild as HTMLElement).style.width = fraction === null ? "" : `${fraction * 100}%`;
    setText(this.#progress, text ?? HINT);
    this.#progress.classList.toggle("alw-map-hint", text === null);
    if (!this.#state.points && text) setText(this.#empty, text);
    // Every percent read out would be a torment: only the stages are.
    if (announced(text) !== this.#announced) {
      this.#announced = announced(text);
      setText(this.#live, this.#announced || "The map is ready.");
    }
  }

  #paintSelection(n: number): void {
    this.root.dataset.selected = String(n);
    this.#stage.select();
    const said = this.#selection.paint();
    this.#caption.hidden = this.#progress.hidden = n > 0;
    if (said) setText(this.#live, said);
  }

  #show(notice: MapState["notice"]): void {
    this.#noticeTimer?.();
    this.#notice.hidden = notice === null;
    if (!notice) return;
    setText(this.#notice, notice.text);
    this.#notice.dataset.kind = notice.kind;
    setText(this.#live, notice.text);
    if (notice.kind === "good")
      this.#noticeTimer = this.listeners.timeout(() => this.#state.dismiss(), NOTICE_MS);
  }
}
