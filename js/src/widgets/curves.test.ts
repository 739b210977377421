import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { HEIGHT, SCALE, WIDTH } from "../curves/picture";
import type { Model } from "../shared/model";
import curves from "./curves";

const read = (name: string) =>
  JSON.parse(readFileSync(`fixtures/messages/curves_${name}.json`, "utf8")).message;
const { type: _, id: __, ...LOOK } = read("look_plain");

let values: Record<string, unknown>;
let handlers: Map<string, (...args: unknown[]) => void>;
let sent: Record<string, unknown>[];
let isGone: boolean;
let box: HTMLElement;
let cleanup: () => void;
let saved: { name: string; file: Blob }[];

function set(name: string, value: unknown): void {
  values[name] = value;
  handlers.get(`change:${name}`)?.();
}
const find = <T extends HTMLElement>(selector: string) => box.querySelector<T>(selector)!;
const button = (name: string) =>
  [...box.querySelectorAll("button")].find(
    (b) => (b.getAttribute("aria-label") ?? b.textContent) === name && !b.closest("[hidden]"),
  );
const press = (element: Element, key: string) =>
  element.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
const settle = () => new Promise((done) => setTimeout(done, 0));

beforeEach(() => {
  values = {
    summary: { headline: "Accuracy 88 %", detail: "", picking: "", lines: [] },
    tools: { metrics: [{ by: "accuracy", name: "accuracy" }], classes: ["ham"], timed: true, look: LOOK },
    rounds: { all: [{ version: 7, words: "model 7" }], shown: null, words: "" },
  };
  [handlers, sent, saved, isGone] = [new Map(), [], [], false];
  const files = new Map<string, Blob>();
  vi.spyOn(URL, "createObjectURL").mockImplementation((file) => {
    files.set(`blob:${files.size}`, file as Blob);
    return `blob:${files.size - 1}`;
  });
  vi.spyOn(URL, "revokeObjectURL").mockImplementation(() => {});
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (this: HTMLAnchorElement) {
    saved.push({ name: this.download, file: files.get(this.getAttribute("href")!)! });
  });
  const model = {
    get: (key: string) => values[key],
    on: (name: string, run: () => void) => handlers.set(name, run),
    off: (name: string) => handlers.delete(name),
    send: (message: Record<string, unknown>) => {
      if (isGone) throw new Error("Cannot send");
      sent.push(message);
    },
  } as unknown as Model<never>;
  box = document.createElement("div");
  box.className = "alw-curves";
  const el = document.createElement("div");
  box.append(el);
  document.body.append(box);
  cleanup = curves().render({ model, el });
});
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
  delete (window as { Plotly?: unknown }).Plotly;
  document.body.replaceChildren();
});

describe("the header of the curves", () => {
  it("says what else there is to say, line by line", () => {
    const said = () => [...find(".alw-curves-lines").children].map((p) => p.textContent);
    expect(said()).toEqual([]);
    const lines = ["Target 95 %: reached at 340 labels.", "84 labels saved (20 to 160)."];
    set("summary", { headline: "Accuracy 88 %", lines });
    expect(said()).toEqual(lines);
    const first = find(".alw-curves-lines").firstChild;
    set("summary", { headline: "Accuracy 89 %", lines });
    expect(find(".alw-curves-lines").firstChild).toBe(first); // read out once
  });

  it("folds its tools away; Escape does, and then gives the keyboard back", () => {
    const fold = button("Options")!;
    expect(find(".alw-tools").hidden).toBe(true);
    fold.click();
    expect(fold.getAttribute("aria-expanded")).toBe("true");
    expect(find(".alw-tools").contains(document.activeElement)).toBe(true);
    press(document.activeElement!, "Escape");
    expect(find(".alw-tools").hidden).toBe(true);
    expect(document.activeElement).toBe(fold);
    press(fold, "Escape");
    expect(document.activeElement).not.toBe(fold);
    expect(sent).toEqual([]);
  });

  it("goes back to the newest round with a button, and with Escape", () => {
    expect(button("Back to the newest")).toBeUndefined();
    set("rounds", { all: [], shown: 7, words: "Model 7 · 140 labels" });
    expect(find(".alw-curves-back").textContent).toContain("Model 7 · 140 labels");
    button("Back to the newest")!.focus();
    button("Back to the newest")!.click();
    expect(document.activeElement).toBe(button("Options"));
    press(button("Options")!, "Escape");
    expect(sent).toEqual([read("round_newest"), read("round_newest")]);
    set("rounds", { all: [], shown: null, words: "" });
    expect(button("Back to the newest")).toBeUndefined();
  });

  it("says so where the kernel is gone, and gives the keyboard back all the same", () => {
    const cell = document.createElement("div");
    Object.assign(cell, { className: "jp-Cell", tabIndex: 0 });
    document.body.append(cell);
    cell.append(box);
    set("rounds", { all: [], shown: 7, words: "Model 7" });
    isGone = true;
    button("Options")!.focus();
    press(button("Options")!, "Escape");
    expect(document.activeElement).toBe(cell);
    expect(find("[role=alert]").textContent).toBe("The kernel does not answer: run the cell again.");
    expect(find("[role=alert]").hidden).toBe(false);
    isGone = false;
    button("Back to the newest")!.click();
    expect(find("[role=alert]").hidden).toBe(true);
  });

  it("lets no key out", () => {
    const outside = vi.fn();
    document.body.addEventListener("keydown", outside);
    for (const key of ["x", "Enter", "Escape", "ArrowDown"]) press(button("Options")!, key);
    expect(outside).not.toHaveBeenCalled();
    document.body.removeEventListener("keydown", outside);
  });

  it("saves the table that comes, where it was asked for", async () => {
    const arrives = (id: unknown) => handlers.get("msg:custom")!({ ...read("file"), id });
    button("Options")!.click();
    button("Save as CSV")!.click();
    const { id } = sent[0]!;
    expect(sent).toEqual([{ ...read("table"), id }]);
    arrives("that of another view of the same curve");
    expect(saved).toEqual([]);
    arrives(id);
    arrives(id);
    expect(saved.map(({ name }) => name)).toEqual(["spam accuracy.csv"]);
    expect(await saved[0]!.file.text()).toBe(read("file").text);
  });

  it("saves it also where something else is refused meanwhile, and what is asked for twice once", () => {
    button("Options")!.click();
    button("Save as CSV")!.click();
    set("advice", { problem: "There is no round 99." });
    button("Save as CSV")!.click();
    for (const { id } of sent) handlers.get("msg:custom")!({ ...read("file"), id });
    expect(new Set(sent.map(({ id }) => id)).size).toBe(2);
    expect(saved).toHaveLength(1);
    button("Save as CSV")!.click();
    set("advice", { problem: "There is no round 99." });
    handlers.get("msg:custom")!({ ...read("file"), id: sent[2]!.id });
    expect(saved).toHaveLength(2);
  });

  it("saves a picture, dark on white, whatever the page is", async () => {
    const plot = document.createElement("div");
    plot.className = "js-plotly-plot";
    const layout = { font: { family: "serif", color: "#fff" }, paper_bgcolor: "rgba(0,0,0,0)", height: 280 };
    Object.assign(plot, { data: [{ name: "line" }], layout });
    box.append(plot);
    const toImage = vi.fn(async () => btoa("PNG"));
    (window as { Plotly?: unknown }).Plotly = { toImage };
    set("summary", { headline: "F1 of <unk>&co 88 %" });
    button("Options")!.click();
    button("Save as PNG")!.click();
    await settle();
    const [figure, options] = toImage.mock.calls[0] as unknown as [{ layout: typeof layout }, object];
    expect(figure.layout).toMatchObject({ paper_bgcolor: "#ffffff", width: WIDTH, height: HEIGHT });
    expect(figure.layout.font).toEqual({ family: "serif", color: "#222222" });
    expect(options).toMatchObject({ format: "png", scale: SCALE });
    expect(figure.layout).toMatchObject({ title: { text: "F1 of &lt;unk&gt;&amp;co 88 %" } });
    expect(layout.paper_bgcolor).toBe("rgba(0,0,0,0)"); // the plot itself stays
    expect(saved[0]!.name).toBe("F1 of  unk co 88 %.png");
    expect(await saved[0]!.file.text()).toBe("PNG");
  });

  it("says so where no picture can be made", async () => {
    button("Options")!.click();
    button("Save as PNG")!.click();
    await settle();
    expect(find("[role=alert]").textContent).toContain("there is no plot here");
    expect(find("[role=alert]").hidden).toBe(false);
    expect(saved).toEqual([]);
  });

  it("puts small curves below the plot, and takes them away with it", () => {
    const panel = { name: "ham", words: "80 %", points: [[20, 0.8, 0.7, 0.9]] };
    set("panels", { title: "Recall of each class", panels: [panel], more: "", axes: "", end: 20 });
    expect(box.lastElementChild).toBe(find(".alw-panels"));
    expect(find(".alw-panels").hidden).toBe(false);
    cleanup();
    expect(box.querySelector(".alw-panels")).toBeNull();
    expect(handlers.size).toBe(0);
    cleanup = () => {};
  });
});
