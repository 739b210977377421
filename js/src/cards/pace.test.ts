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
