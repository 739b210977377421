import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Listeners } from "../shared/listeners";
import type { Look, LookMessage, ToolsTrait } from "./messages";
import { Tools } from "./tools";

const read = (name: string) =>
  JSON.parse(readFileSync(`fixtures/messages/curves_${name}.json`, "utf8")).message;
const { type: _, id: _id, ...PLAIN } = read("look_plain") as LookMessage;
const { type: __, id: __id, ...FULL } = read("look") as LookMessage;

const TRAIT: ToolsTrait = {
  metrics: [
    { by: "accuracy", name: "accuracy" },
    { by: "f1", name: "F1, macro" },
  ],
  classes: ["ham", "spam"],
  timed: false,
  look: PLAIN,
  answered: "",
  forecast: "It missed the last rounds by 1.2 points.",
  note: "",
};
const ROUNDS = {
  all: [1, 2, 3].map((version) => ({ version, words: `model ${version} · 80 %` })),
  shown: null,
  words: "",
};

let listeners: Listeners;
let tools: Tools;
let looks: Look[];
let ids: string[];
let rounds: (number | null)[];
let saved: string[];

beforeEach(() => {
  vi.useFakeTimers();
  [looks, ids, rounds, saved] = [[], [], [], []];
  listeners = new Listeners();
  tools = new Tools(listeners, {
    look: (look, id) => {
      looks.push(look);
      ids.push(id);
    },
    round: (version) => rounds.push(version),
    png: () => saved.push("png"),
    csv: () => saved.push("csv"),
  });
  document.body.append(tools.root);
  tools.show(TRAIT);
  tools.showRounds(ROUNDS);
});
afterEach(() => {
  listeners.dispose();
  vi.useRealTimers();
  document.body.replaceChildren();
});

const at = <T extends HTMLElement>(label: string): T =>
  [...tools.root.querySelectorAll("label")]
    .find((l) => l.textContent?.trim().startsWith(label))!
    .querySelector<T>("input, select")!;
const slider = () => tools.root.querySelector<HTMLInputElement>("input[type=range]")!;
function change(element: HTMLInputElement | HTMLSelectElement, value: string, event = "change") {
  element.value = value;
  element.dispatchEvent(new Event(event, { bubbles: true }));
}

describe("what is drawn", () => {
  it("is folded away until it is wanted", () => {
    expect(tools.root.hidden).toBe(true);
    tools.open(true);
    expect(tools.isOpen).toBe(true);
    expect(document.activeElement).toBe(at("Figure"));
  });

  it("shows what the kernel says, and sends it back whole", () => {
    tools.show({ ...TRAIT, timed: true, look: FULL });
    expect(at<HTMLSelectElement>("Class").selectedOptions[0]!.textContent).toBe("spam");
    expect(at<HTMLInputElement>("Target").value).toBe("95");
    expect(slider().value).toBe("95");
    at("Budget").dispatchEvent(new Event("change"));
    expect(looks).toEqual([FULL]);
    tools.show({ ...TRAIT, look: PLAIN, answered: ids[0]! });
    at("Budget").dispatchEvent(new Event("change"));
    expect(looks[1]).toEqual(PLAIN);
  });

  it("says why it cannot be drawn against time or money", () => {
    const options = () =>
      [...at<HTMLSelectElement>("Against").options].map((o) => [o.textContent, o.disabled]);
    expect(options()).toEqual([
      ["labels", false],
      ["minutes of labelling (too few cards were timed)", true],
      ["money (give a cost)", true],
    ]);
    tools.show({ ...TRAIT, timed: true, look: FULL });
    expect(options().every(([, disabled]) => !disabled)).toBe(true);
  });

  it("asks for an interval that may be watched, and says what that is", () => {
    const watched = at<HTMLInputElement>("Watchable");
    expect(watched.checked).toBe(false);
    const why = document.getElementById(watched.getAttribute("aria-describedby")!);
    expect(why!.textContent).toMatch(/of each model by itself.*It is wider/);
    watched.click();
    expect(looks).toEqual([{ ...PLAIN, method: "anytime" }]);
    tools.show({ ...TRAIT, look: looks[0]!, answered: ids[0]! });
    watched.click();
    expect(looks[1]).toEqual(PLAIN);
  });

  it("sends a target once the slider rests, and none where the field is empty", () => {
    change(slider(), "80", "input");
    change(slider(), "85", "input");
    expect(at<HTMLInputElement>("Target").value).toBe("85");
    expect(looks).toEqual([]);
    vi.advanceTimersByTime(200);
    expect(looks.map((look) => look.target)).toEqual([0.85]);
    change(at("Target"), "");
    expect(looks[1]!.target).toBeNull();
  });

  it("does not take a field from under the fingers", () => {
    const target = at<HTMLInputElement>("Target");
    tools.open(true);
    target.focus();
    target.value = "9";
    tools.show({ ...TRAIT, look: FULL });
    expect(target.value).toBe("9");
  });

  it("keeps a list open while nothing in it changed", () => {
    const option = at<HTMLSelectElement>("Class").options[1];
    tools.show({ ...TRAIT, note: "Working it out…" });
    expect(at<HTMLSelectElement>("Class").options[1]).toBe(option);
    expect(tools.root.textContent).toContain("Working it out…");
  });

  it("leaves money where the cost is taken away", () => {
    tools.show({ ...TRAIT, timed: true, look: FULL });
    change(at("Cost"), "");
    expect(looks[0]).toMatchObject({ cost: null, axis: "labels" });
  });
});

describe("an answer", () => {
  const ticked = (label: string, on: boolean) => {
    at<HTMLInputElement>(label).checked = on;
    at(label).dispatchEvent(new Event("change"));
  };

  it("draws what remains in the pool as well, once it is ticked", () => {
    const box = at<HTMLInputElement>("Remaining pool");
    expect(box.checked).toBe(false);
    expect(document.getElementById(box.getAttribute("aria-describedby")!)!.textContent).toContain(
      "from each batch before it is trained on",
    );
    ticked("Remaining pool", true);
    expect(looks).toEqual([{ ...PLAIN, remaining: true }]);
    tools.show({ ...TRAIT, look: looks[0]!, answered: ids[0]! });
    expect(box.checked).toBe(true);
  });

  it("to an older change undoes no newer one", () => {
    change(at("Figure"), "f1");
    ticked("In hindsight", true);
    tools.show({ ...TRAIT, look: looks[0]!, answered: ids[0]! });
    expect(at<HTMLInputElement>("In hindsight").checked).toBe(true);
    ticked("Each class", false);
    expect(looks[2]).toEqual({ ...PLAIN, metric: "f1", hindsight: true, by_class: false });
    tools.show({ ...TRAIT, look: looks[2]!, answered: ids[2]! });
    tools.show({ ...TRAIT, look: PLAIN, answered: ids[2]! }); // Python changed it
    expect(at<HTMLInputElement>("In hindsight").checked).toBe(false);
  });

  it("does not take the slider back while it waits", () => {
    change(slider(), "91", "input");
    vi.advanceTimersByTime(200);
    change(slider(), "92", "input");
    change(at("Round"), "2");
    tools.show({ ...TRAIT, look: looks[0]!, answered: ids[0]! });
    expect(at<HTMLInputElement>("Target").value).toBe("92");
    vi.advanceTimersByTime(200);
    expect(looks.map((look) => look.target)).toEqual([0.91, 0.92]);
    expect(rounds).toEqual([2]);
  });

  it("that refuses puts the field back, once the person leaves it, and nothing else is refused", () => {
    tools.open(true);
    const target = at<HTMLInputElement>("Target");
    target.focus();
    change(target, "500");
    tools.show({ ...TRAIT, answered: ids[0]! });
    expect(target.value).toBe("500");
    target.blur();
    expect(target.value).toBe("");
    change(at("Figure"), "f1");
    expect(looks[1]).toEqual({ ...PLAIN, metric: "f1" });
  });
});

describe("the rounds", () => {
  const list = () => at<HTMLSelectElement>("Round");

  it("are listed, the newest first", () => {
    expect([...list().options].map((o) => o.value)).toEqual(["", "3", "2", "1"]);
    tools.showRounds({ ...ROUNDS, shown: 2 });
    expect(list().value).toBe("2");
  });

  it("open once a person rests on one, or with Enter", () => {
    change(list(), "3");
    change(list(), "2");
    expect(rounds).toEqual([]);
    vi.advanceTimersByTime(200);
    expect(rounds).toEqual([2]);
    change(list(), "1");
    list().dispatchEvent(new KeyboardEvent("keydown", { key: "Enter" }));
    vi.advanceTimersByTime(200);
    expect(rounds).toEqual([2, 1]);
    change(list(), "");
    vi.advanceTimersByTime(200);
    expect(rounds).toEqual([2, 1, null]);
  });
});

it("saves, and keeps every key from the notebook", () => {
  for (const button of tools.root.querySelectorAll("button")) button.click();
  expect(saved).toEqual(["png", "csv"]);
  const focusable = [...tools.root.querySelectorAll<HTMLElement>("input, select, button")];
  expect(focusable.length).toBeGreaterThan(12);
  expect(focusable.filter((e) => e.dataset.lmSuppressShortcuts !== "true")).toEqual([]);
});

it("leaves nothing behind", () => {
  change(slider(), "80", "input");
  listeners.dispose();
  expect(listeners.size).toBe(0);
  vi.advanceTimersByTime(500);
  expect(looks).toEqual([]);
});
