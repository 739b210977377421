/** Hands files to the browser. */
import { make } from "./dom";

/** Saves a file as the browser does with what is downloaded. */
export function saveFile(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  make("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000); // it is read after the click
}
