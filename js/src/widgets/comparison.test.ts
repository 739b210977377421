import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { COMMANDS, type Going, type Outcome } from "../comparison/messages";
import type { Model } from "../shared/model";
import comparison from "./comparison";

type Values = { going: Partial<Going>; outcome: Partial<Outcome> };

const RUNNING: Going = {
  state: "running",
  headline: "Comparing 3 strategies: 40 %",
  detail: "about 2 minutes left",
  fraction: 0.4,
  playable: true,
};

let values: Values;
let handlers: Map<string, () => void>;
let sent: unknown[];
let box: HTMLElement;
let cleanup: () => void;

function set<K extends keyof Values>(name: K, value: Values[K]): void {
  values[name] = value;
  handlers.get(`change:${name}`)?.();
}
const find = <T extends HTMLElement>(selector: string) => box.querySelector<T>(selector)!;
const button = (name: string) =>
  [...box.querySelectorAll("button")].find((b) => b.textContent === name && !b.hidden);

beforeEach(() => {
  values = { going: RUNNING, outcome: {} };
  handlers = new Map();
  sent = [];
  const model = {
    get: (key: keyof Values) => values[key],
    on: (name: string, run: () => void) => handlers.set(name, run),
    off: (name: string) => handlers.delete(name),
    send: (message: unknown) => sent.push(message),
  } as unknown as Model<Values>;
  box = document.createElement("div");
  box.className = "alw-comparison";
  const el = document.createElement("div");
  box.append(el);
  document.body.append(box);
  const widget = comparison();
  const end = widget.initialize({ model });
  const gone = widget.render({ model, el });
  cleanup = () => {
    gone();
    end();
  };
});
afterEach(() => {
  cleanup();
  document.body.replaceChildren();
});

describe("a comparison", () => {
  it("says how far it is", () => {
    expect(box.dataset.view).toBe("comparison");
    expect(find(".alw-comparison-headline").textContent).toBe(RUNNING.headline);
    expect(find("[role=progressbar]").getAttribute("aria-valuenow")).toBe("40");
    expect(find(".alw-comparison-table").hidden).toBe(true);
  });

  it("is paused, resumed and stopped", () => {
    button("Pause")?.click();
    set("going", { ...RUNNING, state: "paused" });
    expect(button("Pause")).toBeUndefined();
    button("Resume")?.click();
    button("Stop")?.click();
    expect(sent).toEqual([{ type: "pause" }, { type: "resume" }, { type: "stop" }]);
    set("going", { ...RUNNING, state: "stopped" });
    expect(button("Stop")).toBeUndefined();
    expect(button("Resume")).toBeDefined();
    set("going", { ...RUNNING, state: "stopped", playable: false });
    expect(button("Resume")).toBeUndefined();
  });

  it("ends with a table and notes, as text", () => {
    set("going", { ...RUNNING, state: "done", fraction: 1 });
    set("outcome", {
      columns: ["strategy", "area"],
      rows: [
        ["<b>margin</b>", "0.812"],
        ["random", "0.790"],
      ],
      notes: ["Pool of 100 items."],
    });
    expect(find("[role=progressbar]").hidden).toBe(true);
    expect(button("Pause") ?? button("Resume") ?? button("Stop")).toBeUndefined();
    expect([...box.querySelectorAll("tbody th")].map((th) => th.textContent)).toEqual([
      "<b>margin</b>",
      "random",
    ]);
    expect(find("tbody b")).toBeNull();
    expect(find("li").textContent).toBe("Pool of 100 items.");
  });

  it("lets no key out, and Escape gives the focus back", () => {
    const outside = vi.fn();
    document.body.addEventListener("keydown", outside);
    const target = button("Pause")!;
    expect(target.dataset.lmSuppressShortcuts).toBe("true");
    target.focus();
    target.dispatchEvent(new KeyboardEvent("keydown", { key: "x", bubbles: true }));
    expect(document.activeElement).toBe(target);
    target.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
    expect(document.activeElement).not.toBe(target);
    expect(outside).not.toHaveBeenCalled();
    document.body.removeEventListener("keydown", outside);
  });

  it("leaves nothing behind", () => {
    cleanup();
    expect(handlers.size).toBe(0);
    expect(box.firstElementChild?.childElementCount).toBe(0);
    cleanup = () => {};
  });

  it("sends what the fixtures hold", () => {
    const folder = join("fixtures", "messages");
    const files = readdirSync(folder).filter((f) => f.startsWith("comparison_"));
    const types = files.map((f) => JSON.parse(readFileSync(join(folder, f), "utf8")).message.type);
    expect(new Set(types)).toEqual(new Set(COMMANDS));
  });
});
