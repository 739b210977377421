// @vitest-environment jsdom
// happy-dom parses hostile markup otherwise than browsers do
import { describe, expect, it, vi } from "vitest";
import injections from "../../../fixtures/injections.json";
import type { CardContent } from "../../shared/messages";
import { useDesk } from "../desk";
import { textCard } from "../testing";

URL.createObjectURL = () => "blob:null/1"; // jsdom has none
URL.revokeObjectURL = () => {};
const on = useDesk();

it("markup of the next cards is cleaned between two key presses", () => {
  const parse = vi.spyOn(DOMParser.prototype, "parseFromString");
  const content = (n: number): CardContent => ({ kind: "html", markup: `<b>${n}</b>`, text: "" });
  on.desk.model.queue([0, 1, 2, 3, 4].map((n) => textCard(`item ${n}`, { content: content(n) })));
  expect(parse).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(1_000);
  expect(parse).toHaveBeenCalledTimes(4);
  on.desk.press("1");
  expect(parse).toHaveBeenCalledTimes(4);
  const shown = () => on.desk.find(".alw-html").shadowRoot!.querySelector("b")!.textContent;
  expect(shown()).toBe("1");
  on.desk.press("Backspace"); // what was shown once can be shown again
  expect(shown()).toBe("0");
  on.desk.close();
  expect(vi.getTimerCount()).toBe(0);
});

/** What the cards make themselves. */
const OWN =
  /^(div|span|p|dl|dt|dd|button|svg|path|kbd|input|form|select|option|code|pre|mark|table|tbody|tr|th|td|img|audio|label|ul|li|b|h[1-6])$/;

function everything(root: ParentNode): Element[] {
  return [...root.querySelectorAll("*")];
}

describe.each(injections)("%j", (evil) => {
  const contents: CardContent[] = [
    { kind: "text", text: evil },
    { kind: "text", text: evil, code: true, language: evil, marks: [[0, 3, 1]] },
    { kind: "image", mime: "image/png", buffer: 0, width: 9, height: 9, alt: evil },
    { kind: "audio", mime: "audio/wav", buffer: 0, alt: evil },
    { kind: "table", rows: [{ name: evil, value: evil }] },
    { kind: "pair", left: { kind: "text", text: evil }, right: { kind: "text", text: evil } },
    { kind: "fields", fields: [{ name: evil, content: { kind: "text", text: evil } }] },
  ];

  it("is text wherever it stands", () => {
    const errors = vi.spyOn(console, "error");
    on.desk.open([evil, "other"]);
    const cards = contents.map((content, i) =>
      textCard(`${i} ${evil}`, {
        content,
        metadata: { [evil]: evil, file: evil },
        suggestion: { answer: evil, confidence: 0.5 },
        reason: { strategy: evil, score: 0, model_version: 1 },
      }),
    );
    const message = { type: "queue", cards, model_version: 1, exhausted: true } as const;
    on.desk.model.receive(message, [new DataView(new ArrayBuffer(8))]);
    on.desk.model.receive({ type: "problem", text: evil, remedy: evil });
    on.desk.press("e"); // the classes stand in a form, too
    for (const { item_id } of cards) {
      expect(on.desk.itemId).toBe(item_id);
      for (const element of everything(on.desk.view.root)) {
        expect(element.localName).toMatch(OWN);
        for (const { name, value } of element.attributes) {
          expect(name).not.toMatch(/^on|^href$|srcset|background|poster|action/);
          if (name === "src") expect(value).toBe("blob:null/1");
        }
      }
      on.desk.press("1");
    }
    expect(on.desk.text(".alw-last")).toBe(`last: labelled ${evil}`);
    expect(errors).not.toHaveBeenCalled();
  });

  it("is clean as markup", () => {
    on.desk.model.queue([textCard("a", { content: { kind: "html", markup: evil, text: "words" } })]);
    const root = on.desk.find(".alw-html").shadowRoot!;
    document.body.append(on.desk.view.root); // where scripts would run
    for (const element of everything(root)) {
      expect(element.localName).not.toMatch(
        /script|svg|math|frame|object|embed|form|input|button|link|meta|^base/,
      );
      for (const { name, value } of element.attributes) {
        expect(name).not.toMatch(/^on|^href$|^id$|^class$|srcset|background|poster|action/);
        expect(name === "title" ? "" : value).not.toMatch(/evil\.example|javascript:/);
      }
    }
    expect(root.querySelectorAll("style")).toHaveLength(1); // ours
    expect((window as { __ran?: number }).__ran).toBeUndefined();
  });
});
