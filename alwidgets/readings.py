"""What is read off a ledger: the labels to train on, those to estimate from, times and tables.

Nothing here changes a ledger; whoever reads one holds the lock that it is under.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .errors import AlwidgetsError
from .evaluation.rivals import AUDIT_SAYS
from .labels import CHOSEN, NONE, STREAMS
from .ledger import ACTIVE, NOTHING, RANDOM, SKIPPED, Ledger
from .samples import AuditSample
from .tasks import Answer
from .times import NO_TIME

if TYPE_CHECKING:
    import pandas as pd


def training_set(
    ledger: Ledger,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Positions and class codes of the labels to train on, and where they come from.

    The last two say which were drawn uniformly, and which a strategy picked. In the order in
    which they were given; never of the audit's part.
    """
    positions = ledger.labels.column("item")[ledger.labels.answered()].astype(np.int64)
    positions = positions[~ledger.audit.reserved[positions]]
    codes = ledger.standing[positions].astype(np.int64)
    origin = ledger.origin[positions]
    return positions, codes, origin == RANDOM, origin == ACTIVE


def timed(ledger: Ledger) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Positions of the answered items whose cards were timed, and the seconds they took."""
    seconds = seconds_given(ledger)
    both = ~np.isnan(seconds)
    positions = ledger.labels.column("item")[ledger.labels.answered()[both]].astype(np.int64)
    return positions, seconds[both]


def seconds_given(ledger: Ledger) -> NDArray[np.float64]:
    """Seconds that each answer which stands took, (l,), in the order given; NaN if not timed.

    Those answered in bulk share the time of their grid.
    """
    rows = ledger.labels.answered()
    shown, answered = (ledger.labels.column(name)[rows] for name in ("shown", "answered"))
    both = (shown != NO_TIME) & (answered != NO_TIME)
    # All of a group count, whether or not they still stand: the time was spent on them.
    bulks = ledger.bulks()
    sizes = Counter(bulks.values())
    group = np.array([sizes[name] for name in bulks.values()], dtype=np.float64)
    share = np.ones(ledger.labels.n_events + 1)  # and one for what is stored and not read
    share[np.searchsorted(ledger.labels.column("seq"), list(bulks))] = group
    seconds = np.full(len(rows), np.nan)
    seconds[both] = (answered[both] - shown[both]) / 1e6 / share[rows[both]]
    return seconds


def audit_sample(ledger: Ledger, n: int | None = None) -> AuditSample:
    """Audit labels in the order in which they were drawn; skipped ones are passed over.

    Only the items before the first one that is not drawn yet, or that has no answer yet, count:
    they alone are a random sample of the pool as it is now. Those after it that have a label
    already, because it was imported or given out of turn, are the ones that were quick to get
    one; they count once all before them are answered. Items that join the pool take their places
    in the order.

    With `n` it is a sample of the first n items, the pool as it was before others joined: without
    these the order is what it was then.
    """
    n = len(ledger.pool) if n is None else n
    if n < len(ledger.pool):
        order = ledger.audit.first(n)
        open_ = np.flatnonzero(~ledger.audit_drawn[order])
        drawn = order[: open_[0]] if len(open_) else order
    else:
        drawn = ledger.audit.order[: ledger.n_audited]
    unanswered = np.flatnonzero(ledger.standing[drawn] == NOTHING)
    drawn = drawn[: unanswered[0]] if len(unanswered) else drawn
    standing = ledger.standing[drawn]
    items = drawn[standing >= 0]
    return AuditSample(
        items=items,
        codes=standing[standing >= 0].astype(np.int64),
        q=1.0 / (n - np.arange(len(items))),
        population=n,
        skipped=int((standing == SKIPPED).sum()),
    )


def said_by_audit(ledger: Ledger) -> str | None:
    """Why the audit went over to random items, if that is what picked last.

    What it said before a restart stands until it says otherwise. Random items that somebody asked
    for by name are no such evidence; nor is a reason in other words, which is found again if it
    holds.
    """
    last = ledger.switches[-1] if ledger.switches else None
    if last is None or last.strategy != "random" or not last.reason.startswith(AUDIT_SAYS):
        return None
    return last.reason


def label_codes(ledger: Ledger) -> NDArray[np.int32]:
    """Class code of every item, shape (n,); -1 where there is no answer."""
    return np.maximum(ledger.standing, NOTHING)


def label_streams(ledger: Ledger) -> tuple[NDArray[np.int32], list[str]]:
    """How each item came to its answer, shape (n,), as a place in the names; -1 without one."""
    rows = ledger.labels.answered()
    found = np.full(len(ledger.pool), NONE, dtype=np.int32)
    stream = ledger.labels.column("stream")[rows]
    # What came by no draw was the person's own choice, as in the table of the labels.
    found[ledger.labels.column("item")[rows]] = np.where(stream == NONE, CHOSEN, stream)
    return found, list(STREAMS)


def label_annotators(ledger: Ledger) -> tuple[NDArray[np.int32], list[str]]:
    """Who gave each item its answer, shape (n,), as a place in the names; -1 without one."""
    rows = ledger.labels.answered()
    found = np.full(len(ledger.pool), NONE, dtype=np.int32)
    found[ledger.labels.column("item")[rows]] = ledger.labels.column("annotator")[rows]
    return found, list(ledger.labels.annotators.names)


def to_frame(ledger: Ledger) -> pd.DataFrame:
    """The labels that stand, as `Session.labels` describes them."""
    import pandas as pd

    labels = ledger.labels
    rows = labels.answered()
    items = labels.column("item")[rows]
    drawn = labels.column("stream")[rows] != NONE

    def named(codes: NDArray[Any], names: Sequence[Answer], missing: Answer) -> pd.Series[Any]:
        table: NDArray[Any] = np.empty(len(names) + 1, dtype=object)
        for code, name in enumerate([*names, missing]):  # "none" is -1: the last
            table[code] = name
        # A few texts made pandas' own, and these taken: it need not read a million.
        return pd.Series(table).take(codes % len(table)).reset_index(drop=True)

    def time(column: str) -> pd.Series[pd.Timestamp]:
        # Numpy's "not a time" is the number that stands for none here.
        return pd.Series(labels.column(column)[rows].view("datetime64[us]")).dt.tz_localize("UTC")

    def sparse(of: NDArray[Any], texts: Iterable[str]) -> pd.Series[Any]:
        """What few rows of the log have; None in the others."""
        column = np.full(len(rows), None, dtype=object)
        place = np.minimum(np.searchsorted(rows, of), max(len(rows) - 1, 0))
        for at, row, text in zip(place.tolist(), of.tolist(), texts, strict=True):
            if len(rows) and rows[at] == row:
                column[at] = text
        return pd.Series(column, dtype=object)

    remarks, bulks = ledger.remarks(), ledger.bulks()
    use = np.where(ledger.audit.reserved[items], 1 + ledger.audit_drawn[items], 0)
    answers = [ledger.task.validate(a) for a in labels.vocabulary()]
    model = pd.array(labels.column("model")[rows], dtype="Int64")
    model[~drawn] = pd.NA
    columns = {
        "answer": named(labels.column("answer")[rows], answers, None),
        "annotator": named(labels.column("annotator")[rows], labels.annotators.names, ""),
        "answered_at": time("answered"),
        "shown_at": time("shown"),
        "stream": named(labels.column("stream")[rows], STREAMS, "chosen"),
        "use": named(use, ["train", "held", "audit"], None),
        "strategy": named(labels.column("strategy")[rows], labels.strategies.names, None),
        "score": labels.column("score")[rows],
        "q": labels.column("q")[rows],
        "model_version": model,
        "flagged": np.isin(items, labels.flagged),
        "comment": sparse(labels.standing[list(remarks)], remarks.values()),
        "bulk": sparse(np.searchsorted(labels.column("seq"), list(bulks)), bulks.values()),
    }
    frame = pd.DataFrame(columns)
    frame.index = pd.Index(
        list(ledger.pool.ids.take(items.astype(np.int64))), name="item_id", dtype=object
    )
    return frame


def progress(ledger: Ledger) -> dict[str, int]:
    """Counts of items: labelled, of them estimated from, skipped, flagged, total."""
    return {
        "labelled": ledger.labels.n_answers,
        "audit": len(audit_sample(ledger).items),
        "skipped": ledger.labels.n_skips,
        "flagged": len(ledger.labels.flagged),
        "total": len(ledger.pool),
    }


def left(ledger: Ledger) -> int:
    """Items that can still be labelled: those that have no answer and were not skipped."""
    return len(ledger.pool) - ledger.labels.n_answers - ledger.labels.n_skips


def check_round(ledger: Ledger, version: int | None) -> None:
    """Raise what is wrong with the version of a round.

    Raises
    ------
    AlwidgetsError
        If there is no such round.
    """
    versions = [record.version for record in ledger.rounds]
    if version not in versions:
        there = f"there are 1 to {len(versions)}" if versions else "there is none yet"
        raise AlwidgetsError(f"There is no round {version!r}: {there}.")
