import { expect, test, vi } from "vitest";
import { STATUS, useDesk } from "./desk";
import { CardsState } from "./state";
import { FakeModel, textCards } from "./testing";
import { CardsView } from "./view";

const on = useDesk();

/** The page with a frame that is drawn when the test says so. */
function framed(): { draw: () => void } {
  const { desk } = on;
  const waiting: (() => void)[] = [];
  desk.close();
  desk.model = new FakeModel(["ham", "spam"]);
  desk.state = new CardsState(desk.model, {
    shelf: desk.shelf,
    afterFrame: (run) => void waiting.push(run),
    atRest: (run) => void waiting.push(run),
  });
  desk.view = new CardsView(desk.state);
  document.body.append(desk.view.root);
  const draw = () => {
    for (const run of waiting) run(); // and what these ask for
    waiting.length = 0;
  };
  draw();
  desk.model.queue(textCards("a", "b", "c"));
  draw();
  return { draw };
}

test("the next card comes first, the copy in the browser's storage and the message after its frame", () => {
  const { draw } = framed();
  const { desk } = on;
  desk.press("1");
  expect(desk.itemId).toBe("b");
  expect(desk.shelf.kept.size).toBe(0);
  expect(desk.model.events).toEqual([]);
  draw();
  expect(desk.shelf.kept.size).toBe(1);
  expect(desk.model.events.map((event) => event.item_id)).toEqual(["a"]);
});

test("a page that goes away before the frame has kept and sent its labels", () => {
  framed();
  const { desk } = on;
  desk.press("1");
  desk.press("2");
  window.dispatchEvent(new Event("pagehide"));
  expect(desk.shelf.kept.size).toBe(2);
  expect(desk.model.events.map((event) => event.item_id)).toEqual(["a", "b"]);
});

test("only labels that went are told of when no answer comes, those held back are not", () => {
  const { draw } = framed();
  const { desk } = on;
  const told = () => {
    desk.view.paint();
    return desk.text(".alw-unsaved");
  };
  desk.press("1");
  desk.press("2");
  vi.advanceTimersByTime(20_000);
  expect(desk.view.root.dataset.unsaved).toBe("2");
  expect([told(), desk.state.notices]).toEqual(["", []]);
  draw();
  vi.advanceTimersByTime(4_400);
  expect(told()).toBe("");
  vi.advanceTimersByTime(200);
  draw();
  expect(told()).toBe("2 unsaved");
  vi.advanceTimersByTime(6_000);
  expect(desk.state.notices.map((notice) => notice.text)).toEqual([
    "The kernel has not confirmed the newest labels yet.",
  ]);
});

test("labels that were held back go in one message", () => {
  const { draw } = framed();
  const { desk } = on;
  desk.press("1");
  desk.press("2");
  desk.press("Backspace");
  draw();
  const sent = desk.model.sent.filter((message) => message.type === "events");
  expect(sent).toHaveLength(1);
  expect(sent[0]?.events.map((event) => event.kind)).toEqual(["answer", "answer", "retract"]);
});

test("cards that are closed before the frame have kept and sent their labels", () => {
  framed();
  const { desk } = on;
  desk.press("1");
  desk.state.dispose();
  expect(desk.shelf.kept.size).toBe(1);
  expect(desk.model.events.map((event) => event.item_id)).toEqual(["a"]);
});

test("what was done before goes before what is asked after", () => {
  const { draw } = framed();
  const { desk } = on;
  desk.press("1");
  desk.state.changeClasses("rename", "spam", "junk");
  draw();
  expect(desk.model.sent.map((message) => message.type).slice(-2)).toEqual(["events", "classes"]);
});

test("who leaves the cards has sent the labels", () => {
  framed();
  const { desk } = on;
  desk.press("1");
  expect(desk.model.events).toEqual([]);
  desk.view.root.dispatchEvent(new FocusEvent("focusout", { bubbles: true }));
  expect(desk.model.events.map((event) => event.item_id)).toEqual(["a"]);
});

test("the label that fills a batch takes those before it along: a fit waits for them", () => {
  const { desk } = on;
  desk.close();
  desk.model = new FakeModel(["ham", "spam"]);
  desk.state = new CardsState(desk.model, {
    shelf: desk.shelf,
    afterFrame: (run) => run(),
    atRest: () => {},
  });
  desk.view = new CardsView(desk.state);
  document.body.append(desk.view.root);
  desk.model.queue(textCards("a", "b", "c", "d", "e"));
  desk.model.receive({ ...STATUS, until_fit: 3 });
  desk.press("1");
  desk.press("2");
  expect(desk.model.events).toEqual([]);
  desk.press("1");
  expect(desk.model.events.map((event) => event.item_id)).toEqual(["a", "b", "c"]);
  desk.press("2");
  expect(desk.model.events).toHaveLength(3);
});

test("the label that fills a batch takes the others along, though one more comes before the frame", () => {
  const waiting: (() => void)[] = [];
  const { desk } = on;
  desk.close();
  desk.model = new FakeModel(["ham", "spam"]);
  desk.state = new CardsState(desk.model, {
    shelf: desk.shelf,
    afterFrame: (run) => void waiting.push(run),
    atRest: () => {},
  });
  desk.view = new CardsView(desk.state);
  document.body.append(desk.view.root);
  desk.model.queue(textCards("a", "b", "c"));
  desk.model.receive({ ...STATUS, until_fit: 1 });
  desk.press("1");
  desk.press("2");
  for (const run of waiting) run();
  expect(desk.model.events.map((event) => event.item_id)).toEqual(["a", "b"]);
});

test("labels of which the browser keeps no copy go after the frame", () => {
  const { desk } = on;
  desk.close();
  desk.model = new FakeModel(["ham", "spam"]);
  desk.state = new CardsState(desk.model, {
    shelf: null,
    afterFrame: (run) => run(),
    atRest: () => {},
  });
  desk.view = new CardsView(desk.state);
  document.body.append(desk.view.root);
  desk.model.queue(textCards("a", "b"));
  desk.press("1");
  expect(desk.model.events.map((event) => event.item_id)).toEqual(["a"]);
});
