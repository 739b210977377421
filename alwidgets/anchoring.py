"""Whether a suggestion sways the answer: on some cards, at random, it is hidden."""

from __future__ import annotations

import hashlib
import math
from collections import OrderedDict
from dataclasses import dataclass, replace
from numbers import Real

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from .errors import AlwidgetsError
from .evaluation.intervals import wilson
from .schema import Draw, Event, draws_table, events_table
from .store import LabelStore
from .tasks import Answer

#: Cards of each kind below which nothing is said about the difference.
FEW = 10
#: Cards handed out whose suggestions are remembered until they are answered.
REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Anchoring:
    """Agreement with the model where its suggestion was shown, and where it was hidden.

    Attributes
    ----------
    n_shown, n_hidden : int
        Answers on training cards of each kind.
    agreed_shown, agreed_hidden : int
        Those that were what the model had said.
    low, high : float
        95 % interval of the `difference`: Newcombe's hybrid of Wilson's score intervals, method 10
        in "Interval estimation for the difference between independent proportions" (Statistics in
        Medicine, 1998).
    """

    n_shown: int
    agreed_shown: int
    n_hidden: int
    agreed_hidden: int
    low: float
    high: float

    @property
    def shown(self) -> float:
        """Share of the answers that agreed with a suggestion that was shown; NaN if none was."""
        return self.agreed_shown / self.n_shown if self.n_shown else math.nan

    @property
    def hidden(self) -> float:
        """Share of the answers that agreed with a suggestion that was hidden; NaN if none was."""
        return self.agreed_hidden / self.n_hidden if self.n_hidden else math.nan

    @property
    def difference(self) -> float:
        """How much more often a suggestion that was shown was agreed with."""
        return self.shown - self.hidden

    def __str__(self) -> str:
        shown = _share("shown", self.agreed_shown, self.n_shown)
        hidden = _share("hidden", self.agreed_hidden, self.n_hidden)
        counts = f"Agreement with the model's suggestion: {shown}; {hidden}."
        if not self.n_hidden:
            return (
                f"{counts} Without hidden suggestions there is nothing to compare with: "
                "Session(…, hide_suggestions=0.1) hides some."
            )
        if min(self.n_shown, self.n_hidden) < FEW:
            return f"{counts} Too few to tell: at least {FEW} cards of each kind are needed."
        points = (
            f"{100 * self.difference:+.0f} points (95 % interval {100 * self.low:+.0f} to "
            f"{100 * self.high:+.0f})"
        )
        if self.low > 0:
            verdict = "people follow the suggestions that they see"
        elif self.high < 0:
            verdict = "people agree less with the suggestions that they see"
        else:
            verdict = "this may be chance; more cards narrow the interval"
        return f"{counts} Difference {points}: {verdict}."


def compare(n_shown: int, agreed_shown: int, n_hidden: int, agreed_hidden: int) -> Anchoring:
    """Return the report of such counts; without cards of one kind the interval is -1 to 1."""
    low, high = -1.0, 1.0
    if n_shown and n_hidden:
        p, q = agreed_shown / n_shown, agreed_hidden / n_hidden
        (l1, u1), (l2, u2) = wilson(p, n_shown, 0.95), wilson(q, n_hidden, 0.95)
        low = p - q - math.hypot(p - l1, u2 - q)
        high = p - q + math.hypot(u1 - p, q - l2)
    return Anchoring(n_shown, agreed_shown, n_hidden, agreed_hidden, low, high)


def report(store: LabelStore, standing: NDArray[np.int64]) -> Anchoring:
    """Compare the training cards of a store, of the events at some places in the log."""
    event, draw = events_table.c, draws_table.c
    given, said = (sa.cast(column, sa.Text) for column in (event.answer, event.suggested))
    query = sa.select(event.seq, event.suggestion_shown, sa.case((given == said, 1), else_=0))
    query = query.join(draws_table, event.draw_id == draw.draw_id)
    query = query.where(event.suggestion_shown.is_not(None), draw.stream == "train")
    rows = [row for part in store.rows(query) for row in part]
    found = np.array(rows, dtype=np.int64).reshape(-1, 3)
    found = found[np.isin(found[:, 0], standing)]
    shown, agreed = found[:, 1] != 0, found[:, 2]
    return compare(
        int(shown.sum()), int(agreed[shown].sum()), int((~shown).sum()), int(agreed[~shown].sum())
    )


class Suggested:
    """What was suggested on the cards that were handed out.

    Parameters
    ----------
    share : float
        Of the training cards that show no suggestion. Which ones is settled by a hash of the id
        of the draw: the same after a restart, and whatever the item is.

    Raises
    ------
    AlwidgetsError
        If that is no share.
    """

    def __init__(self, share: float) -> None:
        if isinstance(share, bool) or not isinstance(share, Real) or not 0 <= share <= 1:
            raise AlwidgetsError(
                f"hide_suggestions={share!r} must be a share of the training cards between 0 and "
                "1; 0.1 is usual, and 0 hides none."
            )
        self.share: float = float(share)
        self._said: OrderedDict[str, tuple[Answer, bool]] = OrderedDict()

    def hides(self, draw: Draw) -> bool:
        """Whether the card of a draw shows no suggestion."""
        digest = hashlib.blake2b(draw.draw_id.encode(), digest_size=8, key=b"suggestion").digest()
        return draw.stream == "train" and int.from_bytes(digest) < self.share * 2**64

    def remember(self, draw: Draw, answer: Answer) -> bool:
        """Remember what the model says on the card of a draw; whether the card shows it."""
        shown = not self.hides(draw)
        self._said.pop(draw.draw_id, None)
        self._said[draw.draw_id] = (answer, shown)
        if len(self._said) > REMEMBERED:
            self._said.popitem(last=False)
        return shown

    def note(self, event: Event) -> Event:
        """Return an event with what was suggested on the card that it answers, if that is known."""
        said = self._said.get(event.draw_id or "")
        if event.kind != "answer" or said is None:
            return event
        return replace(event, suggested=said[0], suggestion_shown=said[1])


def _share(what: str, agreed: int, n: int) -> str:
    return f"{agreed:,} of {n:,} {what} ({agreed / n:.0%})" if n else f"none {what}"
