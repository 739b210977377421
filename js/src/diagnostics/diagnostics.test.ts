import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Model } from "../shared/model";
import diagnostics from "../widgets/diagnostics";
import {
  type ConfusionFigures,
  type FromDiagnostics,
  TABS,
  type Tab,
  type TabMessage,
  type ToDiagnostics,
} from "./messages";
import type { DiagnosticsTraits } from "./state";

const FOLDER = join("fixtures", "messages");
const FILES = readdirSync(FOLDER).filter((f) => f.startsWith("diagnostics_"));
const read = (name: string) => JSON.parse(readFileSync(join(FOLDER, name), "utf8"));
const example = (name: string): TabMessage => read(`diagnostics_${name}.json`).message;

// biome-ignore lint/suspicious/noExplicitAny: as in the host's own types
type Handler = (...args: any[]) => void;

class FakeModel {
  readonly sent: FromDiagnostics[] = [];
  readonly handlers = new Map<string, Set<Handler>>();
  alive = true;
  height = 480;

  get listeners(): number {
    return [...this.handlers.values()].reduce((n, set) => n + set.size, 0);
  }

  get(): number {
    return this.height;
  }

  set(_name: "height", value: number): void {
    this.height = value;
    for (const run of this.handlers.get("change:height") ?? []) run();
  }

  on(name: string, run: Handler): void {
    this.handlers.set(name, (this.handlers.get(name) ?? new Set()).add(run));
  }

  off(name: string, run: Handler): void {
    this.handlers.get(name)?.delete(run);
  }

  save_changes(): void {}

  send(message: FromDiagnostics): void {
    if (!this.alive) throw new Error("Cannot send");
    this.sent.push(structuredClone(message));
  }

  receive(message: ToDiagnostics, ...buffers: DataView[]): void {
    for (const run of this.handlers.get("msg:custom") ?? []) run(message, buffers);
  }
}

/** Sees what the test says is to be seen. */
class FakeObserver {
  static all: FakeObserver[] = [];
  readonly #run: (entries: { isIntersecting: boolean }[]) => void;
  gone = false;

  constructor(run: (entries: { isIntersecting: boolean }[]) => void) {
    this.#run = run;
    FakeObserver.all.push(this);
  }

  observe(): void {}

  disconnect(): void {
    this.gone = true;
  }

  see(isIntersecting: boolean): void {
    this.#run([{ isIntersecting }]);
  }
}

let model: FakeModel;
let el: HTMLElement;
let cleanup: () => void;

const root = () => el.firstElementChild as HTMLElement;
const find = <T extends HTMLElement>(selector: string) => el.querySelector<T>(selector)!;
const all = (selector: string) => [...el.querySelectorAll<HTMLElement>(selector)];
const texts = (selector: string) => all(selector).map((e) => e.textContent);
const named = (name: string) => all("button").find((b) => b.textContent === name)!;
const press = (target: HTMLElement, key: string) =>
  target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));

function open(tab: Tab, message: TabMessage = example(tab), ...buffers: DataView[]): void {
  all("[role=tab]")[TABS.indexOf(tab)]!.click();
  model.receive(message, ...buffers);
}

beforeEach(() => {
  FakeObserver.all = [];
  vi.stubGlobal("IntersectionObserver", FakeObserver);
  model = new FakeModel();
  el = document.createElement("div");
  document.body.append(el);
  const widget = diagnostics();
  const host = model as unknown as Model<DiagnosticsTraits>;
  const end = widget.initialize({ model: host });
  const gone = widget.render({ model: host, el });
  cleanup = () => {
    gone();
    end();
  };
  FakeObserver.all[0]!.see(true);
});
afterEach(() => {
  cleanup();
  document.body.replaceChildren();
  vi.unstubAllGlobals();
});

describe("what is asked for", () => {
  it("is the tab that is open, and only while it is to be seen", () => {
    expect(model.sent).toEqual([read("diagnostics_look.json").message]);
    expect(find(".alw-diag-note").textContent).toBe("Working it out…");
    model.receive(example("confusion"));
    FakeObserver.all[0]!.see(false);
    model.receive({ type: "changed", closed: null });
    expect(model.sent).toHaveLength(1);
    FakeObserver.all[0]!.see(true);
    expect(model.sent).toHaveLength(2);
    FakeObserver.all[0]!.see(true);
    expect(model.sent).toHaveLength(2);
  });

  it("is asked again where there is more to know; what is there stays meanwhile", () => {
    model.receive(example("confusion"));
    model.receive({ type: "changed", closed: null });
    expect(model.sent).toHaveLength(2);
    expect(find(".alw-diag-grid")).not.toBeNull();
  });

  it("goes by the labels that are chosen, where there is a choice", () => {
    named("Training labels").click();
    expect(model.sent.at(-1)).toMatchObject({ tab: "confusion", of: "train" });
    model.receive(example("confusion")); // an answer to the question before
    expect(find(".alw-diag-grid")).toBeNull();
    model.receive(example("confusion_train"));
    expect(find(".alw-diag-about").textContent).toContain("Biased");
    expect(find(".alw-diag-about").className).toContain("alw-diag-biased");
    expect(find("td.alw-diag-right").getAttribute("aria-label")).toBe(
      "ham, said to be ham: 40 of 40 labels, 100 %",
    );
    open("slices");
    expect(model.sent.at(-1)).toMatchObject({ tab: "slices", of: "audit" });
    expect(named("Training labels")).toHaveProperty("disabled", true);
    expect(named("Audit labels").getAttribute("aria-pressed")).toBe("true");
    open("classes");
    expect(find(".alw-diag-classes")).toBeNull(); // of audit labels, and training labels are asked for
    expect(find(".alw-diag-note").textContent).toBe("Working it out…");
  });
});

describe("the tabs", () => {
  it("are moved in by arrow keys", () => {
    const tab = () => all("[role=tab]").find((t) => t.getAttribute("aria-selected") === "true")!;
    tab().focus();
    for (const [key, name] of [
      ["ArrowRight", "Classes"],
      ["End", "Rounds"],
      ["ArrowRight", "Confusion"],
      ["ArrowLeft", "Rounds"],
      ["Home", "Confusion"],
    ] as const) {
      press(tab(), key);
      expect(tab().textContent).toBe(name);
      expect(document.activeElement).toBe(tab());
      expect(all("[role=tab][tabindex='0']")).toEqual([tab()]);
    }
    expect(find("[role=tabpanel]").getAttribute("aria-labelledby")).toBe(tab().id);
  });

  it("say in words why there is nothing", () => {
    open("slices", example("nothing"));
    expect(texts(".alw-diag-panel")).toEqual([example("nothing").note]);
    expect(find(".alw-diag-about").textContent).toBe("From audit labels, drawn at random: none yet.");
  });

  it("let no key out, and Escape gives the focus back to the cell", () => {
    const outside = vi.fn();
    const cell = document.createElement("div");
    cell.className = "jp-Cell";
    cell.tabIndex = 0;
    document.body.append(cell);
    cell.append(el);
    cell.addEventListener("keydown", outside);
    model.receive(example("confusion"));
    for (const target of [...all("[tabindex='0'], button, select")]) {
      if (target.getAttribute("tabindex") === "-1") continue;
      expect(target.dataset.lmSuppressShortcuts, target.outerHTML).toBe("true");
      target.focus();
      press(target, "x");
      expect(document.activeElement).toBe(target);
      press(target, "Escape");
      expect(document.activeElement, target.outerHTML).toBe(cell);
    }
    expect(outside).not.toHaveBeenCalled();
  });
});

describe("the confusion matrix", () => {
  beforeEach(() => model.receive(example("confusion")));
  const grid = () => find(".alw-diag-grid");
  const at = () => el.querySelector<HTMLElement>(`[id="${grid().getAttribute("aria-activedescendant")}"]`)!;

  it("has counts, and rates at a press", () => {
    const cells = () => texts("td[data-row]");
    expect(cells()).toEqual(["28", "2", "·", "5", "15", "·", "·", "·", "10"]);
    named("Rates").click();
    expect(cells()).toEqual(["93 %", "7 %", "·", "25 %", "75 %", "·", "·", "·", "100 %"]);
    expect(named("Rates").getAttribute("aria-pressed")).toBe("true");
    press(grid(), "r");
    expect(cells()[0]).toBe("28");
    expect(find("thead b")).toBeNull(); // names are text
    expect(texts("tbody th")).toEqual(["ham", "spam", "<b>news</b>"]);
  });

  it("says each cell in words, and an empty one is not 0 for sure", () => {
    expect(at().getAttribute("aria-label")).toBe("ham, said to be ham: 28 of 30 labels, 93 % (79 to 98 %)");
    for (const key of ["ArrowRight", "ArrowRight", "ArrowRight"]) press(grid(), key);
    expect(at().getAttribute("aria-label")).toBe("ham, said to be <b>news</b>: none of 30 labels, 0 to 11 %");
    press(grid(), "Enter");
    expect(model.sent.at(-1)?.type).toBe("look"); // there is nothing to select
  });

  it("selects the items of a cell by Enter and by a click", () => {
    press(grid(), "ArrowDown");
    expect(find(".alw-diag-detail").textContent).toContain("Enter selects 5 items.");
    press(grid(), "Enter");
    expect(model.sent.at(-1)).toEqual(read("diagnostics_select.json").message);
    find("td[data-row='0'][data-column='1']").click();
    expect(model.sent.at(-1)).toEqual({ type: "select", tab: "confusion", edition: 7, place: [0, 1] });
    model.receive(read("diagnostics_selected.json").message);
    expect(find("[role=status]").textContent).toContain("3 items are selected");
  });

  it("keeps the focus and the place where it is drawn anew", () => {
    grid().focus();
    press(grid(), "ArrowDown");
    model.receive(example("confusion"));
    expect(document.activeElement).toBe(grid());
    expect(at().dataset).toMatchObject({ row: "1", column: "0" });
  });

  it("lists what is most confused", () => {
    expect(texts(".alw-diag-most [role=option]")).toEqual([
      "spam taken for ham5 · 8.3 % 3.6 to 18.1 %",
      "ham taken for spam2 · 3.3 % 0.9 to 11.3 %",
    ]);
    expect(find(".alw-diag-heading").textContent).toBe("Most confused, by share of the pool");
    press(find(".alw-diag-most [role=listbox]"), "Enter");
    expect(model.sent.at(-1)).toEqual({ type: "select", tab: "confusion", edition: 7, place: [1, 0] });
  });

  it("lists of training labels how many are confused: they are no sample of the pool", () => {
    named("Training labels").click();
    const figures = example("confusion").figures as ConfusionFigures;
    const unknown = { value: null, low: null, high: null, n: 60, why_not: null };
    const cells = figures.cells.map((cell) => ({ ...cell, share: unknown }));
    model.receive({ ...example("confusion_train"), figures: { ...figures, cells } });
    expect(texts(".alw-diag-most [role=option]")).toEqual([
      "spam taken for ham5 labels",
      "ham taken for spam2 labels",
    ]);
    expect(find(".alw-diag-heading").textContent).toBe("Most confused");
  });

  it("has a row with and one without each of several labels", () => {
    model.receive(example("confusion_several"));
    expect(texts("tbody th")).toEqual(["joy", "not joy", "fear", "not fear"]);
    expect(find("td[data-row='1'][data-column='1']").className).toBe("alw-diag-right");
    expect(find("td[data-row='0'][data-column='1']").className).toBe("alw-diag-wrong");
    expect(find("td[data-row='2'][data-column='1']").getAttribute("aria-label")).toBe(
      "fear, not said: none of 5 labels, 0 to 43 %",
    );
  });

  const of = (classes: number) => {
    const names = Array.from({ length: classes }, (_, k) => `class ${k}`);
    const figures = { ...example("confusion").figures!, rows: names, columns: names };
    const totals = names.map(() => 0);
    return { ...example("confusion"), figures: { ...figures, totals, zeros: totals } } as TabMessage;
  };

  it("is not drawn where nobody could read it; what is most confused is there", () => {
    model.receive(of(300));
    expect(find(".alw-diag-matrix").hidden).toBe(true);
    expect(find(".alw-diag-confusion .alw-diag-note").textContent).toContain("300 classes is too large");
    expect(texts(".alw-diag-most [role=option]")).toHaveLength(2);
    model.receive(example("confusion"));
    expect(find(".alw-diag-matrix").hidden).toBe(false);
    expect(find(".alw-diag-confusion .alw-diag-note").hidden).toBe(true);
  });

  it("is narrow with many classes, and what is most confused stands first", () => {
    model.receive(of(40));
    expect(all("td[data-row]")).toHaveLength(1600);
    expect(find(".alw-diag-confusion").className).toContain("alw-diag-many");
    for (let k = 0; k < 60; k++) press(grid(), "ArrowDown");
    expect(at().dataset).toMatchObject({ row: "39", column: "0" });
  });
});

describe("the classes", () => {
  beforeEach(() => open("classes"));
  const column = () => texts("tbody th");

  it("have their figures with intervals, and words where there are none", () => {
    expect(find(".alw-diag-figure").textContent).toBe("Accuracy 88 % (78 to 94 %)");
    expect(texts("tbody tr:nth-child(2) td")).toEqual([
      "30",
      "85 % 70 to 93 %",
      "93 % 80 to 98 %",
      "89 % 79 to 95 %",
    ]);
    expect(texts("tbody tr:last-child td")[2]).toBe("none of the 60 audit labels is 'news'");
    expect(all("tbody tr:last-child svg")).toHaveLength(0);
  });

  it("are sorted by a press on a heading; what is not known comes last", () => {
    const names = ["mean of classes", "ham", "spam", "news"];
    expect(column()).toEqual(names);
    named("recall").click();
    expect(column()).toEqual(["mean of classes", "spam", "ham", "news"]);
    expect(named("recall").parentElement?.getAttribute("aria-sort")).toBe("ascending");
    named("recall").click();
    expect(column()).toEqual(names);
    named("class").click();
    expect(column()).toEqual(["mean of classes", "ham", "news", "spam"]);
    named("labels").click();
    expect(column()).toEqual(names);
  });
});

describe("the other tabs", () => {
  it("rank slices, mark those that are surely worse, and select their items", () => {
    open("slices");
    const rows = texts("[role=option]");
    expect(rows[0]).toContain("sender carolworse60 % (36 to 80 %)37.8 points worse (13.0 to 61.0)15 labels");
    expect(rows[1]).toContain("10.0 points worse (−9.0 to 41.0), may be chance");
    expect(rows[2]).toContain("17.5 points better (−2.0 to 32.0)");
    expect(rows[3]).toContain("only 3 audit labels are of it");
    const list = find("[role=listbox]");
    press(list, "End");
    press(list, "ArrowUp");
    press(list, "Enter");
    expect(model.sent.at(-1)).toEqual({ type: "select", tab: "slices", edition: 7, place: [2] });
  });

  it("draw the reliability diagram, and say it in words", () => {
    open("calibration");
    expect(all("svg circle")).toHaveLength(3);
    expect(texts(".alw-diag-words .alw-diag-figure")).toEqual([
      "Too sure",
      "Calibration error 7.3 points",
      "Temperature 1.40 (1.05 to 1.90)",
    ]);
    expect(texts(".alw-hidden tbody tr:first-child td")).toEqual(["58 %", "45 % (26 to 66 %)", "20"]);
  });

  it("list items beside what the model says, all or the wrong ones", () => {
    open("items", example("items"), new DataView(new ArrayBuffer(68)));
    expect(find(".alw-diag-figure").textContent).toBe("The model is wrong about 7 of 60 labels.");
    const rows = texts("[role=option]");
    expect(rows[0]).toBe("<b>win</b> a prize✗ wronglabelled hamsaid spam97 % sure, 3 % for the label");
    expect(rows[1]).toBe("✓ rightlabelled spamsaid spam55 % sure");
    expect(find("img").getAttribute("src")).toMatch(/^blob:/);
    named("Select all 2 items").click();
    expect(model.sent.at(-1)).toEqual({ type: "select", tab: "items", edition: 7, place: [0, 1] });
    named("Only where it is wrong").click();
    expect(texts("[role=option]")).toHaveLength(1);
    press(find("[role=listbox]"), "Enter");
    expect(model.sent.at(-1)).toEqual({ type: "select", tab: "items", edition: 7, place: [0] });
  });

  it("compare two rounds, and select what flipped", () => {
    open("rounds");
    const [version, other] = all("select") as HTMLSelectElement[];
    expect([version!.value, other!.value]).toEqual(["4", "3"]);
    expect(texts(".alw-diag-said p")[0]).toContain("That may be chance.");
    expect(texts("[role=option]")[0]).toBe("ham → spam6 items");
    named("Select these 9 items").click();
    expect(model.sent.at(-1)).toEqual(read("diagnostics_select_flipped.json").message);
    press(find("[role=listbox]"), "Enter");
    expect(model.sent.at(-1)).toEqual({ type: "select", tab: "rounds", edition: 7, place: [0] });
    other!.value = "2";
    other!.dispatchEvent(new Event("change", { bubbles: true }));
    expect(model.sent.at(-1)).toEqual(read("diagnostics_look_rounds.json").message);
  });
});

describe("a view", () => {
  it("drops rounds that it did not ask for", () => {
    open("rounds");
    const late = { ...example("rounds"), version: 2, other: 1, about: "Of others" } as TabMessage;
    model.receive(late);
    expect(find(".alw-diag-about").textContent).not.toBe("Of others");
  });

  it("says what went wrong, and that the session is closed", () => {
    model.receive(read("diagnostics_problem.json").message);
    expect(find("[role=status]").textContent).toBe("Nothing is shown there that could be selected.");
    model.receive(example("confusion"));
    model.receive(read("diagnostics_changed_closed.json").message);
    expect(root().textContent).toContain("The session is closed: this is how it stood.");
    expect(find(".alw-diag-grid")).not.toBeNull();
    model.alive = false;
    open("classes");
    expect(find("[role=status]").textContent).toContain("The kernel does not answer");
  });

  it("is as high as it is told", () => {
    model.set("height", 300);
    expect(root().style.getPropertyValue("--alw-diag-height")).toBe("300px");
  });

  it("leaves nothing behind", () => {
    model.receive(example("confusion"));
    cleanup();
    expect(model.listeners).toBe(0);
    expect(el.childElementCount).toBe(0);
    expect(FakeObserver.all.every((observer) => observer.gone)).toBe(true);
    cleanup = () => {};
  });

  it("takes in every message that there is an example of", () => {
    for (const file of FILES) {
      const { direction, message, buffers } = read(file);
      if (direction !== "to_browser") continue;
      model.receive(message, ...buffers.map((n: number) => new DataView(new ArrayBuffer(n))));
    }
    expect(root().dataset.view).toBe("diagnostics");
  });
});
