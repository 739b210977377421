"""A store's log, read as a whole: the labels it comes to and the cards that still wait."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from .checkpoint import Checkpoint, Drawn
from .labels import (
    AUDIT,
    CHOSEN,
    FIRST_TIME,
    KINDS,
    LAST_TIME,
    NEVER,
    NO_TIME,
    NONE,
    RETRACT,
    SKIP,
    STREAMS,
    Labels,
    looked_up,
    microseconds,
)
from .pool import Pool
from .queueing import CardQueue
from .schema import draws_table, events_table
from .store import LabelStore

KIND: dict[str, int] = {kind: code for code, kind in enumerate(KINDS)}
STREAM: dict[str | None, int] = {None: NONE, **{s: code for code, s in enumerate(STREAMS)}}
#: Times from which pandas reads them faster.
MANY_TIMES = 10_000


@dataclass(frozen=True)
class Replayed:
    """What a store's log comes to.

    Attributes
    ----------
    labels : Labels
    audited : (k,) int32 array
        Positions of the items that were drawn for the audit.
    version : int
        Newest model that picked training cards.
    """

    labels: Labels
    audited: NDArray[np.int32]
    version: int


@dataclass(frozen=True)
class NewDraws:
    """Columns of draws: their places, positions of the items, streams, and events before each."""

    seq: NDArray[np.int64]
    item: NDArray[np.int32]
    stream: NDArray[np.int8]
    after: NDArray[np.int64]


def replay(
    store: LabelStore, pool: Pool, queue: CardQueue, checkpoint: Checkpoint | None = None
) -> Replayed:
    """Read a store's log into labels, and put into the queue the cards that wait.

    Parameters
    ----------
    store : LabelStore
    pool : Pool
    queue : CardQueue
    checkpoint : Checkpoint, optional
        Has what the log came to at some event; kept anew where there are many more.
    """
    labels = Labels(len(pool))
    known = checkpoint.load(labels) if checkpoint is not None else Drawn()
    start = labels.n_events
    targets = _read_events(store, pool, labels)
    _resolve(store, labels, targets)
    labels.settle_all()
    version, new = _read_draws(store, pool, known)
    _wait(store, pool, queue, labels, start, known, version, new)
    audited = np.concatenate([known.audited, new.item[new.stream == AUDIT]])
    if checkpoint is not None:
        checkpoint.save(labels, queue, audited, version)
    return Replayed(labels, audited, version)


def _read_events(store: LabelStore, pool: Pool, labels: Labels) -> dict[int, str]:
    """Put the events that are not there yet into the labels, with what is known of their draws.

    Returns the events that are to be taken back, by the rows of the retracts.
    """
    start = labels.n_events
    known = int(labels.columns["seq"][start - 1]) if start else 0
    event, draw = events_table.c, draws_table.c
    answer = sa.cast(event.answer, sa.Text)
    query = sa.select(event.seq, event.item_id, event.kind, answer, event.annotator)
    query = query.add_columns(event.shown_at, event.answered_at, event.target)
    query = query.add_columns(draw.stream, draw.strategy, draw.model_version, draw.score, draw.q)
    query = query.join(draws_table, event.draw_id == draw.draw_id, isouter=True)
    ids: list[str] = []
    by_retract: dict[int, str] = {}
    for rows in store.rows(query.where(event.seq > known).order_by(event.seq)):
        seq, items, kinds, answers, annotators, shown, answered, targets, *by = zip(
            *rows, strict=True
        )
        streams, strategies, models, scores, q = by
        ids += items
        kind = looked_up(KIND, kinds, np.int8)
        for n in np.flatnonzero(kind == RETRACT).tolist():
            by_retract[labels.n_events + n] = targets[n]
        labels.extend(
            {
                "seq": np.array(seq, dtype=np.int64),
                "kind": kind,
                "answer": labels.answers.codes(answers),
                "annotator": labels.annotators.codes(annotators),
                "shown": times(shown),
                "answered": times(answered),
                "stream": looked_up(STREAM, streams, np.int8),
                "strategy": labels.strategies.codes(strategies),
                "model": np.array([NONE if m is None else m for m in models], dtype=np.int32),
                "score": np.array(scores, dtype=np.float64),  # None becomes NaN
                "q": np.array(q, dtype=np.float64),
            }
        )
    labels.column("item")[start:] = pool.ids.places(ids)
    return by_retract


def _resolve(store: LabelStore, labels: Labels, by_retract: dict[int, str]) -> None:
    """Tell new retracts their targets, and mark what was taken back before it arrived."""
    seqs = labels.column("seq")
    item, kind = labels.column("item"), labels.column("kind")
    target, state = labels.column("target"), labels.column("state")
    found = store.places({*by_retract.values(), *labels.early})
    row_of = {event_id: int(np.searchsorted(seqs, seq)) for event_id, seq in found.items()}
    for row, event_id in by_retract.items():
        taken = row_of.get(event_id)
        if taken is None or taken > row:
            labels.early.setdefault(event_id, set()).add(int(item[row]))
        elif taken < row and item[taken] == item[row]:
            target[row] = taken
    for event_id in labels.early.keys() & row_of.keys():
        row, of = row_of[event_id], labels.early.pop(event_id)
        if kind[row] != RETRACT and int(item[row]) in of:
            state[row] = NEVER


def _read_draws(store: LabelStore, pool: Pool, known: Drawn) -> tuple[int, NewDraws]:
    """The newest model that picked training cards, and the new draws of cards that may wait.

    Of the training cards only those can wait that came with the last batch that took the place of
    the others, or after it.
    """
    draw = draws_table.c
    is_new = draw.seq > known.end
    train = (draw.stream == "train") & is_new
    (newest,) = next(store.rows(sa.select(sa.func.max(draw.model_version)).where(train)))[0]
    version, first = max(newest or 0, known.version), 0
    if version > known.version:
        batch = train & (draw.model_version == version)
        ((first,),) = next(store.rows(sa.select(sa.func.min(draw.seq)).where(batch)))
    # Others that were chosen are shown beside those that wait.
    chosen = (draw.stream == "chosen") & (draw.strategy == "chosen")
    others = ((draw.stream == "audit") | chosen) & is_new
    query = sa.select(draw.seq, draw.item_id, draw.stream, draw.after)
    query = query.where(others | (train & (draw.seq >= first))).order_by(draw.seq)
    ids: list[str] = []
    seq, streams, after = [], [], []
    for rows in store.rows(query):
        ids += [row[1] for row in rows]
        seq += [row[0] for row in rows]
        streams += [STREAM[row[2]] for row in rows]
        after += [row[3] for row in rows]
    items = pool.ids.places(ids)
    # What is not here was drawn and never answered: rows may have been filtered since.
    here = items != NONE
    columns = (
        np.array(seq, dtype=np.int64),
        items.astype(np.int32),
        np.array(streams, dtype=np.int8),
        np.array(after, dtype=np.int64),
    )
    return version, NewDraws(*(column[here] for column in columns))


def _wait(
    store: LabelStore,
    pool: Pool,
    queue: CardQueue,
    labels: Labels,
    start: int,
    known: Drawn,
    version: int,
    new: NewDraws,
) -> None:
    """Put into the queue what waits, as it was put there and taken out from row `start` on.

    An item that has an answer waits only if it was chosen once more since; so what was done with
    the others need not be done again.
    """
    item, kind = labels.column("item"), labels.column("kind")
    state, target = labels.column("state"), labels.column("target")
    done = labels.standing != NONE
    #: Row that changed last what stands for each item.
    last = np.full(len(done), NONE, dtype=np.int64)
    given = (kind <= SKIP) & (state != NEVER)
    rows = np.flatnonzero(given | ((kind == RETRACT) & (labels.column("before") != NONE)))
    last[item[rows]] = rows

    def due(items: Any, streams: Any, after: Any) -> Any:
        return ~done[items] | ((streams == CHOSEN) & (after > last[items]))

    first, audits, train = known.waiting
    if version > known.version:
        train = []
    for part, put_back in ((first, queue.put_first), (audits + train, queue.extend)):
        places = pool.ids.places([draw.item_id for draw in part])
        streams = np.array([STREAM[draw.stream] for draw in part], dtype=np.int8)
        after = np.array([draw.after for draw in part], dtype=np.int64)
        put_back([part[n] for n in np.flatnonzero(due(places, streams, after)).tolist()])
    wanted = due(new.item, new.stream, new.after)
    drawn = store.draws_at(new.seq[wanted].tolist())
    cards = deque(zip(drawn, new.item[wanted].tolist(), strict=True))
    open_rows = np.flatnonzero(~done[item])
    retracts = open_rows[(kind[open_rows] == RETRACT) & (target[open_rows] != NONE)]
    taken_back = target[retracts[retracts >= start]]
    undone = store.draws_of(labels.column("seq")[taken_back].tolist())
    #: Rows of the answers and skips that stood for each item, at the time.
    stood: dict[int, list[int]] = {}

    def put(until: int) -> None:
        ready = []
        while cards and cards[0][0].after <= until:
            ready.append(cards.popleft())
        for (stream, _, _), group in groupby(
            ready, key=lambda c: (c[0].stream, c[0].drawn_at, c[0].model_version)
        ):
            batch = list(group)
            if stream == "chosen":
                queue.put_first([draw for draw, _ in batch])
            elif stream == "train":
                queue.extend(draw for draw, _ in batch)
            else:
                queue.extend(
                    draw
                    for draw, at in batch
                    if not stood.get(at) and queue.draw_of(draw.item_id) is None
                )

    for row in open_rows.tolist():
        if row >= start:
            put(row)
        at = int(item[row])
        if kind[row] <= SKIP and state[row] != NEVER:
            stood.setdefault(at, []).append(row)
            if row >= start:
                queue.discard(pool.ids[at])
        elif kind[row] == RETRACT and (taken := int(target[row])) in stood.get(at, ()):
            stood[at].remove(taken)
            draw = undone.get(int(labels.columns["seq"][taken]))
            if not stood[at] and draw is not None and draw.stream != "imported" and row >= start:
                queue.put_first([draw])
    put(labels.n_events)


def times(texts: Sequence[str | None]) -> NDArray[np.int64]:
    """Each time in microseconds since 1970, UTC."""
    if len(texts) < MANY_TIMES:
        return np.array([microseconds(text) for text in texts], dtype=np.int64)
    import pandas as pd

    series = pd.Series(list(texts), dtype=object)
    read = pd.to_datetime(series, utc=True, format="ISO8601", errors="coerce")
    found = read.dt.tz_localize(None).to_numpy("datetime64[us]").astype(np.int64)
    # Some of ISO 8601 only the standard library reads: weeks, a comma before the fraction.
    for row in np.flatnonzero((found == NO_TIME) & series.notna().to_numpy()).tolist():
        found[row] = microseconds(texts[row])
    found[(found < FIRST_TIME) | (found > LAST_TIME)] = NO_TIME
    return found
