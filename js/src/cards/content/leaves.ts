import type { CardContent, FieldsContent, PairContent } from "../../shared/messages";

export type Leaf = Exclude<CardContent, PairContent | FieldsContent>;

/** The contents that hold no other, in their order. */
export function leavesOf(content: CardContent): Leaf[] {
  switch (content.kind) {
    case "pair":
      return [...leavesOf(content.left), ...leavesOf(content.right)];
    case "fields":
      return content.fields.flatMap((field) => leavesOf(field.content));
    default:
      return [content];
  }
}
