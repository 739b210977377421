/** How the diagnostics write their figures. */
import { percent } from "../shared/dom";
import type { Figure } from "./messages";

const MINUS = "−";

/** A share as whole percent; a dash where it is not known. */
export function share(value: number | null): string {
  return value === null ? "–" : percent(value);
}

/** "80 to 97 %"; empty where there is no interval. */
export function interval({ low, high }: Figure): string {
  if (low === null || high === null) return "";
  return `${percent(low).replace(" %", "")} to ${percent(high)}`;
}

/** "91 % (80 to 97 %)", or why it is not known. */
export function figure(found: Figure): string {
  if (found.value === null) return found.why_not ?? "not known";
  const around = interval(found);
  return around ? `${share(found.value)} (${around})` : share(found.value);
}

/** Points with one decimal: "7.2", with a sign if asked. */
export function points(value: number, signed = false): string {
  const text = (100 * value).toFixed(1);
  return (signed && value > 0 ? `+${text}` : text).replace("-", MINUS);
}

/** "1 label", "12 labels", or "12 training labels". */
export function labels(n: number, kind = ""): string {
  return n === 1 ? `1 ${kind}label` : `${n.toLocaleString("en")} ${kind}labels`;
}

/** "1 item", "12 items". */
export function items(n: number): string {
  return n === 1 ? "1 item" : `${n.toLocaleString("en")} items`;
}
