/** A group to label together on a desk, with a person at the keys and Python played by the test. */
import { beforeEach, vi } from "vitest";
import type { Card, LabelEvent, Together } from "../../shared/messages";
import { useDesk } from "../desk";
import { textCard, textCards } from "../testing";

/** A card of a group. */
export const chosen = (id: string, answer: string | null = "spam", more: Partial<Card> = {}): Card =>
  textCard(id, {
    stream: "chosen",
    suggestion: answer === null ? null : { answer, confidence: 0.9 },
    ...more,
  });

export const message = (cards: Card[], left_out = 0, sample = 0): Together => ({
  type: "together",
  title: "Found “win”",
  cards,
  sample,
  left_out,
});

/** Answers of the events sent, retracted ones left out, as Python has them in the end. */
export function standing(events: LabelEvent[]): string[] {
  const taken = new Set(events.filter((e) => e.kind === "retract").map((e) => e.target));
  const answers = new Map<string, string>();
  for (const e of events) {
    if (e.kind === "answer" && !taken.has(e.event_id)) answers.set(e.item_id, `${e.item_id} ${e.answer}`);
  }
  return [...answers.values()].sort();
}

/** A fresh desk for each test of a file, three cards on it and the keyboard at it. */
export function useGroups() {
  const on = useDesk();
  beforeEach(() => {
    on.desk.model.queue(textCards("a", "b", "c"));
    on.desk.view.root.focus();
  });
  const items = () => [...on.desk.view.root.querySelectorAll<HTMLElement>(".alw-item")];
  return {
    on,
    items,
    /** Has a group come, and be there for long enough to be seen. */
    come(cards = [..."vwxyz"].map((id) => chosen(id)), sample = 0): void {
      on.desk.model.receive(message(cards, 0, sample));
      vi.advanceTimersByTime(600);
    },
    /** What becomes of the items. */
    fates: () => items().map((item) => item.querySelector(".alw-verdict")!.textContent),
    promised: () => on.desk.text(".alw-promise"),
    said: () => on.desk.text("[role=status].alw-hidden"),
    open: () => !on.desk.find(".alw-together").hidden,
    /** The place that has the focus. */
    focused: () => (document.activeElement as HTMLElement).dataset.place,
    /** A key pressed where the focus is. */
    press: (key: string, more: KeyboardEventInit = {}) => on.desk.press(key, more, document.activeElement!),
  };
}
