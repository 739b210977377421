import type { Answer, Task } from "../shared/messages";

const LONGEST = 60;

/** A text in one line of about so many characters. */
export function shortened(text: string, longest = LONGEST): string {
  const line = text.trim().replace(/\s+/g, " ");
  const cut = [...line].slice(0, longest).join("");
  return cut.length < line.length ? `${cut}…` : line;
}

/** What a person calls an answer. */
export function nameOf(task: Task, answer: Answer): string {
  if (Array.isArray(answer)) return answer.length > 0 ? answer.join(", ") : "none of them";
  if (task.kind === "text") return answer === "" ? "an empty text" : `“${shortened(String(answer))}”`;
  return task.classes[task.answers.indexOf(answer)] ?? String(answer);
}

/** What was done by giving an answer. */
export function deedOf(task: Task, answer: Answer): string {
  return `${task.kind === "text" ? "saved" : "labelled"} ${nameOf(task, answer)}`;
}

/** Words with a capital and a full stop. */
export function sentence(words: string): string {
  return `${words[0]?.toUpperCase() ?? ""}${words.slice(1)}.`;
}
