import { count, icon, make, percent, set, setAttribute, setText } from "../shared/dom";
import { ellipsis } from "../shared/ellipsis";
import { Listeners } from "../shared/listeners";
import type { Card } from "../shared/messages";
import type { Unhurried } from "../shared/outgoing";
import { Answers } from "./answers";
import { Aside } from "./aside";
import { Comment } from "./comment";
import { Editor } from "./editor";
import { Footer } from "./footer";
import { gate } from "./gate";
import { Guidelines } from "./guidelines";
import { Help } from "./help";
import type { Stands } from "./history";
import { Keyboard } from "./keyboard";
import { Notices } from "./notices";
import { BARS, button, cap, FLAG, OWN, PENCIL } from "./parts";
import { Pause } from "./pause";
import { Reasons } from "./reasons";
import { Stage } from "./stage";
import type { CardsState } from "./state";
import { Suggestion } from "./suggestion";
import { promise } from "./together/words";
import { badge, spoken, why } from "./why";
import { deedOf } from "./words";

/** Where a press leaves the focus, and keys mean what they mean in a form. */
const FIELDS = "input, textarea, select, .alw-editor, .alw-guidelines";

/** One view of the cards: draws the state, and turns keys and clicks into what a person does. */
export class CardsView {
  readonly root: HTMLElement;
  readonly listeners = new Listeners();
  readonly #state: CardsState;
  readonly #notices: Notices;
  readonly #stage: Stage;
  readonly #answers: Answers;
  readonly #footer = new Footer();
  readonly #help = new Help();
  readonly #pause: Pause;
  readonly #editor: Editor;
  readonly #reasons = new Reasons();
  readonly #guidelines: Guidelines;
  readonly #comment: Comment;
  readonly #suggestion: Suggestion;
  readonly #aside: Aside;
  readonly #single: HTMLElement;
  readonly #place: HTMLElement;
  readonly #unhurried: Unhurried;
  readonly #badge = make("span", { class: "alw-badge", hidden: true });
  readonly #why = make("button", { type: "button", class: "alw-why", "aria-keyshortcuts": "w", ...OWN });
  readonly #flag = button("flag", "f", "Flag", icon(FLAG));
  readonly #keys = make(
    "button",
    {
      type: "button",
      class: "alw-quiet alw-help-button",
      "aria-label": "Keys",
      "aria-expanded": "false",
      ...OWN,
    },
    "?",
  );
  readonly #edit = button("edit", "e", "Classes", icon(PENCIL));
  readonly #undo = button("undo", "Backspace", "Undo");
  readonly #redo = button("redo", "Control+Y", "Redo");
  readonly #rest = button("pausing", "p", "Pause", icon(BARS));
  readonly #skip = button("skip", "Space", "Skip");
  readonly #last = make("span", { class: "alw-last" });
  readonly #live = make("div", { class: "alw-hidden", role: "status", "aria-live": "polite" });
  #card: Card | null = null;
  #stands: Stands;
  #spoken = "";
  #heard: string | null = null; // the item read out last, until a group takes its place

  constructor(state: CardsState) {
    this.#state = state;
    const { listeners } = this;
    this.#unhurried = state.unhurried(listeners);
    this.#notices = new Notices(listeners, (key) => state.dismiss(key));
    this.#stage = new Stage(listeners, state.afterFrame(listeners));
    this.#editor = new Editor(listeners, (what, name, to) => state.changeClasses(what, name, to));
    this.#pause = new Pause(listeners, () => state.pause(false));
    const home = () => this.focus();
    this.#answers = new Answers(listeners, state, home);
    this.#comment = new Comment(listeners, state, home);
    this.#guidelines = new Guidelines(listeners, home);
    this.#suggestion = new Suggestion(listeners, () => this.#answers.now.accept(), this.#comment.root);
    this.#aside = new Aside(listeners, state, {
      focus: home,
      startFilter: (text) => this.#answers.now.type(text),
    });
    this.#undo.append(cap("⌫"));
    this.#skip.append(cap("Space"));
    const memory = state.store.persistent
      ? null
      : make(
          "p",
          { class: "alw-memory" },
          "Labels are kept in memory only. Pass ",
          make("code", {}, 'store="labels.db"'),
          " to keep them.",
        );
    this.#single = make(
      "div",
      { class: "alw-card" },
      make(
        "div",
        { class: "alw-card-head" },
        this.#badge,
        this.#why,
        make("span", { class: "alw-space" }),
        this.#edit,
        this.#guidelines.toggler,
        this.#comment.toggler,
        this.#flag,
        this.#keys,
      ),
      this.#stage.root,
      this.#suggestion.root,
      this.#reasons.root,
      this.#editor.root,
      this.#aside.search.root,
      this.#aside.earlier.root,
      this.#pause.root,
      this.#help.root,
    );
    this.#place = make("div", {}, this.#single);
    this.root = make(
      "div",
      {
        class: "alw-root alw-cards",
        role: "region",
        "aria-label": "Cards to label",
        tabindex: 0,
        "data-view": "cards",
        "data-item-id": "",
        ...OWN,
      },
      make(
        "div",
        { class: "alw-cards-inner" },
        this.#notices.root,
        this.#guidelines.root,
        this.#place,
        this.#aside.grid.root,
        this.#answers.root,
        make(
          "div",
          { class: "alw-actions" },
          this.#undo,
          this.#redo,
          this.#aside.back,
          this.#last,
          this.#rest,
          this.#aside.find,
          this.#skip,
        ),
        this.#footer.root,
        memory,
        this.#live,
      ),
    );
    state.remap.show(this.root);
    this.#listen();
    const sizes = new ResizeObserver(() => this.#fit());
    sizes.observe(this.#single);
    listeners.add(() => sizes.disconnect());
    listeners.add(state.watch(() => this.paint()));
    // Who goes elsewhere, to run a cell or to another page, finds there what was labelled here. The state outlives its
    // views, as the widget in the kernel does: what listens to the page goes with the view.
    listeners.dom(document, "focusout", () => state.flush());
    listeners.dom(window, "pagehide", () => state.flush());
    listeners.add(() => state.flush());
    listeners.add(() => this.root.remove());
    this.paint();
    this.#paintRest(); // with the first frame, lest anything moves
  }

  focus(): void {
    if (!this.#aside.grid.focus()) this.root.focus({ preventScroll: true });
  }

  dispose(): void {
    this.listeners.dispose();
  }

  /** Draws what changed. Runs inside the key press, so layout is read once, at its end. */
  paint(): void {
    const state = this.#state;
    const shown = state.deck.current;
    const card = shown?.card ?? null;
    const { root } = this;
    const page = root.ownerDocument;
    const had = root.contains(page.activeElement);
    set(root.dataset, {
      itemId: card?.item_id ?? "",
      unsaved: String(state.unsaved),
      round: String(state.deck.modelVersion),
      phase: state.deck.phase,
    });
    const isNext = card !== this.#card;
    const pausing = state.paused && !root.hasAttribute("data-paused");
    root.toggleAttribute("data-paused", state.paused);
    set(this.#place, { hidden: state.groups.open !== null });
    this.#single.classList.toggle("alw-even", isEven(card) && state.task.kind !== "text");
    this.#aside.paint();
    if (had && pausing) this.focus();

    this.#stage.paint(state);
    this.#stage.mark(state.driving);
    this.#answers.paint(state);
    this.#comment.paint(state);
    this.#guidelines.paint(state);
    this.#suggestion.paint(state);
    this.#help.paint(state);
    this.#pause.paint(state);
    this.#editor.paint(state);
    this.#reasons.paint(state);
    set(this.#edit, { hidden: state.task.kind !== "classification" });
    this.#notices.paint(state);
    if (isNext || shown?.stands !== this.#stands || !card) this.#paintCard(card);
    this.#paintActions();
    this.#card = card;
    this.#stands = shown?.stands;
    if (had) this.#hold(page.activeElement);
    this.#unhurried(() => this.#paintRest(), isNext);
    // lays the card out at once: the browser has nothing to do until it is ready for the frame
    if (isNext) {
      this.#fit();
      this.#stage.measure();
    }
  }

  #fit(): void {
    ellipsis(this.#why, this.#suggestion.name, this.#last);
  }

  /**
   * How far one is, what was done last, what is read out and what a pointer is told: after the card's frame or, where
   * one presses fast, after those of the next cards.
   */
  #paintRest(): void {
    this.#footer.paint(this.#state);
    this.#speak(this.#card);
    if (this.#card) set(this.#why, { title: why(this.#card).title });
    this.#paintLast();
    ellipsis(this.#last);
  }

  /** Focus on what went would fall back to the page, and keys to the notebook: a browser lets it fall after the paint. */
  #hold(active: Element | null): void {
    const idle = !this.#card && !this.#state.groups.open && active === this.#answers.now.field;
    const gone = !this.root.contains(active) || active?.closest("[hidden], :disabled");
    if (gone || idle) this.focus();
  }

  #paintCard(card: Card | null): void {
    const stands = this.#state.deck.current?.stands;
    const again = stands && `an earlier card: ${this.#state.remap.cap(" ")} leaves it as it was`;
    tell(this.#badge, card ? badge(card) : null);
    set(this.#why, { hidden: card === null });
    if (card) setText(this.#why, again || why(card).text);
  }

  #paintActions(): void {
    const { deck, paused, groups } = this.#state;
    const card = deck.current?.card ?? null;
    const disabled = card === null || paused;
    set(this.#skip, { hidden: groups.open !== null, disabled });
    set(this.#flag, { disabled });
    setAttribute(this.#flag, "aria-pressed", String(Boolean(card?.flag)));
    const last = deck.last;
    const nothing = last === null && this.#state.labelled === 0;
    set(this.#undo, { disabled: paused || (nothing && !groups.undoable) });
    set(this.#redo, { disabled: paused, hidden: deck.again === null });
  }

  #paintLast(): void {
    const { deck } = this.#state;
    const { last } = deck;
    const deed =
      last === null
        ? ""
        : last.group
          ? `labelled ${count(deck.inLast)} together`
          : last.event.kind === "skip"
            ? "skipped"
            : deedOf(this.#state.task, last.event.answer);
    setText(this.#last, deed && `last: ${deed}`);
  }

  #speak(card: Card | null): void {
    const { deck, said, groups } = this.#state;
    if (groups.open) {
      const will = promise(groups.open, (answer) => this.#state.nameOf(answer));
      this.#spoken = "";
      this.#heard = null;
      setText(this.#live, `${said} ${will}.`.trim());
      return;
    }
    const key = `${card?.item_id ?? deck.phase} ${said}`;
    if (key === this.#spoken) return;
    // the card is read out once: what is done to it after that alone
    const known = card !== null && card.item_id === this.#heard;
    this.#spoken = key;
    this.#heard = card?.item_id ?? null;
    const suggestion = card?.suggestion;
    const idea = suggestion
      ? `Suggests ${this.#state.nameOf(suggestion.answer)}, ${percent(suggestion.confidence)}.`
      : "";
    const rest = card
      ? known
        ? ""
        : spoken(card, idea)
      : deck.phase === "exhausted"
        ? "No cards are left."
        : "Waiting for cards.";
    setText(this.#live, `${said} ${rest}`.trim());
  }

  #toggleHelp(open?: boolean): void {
    if (this.#help.root.contains(this.root.ownerDocument.activeElement)) this.focus();
    this.#help.toggle(open);
    this.#keys.setAttribute("aria-expanded", String(this.#help.open));
  }

  #toggleWhy(): void {
    this.#reasons.toggle(this.#state.deck.current?.card ?? null);
    if (this.#reasons.open) this.#state.askWhy();
  }

  #toggleEditor(): void {
    if (this.#state.task.kind !== "classification") return;
    this.#editor.toggle();
    this.#edit.setAttribute("aria-expanded", String(this.#editor.open));
    this.#editor.paint(this.#state);
    if (!this.#editor.open) this.focus();
  }

  #listen(): void {
    const { listeners, root } = this;
    gate(root, listeners, this.#state, () => {
      this.#heard = null; // who hears of it hears what is there now, too
      this.#state.refuse();
    });
    const keyboard = new Keyboard(this.#state, {
      root,
      stage: this.#stage,
      answers: this.#answers,
      comment: this.#comment,
      guidelines: this.#guidelines,
      editor: this.#editor,
      help: this.#help,
      reasons: this.#reasons,
      aside: this.#aside,
      toggleHelp: (open) => this.#toggleHelp(open),
      toggleWhy: () => this.#toggleWhy(),
      toggleEditor: () => this.#toggleEditor(),
    });
    listeners.dom(root, "keydown", (event) => keyboard.press(event));
    for (const name of ["keyup", "keypress"]) listeners.dom(root, name, (event) => event.stopPropagation());
    listeners.dom(root, "pointerdown", (event) => {
      const target = event.target as Element;
      if (!target.closest(FIELDS) && !this.#aside.holds(target)) this.focus();
    });
    // a press on a button leaves the focus on the root, where the keys are
    listeners.dom(root, "mousedown", (event) => {
      const target = event.target as Element;
      const form = this.#editor.root.contains(target) || this.#aside.search.root.contains(target);
      if (target.closest("button") && !form) event.preventDefault();
    });
    listeners.dom(this.#skip, "click", () => this.#state.skip());
    listeners.dom(this.#undo, "click", () => this.#state.undo());
    listeners.dom(this.#redo, "click", () => this.#state.redo());
    listeners.dom(this.#flag, "click", () => this.#state.flag());
    listeners.dom(this.#rest, "click", () => this.#state.pause());
    listeners.dom(this.#keys, "click", () => this.#toggleHelp());
    listeners.dom(this.#why, "click", () => this.#toggleWhy());
    listeners.dom(this.#edit, "click", () => this.#toggleEditor());
  }
}

/** Whether a card is as high as most: metadata have a line of their own, and a remark may need one. */
function isEven(card: Card | null): boolean {
  return !card?.comment && Object.keys(card?.metadata ?? {}).length === 0;
}

/** Shows words, or hides the place for them: with those it had, so that hiding is all there is to draw. */
function tell(place: HTMLElement, words: { text: string; title: string } | null): void {
  set(place, { hidden: words === null });
  if (words === null) return;
  set(place, { title: words.title });
  setText(place, words.text);
}
