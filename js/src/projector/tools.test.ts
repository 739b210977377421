import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { MapState } from "./state";
import { FakeModel } from "./testing";
import { Touch } from "./touch";
import { MapView } from "./view";

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
const named = (name: string) => find<HTMLButtonElement>(`button[aria-label^="${name}"]`);
const isPressed = (name: string) => named(name).getAttribute("aria-pressed") === "true";
function press(key: string, target: HTMLElement = view.root): void {
  target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
}

describe("the lasso's tools", () => {
  it("are there only while there is a lasso, by button and by key", () => {
    const bar = find(".alw-map-bar-tools");
    expect(bar.hidden).toBe(true);
    press("r");
    expect(bar.hidden).toBe(false);
    expect([isPressed("Lasso"), isPressed("Rectangle"), isPressed("Free")]).toEqual([true, true, false]);
    named("Brush").click();
    expect([isPressed("Rectangle"), isPressed("Brush")]).toEqual([false, true]);
    press("b");
    expect(bar.hidden).toBe(true);
    expect(isPressed("Lasso")).toBe(false);
  });

  it("say how a pick counts, as long as the lasso is there", () => {
    press("a");
    expect(isPressed("Add")).toBe(false); // no lasso yet
    press("l");
    press("a");
    expect([isPressed("Select anew"), isPressed("Add")]).toEqual([false, true]);
    named("Take").click();
    expect(isPressed("Take")).toBe(true);
    press("Escape");
    press("l");
    expect(isPressed("Select anew")).toBe(true);
  });

  it("have names, keys and titles", () => {
    for (const button of view.root.querySelectorAll<HTMLElement>(".alw-map-tool")) {
      expect(button.title).toBe(
        `${button.ariaLabel ?? button.getAttribute("aria-label")} (${button.getAttribute("aria-keyshortcuts")})`,
      );
      expect(button.dataset.lmSuppressShortcuts).toBe("true");
    }
  });
});

describe("the options", () => {
  const options = () => find(".alw-map-options");

  it("open with O and take the focus, and Escape hands it back before it leaves anything else", () => {
    state.select([1]);
    press("o");
    expect(options().hidden).toBe(false);
    const slider = options().querySelector("input")!;
    expect(document.activeElement).toBe(slider);
    press("Escape", slider);
    expect(options().hidden).toBe(true);
    expect(document.activeElement).toBe(view.root);
    expect(view.root.dataset.selected).toBe("1");
  });

  it("close when the person presses elsewhere", () => {
    named("More").click();
    expect(named("More").getAttribute("aria-expanded")).toBe("true");
    find(".alw-map-stage").dispatchEvent(new Event("pointerdown", { bubbles: true }));
    expect(options().hidden).toBe(true);
    expect(named("More").getAttribute("aria-expanded")).toBe("false");
  });

  it("say in percent what the sliders are at", () => {
    const slider = options().querySelector("input")!;
    slider.value = "150";
    slider.dispatchEvent(new Event("input"));
    expect(options().querySelector("output")!.textContent).toBe("150 %");
  });

  it("tell when the host allows no full screen", async () => {
    view.root.requestFullscreen = () => Promise.reject(new TypeError("no"));
    press("f");
    await vi.advanceTimersByTimeAsync(0);
    expect(find(".alw-map-notice").textContent).toBe("Full screen is not allowed here.");
  });
});

describe("fingers", () => {
  const heard: string[] = [];
  const pinched: unknown[] = [];
  let element: HTMLElement;
  let touch: Touch;
  let isDrawing: boolean;
  beforeEach(() => {
    heard.length = pinched.length = 0;
    element = document.createElement("canvas");
    for (const name of ["mousedown", "mousemove", "mouseup", "click"])
      element.addEventListener(name, ({ type }) => heard.push(type));
    isDrawing = false;
    touch = new Touch(
      element,
      (...given) => pinched.push(given),
      () => isDrawing,
    );
  });
  afterEach(() => touch.dispose());

  function finger(
    type: string,
    pointerId: number,
    clientX: number,
    clientY: number,
    pointerType = "touch",
  ): void {
    element.dispatchEvent(new PointerEvent(type, { pointerId, clientX, clientY, pointerType }));
  }

  it("move the plane, one alone, and a tap is a click", () => {
    finger("pointerdown", 1, 10, 10);
    finger("pointermove", 1, 20, 12);
    finger("pointermove", 1, 25, 12);
    finger("pointerup", 1, 25, 12);
    expect(pinched).toEqual([
      [1, [10, 10], [10, 2]],
      [1, [20, 12], [5, 0]],
    ]);
    expect(heard).toEqual([]);
    finger("pointerdown", 1, 10, 10);
    finger("pointermove", 1, 12, 10);
    finger("pointerup", 1, 12, 10);
    expect(heard).toEqual(["mousedown", "mouseup", "click"]);
  });

  it("draw the lasso where there is one", () => {
    isDrawing = true;
    finger("pointerdown", 1, 10, 10);
    finger("pointermove", 1, 20, 10);
    finger("pointerup", 1, 20, 10);
    expect(heard).toEqual(["mousedown", "mousemove", "mouseup"]);
    expect(pinched).toEqual([]);
  });

  it("that part zoom around their middle, and a lasso ends", () => {
    isDrawing = true;
    finger("pointerdown", 1, 0, 0);
    finger("pointerdown", 2, 100, 0);
    expect(heard).toEqual(["mousedown", "mouseup"]);
    finger("pointermove", 2, 200, 0);
    expect(pinched).toEqual([[2, [50, 0], [50, 0]]]);
    finger("pointerup", 2, 200, 0);
    finger("pointermove", 1, 5, 5);
    finger("pointerup", 1, 5, 5);
    expect(heard).toEqual(["mousedown", "mouseup"]);
  });

  it("are told from the mouse", () => {
    finger("pointerdown", 1, 0, 0, "mouse");
    expect(heard).toEqual([]);
  });
});
