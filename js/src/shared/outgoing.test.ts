import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Listeners } from "./listeners";
import { afterFrame, atRest, Outgoing, unhurried } from "./outgoing";

let listeners: Listeners;
let sent: string[];

function outgoing(send = (message: string) => void sent.push(message)): Outgoing<string> {
  return new Outgoing(send, afterFrame(listeners), atRest(listeners, afterFrame(listeners)));
}

beforeEach(() => {
  vi.useFakeTimers();
  listeners = new Listeners();
  sent = [];
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("messages go after the frame, in the order in which they were written", () => {
  let frame: () => void = () => {};
  vi.stubGlobal("requestAnimationFrame", (run: () => void) => {
    frame = run;
    return 1;
  });
  const out = outgoing();
  out.write("a");
  out.write("b");
  frame();
  expect(sent).toEqual([]); // the frame is drawn after what was asked for in it
  vi.advanceTimersByTime(16);
  expect(sent).toEqual(["a", "b"]);
  out.write("c");
  frame();
  vi.advanceTimersByTime(16);
  expect(sent).toEqual(["a", "b", "c"]);
  expect(listeners.size).toBe(0);
});

test("a page in the background, which draws no frame, sends soon", () => {
  vi.stubGlobal("requestAnimationFrame", () => 1);
  outgoing().write("a");
  vi.advanceTimersByTime(99);
  expect(sent).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(sent).toEqual(["a"]);
  expect(listeners.size).toBe(0);
});

test("what is asked for after a frame runs with it, and one that throws keeps no other back", () => {
  const soon = afterFrame(listeners);
  soon(() => {
    sent.push("a");
    soon(() => void sent.push("b"));
  });
  vi.advanceTimersByTime(100);
  expect(sent).toEqual(["a", "b"]);
  soon(() => {
    throw new Error("no");
  });
  soon(() => void sent.push("beside"));
  expect(() => vi.advanceTimersByTime(100)).toThrow("no");
  soon(() => void sent.push("c"));
  vi.advanceTimersByTime(100);
  expect(sent).toEqual(["a", "b", "beside", "c"]);
  expect(listeners.size).toBe(0);
});

test("what was written goes at once where asked, and never twice", () => {
  const out = outgoing();
  out.write("a");
  out.flush();
  out.write("b");
  vi.advanceTimersByTime(1_000);
  expect(sent).toEqual(["a", "b"]);
});

test("a connection that throws takes nothing of the next message", () => {
  const out = outgoing((message) => {
    if (message === "a") throw new Error("gone");
    sent.push(message);
  });
  out.write("a");
  out.write("b");
  vi.advanceTimersByTime(1_000);
  expect(sent).toEqual(["b"]);
});

test("what is held back goes when the hands rest, and in time while they do not", () => {
  const out = outgoing();
  out.hold("a");
  vi.advanceTimersByTime(299);
  expect(sent).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(sent).toEqual(["a"]);
  for (let i = 0; i < 49; i++) {
    out.hold(String(i));
    vi.advanceTimersByTime(200);
  }
  expect(sent).toEqual(["a"]);
  out.hold("49");
  vi.advanceTimersByTime(200); // 10 s after the first of them: between two presses nothing goes
  expect(sent).toEqual(["a"]);
  out.hold("50");
  vi.advanceTimersByTime(100); // after the frame of the next one it does
  expect(sent).toHaveLength(52);
  expect(sent.at(-1)).toBe("50");
  for (let i = 51; i < 71; i++) {
    out.hold(String(i));
    vi.advanceTimersByTime(200);
  }
  expect(sent).toHaveLength(52); // ten seconds anew
  vi.advanceTimersByTime(100);
  expect(sent.at(-1)).toBe("70");
  expect(listeners.size).toBe(0);
});

test("hands that rest just when what is held back is due send it", () => {
  const out = outgoing();
  for (let i = 0; i < 50; i++) {
    out.hold(String(i));
    vi.advanceTimersByTime(200);
  }
  vi.advanceTimersByTime(100);
  expect(sent).toHaveLength(50);
  expect(listeners.size).toBe(0);
});

test("what is held back goes before what is written after it", () => {
  const out = outgoing();
  out.hold("a");
  out.write("b");
  vi.advanceTimersByTime(100);
  expect(sent).toEqual(["a", "b"]);
  vi.advanceTimersByTime(2_000);
  expect(sent).toEqual(["a", "b"]);
});

test("neighbours that can be joined go as one message, and nothing changes places", () => {
  const join = (first: string, second: string) =>
    first.startsWith("+") && second.startsWith("+") ? first + second : null;
  const out = new Outgoing<string>(
    (message) => void sent.push(message),
    afterFrame(listeners),
    atRest(listeners, afterFrame(listeners)),
    join,
  );
  for (const message of ["+a", "+b", "c", "+d"]) out.hold(message);
  out.write("+e");
  vi.advanceTimersByTime(1_000);
  expect(sent).toEqual(["+a+b", "c", "+d+e"]);
  out.hold("+f");
  vi.advanceTimersByTime(1_000);
  expect(sent.at(-1)).toBe("+f");
});

test("what is drawn beside a card comes after its frame, and lags behind quick hands by two seconds at most", () => {
  const draw = unhurried(listeners, afterFrame(listeners));
  const ask = (name: string) => draw(() => void sent.push(name), true);
  ask("a");
  expect(sent).toEqual([]);
  vi.advanceTimersByTime(100);
  expect(sent).toEqual(["a"]);
  vi.advanceTimersByTime(200);
  ask("b");
  vi.advanceTimersByTime(100);
  expect(sent).toEqual(["a", "b"]);
  for (let i = 0; i < 21; i++) {
    ask(String(i));
    vi.advanceTimersByTime(100);
  }
  expect(sent).toEqual(["a", "b", "20"]); // after the frame of the one that came two seconds after the first of them
  ask("c");
  vi.advanceTimersByTime(300);
  expect(sent).toEqual(["a", "b", "20", "c"]);
  expect(listeners.size).toBe(0);
});

test("what comes of itself is drawn at once, unless keys are pressed fast", () => {
  const draw = unhurried(listeners, afterFrame(listeners));
  const tell = (name: string) => draw(() => void sent.push(name), false);
  for (const name of ["a", "b", "c"]) tell(name);
  expect(sent).toEqual(["a", "b", "c"]); // news is no haste
  draw(() => void sent.push("press"), true);
  vi.advanceTimersByTime(100);
  tell("d");
  expect(sent).toEqual(["a", "b", "c", "press"]);
  vi.advanceTimersByTime(300);
  expect(sent.at(-1)).toBe("d");
  expect(listeners.size).toBe(0);
});
