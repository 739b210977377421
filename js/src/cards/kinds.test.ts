import { describe, expect, it } from "vitest";
import { useDesk } from "./desk";
import { classification, freeText, multiLabel, textCard, textCards } from "./testing";

const on = useDesk();

describe("other kinds of answer", () => {
  it("yes or no: letters as keys, and the stored answer is a truth value", () => {
    on.desk.model.set("_task", {
      kind: "binary",
      classes: ["not spam", "spam"],
      answers: [false, true],
      codes: [0, 1],
      keys: ["n", "y"],
    });
    const suggestion = { answer: false, confidence: 0.9 };
    on.desk.model.queue([textCard("a"), textCard("b"), textCard("c", { suggestion })]);
    on.desk.press("n");
    expect(on.desk.text(".alw-last")).toBe("last: labelled not spam");
    on.desk.press("y");
    expect(on.desk.text(".alw-chip-text")).toBe("suggests not spam · 90 %");
    on.desk.press("Enter");
    on.desk.press("Backspace");
    expect(on.desk.classButton(0).classList.contains("alw-former")).toBe(true);
    expect(on.desk.model.events.map((e) => e.answer)).toEqual([false, true, false, null]);
    on.desk.press("?");
    expect(on.desk.text(".alw-help-rows")).toContain("nlabel not spamylabel spam");
  });

  it("a rating: each step by its own digit", () => {
    on.desk.model.set("_task", {
      kind: "rating",
      classes: ["0", "1", "2"],
      answers: [0, 1, 2],
      codes: [0, 1, 2],
      keys: ["0", "1", "2"],
    });
    on.desk.model.queue(textCards("a", "b"));
    on.desk.press("0");
    on.desk.press("2");
    expect(on.desk.model.events.map((e) => e.answer)).toEqual([0, 2]);
    const steps = Array.from({ length: 11 }, (_, step) => step);
    on.desk.model.set("_task", {
      kind: "rating",
      classes: steps.map(String),
      answers: steps,
      codes: steps,
      keys: [...steps.slice(0, 10).map(String), null],
    });
    on.desk.press("/");
    expect(on.desk.find(".alw-filter-row").hidden).toBe(true);
    expect(document.activeElement).not.toBe(on.desk.find(".alw-filter"));
  });
});

describe("the list of keys", () => {
  const keys = () =>
    [...on.desk.view.root.querySelectorAll(".alw-help-rows dt")].map((key) => key.textContent);
  const row = (key: string) =>
    [...on.desk.view.root.querySelectorAll(".alw-help-rows dt")].find((dt) => dt.textContent === key)
      ?.nextElementSibling?.textContent;

  it("holds what the kind has, and nothing else", () => {
    on.desk.model.set("_task", classification(["ham", "spam"]));
    expect(keys()).toEqual(expect.arrayContaining(["1 – 2", "E", "C", "W", "P", "F"]));
    expect(keys()).not.toContain("G");
    expect(row("Enter")).toBe("accept the suggestion");
    on.desk.model.set("_guidelines", "Read this.");
    expect(row("G")).toBe("show or hide the guidelines");
    on.desk.model.set("_task", multiLabel(["joy", "love"]));
    expect(keys()).not.toContain("E");
    expect(keys()).not.toContain("/");
    expect(row("Enter")).toBe("save what is marked");
    on.desk.model.set("_task", multiLabel(Array.from({ length: 11 }, (_, i) => `label ${i}`)));
    expect(row("/")).toBe("find labels by their letters; Enter marks");
    on.desk.model.set("_task", freeText());
    expect(keys().slice(0, 3)).toEqual(["Enter", "Esc", "Enter"]);
    on.desk.model.set("_task", freeText(true));
    expect(keys().slice(0, 3)).toEqual(["Ctrl Enter", "Esc", "Enter"]);
    expect(keys()).not.toContain("/");
  });

  it("gives the focus back when it goes", () => {
    on.desk.press("?");
    on.desk.find(".alw-help").focus();
    on.desk.press("Escape", {}, on.desk.find(".alw-help"));
    expect(on.desk.find(".alw-help").hidden).toBe(true);
    expect(document.activeElement).toBe(on.desk.view.root);
  });

  it("is scrolled by the arrows, and goes with any other key", () => {
    on.desk.model.queue(textCards("a"));
    on.desk.press("?");
    on.desk.press("ArrowDown");
    expect(on.desk.find(".alw-help").hidden).toBe(false);
    on.desk.press("f");
    expect(on.desk.find(".alw-help").hidden).toBe(true);
    expect(on.desk.model.events.map((e) => e.kind)).toEqual(["flag"]);
  });
});
