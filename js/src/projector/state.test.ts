import { describe, expect, it, vi } from "vitest";
import type { FromMap, ToMap } from "./messages";
import { MapState } from "./state";
import { at, bytes, FakeModel, floats } from "./testing";

function start() {
  const model = new FakeModel();
  const state = new MapState(model);
  const changes: string[] = [];
  state.watch((change) => changes.push(change));
  return { model, state, changes };
}

describe("what comes from Python", () => {
  it("is asked for by one hello", () => {
    const { model } = start();
    expect(model.sent).toEqual([{ message: { type: "hello" }, indices: null }]);
  });

  it("is kept: points, colours, cards, progress, preview", () => {
    const { model, state, changes } = start();
    model.points(3);
    model.labels([0, 255, 1], { version: 2 });
    model.receive({ type: "cards", indices: [2] });
    model.receive({ type: "progress", fraction: 0.4, text: "Arranging the map… 40 %" });
    expect(state.points?.layout).toBe("pca");
    expect([...state.colouring!.codes]).toEqual([1, 0, 2]);
    expect(state.cards).toEqual([2]);
    expect(state.progress.fraction).toBe(0.4);
    expect(changes).toEqual(["points", "colours", "cards", "progress"]);
  });

  it("may bring colours before points", () => {
    const { model, state, changes } = start();
    model.labels([0, 1]);
    expect(state.colouring).toBeNull();
    model.points(2);
    expect([...state.colouring!.codes]).toEqual([1, 2]);
    expect(changes).toEqual(["points", "colours"]);
  });

  it("may be more points: what is known of the others stays", () => {
    const { model, state, changes } = start();
    model.points(3);
    model.labels([0, 255, 1]);
    state.select([2, 0]);
    const varied = {
      type: "varied",
      what: "size",
      by: "uncertainty",
      version: 0,
      name: "Uncertainty",
    } as const;
    const about = { range: [0, 1] as [number, number], ends: null, none: "for audit" };
    model.receive({ ...varied, ...about, n: 4 }, bytes([7, 8, 9, 1]));
    expect([...state.varying.steps.size!]).toEqual([7, 8, 9]);
    changes.length = 0;
    model.points(5, { revision: 2 });
    expect([...state.varying.steps.size!]).toEqual([7, 8, 9, 255, 255]);
    expect([...state.colouring!.codes]).toEqual([1, 0, 2, 0, 0]);
    expect([...state.colouring!.counts]).toEqual([3, 1, 1]);
    expect(Array.from(state.selection)).toEqual([2, 0]);
    expect(changes).toEqual(["points", "selection"]);
    model.labels([0, 255, 1, 1, 0], { n: 5 });
    expect([...state.colouring!.codes]).toEqual([1, 0, 2, 2, 1]);
  });

  it("of items that have no point yet is left out until they have", () => {
    const { model, state } = start();
    model.points(3);
    model.labels([0, 255, 1, 1, 1], { n: 5 });
    expect([...state.colouring!.codes]).toEqual([1, 0, 2]);
    expect([...state.colouring!.counts]).toEqual([1, 1, 1]);
    model.receive({ type: "selection", encoding: "mask", n: 9 }, bytes([0b11110001, 1]));
    expect(Array.from(state.selection)).toEqual([0]);
    model.receive({ type: "cards", indices: [4, 1] });
    expect(state.cards).toEqual([1]);
    state.search("win");
    const found = { type: "found", text: "win", total: 2, read: 5, n: 5, error: null } as const;
    model.receive(found, at(1, new Uint32Array([1, 4]).buffer));
    expect([...state.found!.indices]).toEqual([1]);
    expect(state.notice).toBeNull();
  });

  it("forgets what was known when the points become fewer", () => {
    const { model, state } = start();
    model.points(3);
    model.labels([0, 255, 1]);
    state.select([2]);
    model.points(2, { revision: 2 });
    expect(state.colouring).toBeNull();
    expect(state.selection).toHaveLength(0);
  });

  it("never goes back to an older layout", () => {
    const { model, state } = start();
    model.points(2, { layout: "umap", revision: 2 });
    model.points(2, { layout: "pca", revision: 1 });
    expect(state.points?.layout).toBe("umap");
  });

  it("that does not fit together is told and changes nothing", () => {
    const { model, state } = start();
    model.points(3);
    model.labels([0, 1]);
    expect(state.colouring).toBeNull();
    expect(state.notice).toEqual({
      kind: "bad",
      text: expect.stringContaining("2 bytes came, 3 were expected"),
    });
  });

  it("may be of a kind that is not known yet", () => {
    const { model, state } = start();
    model.receive({ type: "fireworks" } as unknown as ToMap);
    model.receive(null as unknown as ToMap);
    expect(state.notice).toBeNull();
  });

  it("takes the image out of the buffers", () => {
    const { model, state } = start();
    const content = { kind: "image", mime: "image/png", buffer: 0, width: 1, height: 1, alt: "x" } as const;
    const rest = { label: null, prediction: null, confidence: null, uncertainty: null };
    model.receive({ type: "preview", index: 0, item_id: "a", content, ...rest }, bytes([1, 2]));
    expect(state.preview?.file?.byteLength).toBe(2);
  });
});

describe("a selection", () => {
  it("travels as indices and is queued once", () => {
    const { model, state } = start();
    model.points(5);
    state.select([4, 0]);
    expect(model.last).toEqual({ message: { type: "select", encoding: "positions" }, indices: [4, 0] });
    state.label();
    state.label();
    expect(model.sent.filter((s) => s.message.type === "label_next")).toEqual([
      { message: { type: "label_next", encoding: "positions" }, indices: [4, 0] },
    ]);
    expect(state.queueing).toBe(true);
    model.receive({ type: "queued", count: 2, text: "2 cards come next." });
    expect(Array.from(state.selection)).toEqual([]);
    expect(state.queueing).toBe(false);
    expect(state.notice).toEqual({ kind: "good", text: "2 cards come next." });
  });

  it("made elsewhere is shown, and not sent back", () => {
    const { model, state } = start();
    const positions = (...of: number[]) => new DataView(Uint32Array.from(of).buffer);
    model.receive({ type: "selection", encoding: "positions" }, positions(3, 1)); // before the points
    expect(Array.from(state.selection)).toEqual([]);
    model.points(5);
    expect(Array.from(state.selection)).toEqual([3, 1]);
    model.receive({ type: "selection", encoding: "mask" }, new DataView(Uint8Array.of(0b10001).buffer));
    expect(Array.from(state.selection)).toEqual([0, 4]);
    expect(model.sent.map((s) => s.message.type)).toEqual(["hello"]);
  });

  it("that is empty is not queued", () => {
    const { model, state } = start();
    state.label();
    expect(model.sent).toHaveLength(1);
  });

  it("stays when it is refused, so that it can be tried again", () => {
    const { model, state } = start();
    model.points(5);
    state.select([1]);
    state.label();
    model.receive({ type: "problem", text: "The session is closed.", remedy: "Make a new one." });
    expect(Array.from(state.selection)).toEqual([1]);
    expect(state.queueing).toBe(false);
    expect(state.notice?.text).toBe("The session is closed. Make a new one.");
    state.label();
    model.receive({ type: "refused", event_id: null, reason: "Too many." });
    expect(state.notice?.text).toBe("Too many.");
    expect(state.queueing).toBe(false);
  });

  it("stays when the kernel is gone", () => {
    const { model, state } = start();
    state.select([1]);
    model.alive = false;
    state.label();
    expect(Array.from(state.selection)).toEqual([1]);
    expect(state.queueing).toBe(false);
    expect(state.notice?.kind).toBe("bad");
  });
});

describe("the colouring that was asked for", () => {
  it("is remembered until it comes or is refused", () => {
    const { model, state } = start();
    model.points(1);
    state.colourBy("outlier");
    expect([state.asked, model.last?.message]).toEqual(["outlier", { type: "colour_by", by: "outlier" }]);
    model.labels([0]);
    expect(state.asked).toBeNull();
    state.colourBy("uncertainty");
    model.receive({ type: "problem", text: "No model.", remedy: "" });
    expect(state.asked).toBeNull();
  });
});

it("leaves nothing behind", () => {
  const { model, state } = start();
  const watcher = vi.fn();
  state.watch(watcher);
  expect(model.listeners).toBe(1);
  state.dispose();
  expect(model.listeners).toBe(0);
  model.points(1);
  expect(watcher).not.toHaveBeenCalled();
});

describe("the messages that Python is tested with", () => {
  interface Fixture {
    direction: "to_browser" | "to_python";
    message: ToMap | FromMap;
    buffers: number[];
  }
  /** A list's id is another every time. */
  const LIST = "5e7e3f0c-8b8e-4c1a-9d43-2f6f4a1f5b10";
  const found = import.meta.glob<Fixture>("../../fixtures/messages/projector_*.json", {
    eager: true,
    import: "default",
  });
  const fixtures = Object.entries(found).map(([path, f]) => [path.split("/").at(-1)!, f] as const);
  const incoming = fixtures.filter(([, f]) => f.direction === "to_browser");
  const outgoing = fixtures.filter(([, f]) => f.direction === "to_python").map(([, f]) => f);

  it("are there", () => {
    expect(incoming.length).toBeGreaterThan(8);
  });

  it.each(incoming)("%s is understood", (_, { message, buffers }) => {
    const { model, state, changes } = start();
    model.receive({ type: "points", n: 3, layout: "pca", revision: 1 }, floats([0, 0, 1, 1, 0, 1]));
    changes.length = 0;
    model.receive(message as ToMap, ...buffers.map((n) => at(1, new ArrayBuffer(n))));
    expect(changes.length).toBeGreaterThan(0);
    expect(state.notice?.text ?? "").not.toContain("cannot read");
  });

  it("has all that is sent", () => {
    const { model, state } = start();
    model.points(5);
    state.colourBy("uncertainty");
    state.showSpace("model");
    state.cancelLayout();
    state.findColumns("len");
    state.vary("size", "uncertainty");
    state.vary("opacity", null);
    state.search('win "a prize" length>100');
    state.askPreview(1);
    state.select([1, 2]);
    state.save();
    state.label();
    model.receive({ type: "queued", count: 2, text: "2 cards come next." });
    state.selection = [1, 2];
    state.label("together");
    state.select([1], "edge cases");
    state.lists.rank("knn");
    state.lists.points();
    state.lists.similar(2);
    state.lists.learnSlices();
    for (const what of ["keep", "replace", "select", "delete", "restore"] as const)
      state.lists.slice(what, "odd ones");
    const sent = model.sent.map(({ message, indices }) => ({
      message: message.type === "list" ? { ...message, list: LIST } : message,
      buffers: indices ? [4 * indices.length] : [],
    }));
    const known = outgoing.map(({ message, buffers }) => ({ message, buffers }));
    for (const one of sent) expect(known).toContainEqual(one);
    expect(sent).toHaveLength(known.length);
  });
});
