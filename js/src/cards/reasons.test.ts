import { describe, expect, it } from "vitest";
import type { TextContent } from "../shared/messages";
import { useDesk } from "./desk";
import { textCards } from "./testing";

const on = useDesk();

function show(suggestion: { answer: string; confidence: number } | null): void {
  const cards = textCards("a", "b");
  (cards[0]!.content as TextContent).text = "🎉 win the prize, not the meeting";
  cards[0]!.suggestion = suggestion;
  on.desk.model.queue(cards);
}

const words = (item_id: string) =>
  on.desk.model.receive({
    type: "words",
    item_id,
    marks: [
      [2, 5, 0.4],
      [10, 15, 1],
      [25, 32, -0.25],
    ],
  });

const marked = () => [...on.desk.view.root.querySelectorAll("mark")].map((m) => m.textContent);

describe("the words that drive a suggestion", () => {
  it("are told in the panel, strongest first, and stay marked in the text until the card goes", () => {
    show({ answer: "spam", confidence: 0.9 });
    on.desk.press("w");
    expect(on.desk.text(".alw-reasons-words")).toBe("");
    words("a");
    expect(on.desk.text(".alw-reasons-words")).toBe(
      "Words for the suggestion: prize, win. Against it: meeting.",
    );
    expect(marked()).toEqual(["win", "prize", "meeting"]);
    on.desk.press("Escape");
    expect(marked()).toEqual(["win", "prize", "meeting"]);
    expect(on.desk.text(".alw-text")).toBe("🎉 win the prize, not the meeting");
    on.desk.press("1");
    expect(on.desk.itemId).toBe("b");
    expect(marked()).toEqual([]);
  });

  it("are not shown of another card, nor where no suggestion is shown", () => {
    show(null);
    on.desk.press("w");
    words("b");
    expect(marked()).toEqual([]);
    words("a");
    expect(marked()).toEqual([]);
    expect(on.desk.text(".alw-reasons-words")).toBe("");
  });
});
