import { expect, it } from "vitest";
import { Pace } from "./pace";

const at = (...seconds: number[]) => {
  const pace = new Pace();
  for (const s of seconds) pace.add(s * 1000);
  return pace;
};

it("is answers a minute, once there are enough to tell", () => {
  expect(at(0, 2, 4, 6).perMinute).toBeNull();
  expect(at(0, 2, 4, 6, 8).perMinute).toBe(30);
});

it("tells how long the rest takes", () => {
  const fast = at(0, 2, 4, 6, 8); // 30 a minute
  expect(fast.timeFor(1)).toBe("1 min");
  expect(fast.timeFor(2_400)).toBe("80 min");
  expect(fast.timeFor(3_600)).toBe("2 h");
  expect(fast.timeFor(1_000_000)).toBeNull(); // of no use to anybody
  expect(fast.timeFor(0)).toBeNull();
  fast.rest();
  expect(fast.timeFor(10)).toBeNull();
});

it("leaves breaks out", () => {
  expect(at(0, 2, 4, 6, 8, 100, 104, 108, 112).perMinute).toBeNull();
  expect(at(0, 2, 4, 6, 8, 100, 104, 108, 112, 116).perMinute).toBe(15);
});

it("counts the newest thirty, without what was taken back", () => {
  const pace = at(0, 30, 60, 90, 120, ...Array.from({ length: 30 }, (_, i) => 121 + i));
  expect(pace.perMinute).toBe(60);
  const short = at(0, 2, 4, 6, 8);
  short.remove();
  expect(short.perMinute).toBeNull();
});
