import { describe, expect, it, vi } from "vitest";
import { count, percent } from "./dom";
import { newId } from "./ids";
import { Listeners, whenInside } from "./listeners";
import { defineWidget, type Model } from "./model";
import { classColour, palette } from "./palette";

describe("Listeners", () => {
  it("counts what is hooked on and undoes it all", () => {
    vi.useFakeTimers();
    const listeners = new Listeners();
    const run = vi.fn();
    const target = new EventTarget();
    const model = { on: vi.fn(), off: vi.fn() };
    listeners.dom(target, "click", run);
    listeners.model(model, "change:x", run);
    listeners.timeout(run, 10);
    listeners.frame(run);
    expect(listeners.size).toBe(4);
    listeners.dispose();
    listeners.dispose();
    expect(listeners.size).toBe(0);
    expect(model.off).toHaveBeenCalledExactlyOnceWith("change:x", run);
    target.dispatchEvent(new Event("click"));
    vi.advanceTimersByTime(100);
    expect(run).not.toHaveBeenCalled();
    vi.useRealTimers();
  });

  it("forgets a timer that fired", () => {
    vi.useFakeTimers();
    const listeners = new Listeners();
    const run = vi.fn();
    listeners.timeout(run, 10);
    vi.advanceTimersByTime(10);
    expect(run).toHaveBeenCalledOnce();
    expect(listeners.size).toBe(0);
    vi.useRealTimers();
  });
});

describe("whenInside", () => {
  it("waits for the ancestor, and can be stopped", () => {
    vi.useFakeTimers();
    const [found, late] = [vi.fn(), vi.fn()];
    const element = document.createElement("p");
    whenInside(element, ".box", found);
    const stop = whenInside(element, ".box", late);
    vi.advanceTimersByTime(100);
    expect(found).not.toHaveBeenCalled();
    stop();
    const box = document.createElement("div");
    box.className = "box";
    box.append(element);
    vi.advanceTimersByTime(100);
    expect(found).toHaveBeenCalledExactlyOnceWith(box);
    expect(late).not.toHaveBeenCalled();
    vi.useRealTimers();
  });
});

describe("defineWidget", () => {
  const model = {} as Model;
  const el = {} as HTMLElement;

  it("shares one state among the views of a model, and none between models", () => {
    const disposed: number[] = [];
    let made = 0;
    const seen: number[] = [];
    const widget = defineWidget(
      () => {
        const id = ++made;
        return { id, dispose: () => disposed.push(id) };
      },
      (state) => {
        seen.push(state.id);
        return () => {};
      },
    );
    const [one, two] = [widget(), widget()];
    const end = one.initialize({ model });
    two.initialize({ model });
    // each call gets another proxy of the model, as in the hosts
    one.render({ model: { ...model }, el });
    one.render({ model: { ...model }, el });
    two.render({ model: { ...model }, el });
    expect(seen).toEqual([1, 1, 2]);
    end();
    expect(disposed).toEqual([1]);
  });
});

describe("palette", () => {
  it("begins with Okabe and Ito and never changes the first colours", () => {
    expect(palette(3)).toEqual(["#E69F00", "#56B4E9", "#009E73"]);
    const forty = palette(40);
    expect(palette(12)).toEqual(forty.slice(0, 12));
    expect(new Set(forty).size).toBe(40);
    for (const colour of forty) expect(colour).toMatch(/^#[0-9A-F]{6}$/);
    expect(classColour(11)).toBe(forty[11]);
  });

  it("has a colour for however many classes", () => {
    expect(palette(2000)).toHaveLength(2000);
  });
});

describe("words", () => {
  it("percent never promises what is only nearly so", () => {
    expect([0, 0.001, 0.934, 0.999, 1].map(percent)).toEqual(["0 %", "1 %", "93 %", "99 %", "100 %"]);
  });
  it("count groups thousands", () => {
    expect(count(1102)).toBe("1,102");
  });
  it("newId is a UUID, also where the page is not secure", () => {
    const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
    expect(newId()).toMatch(uuid);
    const original = crypto.randomUUID;
    Object.defineProperty(crypto, "randomUUID", { value: undefined, configurable: true });
    expect(newId()).toMatch(uuid);
    expect(newId()).not.toBe(newId());
    Object.defineProperty(crypto, "randomUUID", { value: original, configurable: true });
  });
});
