/** Cards to label on. */
import { CardsState, type CardsTraits } from "../cards/state";
import { CardsView } from "../cards/view";
import { defineWidget } from "../shared/model";

export default defineWidget<CardsTraits, CardsState>(
  (model) => new CardsState(model),
  (state, el) => {
    const view = new CardsView(state);
    el.append(view.root);
    return () => view.dispose();
  },
);
