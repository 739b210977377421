"""The messages between the cards and Python, and the check of those that come from outside.

The same shapes stand in ``js/src/shared/messages.ts``; both test suites read the examples in
``js/fixtures/messages``.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Literal, NotRequired, TypedDict, cast, get_args

from ..errors import MessageError
from ..schema import Event, Kind
from ..tasks import Answer
from ..times import NO_TIME, microseconds
from .contents import CardContent

MAX_ID = 64
MAX_ITEM_ID = 4_096
MAX_CLASS = 1_000
#: Types of the messages that come from the cards.
FROM_CARDS = (
    "hello",
    "more",
    "events",
    "undo",
    "classes",
    "why",
    "together",
    "earlier",
    "show",
)
MAX_ANSWER = 10_000
MAX_EVENTS = 1_000
MAX_SEARCH = 1_000


class Suggestion(TypedDict):
    """What the model says, and its probability."""

    answer: Answer
    confidence: float


class Reason(TypedDict):
    """Why an item is on a card."""

    strategy: str
    score: float | None
    model_version: int


class Card(TypedDict):
    """An item to label; `start` is what a box for free text is filled with.

    `suggestion_hidden` is there where the model says something that is not to be seen.
    """

    item_id: str
    draw_id: str | None
    stream: str
    content: CardContent
    metadata: dict[str, Any]
    suggestion: Suggestion | None
    reason: Reason
    flag: str | None
    comment: NotRequired[str]
    start: NotRequired[str]
    suggestion_hidden: NotRequired[bool]


class QueueMessage(TypedDict):
    """The next cards; they replace all but the one on screen."""

    type: Literal["queue"]
    cards: list[Card]
    model_version: int
    exhausted: bool


class AckMessage(TypedDict):
    """These events are on disk.

    Of the new answers and skips among them it names the items, for other pages that show the view.
    """

    type: Literal["ack"]
    event_ids: list[str]
    items: NotRequired[dict[str, str]]


class RefusedMessage(TypedDict):
    """Tells that an event, or (None) a message, was not accepted."""

    type: Literal["refused"]
    event_id: str | None
    reason: str


class Alike(TypedDict):
    """A labelled item that is like another one."""

    item_id: str
    answer: Answer
    similarity: float
    text: str


class ReasonsMessage(TypedDict):
    """More about why an item is on a card."""

    type: Literal["reasons"]
    item_id: str
    rank: list[int] | None
    neighbours: list[Alike]


class WordsMessage(TypedDict):
    """Which words of a text drive the suggestion: a start, an end and a weight each."""

    type: Literal["words"]
    item_id: str
    marks: list[list[float]]


class LabelledMessage(TypedDict):
    """An item was answered or skipped elsewhere: by a script, or in another view."""

    type: Literal["labelled"]
    item_id: str


class UndoneMessage(TypedDict):
    """An event was taken back in Python; its card comes first."""

    type: Literal["undone"]
    event_id: str
    card: Card


class TogetherMessage(TypedDict):
    """Items to be labelled in one go; those left out have an answer.

    The first `sample` are a random sample of them, to be looked at before the others.
    """

    type: Literal["together"]
    title: str
    cards: list[Card]
    sample: int
    left_out: int


class EarlierRow(TypedDict):
    """What stands for an item that was answered or skipped."""

    item_id: str
    kind: Literal["answer", "skip"]
    answer: Answer
    at: str | None
    seq: int
    text: str
    flag: bool
    comment: str | None


class EarlierMessage(TypedDict):
    """Some of what was answered or skipped, newest first."""

    type: Literal["earlier"]
    rows: list[EarlierRow]
    more: bool


class ShownMessage(TypedDict):
    """An earlier card, to be shown again, and the answer that stands."""

    type: Literal["shown"]
    card: Card
    former: Answer | None


class StatusMessage(TypedDict):
    """How things stand."""

    type: Literal["status"]
    labelled: int
    total: int
    audit: int
    skipped: int
    training: bool
    progress: float | None
    model_version: int
    error: str | None
    notice: str | None
    saved_to: str | None
    round_shown: int | None
    until_fit: int


class ProblemMessage(TypedDict):
    """Something the person should know, and what to do about it."""

    type: Literal["problem"]
    text: str
    remedy: str


ToCards = (
    QueueMessage
    | AckMessage
    | RefusedMessage
    | LabelledMessage
    | UndoneMessage
    | ReasonsMessage
    | WordsMessage
    | TogetherMessage
    | EarlierMessage
    | ShownMessage
    | StatusMessage
    | ProblemMessage
)


class LabelEvent(TypedDict):
    """Something a person did, as the front end sends it.

    Events of one bulk answer have one `bulk` id.
    """

    event_id: str
    item_id: str
    kind: str
    answer: Any
    target: str | None
    draw_id: str | None
    shown_at: str | None
    answered_at: str
    comment: NotRequired[str | None]
    bulk: NotRequired[str | None]


def message_type(content: object, known: tuple[str, ...]) -> str:
    """Type of a message.

    Raises
    ------
    MessageError
        If it is no message, or of no type in `known`.
    """
    kind = content.get("type") if isinstance(content, dict) else None
    if not isinstance(kind, str) or kind not in known:
        raise MessageError(
            f"A message of type {str(kind)[:40]!r} is not known here; known are {', '.join(known)}."
        )
    return kind


def parse_events(content: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the list of raw events in an ``events`` message.

    Raises
    ------
    MessageError
        If there is none, or it is too long.
    """
    events = content.get("events")
    if not isinstance(events, list) or not all(isinstance(e, dict) for e in events):
        raise MessageError("An events message must hold a list of events.")
    if len(events) > MAX_EVENTS:
        raise MessageError(f"{len(events):,} events in a message; send at most {MAX_EVENTS:,}.")
    return events


def parse_class_change(content: dict[str, Any]) -> tuple[str, str, str | None]:
    """What is to be done to which class, and its new name or the class that it becomes part of.

    Raises
    ------
    MessageError
        Naming what is wrong.
    """
    what = content.get("what")
    if what not in ("add", "rename", "merge"):
        raise MessageError(f"A change {str(what)[:40]!r} of the classes is not known.")
    name = cast(str, _text(content, "name", MAX_CLASS))
    return what, name, _text(content, "to", MAX_CLASS, optional=what == "add")


def parse_why(content: dict[str, Any]) -> tuple[str, str | None]:
    """The item, and the draw that put it on a card, that a message asks about.

    Raises
    ------
    MessageError
    """
    item_id = _item_id(content)
    return item_id, _text(content, "draw_id", MAX_ID, optional=True)


def parse_search(content: dict[str, Any]) -> str:
    """Return what a ``together`` message looks for.

    Raises
    ------
    MessageError
    """
    return cast(str, _text(content, "search", MAX_SEARCH))


def parse_before(content: dict[str, Any]) -> int | None:
    """Return the place in the log before which an ``earlier`` message asks.

    Raises
    ------
    MessageError
    """
    before = content.get("before")
    if before is None:
        return None
    if not isinstance(before, int) or isinstance(before, bool) or not 0 <= before < 2**63:
        raise MessageError("before must be the seq of a row, or null.")
    return before


def parse_show(content: dict[str, Any]) -> str:
    """Return the item that a ``show`` message asks for.

    Raises
    ------
    MessageError
    """
    return _item_id(content)


def event_id_of(raw: dict[str, Any]) -> str | None:
    """Id of a raw event if it has a usable one."""
    value = raw.get("event_id")
    usable = isinstance(value, str) and 0 < len(value) <= MAX_ID and value.isprintable()
    return cast(str, value) if usable else None


def parse_event(raw: dict[str, Any], annotator: str) -> Event:
    """Turn a raw event into an event, trusting nothing.

    Raises
    ------
    MessageError
        Naming the field that is wrong.
    """
    kind = raw.get("kind")
    if kind not in get_args(Kind):
        raise MessageError(f"An event of kind {str(kind)[:40]!r} is not known.")
    answer = raw.get("answer")
    if kind == "answer" and answer is None:
        raise MessageError("An answer event holds no answer.")
    # What a text is made of counts, not how JSON writes it.
    if len(answer if isinstance(answer, str) else json.dumps(answer)) > MAX_ANSWER:
        raise MessageError(f"An answer is longer than {MAX_ANSWER:,} characters.")
    comment = raw.get("comment")
    if (kind == "comment") != (comment is not None):
        raise MessageError("A comment event, and no other, holds a comment.")
    target = _text(raw, "target", MAX_ID, optional=True)
    if (kind == "retract") != (target is not None):
        raise MessageError("A retract event, and no other, names its target.")
    return Event(
        event_id=cast(str, _text(raw, "event_id", MAX_ID)),
        item_id=_item_id(raw),
        kind=cast(Kind, kind),
        answer=answer if kind == "answer" else None,
        target=target,
        draw_id=_text(raw, "draw_id", MAX_ID, optional=True),
        annotator=annotator,
        shown_at=_time(raw, "shown_at", optional=True),
        answered_at=_time(raw, "answered_at"),
        comment=comment,
        bulk=_text(raw, "bulk", MAX_ID, optional=True),
    )


def _item_id(raw: dict[str, Any]) -> str:
    """The id of an item; a pool may have any text for one."""
    return cast(str, _text(raw, "item_id", MAX_ITEM_ID, unfit=""))


def _text(
    raw: dict[str, Any],
    name: str,
    longest: int,
    *,
    optional: bool = False,
    unfit: str = "\0",
) -> str | None:
    value = raw.get(name)
    if value is None and optional:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        raise MessageError(f"The {name} must be a text of 1 to {longest:,} characters.")
    if (unfit and unfit in value) or any("\ud800" <= c <= "\udfff" for c in value):
        raise MessageError(f"The event's {name} is no text that can be kept.")
    return value


def _time(raw: dict[str, Any], name: str, *, optional: bool = False) -> str | None:
    value = _text(raw, name, 40, optional=optional)
    if value is not None:
        try:
            datetime.fromisoformat(value)
        except ValueError:
            raise MessageError(f"The event's {name}, {value!r}, is no ISO 8601 time.") from None
        if microseconds(value) == NO_TIME:
            raise MessageError(f"The event's {name}, {value!r}, is outside the years 1 to 9999.")
    return value
