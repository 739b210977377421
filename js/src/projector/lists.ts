/** The lists beside the map: rows that are asked for a page at a time, where the person is in them, and the slices. */
import { newId } from "../shared/ids";
import type { Cleanup } from "../shared/model";
import type { Colouring } from "./codecs";
import type {
  Choice,
  FromMap,
  ListOf,
  Row,
  RowsMessage,
  SliceDeed,
  SlicesMessage,
  WaysMessage,
} from "./messages";

/** Rows of a page: as many as Python sends at a time. */
export const PAGE = 50;

/** A row, and the bytes of its image. */
export interface SeenRow extends Row {
  image: DataView | null;
}

export interface List {
  /** Made anew for every look: Python keeps the order of one, so that no row moves under the person's hand. */
  readonly id: string;
  readonly of: ListOf;
  start: number;
  total: number;
  rows: readonly SeenRow[];
  like: SeenRow | null;
  note: string | null;
  /** Rank of the row that the person is at; its page may not have come yet. */
  at: number;
}

/** What of the map the lists follow. */
interface Followed {
  readonly colouring: Colouring | null;
  readonly selection: ArrayLike<number>;
}

export class Lists {
  list: List | null = null;
  /** What items can be ranked by. */
  ways: readonly Choice[] = [];
  /** Null until they were asked for. */
  slices: SlicesMessage["slices"] | null = null;
  /** Whether the slices are shown in the place of a list. */
  isSlicing = false;
  /** The slice that was deleted last, which can be had back. */
  deleted: string | null = null;
  /** Whether the points by colour are those of the selection alone, where there is one. */
  isOfSelection = true;
  readonly #map: Followed;
  readonly #send: (message: FromMap) => void;
  readonly #tell: () => void;
  #before: List[] = [];
  #users = 0;

  constructor(map: Followed, send: (message: FromMap) => void, tell: () => void) {
    this.#map = map;
    this.#send = send;
    this.#tell = tell;
  }

  /** Somebody looks at the lists, until the returned function is called: they follow the map. */
  use(): Cleanup {
    this.#users++;
    if (this.isSlicing) this.showSlices();
    else if (!this.list) this.rank();
    else if (this.list.of.kind === "points" && this.list.of.by !== this.#map.colouring?.by) this.points();
    return () => {
      this.#users--;
    };
  }

  get isWaiting(): boolean {
    if (this.isSlicing) return this.slices === null;
    const { list } = this;
    return list !== null && list.note === null && !this.#isHere(list.at);
  }

  get canGoBack(): boolean {
    return this.#before.length > 0 && !this.isSlicing;
  }

  /** The row that the person is at, if it is here. */
  get row(): SeenRow | null {
    const { list } = this;
    return list && !this.isSlicing ? (list.rows[list.at - list.start] ?? null) : null;
  }

  /** Ranks edge cases. */
  rank(by = this.ways[0]?.by ?? "knn"): void {
    this.#begin({ kind: "edge_cases", by });
  }

  /** Lists the points by what they are coloured by; at first from the end that is worth a look. */
  points(descending?: boolean): void {
    const { colouring, selection } = this.#map;
    const of = this.list?.of;
    const isSame = of?.kind === "points" && of.by === colouring?.by;
    const first = colouring?.kind === "ramp" && colouring.notable?.end !== "low";
    this.#begin({
      kind: "points",
      by: colouring?.by ?? "label",
      descending: descending ?? (isSame ? of.descending : first),
      selected: this.isOfSelection && selection.length > 0,
    });
  }

  /** Lists what is most like an item; `back` leads to the list before. */
  similar(index: number): void {
    const before = this.list && !this.isSlicing ? [...this.#before, this.list] : [];
    this.#begin({ kind: "similar", index });
    this.#before = before;
    this.#tell();
  }

  /** Goes back to the list before; false where there is none. */
  back(): boolean {
    if (!this.canGoBack) return false;
    this.list = this.#before.pop()!;
    if (!this.#isHere(this.list.at) && this.list.note === null) this.#ask(this.list);
    this.#tell();
    return true;
  }

  /** Makes the list anew, with what is known by now. */
  again(): void {
    const before = this.#before;
    if (this.isSlicing) this.showSlices();
    else if (this.list?.of.kind === "points") this.points(this.list.of.descending);
    else if (this.list) this.#begin(this.list.of);
    this.#before = before;
    this.#tell();
  }

  /** Goes to a rank, on another page if need be. */
  go(rank: number): void {
    const { list } = this;
    if (!list || list.total === 0) return;
    list.at = Math.max(0, Math.min(list.total - 1, rank));
    if (!this.#isHere(list.at)) this.#ask(list);
    this.#tell();
  }

  ofSelection(on: boolean): void {
    this.isOfSelection = on;
    this.points();
  }

  /** The map has other colours, or another selection that was not made in a list. */
  follow(change: "colours" | "selection"): void {
    const of = this.list?.of;
    if (this.#users === 0 || this.isSlicing || of?.kind !== "points") return;
    const isOther =
      change === "colours"
        ? of.by !== this.#map.colouring?.by
        : of.selected || (this.isOfSelection && this.#map.selection.length > 0);
    if (isOther) this.points();
  }

  /** Shows the slices. */
  showSlices(): void {
    this.isSlicing = true;
    this.learnSlices();
    this.#tell();
  }

  /** Asks which slices there are. */
  learnSlices(): void {
    this.#send({ type: "slice", what: "list" });
  }

  slice(what: SliceDeed, name: string): void {
    if (what === "delete") this.deleted = name;
    else if (what === "restore") this.deleted = null;
    this.#send({ type: "slice", what, name });
  }

  /** Python is asked about other items now. */
  forget(): void {
    this.list = null;
    this.#before = [];
  }

  take(message: RowsMessage | WaysMessage | SlicesMessage, buffers: readonly DataView[]): void {
    if (message.type === "ways") this.ways = message.ways;
    else if (message.type === "slices") this.slices = message.slices;
    else this.#takeRows(message, buffers);
    this.#tell();
  }

  #takeRows(message: RowsMessage, buffers: readonly DataView[]): void {
    const { list } = this;
    if (!list || message.list !== list.id || message.start !== pageOf(list.at)) return; // of no list any more
    const seen = (row: Row): SeenRow => ({
      ...row,
      image: row.content.kind === "image" ? (buffers[row.content.buffer] ?? null) : null,
    });
    list.start = message.start;
    list.total = message.total;
    list.rows = message.rows.map(seen);
    list.like = message.like && seen(message.like);
    list.note = message.note;
  }

  #begin(of: ListOf): void {
    this.isSlicing = false;
    this.#before = [];
    this.list = { id: newId(), of, start: 0, total: 0, rows: [], like: null, note: null, at: 0 };
    this.#ask(this.list);
    this.#tell();
  }

  #ask({ id, of, at }: List): void {
    this.#send({ type: "list", list: id, of, start: pageOf(at) });
  }

  #isHere(rank: number): boolean {
    const { list } = this;
    return list !== null && rank >= list.start && rank < list.start + list.rows.length;
  }
}

/** The rank that the page of a rank begins with. */
function pageOf(rank: number): number {
  return rank - (rank % PAGE);
}
