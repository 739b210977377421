/** Images that came as bytes. */

/** What a browser shows, and nothing that can hold a script. */
const TYPES = new Set(["image/png", "image/jpeg", "image/webp", "image/gif"]);

/** An address of an image, to be revoked; null for what is none. */
export function addressOf(mime: string, image: DataView | null | undefined): string | null {
  if (!image || !TYPES.has(mime)) return null;
  const bytes = new Uint8Array(image.buffer as ArrayBuffer, image.byteOffset, image.byteLength);
  return URL.createObjectURL(new Blob([bytes], { type: mime }));
}
