/** One view of the cards on a page, with a person at the keys and Python played by the test. */
import { afterEach, beforeEach, vi } from "vitest";
import type { Status, StoreTrait } from "../shared/messages";
import { CardsState } from "./state";
import { counter, FakeModel, FakeShelf } from "./testing";
import { CardsView } from "./view";

export const STATUS: Status = {
  type: "status",
  labelled: 40,
  total: 1102,
  audit: 6,
  skipped: 2,
  training: false,
  progress: null,
  model_version: 3,
  error: null,
  notice: null,
  saved_to: "labels.db",
};

export class Desk {
  readonly shelf = new FakeShelf();
  model!: FakeModel;
  state!: CardsState;
  view!: CardsView;

  /** Opens the page, or opens it anew: the browser's storage stays. */
  open(classes = ["ham", "spam"], store: Partial<StoreTrait> = {}): void {
    this.view?.dispose();
    this.state?.dispose();
    this.model = new FakeModel(classes, store);
    this.state = new CardsState(this.model, {
      shelf: this.shelf,
      newId: counter(),
      afterFrame: (run) => run(),
      atRest: (run) => run(),
    });
    this.view = new CardsView(this.state);
    document.body.append(this.view.root);
  }

  close(): void {
    this.view.dispose();
    this.state.dispose();
    document.body.replaceChildren();
  }

  press(key: string, more: KeyboardEventInit = {}, target: Element = this.view.root): KeyboardEvent {
    const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more });
    target.dispatchEvent(event);
    return event;
  }

  find<E extends Element = HTMLElement>(selector: string): E {
    return this.view.root.querySelector<E>(selector)!;
  }

  text(selector: string): string | null {
    return this.find(selector).textContent;
  }

  get itemId(): string | undefined {
    return this.view.root.dataset.itemId;
  }

  classButton(i: number): HTMLButtonElement {
    return this.view.root.querySelectorAll<HTMLButtonElement>(".alw-class")[i]!;
  }

  get notices(): (string | null)[] {
    return [...this.view.root.querySelectorAll(".alw-notice p")].map((p) => p.textContent);
  }
}

/** A fresh desk for each test of a file, with a clock that only the test moves. */
export function useDesk(): { readonly desk: Desk } {
  const held = { desk: null as unknown as Desk };
  beforeEach(() => {
    vi.useFakeTimers();
    held.desk = new Desk();
    held.desk.open();
  });
  afterEach(() => {
    held.desk.close();
    vi.useRealTimers();
  });
  return held;
}
