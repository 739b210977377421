/** What one map knows: filled by Python's messages, read by any number of views. */
import { Listeners } from "../shared/listeners";
import type { Cleanup, Disposable, Model } from "../shared/model";
import { type Colouring, type Coordinates, decodeColours, decodePoints, encodeIndices } from "./codecs";
import type {
  ColourBy,
  FromMap,
  LayoutMessage,
  PointsMessage,
  PreviewMessage,
  ProgressMessage,
  SpaceName,
  ToMap,
} from "./messages";

export interface MapTraits extends Record<string, unknown> {
  _task: { classes?: string[] };
  height: number;
}

export interface Points extends Omit<PointsMessage, "type"> {
  xy: Coordinates;
}

export interface Preview extends PreviewMessage {
  image: DataView | null;
}

/** A line for the person to read. */
export interface Notice {
  kind: "good" | "bad";
  text: string;
}

export type Change =
  | "points"
  | "colours"
  | "cards"
  | "progress"
  | "layout"
  | "selection"
  | "preview"
  | "notice";

/** More positions than this do not fit into one message that every host carries. */
export const MOST_SENT = 2_000_000;

export class MapState implements Disposable {
  readonly listeners = new Listeners();
  points: Points | null = null;
  colouring: Colouring | null = null;
  /** What was asked for and has not come yet. */
  asked: ColourBy | null = null;
  cards: readonly number[] = [];
  progress: ProgressMessage = { type: "progress", fraction: null, text: null };
  layout: LayoutMessage | null = null;
  /** The space that was asked for and has not come yet. */
  askedSpace: SpaceName | null = null;
  preview: Preview | null = null;
  selection: ArrayLike<number> = [];
  queueing = false;
  notice: Notice | null = null;
  readonly #model: Model<MapTraits>;
  readonly #watchers = new Set<(change: Change) => void>();
  /** Colours that came before the points. */
  #early: { message: ToMap & { type: "colours" }; buffers: DataView[] } | null = null;

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

  askPreview(index: number): void {
    this.#send({ type: "preview", index });
  }

  select(indices: ArrayLike<number>): void {
    this.selection = indices;
    if (indices.length <= MOST_SENT) this.#send({ type: "select" }, indices);
    this.#tell("selection");
  }

  /** Asks for the selection on the next cards, or in a grid to label it in one go. */
  label(how: "next" | "together" = "next"): void {
    if (this.selection.length === 0 || this.queueing) return;
    if (this.selection.length > MOST_SENT) {
      this.#say("bad", "That is too much to label: select fewer points.");
      return;
    }
    this.queueing = true;
    this.#send({ type: `label_${how}` }, this.selection);
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

  #send(message: FromMap, indices?: ArrayLike<number>): void {
    try {
      this.#model.send(message, undefined, indices ? [encodeIndices(indices)] : []);
    } catch {
      this.queueing = false;
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
        if (this.points && this.points.n !== rest.n) this.#forget();
        this.points = { ...rest, xy };
        this.#tell("points");
        const early = this.#early;
        this.#early = null;
        if (early) this.#take(early.message, early.buffers);
        return;
      }
      case "colours":
        if (!this.points) {
          this.#early = { message, buffers };
          return;
        }
        this.colouring = decodeColours(message, buffers, this.points.n);
        this.asked = null;
        this.#tell("colours");
        return;
      case "cards":
        this.cards = message.indices;
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
          image: content.kind === "image" ? (buffers[content.buffer] ?? null) : null,
        };
        this.#tell("preview");
        return;
      }
      case "queued":
        this.queueing = false;
        this.selection = [];
        this.#tell("selection");
        this.#say("good", message.text);
        return;
      case "refused":
        this.#failed(message.reason);
        return;
      case "problem":
        this.#failed([message.text, message.remedy].filter(Boolean).join(" "));
    }
  }

  #forget(): void {
    this.colouring = null;
    this.selection = [];
    this.cards = [];
  }

  #failed(text: string): void {
    this.queueing = false;
    this.asked = this.askedSpace = null;
    this.#tell("selection");
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
