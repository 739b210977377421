"""What a session hands out: the items to label, and what became of a wish to label some."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from .content import Content
from .tasks import Answer


@dataclass(frozen=True, slots=True)
class Item:
    """An item that waits to be labelled.

    Attributes
    ----------
    id, index : str, int
        Its id, and its position in the pool.
    content : Text or Image
    metadata : dict
    draw_id : str
        The draw that put it here.
    stream : {"train", "audit", "chosen"}
    strategy : str
    score : float or None
        By the strategy; higher is asked sooner.
    model_version : int
        Of the model that the strategy used; 0 if none.
    suggestion : answer or None
        What the model says; None without a model and on items that are kept for the audit.
    confidence : float or None
        Probability of the suggestion.
    start : str or None
        Of a task that asks for a text: what there is to correct.
    suggestion_hidden : bool
        Whether the model says something that is not to be seen: on items that are kept for the
        audit, and on the share of `hide_suggestions`.
    """

    id: str
    index: int
    content: Content
    metadata: dict[str, Any]
    draw_id: str
    stream: str
    strategy: str
    score: float | None
    model_version: int
    suggestion: Answer | None
    confidence: float | None
    start: str | None = None
    suggestion_hidden: bool = False


@dataclass(frozen=True, slots=True)
class Past:
    """What stands for an item that was answered or skipped.

    Attributes
    ----------
    id : str
    kind : {"answer", "skip"}
    answer : answer or None
    answered_at : datetime or None
        In UTC; None where it is not known.
    seq : int
        Place of the event in the log.
    flagged : bool
    comment : str or None
    """

    id: str
    kind: Literal["answer", "skip"]
    answer: Answer | None
    answered_at: datetime | None
    seq: int
    flagged: bool
    comment: str | None


@dataclass(frozen=True, slots=True)
class Gathered:
    """Items to be labelled in one go.

    Attributes
    ----------
    title : str
        What they have in common.
    items : list of Item
    left_out : int
        Others, which have an answer.
    sample : int
        So many, the first, are a random sample of the items, to be looked at before the others;
        0 where they are too few for one.
    waiting : list of str
        Ids of others without an answer, which were too many to come at once.
    """

    title: str
    items: list[Item] = field(repr=False)
    left_out: int
    sample: int = 0
    waiting: list[str] = field(default_factory=list, repr=False)

    def __str__(self) -> str:
        n = len(self.items)
        text = f"{n:,} {'item' if n == 1 else 'items'} to label together"
        if self.left_out:
            text += f"; {self.left_out:,} already labelled"
        return text + (f"; {len(self.waiting):,} more to come" if self.waiting else "")


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A labelled item that is like another one.

    Attributes
    ----------
    id : str
    answer : answer
    similarity : float
        Cosine of the features, up to 1.
    content : Content
    """

    id: str
    answer: Answer
    similarity: float
    content: Content


@dataclass(frozen=True, slots=True)
class Why:
    """Why an item is on a card.

    Attributes
    ----------
    strategy : str
    score : float or None
        By the strategy; higher is asked sooner.
    rank : (int, int) or None
        Place of the score among those that the strategy drew by the same model, 1 the highest,
        and how many these are; None without a score.
    neighbours : list of Neighbour
        The most similar of the items labelled for training, best first; empty for items of the
        audit, whose answer they would sway, and where answers are texts.
    suggestion_shown : bool
        Whether the card may show what the model says: not on items of the audit, nor where
        ``hide_suggestions=`` hides it.
    """

    strategy: str
    score: float | None
    rank: tuple[int, int] | None
    neighbours: list[Neighbour]
    suggestion_shown: bool = True


@dataclass(frozen=True, slots=True)
class QueueReport:
    """What became of items that were chosen to come next.

    Attributes
    ----------
    queued : int
    labelled : int
        Left out, for they have an answer.
    kept_for_audit : int
        Of the queued: kept for the audit, so their labels do not train.
    """

    queued: int
    labelled: int
    kept_for_audit: int

    def __str__(self) -> str:
        text = f"{self.queued:,} {'card comes' if self.queued == 1 else 'cards come'} next"
        if self.labelled:
            text += f"; {self.labelled:,} already labelled"
        if self.kept_for_audit:
            text += f"; {self.kept_for_audit:,} kept for the audit: labelled, not trained on"
        return text
