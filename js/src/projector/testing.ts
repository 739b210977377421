/** Fakes for the tests of the map: a host's model with Python played by the test. */
import type { Model } from "../shared/model";
import type { ChoicesMessage, FromMap, PointsMessage, ToMap } from "./messages";
import type { MapTraits } from "./state";

// biome-ignore lint/suspicious/noExplicitAny: as in the host's own types
type Handler = (...args: any[]) => void;

export class FakeModel implements Model<MapTraits> {
  readonly sent: { message: FromMap; indices: number[] | null }[] = [];
  readonly handlers = new Map<string, Set<Handler>>();
  alive = true;
  traits: MapTraits = { _task: { classes: ["ham", "spam"] }, height: 400 };

  get listeners(): number {
    return [...this.handlers.values()].reduce((n, set) => n + set.size, 0);
  }

  get last(): { message: FromMap; indices: number[] | null } | undefined {
    return this.sent.at(-1);
  }

  get<K extends keyof MapTraits>(key: K): MapTraits[K] {
    return this.traits[key];
  }

  set<K extends keyof MapTraits>(key: K, value: MapTraits[K]): void {
    this.traits = { ...this.traits, [key]: value };
    for (const run of this.handlers.get(`change:${String(key)}`) ?? []) run();
  }

  on(name: string, run: Handler): void {
    const set = this.handlers.get(name) ?? new Set();
    this.handlers.set(name, set.add(run));
  }

  off(name?: string | null, run?: Handler | null): void {
    if (name && run) this.handlers.get(name)?.delete(run);
  }

  save_changes(): void {}

  send(message: FromMap, _callbacks?: unknown, buffers: ArrayBuffer[] = []): void {
    if (!this.alive) throw new Error("Cannot send");
    const indices = buffers[0] ? [...new Uint32Array(buffers[0])] : null;
    this.sent.push({ message: structuredClone(message), indices });
  }

  /** A message from Python. */
  receive(message: ToMap, ...buffers: DataView[]): void {
    for (const run of this.handlers.get("msg:custom") ?? []) run(message, buffers);
  }

  /** Points on a line. */
  points(n: number, more: Partial<PointsMessage> = {}): void {
    const xy = Array.from({ length: 2 * n }, (_, i) => (i % 2 ? 0 : i / n - 1));
    this.receive({ type: "points", n, layout: "pca", revision: 1, ...more }, floats(xy));
  }

  /** What can be coloured by. */
  choices(more: Partial<ChoicesMessage> = {}): void {
    const model = ["prediction", "uncertainty"].map((by) => ({
      by,
      name: by,
      needs: "a model",
      quantity: by === "uncertainty",
    }));
    this.receive({
      type: "choices",
      groups: [
        {
          name: "Model",
          choices: [
            ...model,
            { by: "outlier", name: "Outlier score", needs: null, quantity: true },
            { by: "trust", name: "trust", needs: "a layout", quantity: true },
          ],
        },
        { name: "Labels", choices: [{ by: "label", name: "Label", needs: null }] },
      ],
      n_columns: 0,
      ...more,
    });
  }

  /** Labels, 255 for none. */
  labels(codes: number[], more: { version?: number; n?: number } = {}): void {
    this.receive(
      {
        type: "colours",
        by: "label",
        kind: "category",
        categories: ["ham", "spam"],
        range: null,
        version: 0,
        bytes: 1,
        none: "not labelled",
        ...more,
      },
      bytes(codes),
    );
  }
}

/** As a host delivers it: a view into a larger buffer, at any offset. */
export function at(offset: number, data: ArrayBuffer): DataView {
  const whole = new Uint8Array(offset + data.byteLength + 3);
  whole.set(new Uint8Array(data), offset);
  return new DataView(whole.buffer, offset, data.byteLength);
}

export const floats = (values: number[]): DataView => at(1, new Float32Array(values).buffer);
export const bytes = (values: number[]): DataView => at(1, new Uint8Array(values).buffer);
export const shorts = (values: number[]): DataView => at(1, new Uint16Array(values).buffer);
