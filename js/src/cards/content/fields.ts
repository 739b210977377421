import { make } from "../../shared/dom";
import type { CardContent, FieldsContent } from "../../shared/messages";

/** Several contents, each with its name above. */
export function fields(content: FieldsContent, part: (content: CardContent) => HTMLElement): HTMLElement {
  const entries = content.fields.map(({ name, content: inner }) =>
    make("div", { class: "alw-field" }, make("dt", { dir: "auto" }, name), make("dd", {}, part(inner))),
  );
  return make("dl", { class: "alw-fields" }, ...entries);
}
