import { make } from "../shared/dom";
import type { Task } from "../shared/messages";
import { isLong } from "./keys";
import { OWN } from "./parts";
import type { CardsState } from "./state";

type Row = [key: string, text: string];

/** The list of keys, shown over the card while somebody wants it. */
export class Help {
  readonly root: HTMLElement;
  readonly #rows: HTMLElement;
  #task: Task | null = null;
  #guided = false;

  constructor() {
    this.#rows = make("dl", { class: "alw-help-rows" });
    this.root = make(
      "div",
      { class: "alw-help", role: "dialog", "aria-label": "Keys", tabindex: 0, hidden: true, ...OWN },
      make("p", { class: "alw-help-title" }, "Keys"),
      this.#rows,
    );
  }

  get open(): boolean {
    return !this.root.hidden;
  }

  toggle(open = !this.open): void {
    this.root.hidden = !open;
  }

  scroll(pages: number): void {
    this.root.scrollTop += pages * this.root.clientHeight;
  }

  paint(state: CardsState): void {
    const guided = state.guidelines !== "";
    if (state.task === this.#task && guided === this.#guided) return;
    this.#task = state.task;
    this.#guided = guided;
    const key = (usual: string) => state.remap.cap(usual);
    const rows: Row[] = [
      ...toAnswer(state),
      [key(" "), "skip"],
      [key("Backspace"), "undo (Ctrl Z too)"],
      ["Ctrl Y", "do again what was undone"],
      ...(state.task.kind === "classification" ? [[key("e"), "add, rename or merge classes"] as Row] : []),
      [key("c"), "write a comment"],
      ...(guided ? [[key("g"), "show or hide the guidelines"] as Row] : []),
      [key("w"), "why this card"],
      [key("b"), "back to an earlier card"],
      [key("t"), "label together what contains a text"],
      [key("p"), "pause, or go on"],
      [key("f"), "flag, or take the flag off"],
      [key("z"), "zoom in on an image, arrows move it; Esc zooms out"],
      ["?", "show or hide this list"],
      ["Esc", "back to the notebook"],
    ];
    this.#rows.replaceChildren(...rowsOf(rows));
  }
}

/** The keys by which the kind of task is answered. */
function toAnswer({ task, keys, remap }: CardsState): Row[] {
  if (task.kind === "text") {
    const save: Row[] = task.multiline
      ? [["Ctrl Enter", "in the text: save (Cmd Enter too)"]]
      : [["Enter", "in the text: save"]];
    return [
      ...save,
      ["Esc", "from the text to the keys below"],
      ["Enter", "back to the text; so does typing"],
    ];
  }
  const many = isLong(task);
  const marks = task.kind === "multilabel";
  const verb = marks ? "mark" : "label";
  const given = keys.filter((k): k is string => k !== null);
  const inRow = given.every((k) => /^[0-9]$/.test(k));
  const all = given.length < 2 || !inRow ? given.join(" ") : `${given[0]} – ${given.at(-1)}`;
  const first = marks ? "mark one of the first ten labels" : "label with one of the first ten classes";
  const choose: Row[] =
    !many && !inRow
      ? task.classes.flatMap((name, code): Row[] => (keys[code] ? [[keys[code], `${verb} ${name}`]] : []))
      : [[all, many ? first : marks ? "mark, or take the mark off" : "label"]];
  const find: Row = [
    "/",
    marks ? "find labels by their letters; Enter marks" : "find a class by its letters",
  ];
  const enter = marks ? "save what is marked" : "accept the suggestion";
  return [...choose, ...(many ? [find] : []), [remap.cap("Enter"), enter]];
}

/** Keys and what they do. */
export function rowsOf(rows: readonly [key: string, text: string][]): HTMLElement[] {
  return rows.flatMap(([key, text]) => [
    make("dt", {}, make("kbd", { class: "alw-key" }, key)),
    make("dd", {}, text),
  ]);
}
