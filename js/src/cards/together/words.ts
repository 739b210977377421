import { count } from "../../shared/dom";
import type { Answer } from "../../shared/messages";
import type { Group } from "./group";

/** What Enter will do to a group. */
export function promise(group: Group, nameOf: (answer: Answer | null) => string): string {
  const { given, out, open, rest } = group.outcome;
  const aside = out.length > 0 ? `, ${count(out.length)} left out` : "";
  if (open > 0) {
    const who = open === 1 ? "One item has" : `${count(open)} items have`;
    return `${who} no answer yet${aside}: choose the one for the rest`;
  }
  if (group.isSampling) {
    const odd = group.odd ?? 0;
    const otherwise = odd > 0 ? `, ${count(odd)} otherwise` : "";
    return `Enter: these are ${nameOf(group.rest)}${otherwise}; go on to all ${count(group.cards.length)}`;
  }
  if (given.length === 0) return "All are left out: Enter has nothing to label";
  const others = given.length - rest;
  if (rest === 0) return `Enter labels ${count(others)} as chosen${aside}`;
  const otherwise = others > 0 ? `, ${count(others)} otherwise` : "";
  return `Enter labels ${count(rest)} as ${nameOf(group.rest)}${otherwise}${aside}`;
}

/** How many items there are, and what the sample tells of those that nobody looked at. */
export function size(group: Group): string {
  const { sample, odd } = group;
  const n = group.cards.length;
  if (group.isSampling) return `a random ${sample} of ${count(n)}`;
  const items = `${count(n)} ${n === 1 ? "item" : "items"}`;
  return odd === null ? items : `${items} · ${odd} of ${sample} odd: ${expected(odd, sample)}`;
}

/** The same at length, where there is a sample. */
export function lesson(group: Group): string {
  const { sample, odd } = group;
  if (odd === null) return "";
  if (group.isSampling)
    return `${sample} items drawn at random: what is wrong with them tells of the others.`;
  const found = `${odd} of the ${sample} drawn at random ${odd === 1 ? "is" : "are"} unlike the rest`;
  return `${found}: expect ${expected(odd, sample)} of all to be (95 % interval).`;
}

function expected(odd: number, sample: number): string {
  const [low, high] = wilson(odd, sample).map((share) => Math.round(100 * share));
  return `${low} to ${high} %`;
}

/** The 95 % interval of a share (Wilson, JASA 1927). */
export function wilson(hits: number, n: number): [number, number] {
  const z = 1.96;
  const centre = (hits + z ** 2 / 2) / (n + z ** 2);
  const half = (z / (n + z ** 2)) * Math.sqrt((hits * (n - hits)) / n + z ** 2 / 4);
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}

/** For whom a class is, now. */
export function aim(group: Group): string {
  const { targets } = group.cursor;
  if (targets.length === 0) return "the rest";
  return targets.length === 1 ? "this item" : `these ${count(targets.length)} items`;
}

/** The keys of the classes: "1 – 3" or "n y". */
export function keyRange(keys: readonly (string | null)[]): string {
  const known = keys.filter((key): key is string => key !== null);
  const inRow = known.length > 1 && known.every((key) => /^[0-9]$/.test(key));
  return inRow ? `${known[0]} – ${known.at(-1)}` : known.slice(0, 6).join(" ");
}
