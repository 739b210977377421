import type { Card, CardContent } from "../shared/messages";
import { shown } from "./content/table";

/** What each strategy looks for, in a few words. */
const LOOKS_FOR: Record<string, string> = {
  random: "picked at random",
  least_confident: "the model is unsure of its best guess",
  margin: "a close call between two classes",
  entropy: "the model spreads its bets",
  expected_gradient_length: "would change the model a lot",
  expected_error_reduction: "would make the model surer elsewhere",
  bald: "the members of the model disagree",
  batch_bald: "the members of the model disagree",
  epig: "would tell much about other items",
  vote_entropy: "the members of the model vote differently",
  consensus_entropy: "the members of the model are unsure together",
  max_disagreement: "one member of the model sees it otherwise",
  variation_ratio: "many members of the model are outvoted",
  representative: "typical of many items",
  typiclust: "typical of its cluster",
  k_center: "unlike anything labelled so far",
  prob_cover: "has many neighbours without a label",
  max_herding: "stands for many items",
  uncertainty_herding: "stands for many items the model is unsure of",
  badge: "unsure, and unlike the others of its batch",
  contrastive: "seen otherwise than its labelled neighbours",
  density: "lies where there are many items",
  density_weighted: "unsure, and typical of the pool",
  cluster_margin: "a close call, each from another cluster",
  falcun: "unsure, and unlike the others of its batch",
  mismatch_first_farthest: "the model contradicts the nearest label",
  galaxy: "at the border of a class",
  mean_binary_entropy: "the model is unsure of its labels",
  max_binary_entropy: "the model is unsure of one of its labels",
  binary_minimum: "a close call about one label",
  max_loss_reduction: "many of its labels may be predicted wrong",
  max_margin_uncertainty: "a close call which labels it has",
  cardinality_inconsistency: "unusually many or few labels predicted",
  margin_cardinality: "a close call, with unusually many or few labels",
  mean_score: "likely to have several labels",
  max_score: "almost sure to have a label",
  multilabel_bald: "the members of the model disagree about its labels",
};

export interface Why {
  text: string;
  title: string;
}

/** Why this card is on screen. */
export function why(card: Card): Why {
  if (card.stream === "chosen") return { text: "chosen by you", title: "You put this item into the queue." };
  if (card.stream === "audit") {
    return {
      text: "picked at random",
      title: "Drawn at random, so that the accuracy it measures is honest.",
    };
  }
  const { strategy, score, model_version } = card.reason;
  const words = LOOKS_FOR[strategy];
  const by = model_version > 0 ? ` by model ${model_version}` : "";
  const scored = score === null ? "" : `, score ${score.toPrecision(3)}`;
  return {
    text: words ?? `chosen by ${strategy.replaceAll("_", " ")}`,
    title: `Strategy ${strategy}${by}${scored}.`,
  };
}

/** A badge for cards that are not ordinary ones. */
export function badge(card: Card): Why | null {
  if (card.stream !== "audit") return null;
  return {
    text: "audit card",
    title: "Suggestion hidden: this answer measures the model's accuracy and never trains it.",
  };
}

const LONGEST = 240;

/** A content in words. */
export function inWords(content: CardContent): string {
  switch (content.kind) {
    case "text":
      return content.code ? `Code: ${content.text}` : content.text;
    case "image":
      return content.alt || "Image";
    case "audio":
      return content.alt ? `${content.alt}, a sound` : "A sound";
    case "table":
      return content.rows.map(({ name, value }) => `${name}: ${shown(value)}`).join(", ");
    case "html":
      return content.text;
    case "pair":
      return `Left: ${inWords(content.left)}. Right: ${inWords(content.right)}`;
    case "fields":
      return content.fields.map(({ name, content: c }) => `${name}: ${inWords(c)}`).join(". ");
    default:
      return "";
  }
}

/** The card in words, for a screen reader. */
export function spoken(card: Card, suggestion: string): string {
  const text = inWords(card.content);
  const cut = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  const remark = card.comment ? `Comment: ${card.comment}` : "";
  return [cut, badge(card) ? "Audit card." : "", suggestion, card.flag ? "Flagged." : "", remark]
    .filter(Boolean)
    .join(" ");
}
