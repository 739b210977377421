import axe from "axe-core";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { STATUS, useDesk } from "./desk";
import { classification, textCard, textCards } from "./testing";
import { CardsView } from "./view";

const on = useDesk();

describe("what is on screen", () => {
  it("greets, waits, shows a card, ends", () => {
    expect(on.desk.model.sent).toEqual([{ type: "hello" }]);
    expect(on.desk.text(".alw-stage")).toContain("Waiting");
    expect(on.desk.classButton(0).disabled).toBe(true);
    on.desk.model.queue(textCards("a"), { exhausted: true });
    expect(on.desk.text(".alw-stage")).toBe("text of a");
    expect(on.desk.itemId).toBe("a");
    expect(on.desk.classButton(0).disabled).toBe(false);
    on.desk.press("1");
    expect(on.desk.text(".alw-stage")).toContain("Everything is labelled");
    expect(on.desk.itemId).toBe("");
  });

  it("greets again, ever less often, while nobody answers", () => {
    vi.advanceTimersByTime(60_000);
    expect(on.desk.model.sent.filter((m) => m.type === "hello")).toHaveLength(5); // 0, 3, 9, 21, 45 s
    on.desk.model.queue(textCards("a"));
    vi.advanceTimersByTime(60_000);
    expect(on.desk.model.sent.filter((m) => m.type === "hello")).toHaveLength(5);
  });

  it("never makes markup of what comes from the pool", () => {
    const evil = '<img src=x onerror="alert(1)">';
    on.desk.open([evil, "b"]);
    const card = textCard(evil, {
      content: { kind: "text", text: evil },
      metadata: { [evil]: evil },
      suggestion: { answer: evil, confidence: 0.5 },
    });
    on.desk.model.queue([card]);
    on.desk.press("1");
    on.desk.model.receive({ type: "problem", text: evil, remedy: evil });
    expect(on.desk.view.root.querySelector("img")).toBeNull();
    expect(on.desk.text(".alw-last")).toBe(`last: labelled ${evil}`);
  });

  it("says what the model suggests and why the card is here", () => {
    on.desk.model.queue([textCard("a", { suggestion: { answer: "spam", confidence: 0.934 } })]);
    expect(on.desk.text(".alw-chip-text")).toBe("suggests spam · 93 %");
    expect(on.desk.classButton(1).classList.contains("alw-suggested")).toBe(true);
    expect(on.desk.text(".alw-why")).toBe("a close call between two classes");
  });

  it("hides the suggestion on an audit card and says so", () => {
    on.desk.model.queue([textCard("a", { stream: "audit" }), textCard("b")]);
    expect(on.desk.find(".alw-badge").hidden).toBe(false);
    expect(on.desk.find(".alw-badge").title).toContain("Suggestion hidden");
    expect(on.desk.find(".alw-chip").hidden).toBe(true);
    on.desk.press("Enter");
    expect(on.desk.itemId).toBe("a"); // nothing to accept
    on.desk.press("1");
    expect(on.desk.find(".alw-badge").hidden).toBe(true);
  });

  it("shows small images as pixels, from blobs that are given back", () => {
    const revoked = vi.spyOn(URL, "revokeObjectURL");
    const content = {
      kind: "image",
      mime: "image/png",
      buffer: 0,
      width: 8,
      height: 8,
      alt: "a digit",
    } as const;
    const bytes = new DataView(new Uint8Array([9, 9, 137, 80]).buffer, 2);
    on.desk.model.receive(
      { type: "queue", cards: [textCard("a", { content })], model_version: 1, exhausted: false },
      [bytes],
    );
    const image = on.desk.find<HTMLImageElement>(".alw-stage img");
    expect(image.src).toMatch(/^blob:/);
    expect(image.alt).toBe("a digit");
    expect(image.classList.contains("alw-pixels")).toBe(true);
    on.desk.state.dispose();
    expect(revoked).toHaveBeenCalledWith(image.src);
  });

  it("says so when an image did not come or is of another type", () => {
    const content = {
      kind: "image",
      mime: "image/svg+xml",
      buffer: 0,
      width: 8,
      height: 8,
      alt: "",
    } as const;
    on.desk.model.receive(
      { type: "queue", cards: [textCard("a", { content })], model_version: 1, exhausted: false },
      [new DataView(new ArrayBuffer(4))],
    );
    expect(on.desk.text(".alw-stage")).toContain("No image came");
  });

  it("counts labels before Python does, and takes Python's count in the end", () => {
    on.desk.model.receive(STATUS);
    on.desk.model.queue(textCards("a", "b", "c"));
    expect(on.desk.text(".alw-labelled")).toBe("labelled 40 of 1,102");
    on.desk.press("1");
    on.desk.press("2");
    expect(on.desk.text(".alw-labelled")).toBe("labelled 42 of 1,102");
    on.desk.model.receive({ ...STATUS, labelled: 41 });
    expect(on.desk.text(".alw-labelled")).toBe("labelled 42 of 1,102");
    on.desk.model.receive({ type: "ack", event_ids: ["e1", "e2"] });
    on.desk.press("Backspace");
    expect(on.desk.text(".alw-labelled")).toBe("labelled 41 of 1,102");
    on.desk.model.receive({ ...STATUS, labelled: 43 });
    on.desk.model.receive({ type: "ack", event_ids: ["e3"] });
    vi.advanceTimersByTime(500);
    expect(on.desk.text(".alw-labelled")).toBe("labelled 43 of 1,102");
  });
});

describe("keys", () => {
  beforeEach(() => on.desk.model.queue(textCards("a", "b", "c")));

  it("paint the next card before anything is kept or sent", () => {
    const order: string[] = [];
    vi.spyOn(on.desk.shelf, "setItem").mockImplementation(() =>
      order.push(`kept with ${on.desk.itemId} on screen`),
    );
    vi.spyOn(on.desk.model, "send").mockImplementation((m) =>
      order.push(`${m.type} with ${on.desk.itemId} on screen`),
    );
    on.desk.press("2");
    expect(order.slice(0, 2)).toEqual(["kept with b on screen", "events with b on screen"]);
  });

  it("label, skip, flag, undo", () => {
    on.desk.press("2");
    on.desk.press(" ");
    on.desk.press("f");
    on.desk.press("z", { ctrlKey: true });
    on.desk.press("Backspace");
    expect(on.desk.model.events.map((e) => [e.kind, e.item_id, e.answer])).toEqual([
      ["answer", "a", "spam"],
      ["skip", "b", null],
      ["flag", "c", null],
      ["retract", "b", null],
      ["retract", "a", null],
    ]);
    expect(on.desk.model.events.at(-1)?.target).toBe("e1");
    expect(on.desk.itemId).toBe("a");
    expect(on.desk.classButton(1).classList.contains("alw-former")).toBe(true);
    expect(on.desk.text("[role=status].alw-hidden")).toContain("Took back spam.");
  });

  it("undo what was done before this page through Python, once nothing is unsaved", () => {
    const wishes = () => on.desk.model.sent.filter((m) => m.type === "undo").length;
    on.desk.press("Backspace");
    expect(wishes()).toBe(1);
    on.desk.press("f");
    on.desk.press("Backspace");
    expect(wishes()).toBe(1);
  });

  it("reach nobody outside the cards, used or not", () => {
    const outside = vi.fn();
    document.body.addEventListener("keydown", outside);
    expect(on.desk.press("1").defaultPrevented).toBe(true);
    expect(on.desk.press("x").defaultPrevented).toBe(false);
    expect(on.desk.press("d").defaultPrevented).toBe(false);
    document.body.removeEventListener("keydown", outside);
    expect(outside).not.toHaveBeenCalled();
  });

  it("do nothing when held down, and a button pressed by Enter clicks once", () => {
    on.desk.press("1", { repeat: true });
    expect(on.desk.press(" ", { repeat: true }).defaultPrevented).toBe(true);
    expect(on.desk.press("Enter", { repeat: true }, on.desk.classButton(0)).defaultPrevented).toBe(true);
    expect(on.desk.press("Enter", {}, on.desk.classButton(0)).defaultPrevented).toBe(false); // the browser clicks
    expect(on.desk.model.events).toEqual([]);
    expect(on.desk.press("2", {}, on.desk.classButton(0)).defaultPrevented).toBe(true); // digits label from anywhere
    expect(on.desk.model.events).toHaveLength(1);
  });

  it("suppress the notebook's shortcuts on whatever holds the focus", () => {
    const focusable = on.desk.view.root.querySelectorAll("button, input, a, [tabindex]");
    expect(focusable.length).toBeGreaterThan(5);
    for (const element of [on.desk.view.root, ...focusable]) {
      expect(element.getAttribute("data-lm-suppress-shortcuts"), element.outerHTML).toBe("true");
    }
  });

  it("come to the root after a press of the mouse, and go back to the notebook with Escape", () => {
    const cell = document.createElement("div");
    cell.className = "jp-Cell";
    cell.tabIndex = 0;
    document.body.append(cell);
    cell.append(on.desk.view.root);
    on.desk.classButton(0).dispatchEvent(new PointerEvent("pointerdown", { bubbles: true }));
    expect(document.activeElement).toBe(on.desk.view.root);
    on.desk.press("?");
    expect(on.desk.find(".alw-help").hidden).toBe(false);
    on.desk.press("Escape");
    expect(on.desk.find(".alw-help").hidden).toBe(true);
    expect(document.activeElement).toBe(on.desk.view.root);
    on.desk.press("Escape");
    expect(document.activeElement).toBe(cell);
  });

  it("filter many classes by their letters", () => {
    on.desk.view.dispose();
    const classes = Array.from({ length: 30 }, (_, i) => `${i % 2 ? "otter" : "heron"} ${i}`);
    on.desk.open(classes);
    on.desk.model.queue(textCards("a", "b", "c"));
    const filter = on.desk.find<HTMLInputElement>(".alw-filter");
    const type = (value: string) => {
      filter.value = value;
      filter.dispatchEvent(new InputEvent("input", { bubbles: true }));
    };
    on.desk.press("/");
    expect(document.activeElement).toBe(filter);
    on.desk.press("Enter", {}, filter); // nothing typed: nothing chosen
    expect(on.desk.model.events).toEqual([]);
    type("otter 2");
    expect(
      [...on.desk.view.root.querySelectorAll<HTMLElement>(".alw-class:not([hidden])")].map((b) => b.title),
    ).toEqual(["otter 21", "otter 23", "otter 25", "otter 27", "otter 29"]);
    on.desk.press("ArrowDown", {}, filter);
    on.desk.press("1", {}, filter); // a digit is typed here, it does not label
    expect(on.desk.press("Enter", { isComposing: true }, filter).defaultPrevented).toBe(false);
    expect(on.desk.model.events).toEqual([]);
    on.desk.press("Enter", {}, filter);
    expect(on.desk.model.events.map((e) => e.answer)).toEqual(["otter 23"]);
    expect(filter.value).toBe("");
    expect(document.activeElement).toBe(on.desk.view.root);
    on.desk.press("h");
    expect(filter.value).toBe("h");
    type("zebra");
    on.desk.press("Enter", {}, filter);
    expect(on.desk.model.events).toHaveLength(1);
    on.desk.press("Escape", {}, filter);
    expect(document.activeElement).toBe(on.desk.view.root);
  });
});

describe("two views of one model", () => {
  it("show the same, and each goes without a trace", () => {
    on.desk.model.queue(textCards("a", "b"));
    const other = new CardsView(on.desk.state);
    document.body.append(other.root);
    on.desk.press("1");
    expect(other.root.dataset.itemId).toBe("b");
    const before = other.listeners.size;
    expect(before).toBeGreaterThan(10);
    other.dispose();
    expect(other.listeners.size).toBe(0);
    expect(other.root.isConnected).toBe(false);
    on.desk.press("2");
    expect(other.root.dataset.itemId).toBe("b");
  });
});

describe("a class more", () => {
  it("gets its button when the task changes", () => {
    on.desk.model.queue(textCards("a", "b"));
    on.desk.model.set("_task", classification(["ham", "spam", "unsure"]));
    on.desk.press("3");
    expect(on.desk.model.events[0]?.answer).toBe("unsure");
  });
});

describe("the classes", () => {
  it("are changed by a form whose keys are its own, and whose Escape goes back to the cards", () => {
    on.desk.model.queue(textCards("a"));
    on.desk.press("e");
    const box = on.desk.find<HTMLInputElement>(".alw-editor input");
    expect(document.activeElement).toBe(box);
    on.desk.press("1", {}, box);
    expect(on.desk.model.events).toEqual([]);
    const [add, rename, merge] = on.desk.view.root.querySelectorAll<HTMLFormElement>(".alw-editor form");
    box.value = " eggs ";
    add!.requestSubmit();
    rename!.querySelector("select")!.value = "ham";
    rename!.querySelector("input")!.value = "news";
    rename!.requestSubmit();
    merge!.requestSubmit(); // of the first class into the second
    expect(on.desk.model.sent.filter((m) => m.type === "classes")).toEqual([
      { type: "classes", what: "add", name: "eggs", to: null },
      { type: "classes", what: "rename", name: "ham", to: "news" },
      { type: "classes", what: "merge", name: "ham", to: "spam" },
    ]);
    add!.requestSubmit(); // without a name nothing is asked
    expect(on.desk.model.sent.filter((m) => m.type === "classes")).toHaveLength(3);
    on.desk.model.set("_task", classification(["news", "spam", "eggs"]));
    expect([...merge!.querySelectorAll("option")].map((o) => o.value).slice(0, 3)).toEqual([
      "news",
      "spam",
      "eggs",
    ]);
    on.desk.press("Escape", {}, box);
    expect(on.desk.find(".alw-editor").hidden).toBe(true);
    expect(document.activeElement).toBe(on.desk.view.root);
  });
});

describe("why this card", () => {
  it("asks, shows what it is told of this card, and closes with the next", () => {
    on.desk.model.queue(textCards("a", "b"));
    on.desk.press("w");
    expect(on.desk.find(".alw-reasons").hidden).toBe(false);
    expect(on.desk.model.sent.at(-1)).toEqual({ type: "why", item_id: "a", draw_id: "draw-a" });
    const neighbours = [{ item_id: "z", answer: "spam", similarity: 0.914, text: "<b>win</b>" }];
    on.desk.model.receive({ type: "reasons", item_id: "other", rank: null, neighbours });
    expect(on.desk.text(".alw-alike")).toBe("");
    on.desk.model.receive({ type: "reasons", item_id: "a", rank: [3, 40], neighbours });
    expect(on.desk.text(".alw-reasons-rank")).toBe("Number 3 of 40 by its score.");
    expect(on.desk.text(".alw-alike")).toBe("spam<b>win</b>91 % alike");
    on.desk.press("1");
    expect(on.desk.itemId).toBe("b");
    expect(on.desk.find(".alw-reasons").hidden).toBe(true);
    on.desk.find(".alw-why").click();
    expect(on.desk.text(".alw-alike")).toBe("");
    on.desk.press("Escape");
    expect(on.desk.find(".alw-reasons").hidden).toBe(true);
  });
});

describe("pause", () => {
  it("covers the card, takes no answer, and its time does not count", () => {
    on.desk.model.queue(textCards("a", "b"));
    on.desk.press("p");
    expect(on.desk.find(".alw-pause").hidden).toBe(false);
    on.desk.press("1");
    on.desk.press(" ");
    on.desk.classButton(0).click();
    on.desk.find(".alw-skip").click();
    on.desk.find(".alw-flag").click();
    expect(on.desk.itemId).toBe("a");
    vi.advanceTimersByTime(3_600_000);
    const back = new Date().toISOString();
    on.desk.find(".alw-go").click();
    expect(on.desk.find(".alw-pause").hidden).toBe(true);
    on.desk.press("1");
    expect(on.desk.model.events.map((e) => [e.item_id, e.shown_at])).toEqual([["a", back]]);
  });
});

describe("redo", () => {
  it("is offered once something was undone, and counts and sends the answer again", () => {
    on.desk.model.queue(textCards("a", "b"));
    on.desk.press("1");
    expect(on.desk.find(".alw-redo").hidden).toBe(true);
    on.desk.press("Backspace");
    expect(on.desk.itemId).toBe("a");
    expect(on.desk.find(".alw-redo").hidden).toBe(false);
    on.desk.press("y", { ctrlKey: true });
    expect(on.desk.itemId).toBe("b");
    expect(on.desk.state.labelled).toBe(1);
    expect(on.desk.text(".alw-last")).toBe("last: labelled ham");
    expect(on.desk.model.events.map((e) => [e.kind, e.answer])).toEqual([
      ["answer", "ham"],
      ["retract", null],
      ["answer", "ham"],
    ]);
    on.desk.press("Backspace");
    on.desk.find(".alw-redo").click();
    expect(on.desk.itemId).toBe("b");
  });
});

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

describe("accessibility", () => {
  it("has no violation that axe finds, in any state", async () => {
    vi.useRealTimers();
    const style = document.createElement("style");
    style.textContent = "[hidden] { display: none }"; // a browser has that of its own
    document.body.append(style);
    const check = async () => {
      // colours and layout need a browser
      const found = await axe.run(on.desk.view.root, { rules: { "color-contrast": { enabled: false } } });
      expect(found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" ")}`)).toEqual([]);
    };
    await check();
    on.desk.model.receive({ ...STATUS, error: "row 17 holds NaN", notice: "one class only" });
    on.desk.model.queue([
      textCard("a", { suggestion: { answer: "spam", confidence: 1 }, metadata: { k: "v" } }),
    ]);
    on.desk.press("?");
    await check();
    on.desk.press("1");
    await check();
  });
});
