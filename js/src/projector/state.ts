/** What one map knows: filled by Python's messages, read by any number of views. */
import { saveFile } from "../shared/files";
import { Listeners } from "../shared/listeners";
import type { Cleanup, Disposable, Model } from "../shared/model";
import { type Colouring, decodeColours, decodeIndices, decodePoints, pack, resize, unpack } from "./codecs";
import { Lists } from "./lists";
import type {
  ChoicesMessage,
  ColourBy,
  ColumnsMessage,
  FromMap,
  LayoutMessage,
  ProgressMessage,
  Source,
  SpaceName,
  ToMap,
  What,
} from "./messages";
import type { Change, Found, MapTraits, Notice, Points, Preview, Regions } from "./parts";
import { Varying } from "./varying";

export type { Change, Found, MapTraits, Notice, Points, Preview, Regions } from "./parts";

export class MapState implements Disposable {
  readonly listeners = new Listeners();
  points: Points | null = null;
  colouring: Colouring | null = null;
  /** What was asked for and has not come yet. */
  asked: ColourBy | null = null;
  /** What sizes and opacities stand for. */
  readonly varying = new Varying();
  /** What can be coloured by, and the columns that were asked for. */
  choices: ChoicesMessage | null = null;
  columns: ColumnsMessage | null = null;
  /** Codes whose points are not shown. */
  hidden: ReadonlySet<number> = new Set();
  cards: readonly number[] = [];
  progress: ProgressMessage = { type: "progress", fraction: null, text: null };
  layout: LayoutMessage | null = null;
  /** The space that was asked for and has not come yet. */
  askedSpace: SpaceName | null = null;
  preview: Preview | null = null;
  selection: ArrayLike<number> = [];
  /** Members of the selection that look misplaced, and outsiders that look as if they belonged there. */
  guard: { doubtful: Uint32Array<ArrayBuffer>; missing: Uint32Array<ArrayBuffer>; sampled: boolean } | null =
    null;
  /** What is looked for, what of it was found, and how far the index of the words is. */
  searched = "";
  found: Found | null = null;
  indexing: number | null = null;
  regions: Regions | null = null;
  /** Whether the names of the regions are shown. */
  isNaming = true;
  /** Whether lines show where the points lie densest. */
  isContouring = false;
  queueing = false;
  /** Whether a file of the selection is on its way. */
  saving = false;
  notice: Notice | null = null;
  /** The lists beside the map. */
  readonly lists = new Lists(
    this,
    (message) => this.#send(message),
    () => this.#tell("list"),
  );
  readonly #model: Model<MapTraits>;
  readonly #watchers = new Set<(change: Change) => void>();
  /** Colours, sizes and a selection that came before the points. */
  readonly #early = new Map<string, { message: ToMap; buffers: DataView[] }>();

  constructor(model: Model<MapTraits>) {
    this.#model = model;
    this.listeners.model(model, "msg:custom", (message: unknown, buffers?: DataView[]) =>
      this.#receive(message, buffers ?? []),
    );
    this.#send({ type: "hello" });
  }

  get height(): number {
    return this.#model.get("height") || 420;
  }

  get classes(): readonly string[] {
    return this.#model.get("_task")?.classes ?? [];
  }

  /** Calls back on each change until the returned function is called. */
  watch(watcher: (change: Change) => void): Cleanup {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Calls back when the height changes. */
  onHeight(run: () => void): Cleanup {
    return this.listeners.model(this.#model, "change:height", run);
  }

  colourBy(by: ColourBy): void {
    this.asked = by;
    this.#send({ type: "colour_by", by });
  }

  /** Has sizes or opacities follow a quantity; for null all points are the same. */
  vary(what: What, by: ColourBy | null): void {
    this.varying.asked[what] = by;
    this.#send({ type: "vary", what, by });
  }

  /** Whether a layout is under way that can be given up. */
  get stoppable(): boolean {
    const { text, stoppable } = this.progress;
    return text !== null && stoppable !== false && this.points !== null && this.layout !== null;
  }

  showSpace(space: SpaceName): void {
    this.askedSpace = space;
    this.#send({ type: "space", space });
  }

  cancelLayout(): void {
    this.#send({ type: "cancel_layout" });
  }

  /** Asks for the columns of metadata whose names hold a text. */
  findColumns(search: string): void {
    this.#send({ type: "columns", search });
  }

  /** Hides the points of a code, or shows them again. */
  toggle(code: number): void {
    const hidden = new Set(this.hidden);
    if (!hidden.delete(code)) hidden.add(code);
    this.hidden = hidden;
    this.#tell("hidden");
  }

  /** Whether a point is shown. */
  shows(index: number): boolean {
    return !this.hidden.has(this.colouring?.codes[index] ?? -1);
  }

  /** Those of some points that are not hidden. */
  visible(indices: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
    const codes = this.colouring?.codes;
    if (!codes || this.hidden.size === 0) return indices;
    return indices.filter((i) => !this.hidden.has(codes[i]!));
  }

  /** Shows the names of the regions, or takes them away. */
  toggleNames(): void {
    this.isNaming = !this.isNaming;
    this.#tell("regions");
  }

  /** Draws lines around where the points lie densest, or takes them away. */
  toggleContours(): void {
    this.isContouring = !this.isContouring;
    this.#tell("contours");
  }

  askPreview(index: number): void {
    this.#send({ type: "preview", index });
  }

  /** The points that stand out: what was found while something is looked for, else the selection. */
  get marked(): ArrayLike<number> {
    return this.found && !this.found.error ? this.found.indices : this.selection;
  }

  /** Looks for a text; an empty one has the index begun and shows the selection again. */
  search(text: string): void {
    if (text !== this.searched || text.trim() === "") this.found = null;
    this.searched = text;
    this.#send({ type: "search", text });
    this.#tell("found");
  }

  /** Selects what was found. */
  takeFound(): void {
    const { found } = this;
    this.searched = "";
    this.found = null;
    this.#tell("found");
    if (found && found.indices.length > 0) this.select(found.indices);
  }

  /** @param source a list, if they were selected there: that stays as it is */
  select(indices: ArrayLike<number>, source?: Source): void {
    this.found = null;
    this.guard = null;
    this.selection = indices;
    this.#sendPacked("select", indices, source ? { source } : {});
    this.#tell("selection");
    if (!source) this.lists.follow("selection");
  }

  /** Adds a point to the selection, or takes it out. */
  toggleSelected(index: number, source: Source): void {
    const others = Uint32Array.from(this.selection).filter((i) => i !== index);
    const isIn = others.length < this.selection.length;
    this.select(isIn ? others : Uint32Array.from([...others, index]), source);
  }

  /** Asks for the selection on the next cards, or in a grid to label it in one go. */
  label(how: "next" | "together" = "next"): void {
    if (this.selection.length === 0 || this.queueing) return;
    this.queueing = true;
    this.#sendPacked(`label_${how}`, this.selection);
    this.#tell("selection");
  }

  /** Has the selection saved as a file. */
  save(): void {
    if (this.selection.length === 0 || this.saving) return;
    this.saving = true;
    this.#send({ type: "save" });
    this.#tell("selection");
  }

  dismiss(): void {
    this.notice = null;
    this.#tell("notice");
  }

  dispose(): void {
    this.listeners.dispose();
    this.#watchers.clear();
  }

  #sendPacked(
    type: "select" | "label_next" | "label_together",
    indices: ArrayLike<number>,
    more: { source?: Source } = {},
  ): void {
    const n = this.points?.n ?? 0;
    const { encoding, data } = pack(indices, n);
    const size = encoding === "mask" ? { n } : {};
    this.#send({ type, encoding, ...size, ...more }, [data]);
  }

  #send(message: FromMap, buffers: ArrayBuffer[] = []): void {
    try {
      this.#model.send(message, undefined, buffers);
    } catch {
      this.queueing = this.saving = false;
      this.#say("bad", "The kernel cannot be reached. Run the cell again.");
    }
  }

  #receive(given: unknown, buffers: DataView[]): void {
    const message = given as ToMap;
    try {
      this.#take(message, buffers);
    } catch (error) {
      this.#say("bad", `The map cannot read what the kernel sent (${(error as Error).message}).`);
    }
  }

  #take(message: ToMap, buffers: DataView[]): void {
    switch (message?.type) {
      case "points": {
        const { type: _type, ...rest } = message;
        if (this.points && this.points.revision > rest.revision) return;
        const xy = decodePoints(message, buffers);
        const before = this.points?.n ?? rest.n;
        if (before > rest.n) this.#forget();
        this.points = { ...rest, xy };
        if (this.colouring) this.colouring = resize(this.colouring, rest.n);
        this.varying.resize(rest.n);
        this.#tell("points");
        if (before < rest.n) this.#tell("selection"); // the plot has new points: it is marked again
        const early = [...this.#early.values()];
        this.#early.clear();
        for (const one of early) this.#take(one.message, one.buffers);
        return;
      }
      case "colours":
        if (!this.points) {
          this.#early.set(message.type, { message, buffers });
          return;
        }
        if (message.by !== this.colouring?.by) this.hidden = new Set();
        this.colouring = resize(decodeColours(message, buffers, message.n ?? this.points.n), this.points.n);
        this.asked = null;
        this.#tell("colours");
        this.lists.follow("colours");
        return;
      case "varied":
        if (!this.points) {
          this.#early.set(`${message.type} ${message.what}`, { message, buffers });
          return;
        }
        this.varying.take(message, buffers, this.points.n);
        this.#tell("varied");
        return;
      case "selection":
        if (!this.points) {
          this.#early.set(message.type, { message, buffers });
          return;
        }
        this.found = this.guard = null;
        this.selection = this.#placed(unpack(message.encoding, buffers, message.n ?? this.points.n));
        this.#tell("selection");
        this.lists.follow("selection");
        return;
      case "guard":
        if (message.selected !== this.selection.length) return; // of a selection that is no more
        this.guard = {
          doubtful: this.#placed(decodeIndices(buffers.slice(0, 1))),
          missing: this.#placed(decodeIndices(buffers.slice(1))),
          sampled: message.sampled,
        };
        this.#tell("guard");
        return;
      case "choices":
        this.choices = message;
        this.#tell("choices");
        return;
      case "columns":
        this.columns = message;
        this.#tell("columns");
        return;
      case "found": {
        const { type: _type, ...rest } = message;
        if (rest.text !== this.searched) return; // something else was typed since
        this.found = { ...rest, indices: this.#placed(decodeIndices(buffers)) };
        this.#tell("found");
        return;
      }
      case "regions": {
        const { type: _type, ...rest } = message;
        this.regions = { ...rest, buffers };
        this.#tell("regions");
        return;
      }
      case "indexing":
        this.indexing = message.fraction;
        this.#tell("found");
        return;
      case "cards":
        this.cards = message.indices.filter((i) => !this.points || i < this.points.n);
        this.#tell("cards");
        return;
      case "progress":
        this.progress = message;
        this.#tell("progress");
        return;
      case "layout":
        this.layout = message;
        this.askedSpace = null;
        this.#tell("layout");
        return;
      case "preview": {
        const { content } = message;
        this.preview = {
          ...message,
          file: content.kind === "text" ? null : (buffers[content.buffer] ?? null),
        };
        this.#tell("preview");
        return;
      }
      case "rows":
      case "ways":
        this.lists.take(message, buffers);
        return;
      case "slices":
        this.lists.take(message, buffers);
        if (message.said) this.#say("good", message.said);
        return;
      case "file":
        this.saving = false;
        saveFile(new Blob(buffers as DataView<ArrayBuffer>[], { type: "text/csv" }), message.name);
        this.#tell("selection");
        this.#say("good", `Saved as ${message.name}.`);
        return;
      case "queued":
        this.queueing = false;
        this.selection = [];
        this.guard = null;
        this.#tell("selection");
        this.lists.follow("selection");
        this.#say("good", message.text);
        return;
      case "refused":
        this.#failed(message.reason);
        return;
      case "problem":
        this.#failed([message.text, message.remedy].filter(Boolean).join(" "));
    }
  }

  /** Those of some items that have a point by now: new ones are placed a little later. */
  #placed(indices: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
    const n = this.points?.n ?? 0;
    return indices.every((i) => i < n) ? indices : indices.filter((i) => i < n);
  }

  #forget(): void {
    this.colouring = null;
    this.varying.forget();
    this.selection = [];
    this.found = null;
    this.regions = null;
    this.cards = [];
    this.lists.forget();
  }

  #failed(text: string): void {
    this.queueing = this.saving = false;
    this.asked = this.askedSpace = null;
    this.varying.giveUp();
    this.#tell("selection");
    this.#tell("varied");
    this.#tell("layout");
    this.#say("bad", text);
  }

  #say(kind: Notice["kind"], text: string): void {
    this.notice = { kind, text };
    this.#tell("notice");
  }

  #tell(change: Change): void {
    for (const watcher of [...this.#watchers]) watcher(change);
  }
}
