import { describe, expect, it } from "vitest";
import { actionOf, classKeys, keysOf, type Press } from "./keys";
import { classification } from "./testing";

const press = (key: string, more: Partial<Press> = {}): Press => ({
  key,
  code: "",
  repeat: false,
  isComposing: false,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  ...more,
});
const two = classKeys(["ham", "spam"]);
const many = classKeys(Array.from({ length: 12 }, (_, i) => `class ${i}`));

describe("classKeys", () => {
  it("gives 1 to 9 and 0 to the first ten classes", () => {
    expect(many).toEqual(["1", "2", "3", "4", "5", "6", "7", "8", "9", "0", null, null]);
  });

  it("gives each digit its own key when every class is a digit", () => {
    expect(classKeys(["0", "1", "7"])).toEqual(["0", "1", "7"]);
    expect(classKeys(["0", "1", "other"])).toEqual(["1", "2", "3"]);
    expect(classKeys(["10", "11"])).toEqual(["1", "2"]);
    expect(classKeys([])).toEqual([]);
  });
});

describe("keysOf", () => {
  it("gives a class its own key, and the others the digits that are free", () => {
    const task = classification(["a", "b", "c"]);
    expect(keysOf(task)).toEqual(["1", "2", "3"]);
    expect(keysOf({ ...task, keys: [null, "1", "x"] })).toEqual(["2", "1", "x"]);
  });
});

describe("actionOf", () => {
  it.each([
    ["1", { do: "answer", code: 0 }],
    ["2", { do: "answer", code: 1 }],
    ["3", null],
    ["Enter", { do: "accept" }],
    [" ", { do: "skip" }],
    ["Backspace", { do: "undo" }],
    ["f", { do: "flag" }],
    ["F", { do: "flag" }], // Caps Lock
    ["c", { do: "comment" }],
    ["g", { do: "guide" }],
    ["?", { do: "help" }],
    ["Escape", { do: "leave" }],
    ["z", { do: "zoom" }],
    ["ArrowRight", { do: "pan", pages: 0.25 }],
    ["ArrowLeft", { do: "pan", pages: -0.25 }],
    ["b", { do: "earlier" }],
    ["t", { do: "search" }],
    ["x", null],
    ["/", null],
    ["Tab", null],
  ])("%s", (key, action) => {
    expect(actionOf(press(key), two)).toEqual(action);
  });

  it("undoes with Ctrl Z and Cmd Z only", () => {
    expect(actionOf(press("z", { ctrlKey: true }), two)).toEqual({ do: "undo" });
    expect(actionOf(press("z", { metaKey: true }), two)).toEqual({ do: "undo" });
    expect(actionOf(press("z", { ctrlKey: true, altKey: true }), two)).toBeNull();
    expect(actionOf(press("z", { altKey: true }), two)).toBeNull();
  });

  it("does it again with Ctrl Shift Z and with Ctrl Y", () => {
    expect(actionOf(press("Z", { ctrlKey: true, shiftKey: true }), two)).toEqual({ do: "redo" });
    expect(actionOf(press("y", { metaKey: true }), two)).toEqual({ do: "redo" });
    expect(actionOf(press("y"), two)).toBeNull();
  });

  it.each(["1", "Enter", " ", "Backspace", "f"])("never labels by %s with a modifier", (key) => {
    for (const modifier of ["ctrlKey", "metaKey", "altKey"]) {
      expect(actionOf(press(key, { [modifier]: true }), two)).toBeNull();
    }
  });

  it("does nothing on a key held down, nor while a character is composed", () => {
    expect(actionOf(press("1", { repeat: true }), two)).toBeNull();
    expect(actionOf(press("Backspace", { repeat: true }), two)).toBeNull();
    expect(actionOf(press("1", { isComposing: true }), two)).toBeNull();
    expect(actionOf(press("Process"), two)).toBeNull();
  });

  it("knows the digit row of keyboards where digits need Shift", () => {
    expect(actionOf(press("é", { code: "Digit2" }), two)).toEqual({ do: "answer", code: 1 });
    expect(actionOf(press("2", { code: "Digit2", shiftKey: true }), two)).toEqual({ do: "answer", code: 1 });
    expect(actionOf(press("!", { code: "Digit1", shiftKey: true }), two)).toBeNull();
    expect(actionOf(press("?", { shiftKey: true }), two)).toEqual({ do: "help" });
  });

  it("types into the filter when there are more than ten classes", () => {
    expect(actionOf(press("/"), many)).toEqual({ do: "filter", text: "" });
    expect(actionOf(press("/", { shiftKey: true, code: "Digit7" }), many)).toEqual({
      do: "filter",
      text: "",
    });
    expect(actionOf(press("é"), many)).toEqual({ do: "filter", text: "é" });
    expect(actionOf(press("f"), many)).toEqual({ do: "flag" });
    expect(actionOf(press("0"), many)).toEqual({ do: "answer", code: 9 });
  });
});
