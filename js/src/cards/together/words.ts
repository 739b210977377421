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
  if (given.length === 0) return "All are left out: Enter has nothing to label";
  const others = given.length - rest;
  if (rest === 0) return `Enter labels ${count(others)} as chosen${aside}`;
  const otherwise = others > 0 ? `, ${count(others)} otherwise` : "";
  return `Enter labels ${count(rest)} as ${nameOf(group.rest)}${otherwise}${aside}`;
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
