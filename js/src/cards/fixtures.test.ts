/** Messages as both sides know them: what comes is shown, and what is sent has the same shape. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { LabelEvent } from "../shared/messages";
import { useDesk } from "./desk";
import { freeText, multiLabel } from "./testing";

const on = useDesk();
const read = (name: string) => JSON.parse(readFileSync(join("fixtures", "messages", name), "utf8")).message;
const shape = (event: object) =>
  Object.fromEntries(Object.entries(event).map(([k, v]) => [k, v === null ? "null" : typeof v]));
const like = (events: LabelEvent[], fixture: LabelEvent[]) =>
  expect(events.map(shape)).toEqual(fixture.map(shape));

describe("fixtures", () => {
  it("of several labels: marked as suggested, and saved as they are stored", () => {
    on.desk.model.set("_task", multiLabel(["joy", "love", "envy"]));
    on.desk.model.receive(read("cards_queue_multilabel.json"));
    expect(on.desk.text(".alw-chip-text")).toBe("suggests joy, envy · 61 %");
    on.desk.press("Enter");
    on.desk.press("Enter");
    const [several, none] = read("cards_events_multilabel.json").events;
    expect(on.desk.model.events.map((e) => e.answer)).toEqual([several.answer, none.answer]);
    like(on.desk.model.events, [several, none]);
  });

  it("of a text: the box begins with it, and it is saved as it is stored", () => {
    on.desk.model.set("_task", freeText());
    on.desk.model.receive(read("cards_queue_text.json"));
    const box = on.desk.find<HTMLTextAreaElement>(".alw-textbox");
    expect(box.value).toBe("Teh cat sat on teh mat.");
    const text = read("cards_events_multilabel.json").events[2];
    box.value = text.answer;
    box.dispatchEvent(new InputEvent("input", { bubbles: true }));
    on.desk.press("Enter", {}, box);
    expect(on.desk.model.events[0]?.answer).toBe(text.answer);
    like(on.desk.model.events, [text]);
  });

  it("of a comment: put on, and taken off", () => {
    on.desk.model.receive(read("cards_queue_text.json"));
    const fixture: LabelEvent[] = read("cards_events_comment.json").events;
    for (const { comment } of fixture) {
      on.desk.press("c");
      const line = on.desk.find<HTMLInputElement>(".alw-comment-input");
      line.value = comment!;
      on.desk.press("Enter", {}, line);
    }
    expect(on.desk.model.events.map((e) => e.comment)).toEqual(fixture.map((e) => e.comment));
    like(on.desk.model.events, fixture);
  });
});
