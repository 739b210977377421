"""What a label store keeps: events, draws, rounds and switches, and the tables they lie in."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, get_args

import sqlalchemy as sa

from .errors import AnswerError
from .tasks import Answer

#: Of the tables below. To change them, raise it and add the step to `migrations/versions`.
SCHEMA_VERSION = 4

Kind = Literal["answer", "skip", "flag", "retract", "comment"]
#: What put an item before a person; or that its label was made elsewhere.
Stream = Literal["train", "audit", "chosen", "imported"]


@dataclass(frozen=True, slots=True)
class Event:
    """Something a person did to an item.

    Attributes
    ----------
    event_id : str
        Made where the key was pressed; the same event delivered twice counts once.
    item_id : str
    kind : {"answer", "skip", "flag", "retract", "comment"}
    answer : JSON value
        Of an answer; None otherwise.
    target : str or None
        Of a retract: the event it takes back.
    draw_id : str or None
        The draw that put the item on a card, if one did.
    annotator : str
    shown_at, answered_at : str or None
        Times in ISO 8601, by the clock of the machine where the key was pressed.
    comment : str or None
        A remark of the annotator. The last event of kind ``"comment"`` stands; an empty text takes
        the remark off.
    bulk : str or None
        What the events of one bulk answer have in common.
    suggested : JSON value
        Of an answer: what the model said of the item when its card was handed out.
    suggestion_shown : bool or None
        Whether the card showed that; None where nothing was suggested, or it is not known.
    seq : int or None
        Place in the log; None until it is stored.
    """

    event_id: str
    item_id: str
    kind: Kind
    answer: Answer = None
    target: str | None = None
    draw_id: str | None = None
    annotator: str = ""
    shown_at: str | None = None
    answered_at: str | None = None
    comment: str | None = None
    bulk: str | None = None
    suggested: Answer = None
    suggestion_shown: bool | None = None
    seq: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Draw:
    """Why an item was put on a card.

    Attributes
    ----------
    item_id : str
    stream : {"train", "audit", "chosen", "imported"}
    strategy : str
    model_version : int
        0 before the first model.
    score : float or None
    q : float or None
        Probability of this draw among the `remaining` candidates; None where it is not known.
    remaining : int
        Candidates that were left, this one included.
    draw_id : str
    drawn_at : str
    after : int
        Events that were stored before: a replay takes both in their order.
    """

    item_id: str
    stream: Stream
    strategy: str
    model_version: int
    score: float | None
    q: float | None
    remaining: int
    draw_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    drawn_at: str = field(default_factory=lambda: now())
    after: int = 0


@dataclass(frozen=True, slots=True)
class RoundRecord:
    """One retraining, as the curves show it.

    Attributes
    ----------
    version : int
        Of the model, from 1.
    strategy : str
        That will choose from this model on.
    n_train, n_audit : int
        Labels trained on, and audit labels the accuracy was estimated from.
    accuracy, low, high : float or None
        Estimate and its 95 % interval; None without audit labels.
    seconds : float
        From snapshot to the next batch.
    at : str
    revision : int
        Of the labels that the model saw.
    """

    version: int
    strategy: str
    n_train: int
    n_audit: int
    accuracy: float | None
    low: float | None
    high: float | None
    seconds: float
    at: str
    revision: int


@dataclass(frozen=True, slots=True)
class Switch:
    """A change of the strategy that picks, as the default makes them.

    Attributes
    ----------
    before : str or None
        The strategy until then; None at the start.
    strategy : str
        The one from then on.
    reason : str
        Why, in words.
    version : int
        Of the model that picked; 0 while there is none.
    n_labels : int
        Labels there were, audit labels included.
    at : str
    """

    before: str | None
    strategy: str
    reason: str
    version: int
    n_labels: int
    at: str = field(default_factory=lambda: now())


@dataclass(frozen=True, slots=True)
class ClassChange:
    """A change of the classes, made while labelling.

    Attributes
    ----------
    what : {"add", "rename", "merge"}
    name : str
        The class that was added, or that had another name or became part of another.
    to : str or None
        Its new name, or the class that it is part of.
    annotator : str
    at : str
    after : int
        Events that were stored before.
    """

    what: Literal["add", "rename", "merge"]
    name: str
    to: str | None
    annotator: str
    after: int
    at: str = field(default_factory=lambda: now())


metadata = sa.MetaData()
meta_table = sa.Table(
    "meta",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("value", sa.JSON, nullable=False),
)
events_table = sa.Table(
    "events",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("event_id", sa.String(64), nullable=False, unique=True),
    sa.Column("item_id", sa.Text, nullable=False, index=True),
    sa.Column("annotator", sa.Text, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("answer", sa.JSON(none_as_null=True)),
    sa.Column("target", sa.String(64)),
    sa.Column("draw_id", sa.String(64)),
    sa.Column("shown_at", sa.String(40)),
    sa.Column("answered_at", sa.String(40)),
    sa.Column("stored_at", sa.String(40), nullable=False),
    sa.Column("comment", sa.Text),
    sa.Column("bulk", sa.String(64)),
    sa.Column("suggested", sa.JSON(none_as_null=True)),
    sa.Column("suggestion_shown", sa.Boolean),
)
# Few events have one, and those are looked for among millions.
_of_a_bulk = events_table.c.bulk.is_not(None)
sa.Index(
    "ix_events_bulk",
    events_table.c.bulk,
    sqlite_where=_of_a_bulk,
    postgresql_where=_of_a_bulk,
)
draws_table = sa.Table(
    "draws",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("draw_id", sa.String(64), nullable=False, unique=True),
    sa.Column("item_id", sa.Text, nullable=False),
    sa.Column("stream", sa.String(16), nullable=False),
    sa.Column("strategy", sa.Text, nullable=False),
    sa.Column("model_version", sa.Integer, nullable=False),
    sa.Column("score", sa.Float),
    sa.Column("q", sa.Float),
    sa.Column("remaining", sa.Integer, nullable=False),
    sa.Column("drawn_at", sa.String(40), nullable=False),
    sa.Column("after", sa.Integer, nullable=False),
)
rounds_table = sa.Table(
    "rounds",
    metadata,
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("strategy", sa.Text, nullable=False),
    sa.Column("n_train", sa.Integer, nullable=False),
    sa.Column("n_audit", sa.Integer, nullable=False),
    sa.Column("accuracy", sa.Float),
    sa.Column("low", sa.Float),
    sa.Column("high", sa.Float),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("at", sa.String(40), nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
)
switches_table = sa.Table(
    "switches",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("before", sa.Text),
    sa.Column("strategy", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("n_labels", sa.Integer, nullable=False),
    sa.Column("at", sa.String(40), nullable=False),
)
# What each model says of the pool where the one before it said something else: see `history`.
predictions_table = sa.Table(
    "predictions",
    metadata,
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("n", sa.Integer, nullable=False),
    sa.Column("whole", sa.Boolean, nullable=False),
    sa.Column("key", sa.String(64), nullable=False),
    sa.Column("answers", sa.JSON, nullable=False),
    sa.Column("items", sa.LargeBinary, nullable=False),
    sa.Column("said", sa.LargeBinary, nullable=False),
)
class_changes_table = sa.Table(
    "class_changes",
    metadata,
    sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("what", sa.String(16), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("to", sa.Text),
    sa.Column("annotator", sa.Text, nullable=False),
    sa.Column("after", sa.Integer, nullable=False),
    sa.Column("at", sa.String(40), nullable=False),
)


def check_events(events: Iterable[Event]) -> None:
    """Raise an `AnswerError` unless events are of known kinds, and retracts say what of."""
    for event in events:
        if event.kind not in get_args(Kind):
            raise AnswerError(f"{event.kind!r} is no kind of event; use one of {get_args(Kind)}.")
        if event.kind == "retract" and not event.target:
            raise AnswerError("A retract must name the event that it takes back.")


def now() -> str:
    """Return the time in UTC, ISO 8601, to the microsecond."""
    return datetime.now(UTC).isoformat(timespec="microseconds")
