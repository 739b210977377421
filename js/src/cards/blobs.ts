import type { AudioContent, Card, CardContent, ImageContent } from "../shared/messages";
import { leavesOf } from "./content/leaves";

export type FileContent = ImageContent | AudioContent;

const TYPES: Record<FileContent["kind"], Set<string>> = {
  image: new Set(["image/png", "image/jpeg", "image/webp", "image/gif"]),
  audio: new Set(["audio/wav", "audio/mpeg", "audio/ogg", "audio/flac"]),
};

/** The files in a content, in their order. */
export function filesOf(content: CardContent): FileContent[] {
  return leavesOf(content).filter((leaf) => leaf.kind === "image" || leaf.kind === "audio");
}

/** A file as it came, or the blob that it became. */
interface Stored {
  mime: string;
  bytes: Uint8Array<ArrayBuffer> | null;
  url: string | null;
}

/**
 * The files of the cards as blob URLs, each made when it is first asked for (hundreds made as a queue arrives would keep
 * a key waiting) and revoked when its item is gone.
 */
export class Blobs {
  readonly #items = new Map<string, (Stored | null)[]>(); // item id -> its files, in their order
  readonly #files = new WeakMap<FileContent, Stored>();

  get size(): number {
    return [...this.#items.values()].flat().filter((file) => file !== null).length;
  }

  /** The URL of a file, or null where none arrived or its type is not one a card shows. */
  url(file: FileContent): string | null {
    const stored = this.#files.get(file);
    if (!stored) return null;
    if (stored.bytes) stored.url = URL.createObjectURL(new Blob([stored.bytes], { type: stored.mime }));
    stored.bytes = null; // the blob has them
    return stored.url;
  }

  /** The URL of a file, or null where nobody asked for it yet. */
  made(file: FileContent): string | null {
    return this.#files.get(file)?.url ?? null;
  }

  /** Takes in the files among the buffers of a message. An item's files never change, so known ones are kept. */
  add(cards: readonly Card[], buffers: readonly DataView[]): void {
    for (const { item_id, content } of cards) {
      const files = filesOf(content);
      if (files.length === 0) continue;
      const stored = this.#items.get(item_id) ?? files.map((file) => taken(file, buffers[file.buffer]));
      this.#items.set(item_id, stored);
      for (const [i, file] of files.entries()) {
        if (stored[i]) this.#files.set(file, stored[i]);
      }
    }
  }

  /** Gives back the files of all items but these. */
  keep(cards: readonly Card[]): void {
    const wanted = new Set(cards.map((c) => c.item_id));
    for (const [item, files] of this.#items) {
      if (wanted.has(item)) continue;
      for (const file of files) giveBack(file);
      this.#items.delete(item);
    }
  }

  dispose(): void {
    this.keep([]);
  }
}

function taken(file: FileContent, bytes: DataView | undefined): Stored | null {
  if (!bytes || !TYPES[file.kind].has(file.mime)) return null;
  const part = new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);
  return { mime: file.mime, bytes: part, url: null };
}

function giveBack(file: Stored | null): void {
  if (file?.url) URL.revokeObjectURL(file.url);
  if (file) file.bytes = file.url = null;
}
