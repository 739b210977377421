/** What the map says about itself. */
import { count, percent } from "../shared/dom";
import type { Colouring } from "./codecs";
import { entriesOf } from "./legend";
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
