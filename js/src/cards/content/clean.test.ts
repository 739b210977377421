// @vitest-environment jsdom
// happy-dom parses hostile markup otherwise than browsers do
import { describe, expect, it } from "vitest";
import injections from "../../../fixtures/injections.json";
import { cleaned, plainStyle } from "./clean";

const inner = (markup: string) => {
  const box = document.createElement("div");
  box.append(cleaned(markup) ?? "");
  return box;
};

describe("markup", () => {
  it("keeps what a text is made of", () => {
    const box = inner(
      '<h2>Title</h2><p style="color: red">A <b>bold</b> <span dir="rtl">word</span></p>' +
        '<ul><li>one</li></ul><table><tr><td colspan="2">cell</td></tr></table>',
    );
    expect(box.innerHTML).toBe(
      '<h2>Title</h2><p style="color: red">A <b>bold</b> <span dir="rtl">word</span></p>' +
        '<ul><li>one</li></ul><table><tbody><tr><td colspan="2">cell</td></tr></tbody></table>',
    );
  });

  it("keeps images that are in it, and gives them a name", () => {
    const data = "data:image/png;base64,iVBORw0KGgo=";
    expect(inner(`<img src="${data}">`).innerHTML).toBe(`<img src="${data}" alt="">`);
    expect(inner(`<img src="${data}" alt="a cat">`).innerHTML).toBe(`<img src="${data}" alt="a cat">`);
  });

  it("loads no other image", () => {
    for (const src of [
      "https://evil.example/a.png",
      "//evil.example/a.png",
      "a.png",
      "data:image/svg+xml;base64,PHN2Zy8+",
      "data:text/html;base64,AAAA",
      "blob:https://evil.example/1",
    ]) {
      expect(inner(`<img alt="a" src="${src}">`).innerHTML).toBe('<img alt="a">');
    }
  });

  it("makes links inert, and says where they led", () => {
    const box = inner('<a href="https://evil.example/" target="_blank">here</a>');
    expect(box.innerHTML).toBe('<a title="https://evil.example/">here</a>');
  });

  it("keeps links to other pages where they are wanted, in a tab of their own", () => {
    const linked = (markup: string) => {
      const box = document.createElement("div");
      box.append(cleaned(markup, { links: true }) ?? "");
      return box.innerHTML;
    };
    expect(linked('<a href="https://example.org/" onclick="alert(1)">here</a>')).toBe(
      '<a title="https://example.org/" href="https://example.org/" target="_blank" rel="noopener noreferrer">here</a>',
    );
    for (const target of ["javascript:alert(1)", "data:text/html,x", "//example.org", "a.html", "#a"]) {
      expect(linked(`<a href="${target}">here</a>`)).not.toContain("href");
    }
  });

  it.each(injections)("case %#: %s", (markup) => {
    const box = inner(markup);
    for (const element of box.querySelectorAll("*")) {
      expect(element.namespaceURI).toBe("http://www.w3.org/1999/xhtml");
      expect(element.localName).not.toMatch(
        /script|style|svg|math|iframe|frame|object|embed|form|input|button|select|link|meta|base|video|audio|source|template|details|^body|-/,
      );
      for (const { name, value } of element.attributes) {
        expect(name).not.toMatch(
          /^on|^href$|^id$|^class$|^name$|^data-|srcset|background|poster|action|slot|is$/,
        );
        if (name === "src") expect(value).toMatch(/^data:image\/(png|jpeg|webp|gif);base64,/);
        if (name === "style") expect(value).not.toMatch(/url|[\\'"@]|position|expression|image-set|var\(/);
      }
    }
  });
});

describe("styles", () => {
  it("keep what only changes how text looks", () => {
    const style = "color: #123; FONT-WEIGHT: bold; margin: 0 4px;background-color:rgb(1, 2, 3)";
    expect(plainStyle(style)).toBe(
      "color: #123; font-weight: bold; margin: 0 4px; background-color: rgb(1, 2, 3)",
    );
  });

  it.each([
    "background-color: url(https://evil.example/a.png)",
    "color: u\\72l(//evil.example)",
    "color: red/**/url(x)",
    "color: var(--x)",
    "width: calc(1px)",
    "color: 'a'",
    "position: fixed",
    "background: red",
    "--x: red",
    ": red",
    "color",
    "",
  ])("drop %s", (style) => expect(plainStyle(style)).toBe(""));
});
