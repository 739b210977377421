import { describe, expect, it, vi } from "vitest";
import { STATUS, useDesk } from "./desk";
import { CardsState } from "./state";
import { classification, FakeModel, textCard, textCards } from "./testing";
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

  it("tells a pointer why each card is here, once the hands rest", () => {
    on.desk.model.queue([
      textCard("a"),
      textCard("b", { stream: "audit" }),
      textCard("c", { stream: "audit" }),
    ]);
    const title = () => on.desk.find(".alw-why").title;
    expect(title()).toBe("Strategy margin by model 1, score 0.100.");
    on.desk.press("1");
    expect(title()).toContain("Drawn at random");
    on.desk.press("1");
    vi.advanceTimersByTime(400);
    expect(title()).toContain("Drawn at random");
  });

  it("tells a suggestion that is hidden from one that there is not yet, and where it is hidden why", () => {
    on.desk.model.queue([
      textCard("a", { stream: "audit" }),
      textCard("b", { suggestion_hidden: true }),
      textCard("c"),
    ]);
    const none = () => on.desk.find(".alw-no-chip");
    expect(none().textContent).toBe("no suggestion yet");
    on.desk.press("1");
    expect(none().textContent).toBe("suggestion hidden");
    expect(none().title).toContain("at random");
    on.desk.press("1");
    expect(none().textContent).toBe("no suggestion yet");
    expect(none().title).toBe("");
  });

  it("hides the suggestion on an audit card and says so", () => {
    on.desk.model.queue([textCard("a", { stream: "audit", suggestion_hidden: true }), textCard("b")]);
    expect(on.desk.find(".alw-badge").hidden).toBe(false);
    expect(on.desk.find(".alw-badge").title).toContain("Suggestion hidden");
    expect(on.desk.find(".alw-chip").hidden).toBe(true);
    expect(on.desk.text(".alw-no-chip")).toBe("suggestion hidden");
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

describe("news that change nothing on screen", () => {
  it("write nothing: the browser would work out styles again", () => {
    on.desk.model.receive(STATUS);
    on.desk.model.queue(textCards("a", "b"));
    on.desk.press("1");
    on.desk.model.receive({ type: "ack", event_ids: ["e1"] });
    vi.advanceTimersByTime(1_000);
    const watcher = new MutationObserver(() => {});
    watcher.observe(on.desk.view.root, {
      subtree: true,
      childList: true,
      attributes: true,
      characterData: true,
    });
    on.desk.model.receive({ ...STATUS, labelled: 41 });
    expect(watcher.takeRecords().map((record) => record.target.textContent)).not.toEqual([]);
    on.desk.model.receive({ ...STATUS, labelled: 41 });
    // unlike a browser, happy-dom writes these two whether or not they differ
    const written = watcher.takeRecords().filter((r) => !["class", "style"].includes(r.attributeName ?? ""));
    expect(written.map((r) => r.attributeName ?? r.type)).toEqual([]);
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

describe("a view that goes", () => {
  it("leaves nothing that listens to the page, though the state lives on", () => {
    const calls = (name: "addEventListener" | "removeEventListener") => {
      const spies = [window, document].map((page) => vi.spyOn(page, name));
      return () => spies.flatMap((spy) => spy.mock.calls.map(([event]) => event)).sort();
    };
    const added = calls("addEventListener");
    const removed = calls("removeEventListener");
    const state = new CardsState(new FakeModel(["ham", "spam"]), { shelf: on.desk.shelf });
    const view = new CardsView(state);
    expect(added()).toContain("pagehide");
    view.dispose();
    expect(removed()).toEqual(added());
    state.dispose();
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
