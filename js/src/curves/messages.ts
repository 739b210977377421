/** Messages of the curves; the same shapes stand in `alwidgets/widgets/signs.py`. */

/** Cards are to be picked by another strategy. */
export interface StrategyMessage {
  type: "strategy";
  name: string;
}
