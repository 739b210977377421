import { beforeEach, describe, expect, it, vi } from "vitest";
import { useDesk } from "./desk";
import { multiLabel, textCard, textCards } from "./testing";

const on = useDesk();
const MOODS = ["joy", "love", "envy", "fear"];

const pressed = () =>
  [...on.desk.view.root.querySelectorAll<HTMLElement>(".alw-class[aria-pressed=true]")].map((b) => b.title);
const answers = () => on.desk.model.events.filter((e) => e.kind === "answer").map((e) => e.answer);
const said = () => on.desk.text("[role=status].alw-hidden");
const suggesting = (id: string, ...labels: string[]) =>
  textCard(id, { suggestion: { answer: labels, confidence: 0.614 } });

describe("labels", () => {
  beforeEach(() => on.desk.model.set("_task", multiLabel(MOODS)));

  it("are marked by digits and by clicks, taken off by the same, and saved by Enter in their order", () => {
    on.desk.model.queue(textCards("a", "b"));
    expect(pressed()).toEqual([]);
    on.desk.press("3");
    on.desk.press("1");
    on.desk.press("2");
    on.desk.classButton(1).click();
    expect(pressed()).toEqual(["joy", "envy"]);
    expect(on.desk.text(".alw-save-what")).toBe("joy, envy");
    expect(on.desk.find(".alw-save").getAttribute("aria-label")).toBe("Save joy, envy");
    expect(answers()).toEqual([]);
    on.desk.press("Enter");
    expect(answers()).toEqual([["joy", "envy"]]);
    expect(on.desk.itemId).toBe("b");
    expect(on.desk.text(".alw-last")).toBe("last: labelled joy, envy");
    expect(pressed()).toEqual([]);
  });

  it("may be none of them, which is said before it is saved", () => {
    on.desk.model.queue(textCards("a", "b"));
    expect(on.desk.text(".alw-save-what")).toBe("none of them");
    on.desk.find(".alw-save").click();
    expect(answers()).toEqual([[]]);
    expect(on.desk.text(".alw-last")).toBe("last: labelled none of them");
    expect(said()).toContain("Labelled none of them. text of b");
  });

  it("begin as the model suggests, visibly so; on an audit card with none", () => {
    on.desk.model.queue([
      suggesting("a", "joy", "envy"),
      textCard("b", { stream: "audit", suggestion_hidden: true }),
    ]);
    expect(pressed()).toEqual(["joy", "envy"]);
    expect(on.desk.text(".alw-chip-text")).toBe("suggests joy, envy · 61 %");
    expect(on.desk.classButton(2).getAttribute("aria-description")).toBe("suggested by the model");
    on.desk.press("3");
    expect(on.desk.classButton(2).classList.contains("alw-suggested")).toBe(true);
    expect(pressed()).toEqual(["joy"]);
    on.desk.press("4");
    on.desk.find(".alw-chip").click(); // back to what is suggested
    expect(pressed()).toEqual(["joy", "envy"]);
    on.desk.press("Enter");
    expect(answers()).toEqual([["joy", "envy"]]);
    expect(pressed()).toEqual([]);
    expect(on.desk.classButton(2).hasAttribute("aria-description")).toBe(false);
    expect(on.desk.text(".alw-no-chip")).toBe("suggestion hidden");
  });

  it("a suggestion of none is a suggestion, too", () => {
    on.desk.model.queue([suggesting("a")]);
    expect(on.desk.text(".alw-chip-text")).toBe("suggests none of them · 61 %");
    on.desk.press("Enter");
    expect(answers()).toEqual([[]]);
  });

  it("come back with undo as they were saved, not as they were suggested, and go with redo", () => {
    on.desk.model.queue([suggesting("a", "joy"), suggesting("b", "fear"), suggesting("c")]);
    on.desk.press("2");
    on.desk.press("Enter");
    on.desk.press("4");
    on.desk.press("Enter");
    on.desk.press("Backspace");
    on.desk.press("Backspace");
    expect(on.desk.itemId).toBe("a");
    expect(pressed()).toEqual(["joy", "love"]);
    expect(on.desk.text(".alw-save-what")).toBe("joy, love · as saved before");
    on.desk.press("y", { ctrlKey: true });
    expect(on.desk.itemId).toBe("b");
    expect(pressed()).toEqual([]); // fear was taken off
    on.desk.press("y", { ctrlKey: true });
    expect(answers()).toEqual([["joy", "love"], [], ["joy", "love"], []]);
  });

  it("that are not saved are there again when their card is", () => {
    on.desk.model.queue(textCards("a", "b"));
    on.desk.press("1");
    on.desk.press(" ");
    expect(pressed()).toEqual([]);
    on.desk.press("Backspace");
    expect(on.desk.itemId).toBe("a");
    expect(pressed()).toEqual(["joy"]);
    expect(on.desk.text(".alw-save-what")).toBe("joy");
  });

  it("are told to who cannot see them, without the card again", () => {
    on.desk.model.queue([suggesting("a", "envy"), textCard("b")]);
    expect(said()).toBe("text of a Suggests envy, 61 %.");
    on.desk.press("1");
    expect(said()).toBe("joy marked.");
    on.desk.press("3");
    expect(said()).toBe("envy no longer marked.");
    on.desk.press("Enter");
    expect(said()).toBe("Labelled joy. text of b");
    expect(on.desk.find(".alw-classes").getAttribute("aria-label")).toBe("Labels");
  });

  it("stay as they are while somebody is away or no card is there", () => {
    on.desk.press("1");
    on.desk.press("Enter");
    on.desk.model.queue(textCards("a"), { exhausted: true });
    on.desk.press("p");
    on.desk.classButton(0).click();
    on.desk.find(".alw-save").click();
    expect(pressed()).toEqual([]);
    on.desk.press("p");
    on.desk.press("Enter");
    expect(answers()).toEqual([[]]);
    expect(on.desk.find<HTMLButtonElement>(".alw-save").disabled).toBe(true);
    expect(document.activeElement).toBe(document.body);
  });

  it("a class that is no longer there is not marked", () => {
    on.desk.model.queue([suggesting("a", "joy", "gone")]);
    on.desk.press("2");
    on.desk.model.set("_task", multiLabel(["love", "fear"]));
    expect(pressed()).toEqual(["love"]);
    on.desk.press("Enter");
    expect(answers()).toEqual([["love"]]);
  });
});

describe("many labels", () => {
  const many = Array.from({ length: 1000 }, (_, i) => `${i % 2 ? "otter" : "heron"} ${i}`);
  const filter = () => on.desk.find<HTMLInputElement>(".alw-filter");
  const type = (value: string) => {
    filter().value = value;
    filter().dispatchEvent(new InputEvent("input", { bubbles: true }));
  };
  const pills = () => [...on.desk.view.root.querySelectorAll(".alw-pill-name")].map((p) => p.textContent);
  beforeEach(() => on.desk.model.set("_task", multiLabel(many)));

  it("are found by their letters: Enter marks the best match, and the box stays for the next", () => {
    on.desk.model.queue(textCards("a", "b"));
    on.desk.press("o");
    expect(document.activeElement).toBe(filter());
    type("otter 99");
    on.desk.press("Enter", {}, filter());
    expect(filter().value).toBe("");
    expect(document.activeElement).toBe(filter());
    type("heron 500");
    on.desk.press("Enter", { isComposing: true }, filter());
    expect(pressed()).toEqual(["otter 99"]);
    on.desk.press("Enter", {}, filter());
    type("nothing like it");
    on.desk.press("Enter", {}, filter());
    expect(on.desk.text(".alw-unseen[role=status]")).toBe("No label matches.");
    expect(answers()).toEqual([]);
    expect(pills()).toEqual(["otter 99", "heron 500"]);
    type("");
    on.desk.press("Enter", {}, filter());
    expect(answers()).toEqual([["otter 99", "heron 500"]]);
    expect(document.activeElement).toBe(on.desk.view.root);
    expect(pills()).toEqual([]);
  });

  it("that are marked stay in sight, and go from there without losing the keyboard", () => {
    on.desk.model.queue([suggesting("a", "heron 0", "otter 999")]);
    expect(pills()).toEqual(["heron 0", "otter 999"]);
    const last = on.desk.view.root.querySelectorAll<HTMLElement>(".alw-pill")[1]!;
    expect(last.getAttribute("aria-label")).toBe("Take off otter 999");
    last.focus();
    last.click();
    expect(pills()).toEqual(["heron 0"]);
    expect(document.activeElement).toBe(on.desk.view.root);
    expect(on.desk.text(".alw-save-what")).toBe("");
  });

  it("cost no more than what changes: a press touches the buttons that it marks", () => {
    on.desk.model.queue([suggesting("a", "heron 0"), suggesting("b", "otter 1"), textCard("c")]);
    const touched = new Set<Node>();
    const watcher = new MutationObserver(() => {});
    watcher.observe(on.desk.find(".alw-classes"), { subtree: true, attributes: true, childList: true });
    on.desk.press("3");
    on.desk.press("Enter");
    for (const { target } of watcher.takeRecords()) touched.add(target);
    watcher.disconnect();
    expect([...touched].map((b) => (b as HTMLElement).title).sort()).toEqual([
      "heron 0",
      "heron 2",
      "otter 1",
    ]);
  });

  it("reach nobody outside the cards", () => {
    const outside = vi.fn();
    document.body.addEventListener("keydown", outside);
    on.desk.model.queue(textCards("a"));
    on.desk.press("o");
    for (const key of ["x", "d", "Enter", "Escape", "ArrowDown"]) on.desk.press(key, {}, filter());
    document.body.removeEventListener("keydown", outside);
    expect(outside).not.toHaveBeenCalled();
  });
});
