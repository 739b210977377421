import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { FakeModel, textCards } from "../cards/testing";
import type { Advice } from "../curves/sign";
import type { FromCards, ToCards } from "../shared/messages";
import type { Model } from "../shared/model";
import cards from "./cards";
import curves, { type CurvesTraits } from "./curves";
import dashboard from "./dashboard";

afterEach(() => {
  document.body.replaceChildren();
  vi.useRealTimers();
});

/** A model of any traits. */
function traits<T extends Record<string, unknown>>(values: T) {
  const handlers = new Map<string, () => void>();
  const model = {
    get: (key: keyof T) => values[key],
    on: (name: string, run: () => void) => handlers.set(name, run),
    off: (name: string) => handlers.delete(name),
  } as unknown as Model<T>;
  const set = (key: keyof T & string, value: T[keyof T & string]) => {
    values[key] = value;
    handlers.get(`change:${key}`)?.();
  };
  return { model, handlers, set };
}

describe("cards", () => {
  it("hooks nothing on for good: views and model go without a trace", () => {
    vi.useFakeTimers();
    localStorage.clear();
    const model = new FakeModel(["ham", "spam"]);
    const widget = cards();
    const end = widget.initialize({ model });
    const [one, two] = [document.createElement("div"), document.createElement("div")];
    const cleanups = [one, two].map((el) => widget.render({ model, el }));
    model.queue(textCards("a", "b", "c"));
    const root = one.firstElementChild as HTMLElement;
    root.dispatchEvent(new KeyboardEvent("keydown", { key: "1", bubbles: true }));
    expect(root.dataset.view).toBe("cards");
    expect(two.firstElementChild?.getAttribute("data-item-id")).toBe("b");
    for (const cleanup of cleanups) cleanup();
    expect(one.childElementCount + two.childElementCount).toBe(0);
    end();
    expect(model.listeners).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
    expect(localStorage.length).toBe(1); // the label that is not saved yet stays
    localStorage.clear();
  });
});

describe("fixtures", () => {
  const folder = join("fixtures", "messages");
  const files = readdirSync(folder).filter((f) => f.startsWith("cards_"));
  const read = (f: string) => JSON.parse(readFileSync(join(folder, f), "utf8"));

  it("hold one message of each kind", () => {
    const of = (direction: string) => {
      const fixtures = files.map(read).filter((f) => f.direction === direction);
      return new Set(fixtures.map((f) => f.message.type));
    };
    const toCards: ToCards["type"][] = [
      "queue",
      "ack",
      "refused",
      "labelled",
      "undone",
      "reasons",
      "words",
      "together",
      "earlier",
      "shown",
      "status",
      "problem",
    ];
    const fromCards: FromCards["type"][] = [
      "hello",
      "more",
      "undo",
      "events",
      "classes",
      "why",
      "together",
      "earlier",
      "show",
    ];
    expect(of("to_browser")).toEqual(new Set(toCards));
    expect(of("to_python")).toEqual(new Set(fromCards));
  });

  it.each(files.filter((f) => read(f).direction === "to_browser"))("%s is taken in", (file) => {
    const { message, buffers } = read(file);
    const model = new FakeModel(["ham", "spam"], { persistent: false });
    const widget = cards();
    const end = widget.initialize({ model });
    const el = document.createElement("div");
    const cleanup = widget.render({ model, el });
    model.receive(
      message,
      buffers.map((n: number) => new DataView(new ArrayBuffer(n))),
    );
    const seen = el.textContent ?? "";
    const onScreen = message.type === "queue" || message.type === "undone";
    const card = onScreen ? (message.cards?.[0] ?? message.card) : null;
    if (card) expect(el.firstElementChild?.getAttribute("data-item-id")).toBe(card.item_id);
    for (const part of [card?.content.text, message.reason, message.text, message.remedy, message.error]) {
      if (part) expect(seen).toContain(part);
    }
    cleanup();
    end();
  });

  it("events are what the cards send", () => {
    const model = new FakeModel(["ham", "spam"], { persistent: false });
    const widget = cards();
    const end = widget.initialize({ model });
    const el = document.createElement("div");
    const cleanup = widget.render({ model, el });
    model.queue(textCards("a", "b"));
    const root = el.firstElementChild!;
    for (const key of ["1", " ", "Backspace"]) {
      root.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    }
    const shape = (event: object) =>
      Object.fromEntries(Object.entries(event).map(([k, v]) => [k, v === null ? "null" : typeof v]));
    cleanup();
    end(); // what was not sent yet goes now
    const fixture = read("cards_events.json").message.events;
    const byKind = (kind: string) => shape(fixture.find((e: { kind: string }) => e.kind === kind));
    expect(model.events.map((e) => e.kind)).toEqual(["answer", "skip", "retract"]);
    for (const event of model.events) expect(shape(event)).toEqual(byKind(event.kind));
  });
});

describe("headers", () => {
  it("of the curves: says the figure, marks its box", () => {
    const { model, handlers, set } = traits({
      summary: { headline: "Accuracy 91 %", detail: "from 12 labels" },
      advice: {} as Advice,
      tools: {},
      rounds: {},
      panels: {},
    } as CurvesTraits);
    const box = document.createElement("div");
    box.className = "alw-curves";
    const el = document.createElement("div");
    box.append(el);
    const widget = curves();
    const cleanup = widget.render({ model, el });
    expect(box.dataset.view).toBe("curves");
    const shown = () =>
      [...el.querySelectorAll("p")].filter((p) => !p.closest("[hidden]")).map((p) => p.textContent);
    expect(shown()).toEqual(["Accuracy 91 %", "from 12 labels"]);
    set("summary", { headline: "Accuracy 93 %", detail: "", picking: "Cards by margin: unsure" });
    expect(shown()).toEqual(["Accuracy 93 %", "Cards by margin: unsure"]);
    cleanup();
    expect(handlers.size).toBe(0);
    expect(el.childElementCount).toBe(0);
  });

  it("of the dashboard: how things stand, from nothing to a model", () => {
    const { model, handlers, set } = traits<{ name: string; status: Record<string, unknown> }>({
      name: "spam",
      status: {},
    });
    const box = document.createElement("div");
    box.className = "alw-dashboard";
    const el = document.createElement("div");
    const cleanup = dashboard().render({ model, el });
    expect(el.textContent).toContain("not trained yet");
    set("status", {
      labelled: 40,
      total: 1102,
      audit: 6,
      model_version: 3,
      training: true,
      progress: 0.4,
      measure: "every label right",
      accuracy: "91 % (80 to 97 %)",
      saved_to: "labels.db",
    });
    const values = [...el.querySelectorAll("dd")].map((d) => d.textContent);
    expect(values).toEqual(["40", "of 1,102", "91 %", "80 to 97 %", "3", "learning 40 %"]);
    const names = [...el.querySelectorAll("dt")].map((d) => d.textContent);
    expect(names).toEqual(["labelled", "every label right", "model"]);
    expect(el.textContent).toContain("saved to labels.db");
    cleanup();
    expect(handlers.size).toBe(0);
    box.append(el);
    expect(box.dataset.view).toBeUndefined();
  });
});
