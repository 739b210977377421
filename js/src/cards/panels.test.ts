import { describe, expect, it } from "vitest";
import { useDesk } from "./desk";
import { classification, textCards } from "./testing";

const on = useDesk();

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
