import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Listeners } from "../shared/listeners";
import { decodeColours } from "./codecs";
import { entriesOf, Legend, short } from "./legend";
import { MapState } from "./state";
import { at, bytes, FakeModel } from "./testing";
import { MapView } from "./view";
import { announced, described } from "./words";

let model: FakeModel;
let state: MapState;
let view: MapView;

beforeEach(() => {
  vi.useFakeTimers();
  model = new FakeModel();
  state = new MapState(model);
  view = new MapView(state);
  document.body.append(view.root);
  model.points(4);
  model.labels([0, 1, 1, 255]);
});
afterEach(() => {
  view.dispose();
  state.dispose();
  vi.useRealTimers();
});

const find = <T extends HTMLElement>(selector: string) => view.root.querySelector<T>(selector)!;
function press(key: string, target: HTMLElement = view.root): KeyboardEvent {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
  target.dispatchEvent(event);
  return event;
}

describe("the root", () => {
  it("says what is shown, for tests and for screen readers", () => {
    expect(view.root.dataset).toMatchObject({
      view: "projector",
      layout: "pca",
      colourBy: "label",
      colourVersion: "0",
      selected: "0",
    });
    model.points(4, { layout: "umap", revision: 2 });
    model.labels([0, 1, 1, 0], { version: 7 });
    expect(view.root.dataset).toMatchObject({ layout: "umap", colourVersion: "7" });
    expect(view.root.getAttribute("aria-label")).toBe(
      "Map of 4 items laid out by UMAP, coloured by label, ham 2, spam 2. Nothing selected.",
    );
  });

  it("keeps the host's shortcuts out, on everything that takes the focus", () => {
    const focusable = [view.root, ...view.root.querySelectorAll<HTMLElement>("button, select, [tabindex]")];
    expect(focusable.length).toBeGreaterThan(6);
    for (const element of focusable) expect(element.dataset.lmSuppressShortcuts).toBe("true");
  });

  it("lets no key out", () => {
    const outside = vi.fn();
    document.body.addEventListener("keydown", outside);
    for (const key of ["x", "Enter", "d", "Escape"]) press(key);
    press("a", find("select"));
    document.body.removeEventListener("keydown", outside);
    expect(outside).not.toHaveBeenCalled();
  });
});

describe("the selection", () => {
  it("can be made from the legend, queued with Enter and taken back with Escape", () => {
    find('[data-code="2"]').click();
    expect(view.root.dataset.selected).toBe("2");
    expect(model.last).toEqual({ message: { type: "select", encoding: "positions" }, indices: [1, 2] });
    expect(find(".alw-map-selection").hidden).toBe(false);
    expect(find(".alw-map-chosen").textContent).toBe("2 selected");
    expect(press("Enter").defaultPrevented).toBe(true);
    expect(model.last).toEqual({ message: { type: "label_next", encoding: "positions" }, indices: [1, 2] });
    expect(find<HTMLButtonElement>(".alw-map-next").disabled).toBe(true);
    model.receive({ type: "queued", count: 2, text: "2 cards come next." });
    expect(view.root.dataset.selected).toBe("0");
    expect(find(".alw-map-selection").hidden).toBe(true);
    expect(find(".alw-map-notice").textContent).toBe("2 cards come next.");
  });

  it("is labelled together with T, or by the button", () => {
    state.select([1, 2]);
    press("t");
    expect(model.last).toEqual({
      message: { type: "label_together", encoding: "positions" },
      indices: [1, 2],
    });
    model.receive({ type: "queued", count: 2, text: "2 items to label together." });
    expect(view.root.dataset.selected).toBe("0");
    state.select([1]);
    find(".alw-map-together").click();
    expect(model.last).toEqual({ message: { type: "label_together", encoding: "positions" }, indices: [1] });
    expect(find<HTMLButtonElement>(".alw-map-together").disabled).toBe(true);
  });

  it("of many items goes together in parts, which is said", () => {
    model.points(600);
    state.select(Uint32Array.from({ length: 500 }, (_, i) => i));
    expect(find(".alw-map-together").textContent).toBe("TogetherT");
    state.select(Uint32Array.from({ length: 501 }, (_, i) => i));
    expect(find(".alw-map-together").textContent).toBe("First 500 togetherT");
    expect(find(".alw-map-together").title).toContain("the others stay selected");
    expect(find('[role="status"].alw-hidden').textContent).toContain("T the first 500 together.");
    find(".alw-map-together").click();
    expect(model.last!.indices).toHaveLength(501);
    model.receive({ type: "queued", count: 500, text: "500 items, 1 more to come." });
    model.receive({ type: "selection", encoding: "positions" }, at(4, new Uint32Array([500]).buffer));
    expect(view.root.dataset.selected).toBe("1");
    expect(find(".alw-map-together").textContent).toBe("TogetherT");
  });

  it("is saved as a file with C, or by the button", async () => {
    const files: Blob[] = [];
    const names: string[] = [];
    vi.spyOn(URL, "createObjectURL").mockImplementation((file) => `blob:${files.push(file as Blob)}`);
    vi.spyOn(URL, "revokeObjectURL").mockImplementation(() => {});
    vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (this: HTMLAnchorElement) {
      names.push(this.download);
    });
    const button = find<HTMLButtonElement>('[aria-label="Save as CSV"]');
    press("c"); // nothing is selected
    expect(model.last?.message.type).not.toBe("save");
    state.select([1, 2]);
    press("c");
    expect(model.last?.message).toEqual({ type: "save" });
    expect(button.disabled).toBe(true);
    const text = "item_id,answer\na,ham\n";
    model.receive({ type: "file", name: "mail selection.csv" }, bytes([...new TextEncoder().encode(text)]));
    expect(names).toEqual(["mail selection.csv"]);
    expect(await files[0]!.text()).toBe(text);
    expect(find(".alw-map-notice").textContent).toBe("Saved as mail selection.csv.");
    expect(view.root.dataset.selected).toBe("2"); // it stays
    expect(button.disabled).toBe(false);
    button.click();
    expect(button.disabled).toBe(true);
    model.receive({ type: "problem", text: "Too many items.", remedy: "" });
    expect(button.disabled).toBe(false);
    expect(find(".alw-map-notice").textContent).toBe("Too many items.");
    vi.restoreAllMocks();
  });

  it("is cleared by Escape, and the second Escape hands the focus back", () => {
    view.root.focus();
    state.select([1]);
    press("Escape");
    expect(view.root.dataset.selected).toBe("0");
    expect(document.activeElement).toBe(view.root);
    press("Escape");
    expect(document.activeElement).not.toBe(view.root);
  });

  it("is not queued by Enter on a button", () => {
    state.select([1]);
    press("Enter", find(".alw-map-clear"));
    expect(model.last?.message.type).toBe("select");
  });

  it("returns the focus to the map when its buttons go", () => {
    state.select([1]);
    find(".alw-map-clear").focus();
    find(".alw-map-clear").click();
    expect(document.activeElement).toBe(view.root);
  });
});

describe("the lasso button", () => {
  it("is pressed and released, also by L and Escape", () => {
    const lasso = find('[aria-label="Lasso"]');
    lasso.click();
    expect(lasso.getAttribute("aria-pressed")).toBe("true");
    press("Escape");
    expect(lasso.getAttribute("aria-pressed")).toBe("false");
    press("l");
    expect(lasso.getAttribute("aria-pressed")).toBe("true");
  });
});

describe("colouring", () => {
  it("is asked for, and what needs a model cannot be", () => {
    const select = find<HTMLSelectElement>("select");
    model.choices();
    const options = [...select.options].map((o) => [o.value, o.disabled]);
    expect(options).toEqual([
      ["prediction", true],
      ["uncertainty", true],
      ["outlier", false],
      ["trust", true],
      ["label", false],
    ]);
    expect(select.options[0]!.textContent).toBe("prediction (needs a model)");
    expect(select.options[3]!.textContent).toBe("trust (needs a layout)");
    expect([...select.children].map((group) => (group as HTMLOptGroupElement).label)).toEqual([
      "Model",
      "Labels",
    ]);
    select.value = "outlier";
    select.dispatchEvent(new Event("change"));
    expect(model.last?.message).toEqual({ type: "colour_by", by: "outlier" });
    expect(select.value).toBe("outlier");
    model.receive({ type: "problem", text: "No.", remedy: "" });
    expect(select.value).toBe("label");
  });
});

describe("progress and words", () => {
  it("is a bar with words, and only stages are read out", () => {
    model.receive({ type: "progress", fraction: 0.4, text: "Arranging the map… 40 %" });
    const live = find("[aria-live]");
    expect(find(".alw-map-progress").textContent).toBe("Arranging the map… 40 %");
    expect((find(".alw-map-bar").firstElementChild as HTMLElement).style.width).toBe("40%");
    expect(live.textContent).toBe("Arranging the map…");
    model.receive({ type: "progress", fraction: 0.5, text: "Arranging the map… 50 %" });
    expect(live.textContent).toBe("Arranging the map…");
    model.receive({ type: "progress", fraction: null, text: null });
    expect(find(".alw-map-bar").hidden).toBe(true);
    expect(live.textContent).toBe("The map is ready.");
  });

  it("leaves a bad notice until it is clicked, a good one for a while", () => {
    model.receive({ type: "problem", text: "Bad.", remedy: "" });
    vi.advanceTimersByTime(60_000);
    expect(find(".alw-map-notice").hidden).toBe(false);
    find(".alw-map-notice").click();
    expect(find(".alw-map-notice").hidden).toBe(true);
    model.receive({ type: "queued", count: 1, text: "Good." });
    vi.advanceTimersByTime(10_000);
    expect(find(".alw-map-notice").hidden).toBe(true);
  });

  it("describes what is not there yet, and a great many classes", () => {
    expect(described(null, null, 0)).toContain("not there yet");
    expect(announced(null)).toBe("");
    const categories = Array.from({ length: 30 }, (_, i) => `c${i}`);
    const message = { by: "label", kind: "category", range: null, version: 0, bytes: 1, categories } as const;
    const codes = bytes(categories.map((_, i) => i));
    const colouring = decodeColours({ type: "colours", ...message, categories }, [codes], 30);
    expect(described(state.points, colouring, 3)).toMatch(/and 18 more\. 3 selected\.$/);
  });
});

describe("the legend", () => {
  it("shows markup in names as text", () => {
    const listeners = new Listeners();
    const legend = new Legend(listeners, { select: () => {}, toggle: () => {} });
    const name = "<img src=x onerror=alert(1)>";
    const rest = { by: "label", kind: "category", range: null, version: 0, bytes: 1 } as const;
    legend.paint(decodeColours({ type: "colours", ...rest, categories: [name] }, [bytes([0])], 1), false);
    expect(legend.root.querySelector("img")).toBeNull();
    expect(legend.root.textContent).toContain(name);
  });

  it("keeps its buttons while counts change", () => {
    const ham = find('[data-code="1"]');
    const listeners = view.listeners.size;
    model.labels([0, 0, 1, 255]);
    expect(find('[data-code="1"]')).toBe(ham);
    expect(ham.lastElementChild!.textContent).toBe("2");
    expect(ham.title).toBe("Select all 2: ham");
    expect(ham.textContent).toBe("ham 2");
    expect(view.listeners.size).toBe(listeners);
  });

  it("says none only where there are such points, and turns off what is empty", () => {
    expect(entriesOf(state.colouring!).at(-1)).toEqual({ code: 0, name: "not labelled", count: 1 });
    model.labels([0, 0, 0, 0]);
    expect(entriesOf(state.colouring!)).toHaveLength(2);
    expect(find<HTMLButtonElement>('[data-code="2"]').disabled).toBe(true);
  });

  it("of a ramp selects the most", () => {
    model.receive(
      {
        type: "colours",
        by: "outlier",
        kind: "ramp",
        categories: null,
        range: [0, 0.4],
        version: 0,
        bytes: 1,
        ends: ["usual", "far out"],
        notable: { end: "high", words: "farthest out" },
      },
      bytes([3, 250, 9, 9]),
    );
    const most = find('[data-code="most"]');
    expect(most.textContent).toBe("Select the 4 farthest out");
    most.click();
    expect(model.last?.indices).toEqual([1, 2, 3, 0]);
    expect(short(0.123456)).toBe("0.12");
  });
});

it("leaves nothing behind", () => {
  expect(view.listeners.size).toBeGreaterThan(5);
  expect(model.listeners).toBe(2);
  view.dispose();
  expect(view.listeners.size).toBe(0);
  expect(document.querySelector("[data-view]")).toBeNull();
  expect(model.listeners).toBe(1); // the state's
  state.dispose();
  expect(model.listeners).toBe(0);
});
