import { afterEach, beforeEach, expect, it } from "vitest";
import { MapState } from "./state";
import { FakeModel } from "./testing";
import { MapView } from "./view";

let model: FakeModel;
let state: MapState;
let view: MapView;

const positions = (...of: number[]) => new DataView(Uint32Array.from(of).buffer);
const line = () => view.root.querySelector<HTMLElement>(".alw-map-guard")!;
const mend = (i: number) => line().querySelectorAll("button")[i]!;

beforeEach(() => {
  model = new FakeModel();
  state = new MapState(model);
  view = new MapView(state);
  document.body.append(view.root);
  model.points(9);
  state.select(Uint32Array.of(0, 1, 2, 7));
});
afterEach(() => {
  view.dispose();
  state.dispose();
});

it("tells what a lasso took and left by mistake, and puts it right", () => {
  expect(line().hidden).toBe(true);
  model.receive({ type: "guard", selected: 4, sampled: false }, positions(7), positions(3, 4));
  expect(line().hidden).toBe(false);
  expect(mend(0).textContent).toBe("1 looks misplaced: take out");
  expect(mend(1).textContent).toBe("2 more belong here: add");
  expect(view.root.querySelector(".alw-hidden[role=status]")!.textContent).toBe(
    "Of the selection, 1 looks misplaced, 2 more belong here.",
  );
  mend(0).click();
  expect(Array.from(state.selection)).toEqual([0, 1, 2]);
  expect(model.last?.message.type).toBe("select");
  expect(line().hidden).toBe(true);
  model.receive({ type: "guard", selected: 3, sampled: false }, positions(), positions(3, 4));
  expect(mend(0).hidden).toBe(true);
  mend(1).click();
  expect(Array.from(state.selection)).toEqual([0, 1, 2, 3, 4]);
  expect(document.activeElement).toBe(view.root);
});

it("says so where it looked at a sample", () => {
  model.receive({ type: "guard", selected: 4, sampled: true }, positions(7), positions());
  expect(mend(0).textContent).toBe("at least 1 looks misplaced: take out");
});

it("says nothing of a selection that is no more", () => {
  state.select(Uint32Array.of(0, 1));
  model.receive({ type: "guard", selected: 4, sampled: false }, positions(7), positions(3, 4));
  expect(line().hidden).toBe(true);
});
