import type { Card } from "../shared/messages";

const TYPES = new Set(["image/png", "image/jpeg", "image/webp", "image/gif"]);

/** The images of the cards as blob URLs, made when a queue arrives and revoked when their item is gone. */
export class Images {
  readonly #urls = new Map<string, string>(); // item id -> URL

  get size(): number {
    return this.#urls.size;
  }

  /** The URL of an item's image, or null where none arrived or its type is not one a card shows. */
  url(itemId: string): string | null {
    return this.#urls.get(itemId) ?? null;
  }

  /** Takes in the images among the buffers of a message. An item's image never changes, so a known one is kept. */
  add(cards: readonly Card[], buffers: readonly DataView[]): void {
    for (const { item_id, content } of cards) {
      if (content.kind !== "image" || this.#urls.has(item_id) || !TYPES.has(content.mime)) continue;
      const bytes = buffers[content.buffer];
      if (!bytes) continue;
      const part = new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);
      this.#urls.set(item_id, URL.createObjectURL(new Blob([part], { type: content.mime })));
    }
  }

  /** Gives back the images of all items but these. */
  keep(cards: readonly Card[]): void {
    const wanted = new Set(cards.map((c) => c.item_id));
    for (const [item, url] of this.#urls) {
      if (wanted.has(item)) continue;
      URL.revokeObjectURL(url);
      this.#urls.delete(item);
    }
  }

  dispose(): void {
    this.keep([]);
  }
}
