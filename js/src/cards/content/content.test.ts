import axe from "axe-core";
import { describe, expect, it, vi } from "vitest";
import type { CardContent, ImageContent } from "../../shared/messages";
import { useDesk } from "../desk";
import { textCard } from "../testing";
import { spoken } from "../why";
import { shown } from "./table";
import { marked } from "./text";

const on = useDesk();

const IMAGE: ImageContent = {
  kind: "image",
  mime: "image/png",
  buffer: 0,
  width: 640,
  height: 480,
  alt: "Item a",
};
const AUDIO: CardContent = { kind: "audio", mime: "audio/wav", buffer: 1, alt: "Item a" };
const TEXT: CardContent = { kind: "text", text: "a text" };
const bytes = (n: number) => new DataView(new ArrayBuffer(n));

/** Puts contents on cards a, b, c, … */
function give(...contents: CardContent[]): void {
  const cards = contents.map((content, i) => textCard("abcdef"[i]!, { content }));
  const message = { type: "queue", cards, model_version: 1, exhausted: false } as const;
  on.desk.model.receive(message, [bytes(8), bytes(44)]);
}

describe("text", () => {
  it("takes its direction from its letters", () => {
    give({ kind: "text", text: "الاجتماع في الثالثة 🎉" });
    expect(on.desk.find(".alw-text").getAttribute("dir")).toBe("auto");
    expect(on.desk.text(".alw-text")).toBe("الاجتماع في الثالثة 🎉");
  });

  it("takes the place of another in the same element, and nothing of that one stays", () => {
    give(
      { kind: "text", text: "win a prize", marks: [[0, 3, 1]] },
      { kind: "text", text: "x".repeat(100) },
      { kind: "text", text: "<b>short</b>" },
      { kind: "text", text: "f(x)", code: true },
      { kind: "text", text: "a prize", marks: [[2, 7, 1]] },
      { kind: "text", text: "" },
    );
    const first = on.desk.find(".alw-text");
    const next = () => {
      on.desk.press("1");
      const { textContent, dataset } = on.desk.find(".alw-stage").firstElementChild as HTMLElement;
      return [textContent, dataset.size, on.desk.view.root.querySelectorAll("mark").length];
    };
    expect(next()).toEqual(["x".repeat(100), "medium", 0]);
    expect(next()).toEqual(["<b>short</b>", "short", 0]);
    expect(on.desk.find(".alw-text")).toBe(first);
    expect(next()).toEqual(["f(x)", undefined, 0]);
    expect(on.desk.view.root.querySelector(".alw-text")).toBeNull();
    expect(next()).toEqual(["a prize", "short", 1]);
    expect(next()).toEqual(["", "short", 0]);
  });

  it("is code where it says so, its white space kept, and named", () => {
    const code = "def f(x):\n\treturn  x  # שלום";
    give({ kind: "text", text: code, code: true, language: "python" });
    expect(on.desk.text("pre code")).toBe(code);
    expect(on.desk.find("pre").getAttribute("aria-label")).toBe("Code, python");
    expect(on.desk.find("code").getAttribute("dir")).toBe("ltr");
  });

  it("highlights the words that drove the suggestion, counted as Python counts", () => {
    give({
      kind: "text",
      text: "👩‍🚀 win a 😀prize now",
      marks: [
        [10, 16, 0.5],
        [4, 7, -0.25],
      ],
    });
    const marks = [...on.desk.view.root.querySelectorAll<HTMLElement>("mark")];
    expect(marks.map((m) => m.textContent)).toEqual(["win", "😀prize"]);
    expect(marks.map((m) => m.classList.contains("alw-against"))).toEqual([true, false]);
    expect(marks[1]!.title).toBe("Weight 0.50: speaks for the suggestion");
    expect(marks.map((m) => m.style.getPropertyValue("--alw-weight"))).toEqual(["0.50", "1.00"]);
    expect(on.desk.text(".alw-text")).toBe("👩‍🚀 win a 😀prize now");
  });

  it("keeps every letter whatever the marks are", () => {
    const text = "ab😀cd";
    for (const marks of [
      [
        [0, 3, 1],
        [2, 5, 1],
      ],
      [[4, 99, 1]],
      [[7, 9, 1]],
      [[3, 2, 0]],
      [[0, 5, 0]],
      [[Number.NaN, 2, 1]],
    ] as [number, number, number][][]) {
      const box = document.createElement("p");
      box.append(...marked(text, marks));
      expect(box.textContent).toBe(text);
    }
  });
});

describe("a table", () => {
  it("has a header for each field, and numbers to the right", () => {
    give({
      kind: "table",
      rows: [
        { name: "age", value: 31 },
        { name: "city", value: "Bern" },
        { name: "note", value: null },
      ],
    });
    const rows = [...on.desk.view.root.querySelectorAll("tr")];
    expect(rows.map((r) => r.textContent)).toEqual(["age31", "cityBern", "note–"]);
    expect(rows.map((r) => r.cells[1]!.className)).toEqual(["alw-number", "", "alw-missing"]);
    expect(rows[0]!.cells[0]!.getAttribute("scope")).toBe("row");
  });

  it.each([
    [31, "31"],
    [2024, "2024"],
    [12500, "12,500"],
    [1234567.891, "1,234,567.89"],
    [-40000, "-40,000"],
    [0.1 + 0.2, "0.3"],
    [1 / 3, "0.333333"],
    [0, "0"],
    [1.23456789e-9, "1.23457e-9"],
    [6.02e23, "6.02e+23"],
    [true, "true"],
    ["007", "007"],
    [null, "–"],
  ])("shows %s as %s", (value, text) => expect(shown(value)).toBe(text));
});

describe("sounds", () => {
  it("wait to be started, come as blobs, and go back", () => {
    const revoked = vi.spyOn(URL, "revokeObjectURL");
    give(AUDIO, TEXT);
    const player = on.desk.find<HTMLAudioElement>("audio");
    expect(player.src).toMatch(/^blob:/);
    expect(player.autoplay).toBe(false);
    expect(player.getAttribute("aria-label")).toBe("Item a");
    expect(player.dataset.lmSuppressShortcuts).toBe("true");
    on.desk.press("1");
    expect(on.desk.view.root.querySelector("audio")).toBeNull();
    on.desk.state.dispose();
    expect(revoked).toHaveBeenCalledWith(player.src);
  });

  it("have Space while they have the focus, and the cards have the rest", () => {
    give(AUDIO, AUDIO, AUDIO);
    const press = on.desk.press(" ", {}, on.desk.find("audio"));
    expect(press.defaultPrevented).toBe(false);
    expect(on.desk.itemId).toBe("a");
    on.desk.press("1", {}, on.desk.find("audio"));
    expect(on.desk.itemId).toBe("b");
    on.desk.press(" ");
    expect(on.desk.itemId).toBe("c");
  });

  it("leave the keyboard to the cards when they go", () => {
    give(AUDIO, TEXT);
    on.desk.find("audio").focus();
    on.desk.press("1", {}, on.desk.find("audio"));
    expect(document.activeElement).toBe(on.desk.view.root);
  });

  it("that did not come, or are of another type, are told of", () => {
    give({ ...AUDIO, mime: "audio/evil" }, { ...AUDIO, buffer: 9 });
    expect(on.desk.text(".alw-stage")).toContain("No sound came");
    on.desk.press("1");
    expect(on.desk.text(".alw-stage")).toContain("No sound came");
  });

  it("that are damaged are told of", () => {
    give(AUDIO);
    on.desk.find("audio").dispatchEvent(new Event("error"));
    expect(on.desk.text(".alw-stage")).toContain("cannot be played");
  });
});

describe("images", () => {
  const many = (n: number, size = { width: 100, height: 100 }) => {
    const cards = Array.from({ length: n }, (_, i) => textCard(`i${i}`, { content: { ...IMAGE, ...size } }));
    on.desk.model.receive({ type: "queue", cards, model_version: 1, exhausted: false }, [bytes(8)]);
  };

  it("become blobs as their cards draw near, one at a time, whatever number arrives", () => {
    const made = vi.spyOn(URL, "createObjectURL");
    made.mockClear();
    many(100);
    expect(made).toHaveBeenCalledTimes(1);
    for (let ms = 0; ms < 3_000; ms += 10) {
      const before = made.mock.calls.length;
      vi.advanceTimersByTime(10); // a key may be pressed in between
      expect(made.mock.calls.length - before).toBeLessThan(2);
    }
    expect(made).toHaveBeenCalledTimes(49);
    for (let press = 1; press <= 30; press++) {
      on.desk.press("1");
      expect(made).toHaveBeenCalledTimes(48 + press); // the next one is ready
      vi.advanceTimersByTime(60);
      expect(made).toHaveBeenCalledTimes(49 + press);
    }
  });

  it("are made ready between the frames of presses, and ask for none of their own", () => {
    many(100);
    vi.advanceTimersByTime(100);
    const asked = vi.spyOn(globalThis, "requestAnimationFrame");
    vi.advanceTimersByTime(3_000);
    expect(asked).not.toHaveBeenCalled();
  });

  it("are made ready for fewer cards where they are large", () => {
    const made = vi.spyOn(URL, "createObjectURL");
    made.mockClear();
    many(100, { width: 4000, height: 3000 });
    vi.advanceTimersByTime(3_000);
    expect(made).toHaveBeenCalledTimes(13);
  });

  it("are made ready for as many cards as eight million pixels hold", () => {
    const made = vi.spyOn(URL, "createObjectURL");
    made.mockClear();
    many(100, { width: 1000, height: 400 });
    vi.advanceTimersByTime(3_000);
    expect(made).toHaveBeenCalledTimes(21);
  });

  it("that are small are not decoded ahead", () => {
    const decode = vi.spyOn(HTMLImageElement.prototype, "decode").mockResolvedValue();
    vi.spyOn(HTMLImageElement.prototype, "complete", "get").mockReturnValue(true);
    many(20, { width: 320, height: 240 });
    vi.advanceTimersByTime(3_000);
    for (let press = 0; press < 9; press++) on.desk.press("1");
    for (const image of on.desk.view.root.querySelectorAll("img")) image.dispatchEvent(new Event("load"));
    vi.advanceTimersByTime(3_000);
    expect(decode).not.toHaveBeenCalled();
  });

  it("that are large are decoded once one draws near, all that came, or while nobody presses", () => {
    const images: HTMLImageElement[] = [];
    const create = document.createElement.bind(document);
    vi.spyOn(document, "createElement").mockImplementation(((tag: string) => {
      const element = create(tag);
      if (tag === "img") images.push(element as HTMLImageElement);
      return element;
    }) as typeof document.createElement);
    const decode = vi.spyOn(HTMLImageElement.prototype, "decode").mockResolvedValue();
    const come = (...which: number[]) => {
      for (const i of which) {
        Object.defineProperty(images[i], "complete", { value: true });
        images[i]!.dispatchEvent(new Event("load"));
      }
    };
    vi.spyOn(HTMLImageElement.prototype, "complete", "get").mockReturnValue(false);
    many(100, { width: 400, height: 300 });
    vi.advanceTimersByTime(3_000);
    expect(images).toHaveLength(49);
    expect(decode).not.toHaveBeenCalled();
    come(0, 1, 2);
    vi.advanceTimersByTime(299);
    expect(decode).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(decode.mock.contexts).toEqual(images.slice(0, 3));
    come(3, 4, 5, 6);
    on.desk.press("1"); // 4 is three cards away
    expect(decode.mock.contexts).toEqual(images.slice(0, 7));
    come(7, 8, 9, 10);
    on.desk.press("1");
    on.desk.press("1");
    expect(decode).toHaveBeenCalledTimes(7);
    on.desk.press("1"); // and now 7 is
    expect(decode.mock.contexts).toEqual(images.slice(0, 11));
    come(11);
    vi.advanceTimersByTime(1_000);
    expect(decode.mock.contexts).toEqual(images.slice(0, 12)); // each once
  });

  it("go back when their items are gone, and those that were never shown cost nothing", () => {
    const made = vi.spyOn(URL, "createObjectURL");
    const revoked = vi.spyOn(URL, "revokeObjectURL");
    made.mockClear();
    revoked.mockClear();
    give(IMAGE, TEXT);
    vi.advanceTimersByTime(20);
    on.desk.state.dispose();
    expect(revoked.mock.calls.map(([url]) => url)).toEqual(made.mock.results.map(({ value }) => value));
    expect(on.desk.state.blobs.size).toBe(0);
  });
});

describe("several contents", () => {
  it("each have their file, whatever message brought it", () => {
    const fields: CardContent = {
      kind: "fields",
      fields: [
        { name: "photo", content: IMAGE },
        { name: "sound", content: AUDIO },
        { name: "said", content: TEXT },
      ],
    };
    give(fields);
    const first = [on.desk.find("img").getAttribute("src"), on.desk.find("audio").getAttribute("src")];
    expect(new Set(first).size).toBe(2);
    expect(on.desk.state.blobs.size).toBe(2);
    // the same item again, from a message in which its files stand elsewhere
    give(structuredClone(fields));
    expect(on.desk.state.blobs.size).toBe(2);
    expect([on.desk.find("img").getAttribute("src"), on.desk.find("audio").getAttribute("src")]).toEqual(
      first,
    );
    expect([...on.desk.view.root.querySelectorAll("dl.alw-fields dt")].map((t) => t.textContent)).toEqual([
      "photo",
      "sound",
      "said",
    ]);
  });

  it("stand side by side in a pair", () => {
    give({ kind: "pair", left: TEXT, right: { ...TEXT, text: "another" } });
    const sides = [...on.desk.view.root.querySelectorAll(".alw-side")];
    expect(sides.map((s) => [s.getAttribute("aria-label"), s.textContent])).toEqual([
      ["Left", "a text"],
      ["Right", "another"],
    ]);
  });

  it("of a kind that this page does not know are told of", () => {
    give({ kind: "hologram" } as unknown as CardContent);
    expect(on.desk.text(".alw-stage")).toContain("Reload the page");
  });
});

describe("zoom", () => {
  const stage = () => on.desk.find(".alw-stage");
  const click = (target: Element) => target.dispatchEvent(new MouseEvent("click", { bubbles: true }));

  it("shows an image alone at a click, and puts it back at another", () => {
    give({
      kind: "fields",
      fields: [
        { name: "photo", content: IMAGE },
        { name: "said", content: TEXT },
      ],
    });
    const image = on.desk.find<HTMLImageElement>("img");
    click(image);
    expect([...stage().childNodes]).toEqual([image]);
    expect(stage().classList.contains("alw-zoomed")).toBe(true);
    expect(image.style.width).not.toBe("");
    click(image);
    expect(stage().classList.contains("alw-zoomed")).toBe(false);
    expect(on.desk.find("dd img")).toBe(image);
    expect(on.desk.text(".alw-stage")).toContain("a text");
    expect(image.style.width).toBe("");
  });

  it("ends with the card, and the image comes back as it was", () => {
    give(IMAGE, TEXT);
    const image = on.desk.find<HTMLImageElement>("img");
    click(image);
    on.desk.press("1");
    expect(on.desk.text(".alw-stage")).toBe("a text");
    expect(stage().classList.contains("alw-zoomed")).toBe(false);
    on.desk.press("Backspace");
    expect(on.desk.find<HTMLImageElement>("img").style.width).toBe("");
  });

  it("pans by dragging, which is no click", () => {
    give(IMAGE);
    const image = on.desk.find("img");
    click(image);
    stage().setPointerCapture = () => {};
    const point = (name: string, x: number) =>
      image.dispatchEvent(
        new PointerEvent(name, {
          bubbles: true,
          clientX: x,
          clientY: 50,
          pointerId: 1,
          pointerType: "mouse",
        }),
      );
    stage().scrollLeft = 100;
    point("pointerdown", 60);
    point("pointermove", 20);
    point("pointerup", 20);
    click(stage());
    expect(stage().scrollLeft).toBe(140);
    expect(stage().classList.contains("alw-zoomed")).toBe(true);
    point("pointermove", 0);
    expect(stage().scrollLeft).toBe(140);
  });

  it("leaves the keyboard to the cards when the image fits again", () => {
    give(IMAGE);
    Object.defineProperty(stage(), "scrollWidth", { value: 1400, configurable: true });
    click(on.desk.find("img"));
    stage().focus();
    expect(document.activeElement).toBe(stage());
    Object.defineProperty(stage(), "scrollWidth", { value: 0 });
    click(on.desk.find("img"));
    expect(document.activeElement).toBe(on.desk.view.root);
  });

  it("has a key, and Escape ends it before it leaves the cards", () => {
    give(IMAGE);
    on.desk.view.focus();
    on.desk.press("z");
    expect(stage().classList.contains("alw-zoomed")).toBe(true);
    Object.defineProperty(stage(), "clientWidth", { value: 400, configurable: true });
    const before = stage().scrollLeft;
    on.desk.press("ArrowRight");
    expect(stage().scrollLeft).toBe(before + 100);
    on.desk.press("Escape");
    expect(stage().classList.contains("alw-zoomed")).toBe(false);
    expect(document.activeElement).toBe(on.desk.view.root);
    on.desk.press("Escape");
    expect(document.activeElement).not.toBe(on.desk.view.root);
  });

  it("leaves texts alone", () => {
    give(TEXT);
    click(on.desk.find(".alw-text"));
    expect(stage().classList.contains("alw-zoomed")).toBe(false);
  });
});

describe("read out", () => {
  it.each<[CardContent, string]>([
    [TEXT, "a text"],
    [{ kind: "text", text: "x = 1", code: true }, "Code: x = 1"],
    [IMAGE, "Item a"],
    [AUDIO, "Item a, a sound"],
    [{ kind: "table", rows: [{ name: "age", value: 31 }] }, "age: 31"],
    [{ kind: "html", markup: "<b>hello</b>", text: "hello" }, "hello"],
    [{ kind: "pair", left: TEXT, right: IMAGE }, "Left: a text. Right: Item a"],
    [{ kind: "fields", fields: [{ name: "said", content: TEXT }] }, "said: a text"],
  ])("%j", (content, words) => {
    expect(spoken(textCard("a", { content }), "")).toBe(words);
  });

  it("axe finds nothing in any of them", async () => {
    vi.useRealTimers();
    const style = document.createElement("style");
    style.textContent = "[hidden] { display: none }"; // a browser has that of its own
    document.body.append(style);
    const kinds: CardContent[] = [
      { kind: "text", text: "x", code: true, marks: [[0, 1, 1]] },
      IMAGE,
      AUDIO,
      { kind: "table", rows: [{ name: "age", value: 31 }] },
      { kind: "pair", left: TEXT, right: IMAGE },
      { kind: "fields", fields: [{ name: "said", content: TEXT }] },
    ];
    for (const content of kinds) {
      give(content);
      const { violations } = await axe.run(on.desk.view.root, {
        rules: { "color-contrast": { enabled: false } },
      });
      expect(violations.map((v) => `${content.kind}: ${v.id}`)).toEqual([]);
      on.desk.press("1");
    }
  });
});
