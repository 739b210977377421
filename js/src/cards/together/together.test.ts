import axe from "axe-core";
import { describe, expect, it, vi } from "vitest";
import { textCards } from "../testing";
import { chosen, message, standing, useGroups } from "./desk";

const { on, items, come, fates, promised, said, open, focused, press } = useGroups();

describe("labelling together", () => {
  it("takes the place of the card, and says what Enter does", () => {
    come([
      chosen("v"),
      chosen("w", "ham"),
      chosen("x"),
      chosen("y", null),
      chosen("z", null, { stream: "audit" }),
    ]);
    expect(on.desk.find(".alw-card:not(.alw-together)").closest("[hidden]")).not.toBeNull();
    expect(open()).toBe(true);
    expect(on.desk.text(".alw-together-title")).toBe("Found “win”");
    expect(on.desk.text(".alw-for-rest-name")).toBe("spam");
    expect(promised()).toBe("Enter labels 5 as spam");
    expect(items().map((item) => item.querySelector(".alw-idea")!.textContent)).toEqual([
      "",
      "suggests ham, 90 %",
      "",
      "",
      "",
    ]);
    expect(items().map((item) => item.querySelector(".alw-badge")?.textContent)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      "audit card",
    ]);
    expect(said()).toContain("5 items to label together. Enter labels 5 as spam.");
  });

  it("gives the rest one answer, exceptions theirs, and nothing to what is left out, in one message", () => {
    come();
    press("ArrowDown");
    press("ArrowDown");
    press("1");
    press("ArrowDown");
    press("x");
    expect(fates()).toEqual(["spam", "ham", "left out", "spam", "spam"]);
    expect(promised()).toBe("Enter labels 3 as spam, 1 otherwise, 1 left out");
    const before = on.desk.model.sent.length;
    press("Enter");
    const [sent, ...more] = on.desk.model.sent.slice(before).filter((m) => m.type === "events");
    expect(more).toEqual([]);
    const events = sent?.type === "events" ? sent.events : [];
    expect(events.map((e) => [e.item_id, e.answer, e.draw_id])).toEqual([
      ["v", "spam", "draw-v"],
      ["w", "ham", "draw-w"],
      ["y", "spam", "draw-y"],
      ["z", "spam", "draw-z"],
    ]);
    expect(new Set(events.map((e) => e.bulk))).toEqual(new Set([events[0]!.bulk]));
    expect(events[0]!.bulk).toBeTruthy();
    expect(Date.parse(events[0]!.answered_at) - Date.parse(events[0]!.shown_at!)).toBe(600);
    expect(open()).toBe(false);
    expect(on.desk.itemId).toBe("a");
    expect(document.activeElement).toBe(on.desk.view.root);
    expect(said()).toContain("Labelled 4 together. Undo takes all of them back.");
    expect(on.desk.text(".alw-last")).toBe("last: labelled 4 together");
    expect(on.desk.shelf.kept.size).toBe(4);
  });

  it("shows a random sample first, and tells of the others by it", () => {
    come(
      [..."stuvwxyz"].map((id) => chosen(id)),
      5,
    );
    expect(items()).toHaveLength(5);
    expect(said()).toContain("8 items to label together. A random 5 of them first.");
    expect(on.desk.text(".alw-together-size")).toBe("a random 5 of 8");
    expect(promised()).toBe("Enter: these are spam; go on to all 8");
    press("ArrowDown");
    press("1");
    press("ArrowDown");
    press("x");
    expect(promised()).toBe("Enter: these are spam, 2 otherwise; go on to all 8");
    expect(on.desk.text(".alw-accept")).toContain("Go on to all 8");
    press("Enter");
    expect(on.desk.model.events).toEqual([]); // nobody has seen the others
    expect(items()).toHaveLength(8);
    expect(focused()).toBe("-1");
    expect(said()).toContain("All 8 items now.");
    expect(fates()).toEqual(["ham", "left out", ...Array(6).fill("spam")]);
    expect(said()).toContain(
      "2 of the 5 drawn at random are unlike the rest: expect 12 to 77 % of all to be",
    );
    expect(on.desk.text(".alw-together-size")).toBe("8 items · 2 of 5 odd: 12 to 77 %");
    press("ArrowDown");
    press("1"); // no longer of its own
    expect(on.desk.text(".alw-together-size")).toBe("8 items · 1 of 5 odd: 4 to 62 %");
    press("Backspace");
    press("Home");
    press("Enter"); // meant for the sample
    expect(on.desk.model.events).toEqual([]);
    press("Backspace");
    expect(items()).toHaveLength(5);
    press("y", { ctrlKey: true });
    expect(items()).toHaveLength(8);
    vi.advanceTimersByTime(600);
    press("Enter");
    expect(standing(on.desk.model.events)).toEqual(["s ham", ...[..."uvwxyz"].map((id) => `${id} spam`)]);
    on.desk.press("Backspace");
    expect(items()).toHaveLength(8); // all of it in one step, with what was seen
  });

  it("asks for the answer of the rest where nothing is suggested", () => {
    come([chosen("v", null), chosen("w", null)]);
    expect(on.desk.text(".alw-for-rest-name")).toBe("choose a class");
    press("End");
    press("Enter");
    expect(on.desk.model.events).toEqual([]);
    expect(said()).toContain("Choose the answer for the rest first.");
    expect(focused()).toBe("-1");
    on.desk.classButton(0).click();
    expect(promised()).toBe("Enter labels 2 as ham");
    on.desk.find(".alw-accept").click();
    expect(standing(on.desk.model.events)).toEqual(["v ham", "w ham"]);
  });

  it("does not take a key for what nobody has seen yet", () => {
    on.desk.model.receive(message([chosen("v")]));
    on.desk.press("Enter");
    expect(on.desk.model.events).toEqual([]);
    vi.advanceTimersByTime(600);
    on.desk.press("Enter");
    expect(on.desk.model.events).toHaveLength(1);
  });

  it("answers the selection: by Shift and arrows, by clicks, and all", () => {
    come();
    press("ArrowDown");
    press("ArrowDown", { shiftKey: true });
    press("ArrowDown", { shiftKey: true });
    expect(items().map((i) => i.getAttribute("aria-selected"))).toEqual([
      "true",
      "true",
      "true",
      "false",
      "false",
    ]);
    expect(on.desk.text(".alw-together-hint")).toContain("these 3 items");
    press("1");
    expect(fates()).toEqual(["ham", "ham", "ham", "spam", "spam"]);
    const click = (place: number, more: MouseEventInit = {}) =>
      items()[place]!.dispatchEvent(new MouseEvent("click", { bubbles: true, ...more }));
    click(3);
    expect(focused()).toBe("3");
    click(4, { shiftKey: true });
    click(0, { ctrlKey: true });
    on.desk.classButton(1).click();
    expect(fates()).toEqual(["spam", "ham", "ham", "spam", "spam"]);
    expect(promised()).toBe("Enter labels 3 as spam, 2 otherwise");
    press("a", { ctrlKey: true });
    press("x");
    expect(promised()).toBe("All are left out: Enter has nothing to label");
    press("Enter");
    expect(on.desk.model.events).toEqual([]);
    press("Delete");
    items()[2]!.querySelector<HTMLElement>("[data-out]")!.click();
    expect(fates()[2]).toBe("left out");
    expect(focused()).toBe("2");
    on.desk.find(".alw-leave-out").click();
    expect(fates()[2]).toBe("ham");
  });

  it("has one tab stop, which the arrows move", () => {
    come();
    const stops = () => [...on.desk.find(".alw-items").querySelectorAll<HTMLElement>("[tabindex='0']")];
    expect(stops().map((e) => e.dataset.place)).toEqual(["-1"]);
    on.desk.find(".alw-items").style.gridTemplateColumns = "90px 90px";
    press("ArrowDown");
    press("ArrowDown");
    expect(focused()).toBe("2");
    expect(stops().map((e) => e.dataset.place)).toEqual(["2"]);
    press("ArrowRight");
    press("ArrowUp");
    expect(focused()).toBe("1");
    press("End");
    press("Home");
    expect(stops().map((e) => e.dataset.place)).toEqual(["-1"]);
  });

  it("closes with Escape, says that nothing was labelled, and undo brings everything back", () => {
    come();
    press("ArrowDown");
    press("1");
    press("?");
    expect(on.desk.find(".alw-together .alw-help").hidden).toBe(false);
    press("Escape");
    expect(open()).toBe(true);
    press("Escape");
    expect(open()).toBe(false);
    expect(on.desk.model.events).toEqual([]);
    expect(on.desk.notices).toEqual([
      "Nothing was labelled. Undo brings the 5 items back, with what you chose.",
    ]);
    expect(on.desk.find<HTMLButtonElement>(".alw-undo").disabled).toBe(false);
    on.desk.press("Backspace");
    expect(fates()).toEqual(["ham", "spam", "spam", "spam", "spam"]);
    expect(on.desk.notices).toEqual([]);
    press("Escape");
    on.desk.press("1");
    expect(on.desk.notices).toEqual([]);
    on.desk.press("Backspace");
    expect(open()).toBe(false);
    expect(on.desk.itemId).toBe("a");
  });

  it("takes choices back one by one before it takes back what was labelled", () => {
    on.desk.press("1");
    come();
    press("ArrowDown");
    press("1");
    press("ArrowDown");
    press("x");
    press("Backspace");
    expect(fates()).toEqual(["ham", "spam", "spam", "spam", "spam"]);
    press("z", { ctrlKey: true });
    press("y", { ctrlKey: true });
    expect(fates()[0]).toBe("ham");
    press("Backspace");
    press("Backspace");
    expect(on.desk.itemId).toBe("a");
    expect(open()).toBe(false); // the group waits behind the card
    on.desk.press("2");
    expect(open()).toBe(true);
  });

  it("shows no other keys of the cards, and none reaches the page", () => {
    come();
    const outside = vi.fn();
    document.body.addEventListener("keydown", outside);
    for (const key of ["f", "s", "b", "t", "w", "e", " ", "d", "ArrowDown", "PageUp"]) press(key);
    document.body.removeEventListener("keydown", outside);
    expect(outside).not.toHaveBeenCalled();
    expect(on.desk.model.sent.filter((m) => !["hello", "more"].includes(m.type))).toEqual([]);
    expect(open()).toBe(true);
    press("p");
    expect(on.desk.find(".alw-together .alw-pause").hidden).toBe(false);
    press("Enter");
    press("1");
    expect(on.desk.model.events).toEqual([]);
    press("p");
    expect(on.desk.find(".alw-together .alw-pause").hidden).toBe(true);
  });

  it("leaves x to a class that has it", () => {
    on.desk.model.set("_task", { ...on.desk.model.get("_task"), keys: ["x", null] });
    come();
    press("ArrowDown");
    press("x");
    expect(fates()[0]).toBe("ham");
    expect(on.desk.text(".alw-leave-out")).toContain("Del");
    press("Delete");
    expect(fates()[0]).toBe("left out");
  });

  it("finds many classes by their letters", () => {
    on.desk.open(Array.from({ length: 30 }, (_, i) => `class ${i}`));
    come([chosen("v", "class 1"), chosen("w", "class 1")]);
    on.desk.view.root.focus();
    on.desk.press("ArrowDown");
    press("/");
    const filter = on.desk.find<HTMLInputElement>(".alw-filter");
    expect(document.activeElement).toBe(filter);
    filter.value = "class 29";
    filter.dispatchEvent(new InputEvent("input", { bubbles: true }));
    press("Enter");
    expect(fates()).toEqual(["class 29", "class 1"]);
    expect(focused()).toBe("0");
  });

  it("is told of kinds that are labelled one by one, and their cards come next", () => {
    for (const kind of ["multilabel", "text"] as const) {
      on.desk.open();
      on.desk.model.set("_task", { ...on.desk.model.get("_task"), kind });
      on.desk.model.queue(textCards("a", "b"));
      come([chosen("v"), chosen("w")]);
      expect(open()).toBe(false);
      expect(on.desk.notices[0]).toContain("one by one: 2 cards come next");
      expect(on.desk.state.deck.upcoming.map((c) => c.item_id)).toEqual(["v", "w", "b"]);
    }
  });
});

describe("the search", () => {
  it("opens by its key or its button, asks, and gives way to what is found", () => {
    on.desk.press("t");
    const input = on.desk.find<HTMLInputElement>(".alw-search input");
    expect(document.activeElement).toBe(input);
    on.desk.press("1", {}, input);
    expect(on.desk.model.events).toEqual([]);
    const form = on.desk.find<HTMLFormElement>(".alw-search form");
    form.requestSubmit(); // nothing typed
    input.value = " prize ";
    form.requestSubmit();
    expect(on.desk.model.sent.at(-1)).toEqual({ type: "together", search: "prize" });
    expect(on.desk.text(".alw-search-status")).toBe("Searching for prize…");
    on.desk.model.receive({
      type: "problem",
      text: "No item contains “prize”.",
      remedy: "Try another word.",
    });
    expect(on.desk.notices).toEqual(["No item contains “prize”. Try another word."]);
    expect(on.desk.text(".alw-search-status")).toBe("");
    expect(on.desk.find(".alw-search").hidden).toBe(false);
    form.requestSubmit();
    on.desk.model.receive(message([chosen("v")]));
    expect(on.desk.find(".alw-search").hidden).toBe(true);
    expect(focused()).toBe("-1");
  });

  it("closes with Escape, from the box or from the card, and a text in it is only a text", () => {
    on.desk.find(".alw-find").click();
    const input = on.desk.find<HTMLInputElement>(".alw-search input");
    input.value = "<img src=x onerror=alert(1)>";
    on.desk.find<HTMLFormElement>(".alw-search form").requestSubmit();
    expect(on.desk.view.root.querySelector("img")).toBeNull();
    on.desk.press("Escape", {}, input);
    expect(on.desk.find(".alw-search").hidden).toBe(true);
    expect(document.activeElement).toBe(on.desk.view.root);
    on.desk.press("t");
    on.desk.press("Escape");
    expect(on.desk.find(".alw-search").hidden).toBe(true);
  });
});

describe("what is in a group", () => {
  it("is shown as thumbnails where all are images, with words for who does not see them", () => {
    const content = (buffer: number) =>
      ({ kind: "image", mime: "image/png", buffer, width: 8, height: 8, alt: `digit ${buffer}` }) as const;
    const cards = [0, 1].map((i) => chosen(`i${i}`, "spam", { content: content(i) }));
    const bytes = () => new DataView(new ArrayBuffer(8));
    on.desk.model.receive(message(cards), [bytes(), bytes()]);
    expect(on.desk.find(".alw-items").classList.contains("alw-thumbs")).toBe(true);
    const images = [...on.desk.view.root.querySelectorAll<HTMLImageElement>(".alw-thumb")];
    expect(images.map((image) => image.alt)).toEqual(["digit 0", "digit 1"]);
    expect(images[0]!.src).toMatch(/^blob:/);
    const revoked = vi.spyOn(URL, "revokeObjectURL");
    on.desk.model.queue(textCards("d"));
    expect(revoked).not.toHaveBeenCalled(); // they are on screen
    on.desk.model.receive({ type: "labelled", item_id: "i0" });
    on.desk.model.receive({ type: "labelled", item_id: "i1" });
    on.desk.model.queue(textCards("d"));
    expect(revoked).toHaveBeenCalledTimes(2);
  });

  it("is never markup, and long texts are cut", () => {
    const evil = '<img src=x onerror="alert(1)">';
    on.desk.open([evil, "b"]);
    come([
      chosen(evil, evil, { content: { kind: "text", text: evil + "y".repeat(5_000) } }),
      chosen("p", "b", {
        content: {
          kind: "pair",
          left: { kind: "text", text: evil },
          right: { kind: "table", rows: [{ name: evil, value: 3 }] },
        },
      }),
    ]);
    expect(on.desk.view.root.querySelector("img")).toBeNull();
    expect(items()[0]!.textContent).toContain(evil);
    expect(items()[0]!.textContent!.length).toBeLessThan(600);
    expect(on.desk.find(".alw-items").classList.contains("alw-thumbs")).toBe(false);
    expect(items()[1]!.textContent).toContain(`Left: ${evil}. Right: ${evil}: 3`);
  });

  it("holds five hundred, in one message, and goes without a trace", () => {
    come(Array.from({ length: 500 }, (_, i) => chosen(`g${i}`)));
    expect(items()).toHaveLength(500);
    const before = on.desk.model.sent.length;
    on.desk.press("Enter");
    const events = on.desk.model.sent.slice(before).filter((m) => m.type === "events");
    expect(events).toHaveLength(1);
    expect(items()).toHaveLength(0);
  });

  it("axe finds nothing wrong with it", async () => {
    vi.useRealTimers();
    const style = document.createElement("style");
    style.textContent = "[hidden] { display: none }";
    document.body.append(style);
    const check = async () => {
      const found = await axe.run(on.desk.view.root, { rules: { "color-contrast": { enabled: false } } });
      expect(found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" ")}`)).toEqual([]);
      const focusable = on.desk.view.root.querySelectorAll("button, input, [tabindex]");
      for (const e of focusable)
        expect(e.getAttribute("data-lm-suppress-shortcuts"), e.outerHTML).toBe("true");
    };
    on.desk.press("t");
    await check();
    on.desk.model.receive(message([chosen("v"), chosen("w", null, { stream: "audit" })], 3));
    on.desk.press("ArrowDown");
    on.desk.press("x");
    await check();
    on.desk.press("?");
    await check();
  });
});
