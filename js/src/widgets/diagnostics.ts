/** The diagnostics: where the model is wrong. */
import { DiagnosticsState, type DiagnosticsTraits } from "../diagnostics/state";
import { DiagnosticsView } from "../diagnostics/view";
import { defineWidget } from "../shared/model";

export default defineWidget<DiagnosticsTraits, DiagnosticsState>(
  (model) => new DiagnosticsState(model),
  (state, el) => {
    const view = new DiagnosticsView(state);
    el.append(view.root);
    return () => view.dispose();
  },
);
