/**
 * The messages between the views and Python, as they travel: see also `alwidgets/widgets/messages.py`. The JSON files
 * in `fixtures/messages` hold one of each kind, and both test suites read them.
 */

export type Scalar = string | number | boolean | null;

/** A part of a text to highlight: start and end in code points, and a weight, below 0 where it speaks against. */
export type Mark = [start: number, end: number, weight: number];

export interface TextContent {
  kind: "text";
  text: string;
  code?: boolean;
  language?: string;
  marks?: Mark[];
}

/** `buffer` is the index of the file's bytes among the buffers of the message. */
export interface ImageContent {
  kind: "image";
  mime: string;
  buffer: number;
  width: number;
  height: number;
  alt: string;
}

export interface AudioContent {
  kind: "audio";
  mime: string;
  buffer: number;
  alt: string;
}

export interface TableContent {
  kind: "table";
  rows: { name: string; value: Scalar }[];
}

/** Markup as it came: it must be cleaned before it is shown. `text` is its words. */
export interface HtmlContent {
  kind: "html";
  markup: string;
  text: string;
}

export interface PairContent {
  kind: "pair";
  left: CardContent;
  right: CardContent;
}

export interface FieldsContent {
  kind: "fields";
  fields: { name: string; content: CardContent }[];
}

/** What is to be seen of an item in small. */
export type Content = TextContent | ImageContent;

/** What is to be seen of an item on its card. */
export type CardContent = Content | AudioContent | TableContent | HtmlContent | PairContent | FieldsContent;
/** An answer as it is stored: what it is depends on the kind of task. Several labels come in the order of the classes. */
export type Answer = Scalar | string[];

export interface Suggestion {
  answer: Answer;
  /** 0 to 1. */
  confidence: number;
}

/** One item to be labelled, with why it was chosen. */
export interface Card {
  item_id: string;
  draw_id: string | null;
  stream: "train" | "audit" | "chosen";
  content: CardContent;
  metadata: Record<string, Scalar>;
  suggestion: Suggestion | null;
  reason: { strategy: string; score: number | null; model_version: number };
  /** The event that flagged it, or null. */
  flag: string | null;
  /** The remark that stands. */
  comment?: string;
  /** What a box for free text is filled with. */
  start?: string;
  /** Whether the model says something that is not to be seen. */
  suggestion_hidden?: boolean;
}

export type EventKind = "answer" | "skip" | "flag" | "retract" | "comment";

/** Something a person did. Times are ISO 8601 in UTC. */
export interface LabelEvent {
  event_id: string;
  item_id: string;
  kind: EventKind;
  answer: Answer | null;
  /** The event that a `retract` takes back. */
  target: string | null;
  draw_id: string | null;
  shown_at: string | null;
  answered_at: string;
  /** Of a `comment`: the remark; an empty one takes it off. */
  comment?: string | null;
  /** What the events of one bulk answer have in common. */
  bulk?: string | null;
}

export interface Status {
  type: "status";
  labelled: number;
  total: number;
  audit: number;
  skipped: number;
  training: boolean;
  /** Of the fit under way, 0 to 1; null where the learner does not tell. */
  progress: number | null;
  model_version: number;
  error: string | null;
  notice: string | null;
  saved_to: string | null;
  /** Version of the model that the other views look back at; null for the newest. */
  round_shown?: number | null;
  /** How many more labels fill a batch, so that a fit begins; 0 while one is fitted. */
  until_fit?: number;
}

/** More about why an item is on a card. */
export interface Reasons {
  type: "reasons";
  item_id: string;
  /** Place among the scores of its batch, and how many these are. */
  rank: [number, number] | null;
  neighbours: { item_id: string; answer: Answer; similarity: number; text: string }[];
}

/** Which words of a text drive its suggestion. */
export interface Words {
  type: "words";
  item_id: string;
  marks: Mark[];
}

/** Items to be labelled in one go; those left out have an answer. */
export interface Together {
  type: "together";
  title: string;
  cards: Card[];
  /** So many, the first, are a random sample of them to look at before the others; 0 for none. */
  sample: number;
  left_out: number;
}

/** What stands for an item that was answered or skipped. */
export interface EarlierRow {
  item_id: string;
  kind: "answer" | "skip";
  answer: Answer | null;
  /** When it was answered, ISO 8601, if that is known. */
  at: string | null;
  /** Place in the log: rows before this one are asked for by it. */
  seq: number;
  /** The item in a line. */
  text: string;
  flag: boolean;
  comment: string | null;
}

/** Some of what was answered or skipped, newest first, and whether there is more before. */
export interface Earlier {
  type: "earlier";
  rows: EarlierRow[];
  more: boolean;
}

/** An earlier card to be shown again, and the answer that stands; null of one that was skipped. */
export interface ShownAgain {
  type: "shown";
  card: Card;
  former: Answer | null;
}

export interface Problem {
  type: "problem";
  text: string;
  remedy: string;
}

/** What Python sends to the cards. */
export type ToCards =
  | { type: "queue"; cards: Card[]; model_version: number; exhausted: boolean }
  // items: of the new answers and skips among them, by event, for other pages that show the view
  | { type: "ack"; event_ids: string[]; items?: Record<string, string> }
  | { type: "refused"; event_id: string | null; reason: string }
  | { type: "labelled"; item_id: string }
  | { type: "undone"; event_id: string; card: Card }
  | Reasons
  | Words
  | Together
  | Earlier
  | ShownAgain
  | Status
  | Problem;

/** What may be done to the classes of a task. */
export type ClassChange = "add" | "rename" | "merge";

/** What the cards send to Python. */
export type FromCards =
  | { type: "hello" }
  | { type: "more" }
  | { type: "undo" }
  | { type: "why"; item_id: string; draw_id: string | null }
  | { type: "classes"; what: ClassChange; name: string; to: string | null }
  | { type: "together"; search: string }
  | { type: "earlier"; before: number | null }
  | { type: "show"; item_id: string }
  | { type: "events"; events: LabelEvent[] };

/** How the cards ask: names, answers, codes and keys, one each for a class. */
export interface Task {
  kind: "classification" | "binary" | "rating" | "multilabel" | "text";
  classes: string[];
  answers: Answer[];
  /** By which they have their colours, here and on the map. */
  codes: number[];
  /** Null where the cards are to choose all keys. */
  keys: (string | null)[] | null;
  /** Of free text: whether it may have several lines. */
  multiline?: boolean;
}

export interface StoreTrait {
  id: string;
  /** False: the labels live in the kernel's memory only. */
  persistent: boolean;
  name: string;
}
