/** What the diagnostics know: the newest of every tab, and what is asked for. Views come and go. */
import { Listeners } from "../shared/listeners";
import type { Disposable, Model } from "../shared/model";
import {
  type FromDiagnostics,
  type Of,
  type Tab,
  type TabMessage,
  type ToDiagnostics,
  TRAINABLE,
} from "./messages";

export interface DiagnosticsTraits extends Record<string, unknown> {
  height: number;
}

/** A tab as it came, with the bytes of its images. */
export interface Shown {
  message: TabMessage;
  buffers: readonly DataView[];
}

/** Something to be read out, such as what was selected. */
export interface Notice {
  text: string;
  bad: boolean;
}

/** What changed: a tab came, there is more to know, or there is something to say. */
export type Change = "tab" | "stale" | "notice" | "height";

export class DiagnosticsState implements Disposable {
  readonly listeners = new Listeners();
  readonly #model: Model<DiagnosticsTraits>;
  readonly #watchers = new Set<(change: Change) => void>();
  readonly #shown = new Map<Tab, Shown>();
  readonly #stale = new Set<Tab>();
  #of: Of = "audit";
  #rounds: [number | null, number | null] = [null, null];
  notice: Notice | null = null;
  /** Why the session ended, if it did. */
  closed: string | null = null;

  constructor(model: Model<DiagnosticsTraits>) {
    this.#model = model;
    this.listeners.model(model, "msg:custom", (message: ToDiagnostics, buffers?: DataView[]) =>
      this.#take(message, buffers ?? []),
    );
    this.listeners.model(model, "change:height", () => this.#tell("height"));
  }

  get height(): number {
    return this.#model.get("height") ?? 480;
  }

  /** The labels that are looked at, where there is a choice. */
  get of(): Of {
    return this.#of;
  }

  set of(of: Of) {
    if (of === this.#of) return;
    this.#of = of;
    for (const tab of TRAINABLE) this.#stale.add(tab);
    this.#tell("stale");
  }

  /** Compares two other rounds; null is the newest. */
  compare(version: number | null, other: number | null): void {
    this.#rounds = [version, other];
    this.#stale.add("rounds");
    this.#tell("stale");
  }

  shown(tab: Tab): Shown | null {
    return this.#shown.get(tab) ?? null;
  }

  /** Whether what is shown of a tab is not what is asked for, or no longer all there is to know. */
  isStale(tab: Tab): boolean {
    return !this.#shown.has(tab) || this.#stale.has(tab);
  }

  /** Asks for a tab; the answer comes by `watch`. */
  look(tab: Tab): void {
    const [version, other] = this.#rounds;
    this.#stale.delete(tab);
    const of = TRAINABLE.includes(tab) ? this.#of : "audit";
    if (!this.#send({ type: "look", tab, of, version, other })) this.#stale.add(tab);
  }

  /** Selects the items of a place on a tab. */
  select(tab: Tab, place: number[]): void {
    const edition = this.#shown.get(tab)?.message.edition;
    if (edition !== undefined) this.#send({ type: "select", tab, edition, place });
  }

  watch(run: (change: Change) => void): () => void {
    this.#watchers.add(run);
    return () => this.#watchers.delete(run);
  }

  dispose(): void {
    this.listeners.dispose();
    this.#watchers.clear();
  }

  #take(message: ToDiagnostics, buffers: readonly DataView[]): void {
    if (message.type === "tab") {
      // An answer to a question that was changed meanwhile.
      if (!this.#isAskedFor(message)) return;
      this.#shown.set(message.tab, { message, buffers });
      this.#tell("tab");
    } else if (message.type === "changed") {
      this.closed = message.closed;
      if (message.closed === null) for (const tab of this.#shown.keys()) this.#stale.add(tab);
      this.#tell("stale");
    } else if (message.type === "selected") this.#say({ text: message.text, bad: false });
    else if (message.type === "problem")
      this.#say({ text: `${message.text} ${message.remedy}`.trim(), bad: true });
  }

  #isAskedFor({ tab, of, version, other }: TabMessage): boolean {
    if (tab === "rounds") return version === this.#rounds[0] && other === this.#rounds[1];
    return !TRAINABLE.includes(tab) || of === this.#of;
  }

  #say(notice: Notice): void {
    this.notice = notice;
    this.#tell("notice");
  }

  /** Whether it could be sent. */
  #send(message: FromDiagnostics): boolean {
    try {
      this.#model.send(message);
      return true;
    } catch {
      this.#say({ text: "The kernel does not answer: run the cell again.", bad: true });
      return false;
    }
  }

  #tell(change: Change): void {
    for (const run of [...this.#watchers]) run(change);
  }
}
