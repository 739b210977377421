// @vitest-environment jsdom
// happy-dom parses hostile markup otherwise than browsers do
import { describe, expect, it } from "vitest";
import injections from "../../fixtures/injections.json";
import { useDesk } from "./desk";
import { textCards } from "./testing";

const on = useDesk();
const panel = () => on.desk.find(".alw-guidelines");
const text = () => on.desk.find(".alw-guide-text");
const button = () => on.desk.find(".alw-guide");
const MARKDOWN = "# Spam\n\nAsks for **money**.\n\n- [x] read it\n\n[more](https://example.org/a?b=1)";

describe("guidelines", () => {
  it("are not there where there are none", () => {
    on.desk.model.queue(textCards("a"));
    expect(button().hidden).toBe(true);
    on.desk.press("g");
    expect(panel().hidden).toBe(true);
    on.desk.press("?");
    expect(on.desk.text(".alw-help-rows")).not.toContain("guidelines");
  });

  it("are read when they are first opened, take the focus, and give it back", () => {
    on.desk.model.set("_guidelines", MARKDOWN);
    on.desk.model.queue(textCards("a"));
    expect(text().childNodes).toHaveLength(0);
    expect(on.desk.press("g").defaultPrevented).toBe(true);
    expect(document.activeElement).toBe(text());
    expect(button().getAttribute("aria-expanded")).toBe("true");
    expect(on.desk.text(".alw-guide-text h1")).toBe("Spam");
    expect(on.desk.text(".alw-guide-text strong")).toBe("money");
    expect(on.desk.text(".alw-guide-text li")).toBe("☑ read it");
    on.desk.press("Escape", {}, text());
    expect(panel().hidden).toBe(true);
    expect(document.activeElement).toBe(on.desk.view.root);
    button().click();
    on.desk.find(".alw-guide-head button").click();
    expect(panel().hidden).toBe(true);
    on.desk.press("g");
    on.desk.press("g", {}, text());
    expect(panel().hidden).toBe(true);
  });

  it("stay beside the cards while one labels; keys that scroll are theirs", () => {
    on.desk.model.set("_guidelines", MARKDOWN);
    on.desk.model.queue(textCards("a", "b", "c"));
    on.desk.press("g");
    for (const key of ["ArrowDown", "PageUp", " ", "End"]) {
      expect(on.desk.press(key, {}, text()).defaultPrevented, key).toBe(true);
    }
    expect(on.desk.model.events).toEqual([]);
    on.desk.press("2", {}, text());
    expect(on.desk.model.events.map((e) => e.answer)).toEqual(["spam"]);
    expect(panel().hidden).toBe(false);
    on.desk.view.focus();
    on.desk.press("Escape");
    expect(panel().hidden).toBe(true);
    expect(document.activeElement).toBe(on.desk.view.root);
  });

  it("have links that open elsewhere, and keep their keys", () => {
    on.desk.model.set(
      "_guidelines",
      `${MARKDOWN} [mail](mailto:a@example.org) [no](javascript:alert(1)) [here](./file.html) [hash](#a)`,
    );
    on.desk.press("g");
    const links = [...text().querySelectorAll("a")].map((a) => [a.textContent, a.getAttribute("href")]);
    expect(links).toEqual([
      ["more", "https://example.org/a?b=1"],
      ["mail", "mailto:a@example.org"],
      ["no", null],
      ["here", null],
      ["hash", null],
    ]);
    const link = text().querySelector("a")!;
    expect(link.target).toBe("_blank");
    expect(link.rel).toBe("noopener noreferrer");
    expect(link.getAttribute("data-lm-suppress-shortcuts")).toBe("true");
    expect(on.desk.press("Enter", {}, link).defaultPrevented).toBe(false);
    expect(on.desk.model.events).toEqual([]);
  });

  it("follow when they change, open or closed, and go when there are none", () => {
    on.desk.model.set("_guidelines", "one");
    on.desk.press("g");
    on.desk.model.set("_guidelines", "two");
    expect(text().textContent?.trim()).toBe("two");
    on.desk.press("Escape", {}, text());
    on.desk.model.set("_guidelines", "three");
    button().focus();
    on.desk.press("g");
    expect(text().textContent?.trim()).toBe("three");
    on.desk.model.set("_guidelines", "");
    expect(panel().hidden).toBe(true);
    expect(button().hidden).toBe(true);
    expect(document.activeElement).toBe(on.desk.view.root);
  });

  it.each(injections)("case %#: nothing of %s runs, loads or leads away", (markup) => {
    on.desk.model.set("_guidelines", `before\n\n${markup}\n\n![a](https://evil.example/a.png) after`);
    on.desk.press("g");
    for (const element of text().querySelectorAll("*")) {
      expect(element.localName).not.toMatch(
        /script|style|svg|math|frame|object|embed|form|input|button|select|link|meta|base|video|audio|source|template|-/,
      );
      for (const { name, value } of element.attributes) {
        expect(name).not.toMatch(/^on|^id$|^class$|^name$|srcset|background|poster|action|^is$/);
        if (name === "src") expect(value).toMatch(/^data:image\/(png|jpeg|webp|gif);base64,/);
        if (name === "href") {
          expect(value).toMatch(/^(https?:\/\/|mailto:)/i);
          expect(element.getAttribute("rel")).toBe("noopener noreferrer");
          expect(element.getAttribute("target")).toBe("_blank");
        }
      }
    }
  });
});
