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

/** The files of the cards as blob URLs, made when a queue arrives and revoked when their item is gone. */
export class Blobs {
  readonly #items = new Map<string, (string | null)[]>(); // item id -> URLs of its files, in their order
  readonly #urls = new WeakMap<FileContent, string>();

  get size(): number {
    return [...this.#items.values()].flat().filter((url) => url !== null).length;
  }

  /** The URL of a file, or null where none arrived or its type is not one a card shows. */
  url(file: FileContent): string | null {
    return this.#urls.get(file) ?? null;
  }

  /** Takes in the files among the buffers of a message. An item's files never change, so known ones are kept. */
  add(cards: readonly Card[], buffers: readonly DataView[]): void {
    for (const { item_id, content } of cards) {
      const files = filesOf(content);
      if (files.length === 0) continue;
      const urls = this.#items.get(item_id) ?? files.map((file) => made(file, buffers[file.buffer]));
      this.#items.set(item_id, urls);
      for (const [i, file] of files.entries()) {
        const url = urls[i];
        if (url) this.#urls.set(file, url);
      }
    }
  }

  /** Gives back the files of all items but these. */
  keep(cards: readonly Card[]): void {
    const wanted = new Set(cards.map((c) => c.item_id));
    for (const [item, urls] of this.#items) {
      if (wanted.has(item)) continue;
      for (const url of urls) if (url) URL.revokeObjectURL(url);
      this.#items.delete(item);
    }
  }

  dispose(): void {
    this.keep([]);
  }
}

function made(file: FileContent, bytes: DataView | undefined): string | null {
  if (!bytes || !TYPES[file.kind].has(file.mime)) return null;
  const part = new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);
  return URL.createObjectURL(new Blob([part], { type: file.mime }));
}
