/**
 * What a widget may use of its host: the anywidget model API and nothing else, so that the same widget runs in
 * JupyterLab, Notebook 7, VS Code, Colab and marimo.
 */
import type { AnyModel } from "@anywidget/types";

type Traits = Record<string, unknown>;

/** The model of a widget whose synced traits are `T`: a mistyped trait name does not compile. */
export type Model<T extends Traits = Traits> = Pick<
  AnyModel<T>,
  "get" | "set" | "on" | "off" | "save_changes" | "send"
>;

export type Cleanup = () => void;

/** What a widget keeps for one model while any number of its views come and go. */
export interface Disposable {
  dispose(): void;
}

export interface Widget<T extends Traits> {
  initialize(props: { model: Model<T> }): Cleanup;
  render(props: { model: Model<T>; el: HTMLElement }): Cleanup;
}

/**
 * A widget made of state for a model and views on that state.
 *
 * The module exports the returned *factory*: a host calls it once a model, so the closure belongs to one model. (The
 * `model` given to `initialize` and to `render` are different proxies of one thing, so a WeakMap keyed by it would
 * never find the state again.)
 *
 * @param start makes the state of a model; called once, before the first view.
 * @param view draws one view into `el` and returns what takes it away again.
 */
export function defineWidget<T extends Traits, S extends Disposable>(
  start: (model: Model<T>) => S,
  view: (state: S, el: HTMLElement, model: Model<T>) => Cleanup,
): () => Widget<T> {
  return () => {
    let state: S | null = null;
    return {
      initialize({ model }) {
        const own = start(model);
        state = own;
        return () => {
          own.dispose();
          if (state === own) state = null;
        };
      },
      render({ model, el }) {
        state ??= start(model); // a host that never calls initialize
        return view(state, el, model);
      },
    };
  };
}
