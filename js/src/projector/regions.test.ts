import { afterEach, describe, expect, it, vi } from "vitest";
import type { Place } from "./lasso";
import { overlap, RegionNames } from "./regions";
import { bytes } from "./testing";

const names = new RegionNames();
afterEach(() => {
  names.set(null);
  vi.restoreAllMocks();
});

function sized(width: number, height: number): void {
  vi.spyOn(HTMLElement.prototype, "offsetWidth", "get").mockReturnValue(width);
  vi.spyOn(HTMLElement.prototype, "offsetHeight", "get").mockReturnValue(height);
}

const region = (index: number, size: number, words: string) => ({ index, size, words, image: null });
const shown = () =>
  [...names.root.children]
    .filter((child) => (child as HTMLElement).style.visibility === "")
    .map((child) => child.textContent);
const at: Record<number, Place> = {
  0: [100, 100],
  1: [130, 104],
  2: [300, 100],
  3: [900, 100],
  4: [95, 101],
};

describe("names of regions", () => {
  it("are hidden where they would lie over a larger one, or outside", () => {
    sized(80, 16);
    const regions = [
      region(1, 10, "small"),
      region(4, 9, "beside"),
      region(0, 90, "large"),
      region(2, 20, "far"),
      region(3, 50, "out"),
    ];
    names.set({ revision: 1, regions, buffers: [] });
    names.place((i) => at[i] ?? null, [400, 200], false);
    // The second one moves up, the third one down.
    expect(shown()).toEqual(["large", "far", "small", "beside"]);
    const tops = [...names.root.children].map((child) => (child as HTMLElement).style.transform);
    expect(tops.filter(Boolean)).toEqual([
      "translate(60px, 92px)",
      "translate(260px, 92px)",
      "translate(90px, 68px)",
      "translate(55px, 121px)",
    ]);
    names.place((i) => (i === 3 ? null : [100, 100 + i]), [400, 200], false);
    expect(shown()).toEqual(["large", "far", "small"]);
  });

  it("are whole at the edge", () => {
    sized(80, 16);
    names.set({ revision: 1, regions: [region(0, 1, "left"), region(1, 1, "right")], buffers: [] });
    names.place((i) => [395 * i, 100], [400, 200], false);
    const across = [...names.root.children].map((child) => (child as HTMLElement).style.transform);
    expect(across).toEqual(["translate(4px, 92px)", "translate(316px, 92px)"]);
  });

  it("fade while points move, and come back", () => {
    names.set({ revision: 1, regions: [region(0, 1, "a")], buffers: [] });
    names.place(() => [1, 1], [10, 10], true);
    expect(names.root.style.opacity).toBe("0");
    names.place(() => [1, 1], [10, 10], false);
    expect(names.root.style.opacity).toBe("");
  });

  it("show markup as text", () => {
    names.set({ revision: 1, regions: [region(0, 1, "<img src=x onerror=alert(1)>")], buffers: [] });
    expect(names.root.querySelector("img")).toBeNull();
    expect(names.root.textContent).toContain("<img");
  });

  it("may be images, of the kinds that a browser decodes as such", () => {
    const made = vi.fn(() => "blob:1");
    const gone = vi.fn();
    vi.stubGlobal("URL", { createObjectURL: made, revokeObjectURL: gone });
    const image = { kind: "image", mime: "image/png", buffer: 0, width: 8, height: 8, alt: "" } as const;
    const regions = [
      { ...region(0, 2, ""), image },
      { ...region(1, 1, "svg"), image: { ...image, mime: "image/svg+xml" } },
    ];
    names.set({ revision: 1, regions, buffers: [bytes([1, 2])] });
    const [shownImage, ...others] = names.root.querySelectorAll("img");
    expect(others).toEqual([]);
    expect([shownImage!.width, shownImage!.className]).toEqual([32, "alw-map-enlarged"]);
    names.set(null);
    expect(gone).toHaveBeenCalledWith("blob:1");
    expect(names.root.children).toHaveLength(0);
    vi.unstubAllGlobals();
  });
});

it("boxes that only touch do not overlap", () => {
  expect(overlap([0, 0, 2, 2], [2, 0, 4, 2])).toBe(false);
  expect(overlap([0, 0, 2, 2], [1, 1, 3, 3])).toBe(true);
});
