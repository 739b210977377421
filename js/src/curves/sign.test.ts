import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { Listeners } from "../shared/listeners";
import type { StrategyMessage } from "./messages";
import { Sign } from "./sign";

const FIXTURE = JSON.parse(readFileSync("fixtures/messages/curves_strategy.json", "utf8"));

function made() {
  const listeners = new Listeners();
  const sent: StrategyMessage[] = [];
  const sign = new Sign(listeners, (message) => sent.push(message));
  document.body.append(sign.root);
  const shown = () => [...sign.root.querySelectorAll("p")].filter((p) => !p.hidden).map((p) => p.textContent);
  return { sign, listeners, sent, shown, button: sign.root.querySelector("button")! };
}

afterEach(() => document.body.replaceChildren());

describe("the stop sign", () => {
  it("is not there while there is nothing to say", () => {
    const { sign } = made();
    sign.show({ stop: false, title: "", reason: "", worth: "", losing: "", problem: "" });
    expect(sign.root.hidden).toBe(true);
    sign.show({ worth: "The next 100 labels: +0.6 points." });
    expect(sign.root.hidden).toBe(false);
  });

  it("says whether to go on, why, and what more labels are worth", () => {
    const { sign, shown, button } = made();
    sign.show({ stop: false, title: "Go on labelling.", reason: "The models differ." });
    expect(sign.root.dataset.stop).toBe("false");
    expect(shown()).toEqual(["Go on labelling. The models differ."]);
    sign.show({ stop: true, title: "Enough labels?", reason: "The models agree.", worth: "+0.1 points." });
    expect(sign.root.dataset.stop).toBe("true");
    expect(shown()).toEqual(["Enough labels? The models agree.", "+0.1 points."]);
    expect(button.closest("p")?.hidden).toBe(true);
  });

  it("offers random cards where the strategy loses to them, and sends one message", () => {
    const { sign, sent, shown, button, listeners } = made();
    sign.show({ losing: "Random labels do better." });
    expect(shown()).toEqual(["Random labels do better.Draw cards at random"]);
    expect(button.dataset.lmSuppressShortcuts).toBe("true");
    button.click();
    expect(sent).toEqual([FIXTURE.message]);
    sign.show({ problem: "This session is closed." });
    expect(shown()[0]).toContain("This session is closed.");
    expect(button.hidden).toBe(true);
    listeners.dispose();
    button.click();
    expect(sent).toHaveLength(1);
  });

  it("gives the keyboard back with Esc", () => {
    const { sign, button } = made();
    sign.show({ losing: "Random labels do better." });
    button.focus();
    button.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
    expect(document.activeElement).toBe(document.body);
  });
});
