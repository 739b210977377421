/** The map of the embeddings. */
import { MapState, type MapTraits } from "../projector/state";
import { MapView } from "../projector/view";
import { defineWidget } from "../shared/model";

export default defineWidget<MapTraits, MapState>(
  (model) => new MapState(model),
  (state, el) => {
    const view = new MapView(state);
    el.append(view.root);
    return () => view.dispose();
  },
);
