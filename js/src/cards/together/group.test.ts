import { describe, expect, it } from "vitest";
import { textCard, textCards } from "../testing";
import { Cursor, placeFor, REST } from "./cursor";
import { commonest, Group } from "./group";
import { promise, size, wilson } from "./words";

const group = (rest: string | null = "spam", ids = [..."abcde"]) =>
  new Group("Found", textCards(...ids), 0, rest, 0);
const given = (g: Group) => g.outcome.given.map(({ card, answer }) => `${card.item_id} ${answer}`);
const says = (g: Group) => promise(g, String);

describe("the answers of a group", () => {
  it("are the one for the rest, and those that items have of their own", () => {
    const g = group();
    expect(says(g)).toBe("Enter labels 5 as spam");
    g.cursor.to(1);
    g.give("ham");
    g.cursor.to(3);
    g.leaveOut();
    expect(given(g)).toEqual(["a spam", "b ham", "c spam", "e spam"]);
    expect(says(g)).toBe("Enter labels 3 as spam, 1 otherwise, 1 left out");
    g.cursor.to(REST);
    g.give("ham");
    expect(says(g)).toBe("Enter labels 4 as ham, 1 left out"); // b has it of its own
    g.give("spam");
    g.cursor.to(1);
    g.give("ham"); // again: no longer of its own
    expect(given(g)).toEqual(["a spam", "b spam", "c spam", "e spam"]);
    g.cursor.to(3);
    g.give("ham"); // what has an answer of its own is no longer left out
    expect(given(g)[3]).toBe("d ham");
  });

  it("are of the sample first, where there is one", () => {
    const g = new Group("Found", textCards(..."abcdef"), 0, "spam", 0, 3);
    expect(size(g)).toBe("a random 3 of 6");
    expect(given(g)).toEqual(["a spam", "b spam", "c spam"]);
    g.goOn(1);
    expect(given(g)).toHaveLength(6);
    expect(size(g)).toBe("6 items · 0 of 3 odd: 0 to 56 %");
    g.cursor.to(5);
    g.give("ham"); // not of the sample
    expect(g.odd).toBe(0);
    g.leaveOut([0]);
    expect(g.odd).toBe(1);
    for (let i = 0; i < 3; i++) g.undo();
    expect(g.isSampling).toBe(true);
    expect(g.cursor.size).toBe(3);
    expect(size(group())).toBe("5 items");
  });

  it("have an interval", () => {
    // Newcombe (1998), table I, method 3
    const cases = [
      [81, 263, 0.2553, 0.3662],
      [15, 148, 0.0624, 0.1605],
      [0, 20, 0, 0.1611],
      [1, 29, 0.0061, 0.1718],
    ] as const;
    for (const [hits, n, low, high] of cases) {
      const found = wilson(hits, n);
      expect(found[0]).toBeCloseTo(low, 4);
      expect(found[1]).toBeCloseTo(high, 4);
    }
  });

  it("are asked for where there is none", () => {
    const g = group(null, ["a", "b"]);
    expect(says(g)).toBe("2 items have no answer yet: choose the one for the rest");
    g.cursor.to(0);
    g.give("ham");
    expect(says(g)).toBe("One item has no answer yet: choose the one for the rest");
    g.cursor.to(1);
    g.leaveOut();
    expect(says(g)).toBe("Enter labels 1 as chosen, 1 left out");
    g.cursor.to(0);
    g.leaveOut();
    expect(says(g)).toBe("All are left out: Enter has nothing to label");
    g.leaveOut();
    expect(given(g)).toEqual(["a ham"]);
  });

  it("are taken back choice by choice, and given again", () => {
    const g = group();
    expect(g.undo()).toBe(false);
    g.cursor.all();
    g.give("ham");
    g.leaveOut([2]);
    expect(g.touched).toBe(true);
    expect(g.undo()).toBe(true);
    expect(given(g)).toHaveLength(5);
    expect(g.undo()).toBe(true);
    expect(says(g)).toBe("Enter labels 5 as spam");
    expect(g.touched).toBe(false);
    g.redo();
    g.redo();
    expect(g.redo()).toBe(false);
    expect(says(g)).toBe("Enter labels 4 as chosen, 1 left out");
    g.undo();
    g.give("spam");
    expect(g.redo()).toBe(false); // something else was chosen
  });

  it("do not touch an item that was answered elsewhere", () => {
    const g = group();
    g.gone.add("b");
    g.cursor.to(1);
    g.give("ham");
    g.leaveOut();
    expect(g.touched).toBe(false);
    expect(given(g)).toEqual(["a spam", "c spam", "d spam", "e spam"]);
  });

  it("begin as what is suggested most often, never by an audit card", () => {
    const card = (id: string, answer: string, stream: "audit" | "chosen" = "chosen") =>
      textCard(id, { stream, suggestion: { answer, confidence: 0.9 } });
    expect(commonest([card("a", "ham"), card("b", "spam"), card("c", "spam")], ["ham", "spam"])).toBe("spam");
    expect(commonest([card("a", "spam", "audit"), card("b", "ham")], ["ham", "spam"])).toBe("ham");
    expect(commonest([card("a", "eggs"), textCard("b")], ["ham", "spam"])).toBeNull();
    expect(commonest([card("a", "spam", "audit")], ["ham", "spam"])).toBeNull();
  });
});

describe("the keyboard in a grid", () => {
  /** Places that keys lead to from one another, in a grid of 8 items and 3 columns. */
  const walk = (from: number, ...keys: string[]) => {
    let at = from;
    return keys.map((key) => {
      at = placeFor(key, at, { size: 8, columns: 3, rows: 2 }) ?? Number.NaN;
      return at;
    });
  };

  it("goes by rows and columns, and above them to the line for the rest", () => {
    expect(walk(REST, "ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown")).toEqual([0, 3, 6, 6]);
    expect(walk(5, "ArrowDown", "ArrowUp")).toEqual([7, 4]); // the last row is not full
    expect(walk(1, "ArrowUp", "ArrowUp", "ArrowRight", "ArrowLeft")).toEqual([REST, REST, 0, REST]);
    expect(walk(7, "ArrowRight", "ArrowLeft")).toEqual([7, 6]);
    expect(walk(1, "PageDown", "PageUp", "PageUp")).toEqual([7, 1, REST]);
    expect(walk(4, "End", "Home", "End")).toEqual([7, REST, 7]);
    expect(placeFor("x", 0, { size: 8, columns: 3, rows: 2 })).toBeNull();
  });

  it("goes by one in a list, however long a page is", () => {
    const shape = { size: 4, columns: 1, rows: 0 };
    expect(placeFor("ArrowDown", 0, shape)).toBe(1);
    expect(placeFor("PageDown", 0, shape)).toBe(1);
    expect(placeFor("PageDown", REST, shape)).toBe(0);
  });

  it("selects from where it was, item by item, or all", () => {
    const cursor = new Cursor(8);
    expect(cursor.targets).toEqual([]);
    cursor.to(4);
    expect(cursor.targets).toEqual([4]);
    cursor.to(6, "extend");
    cursor.to(2, "extend");
    expect(cursor.targets).toEqual([2, 3, 4]);
    cursor.to(7, "pass");
    cursor.toggle();
    expect(cursor.targets).toEqual([2, 3, 4, 7]);
    cursor.toggle(3);
    expect(cursor.targets).toEqual([2, 4, 7]);
    cursor.to(0);
    expect(cursor.targets).toEqual([0]);
    cursor.to(REST);
    cursor.to(2, "extend");
    expect(cursor.targets).toEqual([0, 1, 2]);
    cursor.all();
    expect(cursor.targets).toHaveLength(8);
    cursor.to(REST, "pass");
    expect(cursor.targets).toEqual([]);
  });
});
