/** What the map says about itself. */
import { count, percent } from "../shared/dom";
import type { Colouring } from "./codecs";
import { entriesOf } from "./legend";
import type { Lists } from "./lists";
import type { Points } from "./state";

const plural = (n: number, one: string, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;

/** Which layout, of how many items. */
export function caption(points: Points | null): string {
  if (!points) return "";
  return `${plural(points.n, "item")} · ${points.layout === "umap" ? "UMAP" : "PCA"}`;
}

/** The map for someone who does not see it. */
export function described(points: Points | null, colouring: Colouring | null, selected: number): string {
  if (!points) return "Map of the items: not there yet.";
  const parts = [
    `Map of ${plural(points.n, "item")} laid out by ${points.layout === "umap" ? "UMAP" : "PCA"}`,
  ];
  if (colouring) {
    parts.push(`coloured by ${(colouring.name ?? colouring.by).toLowerCase()}`);
    if (colouring.kind === "category") {
      const entries = entriesOf(colouring).filter((entry) => entry.count > 0);
      const most = [...entries].sort((a, b) => b.count - a.count).slice(0, 12);
      const list = most.map((entry) => `${entry.name} ${count(entry.count)}`).join(", ");
      parts.push(list + (entries.length > most.length ? ` and ${entries.length - most.length} more` : ""));
    }
  }
  return `${parts.join(", ")}. ${selected ? `${count(selected)} selected.` : "Nothing selected."}`;
}

/** The part of a progress text that is worth announcing: without the percent that changes all the time. */
export function announced(text: string | null): string {
  return (text ?? "").replace(/\s*\d+\s*%\s*$/, "");
}

export function share(fraction: number | null): string | null {
  return fraction === null ? null : percent(fraction);
}

/** What a list holds, for someone who does not see it. */
export function listed({ list, isSlicing, ways }: Lists, colouring: Colouring | null): string {
  if (isSlicing || !list) return "Slices";
  const { of } = list;
  if (of.kind === "similar") return "Items that are most like one, the nearest first";
  if (of.kind === "points") return `Points, ${ordered(colouring, of.descending)}`;
  return `Edge cases: ${ways.find(({ by }) => by === of.by)?.name ?? of.by}`;
}

/** By what the points are listed, and which come first. */
export function ordered(colouring: Colouring | null, descending: boolean): string {
  if (!colouring) return "";
  const { categories, ends, name, by } = colouring;
  const last = descending ? -1 : 0;
  const end = categories?.at(last) ?? ends?.at(last) ?? (descending ? "highest" : "lowest");
  return `${name ?? by}: ${end} first`;
}

/** What is under way while no row of a list is there. */
export function waiting({ list, isSlicing }: Lists): string {
  if (isSlicing) return "Asking for the slices…";
  if (list?.of.kind === "points") return "Sorting the points…";
  return list?.of.kind === "similar" ? "Looking for the nearest…" : "Ranking the items…";
}
