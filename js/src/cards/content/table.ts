import { make } from "../../shared/dom";
import type { Scalar, TableContent } from "../../shared/messages";

/** One row of a table, as fields and values. */
export function table(content: TableContent): HTMLElement {
  const rows = content.rows.map(({ name, value }) => {
    const cell = make("td", { dir: "auto" }, shown(value));
    if (typeof value === "number") {
      cell.className = "alw-number";
      cell.title = String(value);
    } else if (value === null) cell.className = "alw-missing";
    return make("tr", {}, make("th", { scope: "row", dir: "auto" }, name), cell);
  });
  return make("table", { class: "alw-table" }, make("tbody", {}, ...rows));
}

const whole = new Intl.NumberFormat("en", { useGrouping: false });
const large = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });
const small = new Intl.NumberFormat("en", { maximumSignificantDigits: 6, useGrouping: false });

/** A value as it is read: 31, 2024, 12,500, 0.333333, 1.2e-9. */
export function shown(value: Scalar): string {
  if (value === null) return "–";
  if (typeof value !== "number") return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e15)) return String(Number(value.toPrecision(6)));
  if (size >= 1e4) return large.format(value); // years and postcodes stay as they are
  return Number.isInteger(value) ? whole.format(value) : small.format(value);
}
