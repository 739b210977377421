"""What is read off a ledger: the labels to train on, those to estimate from, times and tables.

Nothing here changes a ledger; whoever reads one holds the lock that it is under.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .ledger import ACTIVE, NOTHING, RANDOM, SKIPPED, Ledger
from .rounds import AuditSample
from .schema import Event

if TYPE_CHECKING:
    import pandas as pd

LABEL_COLUMNS = (
    "item_id",
    "answer",
    "annotator",
    "answered_at",
    "shown_at",
    "stream",
    "use",
    "strategy",
    "score",
    "q",
    "model_version",
    "flagged",
)


def training_set(
    ledger: Ledger,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Positions and class codes of the labels to train on, and where they come from.

    The last two say which were drawn uniformly, and which a strategy picked. In the order in
    which they were given; never of the audit's part.
    """
    answers = ledger.labels.answers
    positions = np.fromiter(map(ledger.index, answers), dtype=np.int64, count=len(answers))
    positions = positions[~ledger.audit.reserved[positions]]
    codes = ledger.standing[positions].astype(np.int64)
    origin = ledger.origin[positions]
    return positions, codes, origin == RANDOM, origin == ACTIVE


def timed(
    answers: Iterable[Event], index: Callable[[str], int]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Positions of the answered items whose cards were timed, and the seconds they took.

    Parameters
    ----------
    answers : iterable of Event
    index : callable
        Position of an item.
    """
    positions, seconds = [], []
    for event in answers:
        if event.shown_at and event.answered_at:
            # A script may have written any text there.
            with suppress(ValueError, TypeError):
                begin = datetime.fromisoformat(event.shown_at)
                took = datetime.fromisoformat(event.answered_at) - begin
                positions.append(index(event.item_id))
                seconds.append(took.total_seconds())
    return np.array(positions, dtype=np.int64), np.array(seconds, dtype=np.float64)


def audit_sample(ledger: Ledger) -> AuditSample:
    """Audit labels in the order in which they were drawn; skipped ones are passed over.

    Items that join the pool take their places in the order. Only those before the first one
    not drawn yet count, for they alone are a random sample of the pool as it is now.
    """
    drawn = ledger.audit.order[: ledger.n_audited]
    standing = ledger.standing[drawn]
    items = drawn[standing >= 0]
    return AuditSample(
        items=items,
        codes=standing[standing >= 0].astype(np.int64),
        q=1.0 / (len(ledger.pool) - np.arange(len(items))),
        population=len(ledger.pool),
        skipped=int((standing == SKIPPED).sum()),
    )


def label_codes(ledger: Ledger) -> NDArray[np.int32]:
    """Class code of every item, shape (n,); -1 where there is no answer."""
    return np.maximum(ledger.standing, NOTHING)


def to_frame(ledger: Ledger) -> pd.DataFrame:
    """The labels that stand, as `Session.labels` describes them."""
    import pandas as pd

    rows = []
    for item_id, event in ledger.labels.answers.items():
        index = ledger.index(item_id)
        draw = ledger.draw_of(event)
        use = "train"
        if ledger.audit.reserved[index]:
            use = "audit" if ledger.audit_drawn[index] else "held"
        rows.append(
            {
                "item_id": item_id,
                "answer": event.answer,
                "annotator": event.annotator,
                "answered_at": event.answered_at,
                "shown_at": event.shown_at,
                "stream": draw.stream if draw else "chosen",
                "use": use,
                "strategy": draw.strategy if draw else None,
                "score": draw.score if draw else None,
                "q": draw.q if draw else None,
                "model_version": draw.model_version if draw else None,
                "flagged": ledger.labels.is_flagged(item_id),
            }
        )
    return pd.DataFrame(rows, columns=LABEL_COLUMNS).set_index("item_id")


def progress(ledger: Ledger) -> dict[str, int]:
    """Counts of items: labelled, of them in the audit, skipped, flagged, total."""
    return {
        "labelled": len(ledger.labels.answers),
        "audit": len(audit_sample(ledger).items),
        "skipped": len(ledger.labels.skipped),
        "flagged": ledger.labels.n_flagged,
        "total": len(ledger.pool),
    }
