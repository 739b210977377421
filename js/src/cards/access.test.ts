/** What axe finds; colours and layout need a browser, and are looked at in JupyterLab. */
import axe from "axe-core";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { STATUS, useDesk } from "./desk";
import { freeText, multiLabel, textCard } from "./testing";

const on = useDesk();

async function check(): Promise<void> {
  vi.useRealTimers();
  const found = await axe.run(on.desk.view.root, { rules: { "color-contrast": { enabled: false } } });
  expect(found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" ")}`)).toEqual([]);
}

describe("accessibility: no violation", () => {
  beforeEach(() => {
    const style = document.createElement("style");
    style.textContent = "[hidden] { display: none }"; // a browser has that of its own
    document.body.append(style);
  });

  it("while nothing is there", check);

  it("with a card, notices and the list of keys", async () => {
    on.desk.model.receive({ ...STATUS, error: "row 17 holds NaN", notice: "one class only" });
    const suggestion = { answer: "spam", confidence: 1 };
    on.desk.model.queue([textCard("a", { suggestion, metadata: { k: "v" } })]);
    on.desk.press("?");
    await check();
  });

  it("when all is answered", async () => {
    on.desk.model.queue([textCard("a")], { exhausted: true });
    on.desk.press("1");
    await check();
  });

  it("with labels, guidelines and a comment", async () => {
    on.desk.model.set("_guidelines", "# How\n\nRead [this](https://example.org/).");
    on.desk.model.set("_task", multiLabel(["joy", "love"]));
    const suggestion = { answer: ["joy"], confidence: 0.6 };
    on.desk.model.queue([textCard("a", { suggestion, comment: "odd" })]);
    on.desk.press("g");
    await check();
  });

  it("with many labels and a comment that is written", async () => {
    on.desk.model.set("_task", multiLabel(Array.from({ length: 30 }, (_, i) => `label ${i}`)));
    on.desk.model.queue([textCard("a")]);
    on.desk.press("1");
    on.desk.press("c");
    await check();
  });

  it("with a text", async () => {
    on.desk.model.set("_task", freeText());
    on.desk.model.queue([textCard("a", { start: "teh" })]);
    await check();
  });
});
