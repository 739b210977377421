import type { Cleanup, Model } from "./model";

/**
 * Everything a view or a state has hooked on to, counted, so that a test can see that nothing stays behind.
 *
 * `size` is the number of hooks still there; `dispose` undoes them all, newest first.
 */
export class Listeners {
  readonly #undo = new Set<Cleanup>();

  get size(): number {
    return this.#undo.size;
  }

  /** Remembers how to undo something; the returned function undoes it early. */
  add(undo: Cleanup): Cleanup {
    const once = () => {
      if (this.#undo.delete(once)) undo();
    };
    this.#undo.add(once);
    return once;
  }

  /** A DOM listener. */
  dom<K extends keyof HTMLElementEventMap>(
    target: EventTarget,
    name: K | (string & {}),
    handler: (event: HTMLElementEventMap[K]) => void,
    options?: AddEventListenerOptions,
  ): Cleanup {
    const listener = handler as EventListener;
    target.addEventListener(name, listener, options);
    return this.add(() => target.removeEventListener(name, listener, options));
  }

  /** A listener on a model: `change:trait` or `msg:custom`. */
  model<M extends Pick<Model, "on" | "off">>(
    model: M,
    name: string,
    // biome-ignore lint/suspicious/noExplicitAny: what arrives depends on the name; the host types it the same way
    handler: (...args: any[]) => void,
  ): Cleanup {
    model.on(name, handler);
    return this.add(() => model.off(name, handler));
  }

  /** A timer that fires once. */
  timeout(run: () => void, ms: number): Cleanup {
    const done = this.add(() => clearTimeout(id));
    const id = setTimeout(() => {
      done();
      run();
    }, ms);
    return done;
  }

  /** A call in the next frame. */
  frame(run: () => void): Cleanup {
    const done = this.add(() => cancelAnimationFrame(id));
    const id = requestAnimationFrame(() => {
      done();
      run();
    });
    return done;
  }

  dispose(): void {
    for (const undo of [...this.#undo].reverse()) undo();
  }
}

/**
 * Calls `found` with the nearest ancestor of `el` that matches, as soon as there is one: a host may render a widget
 * before it hangs it into its parent. Looks once a frame.
 *
 * @returns what stops the search.
 */
export function whenInside(el: Element, selector: string, found: (ancestor: HTMLElement) => void): Cleanup {
  const listeners = new Listeners();
  const look = () => {
    const ancestor = el.closest<HTMLElement>(selector);
    if (ancestor) found(ancestor);
    else listeners.frame(look);
  };
  look();
  return () => listeners.dispose();
}
