import { afterEach, describe, expect, it } from "vitest";
import { band, line, Panels } from "./panels";

afterEach(() => document.body.replaceChildren());

describe("small curves", () => {
  it("run from the left to the right end, and from 0 below to 1 above", () => {
    expect(
      line(
        [
          [0, 0, 0, 0.2],
          [50, 1, 0.8, 1],
        ],
        50,
      ),
    ).toBe("M0.00 60.00L100.00 0.00");
    expect(
      band(
        [
          [0, 0, 0, 0.5],
          [50, 1, 0.5, 1],
        ],
        50,
      ),
    ).toBe("M0.00 30.00L100.00 0.00L100.00 30.00L0.00 60.00Z");
  });

  it("are a dot of one round, and nothing of none", () => {
    expect(line([[25, 0.5, 0, 1]], 50)).toBe("M50.00 30.00h0.01");
    expect(band([[25, 0.5, 0, 1]], 50)).toBe("");
    expect(line([], 50)).toBe("");
  });

  it("have names, words, and are not there without classes", () => {
    const panels = new Panels();
    panels.show({});
    expect(panels.root.hidden).toBe(true);
    panels.show({
      title: "Recall of each class",
      panels: [{ name: "<b>ham</b>", words: "80 % (70 to 90 %)", points: [[20, 0.8, 0.7, 0.9]] }],
      more: "3 classes are not shown.",
      axes: "Each from 0 to 100 %.",
      end: 20,
    });
    expect(panels.root.hidden).toBe(false);
    expect(panels.root.querySelector("b")).toBeNull();
    expect(panels.root.querySelector("svg")?.getAttribute("aria-label")).toBe(
      "<b>ham</b>: 80 % (70 to 90 %)",
    );
    expect(panels.root.textContent).toContain("Each from 0 to 100 %. 3 classes are not shown.");
  });
});
