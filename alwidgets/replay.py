"""A store's log, read as a whole: the labels it comes to and the cards that still wait."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from itertools import groupby
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from .checkpoint import Checkpoint
from .labels import (
    COMMENT,
    FLAG,
    KINDS,
    NEVER,
    NONE,
    RETRACT,
    SKIP,
    STREAMS,
    Labels,
    microseconds,
)
from .pool import Pool
from .queueing import CardQueue
from .schema import Draw, draws_table, events_table
from .store import LabelStore

KIND: dict[str, int] = {kind: code for code, kind in enumerate(KINDS)}
STREAM: dict[str | None, int] = {None: NONE, **{s: code for code, s in enumerate(STREAMS)}}
#: Lookups from which a dictionary of all ids is worth its making, as a share of the pool.
MANY = 0.05
#: Times from which pandas reads them faster.
MANY_TIMES = 10_000

Find = Callable[[Iterable[str]], NDArray[np.int32]]


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
        Has the events up to some one; kept anew where there are many more.
    """
    labels = Labels(len(pool))
    known = checkpoint.load(labels) if checkpoint is not None else 0
    drawn, version = _read_draws(store)
    find = _finder(pool, store.count(events_table) - labels.n_events + len(drawn))
    _read_events(store, labels, find, known)
    if checkpoint is not None:
        checkpoint.save(labels)
    _read_retracts(store, labels)
    labels.settle_all()
    items = find(row[0] for row in drawn)
    # What is not here was drawn and never answered: rows may have been filtered since.
    here = np.flatnonzero(items != NONE)
    drawn, items = [drawn[n] for n in here.tolist()], items[here]
    _wait(store, pool, queue, labels, drawn, items)
    stream = np.array([row[1] for row in drawn], dtype=object)
    return Replayed(labels, items[stream == "audit"], version)


def _read_events(store: LabelStore, labels: Labels, find: Find, known: int) -> None:
    """Put the events after a place into the labels, with what is known of their draws."""
    event, draw = events_table.c, draws_table.c
    answer = sa.cast(event.answer, sa.Text)
    query = sa.select(event.seq, event.item_id, event.kind, answer, event.annotator)
    query = query.add_columns(event.shown_at, event.answered_at)
    query = query.add_columns(draw.stream, draw.strategy, draw.model_version, draw.score, draw.q)
    query = query.join(draws_table, event.draw_id == draw.draw_id, isouter=True)
    for rows in store.rows(query.where(event.seq > known).order_by(event.seq)):
        seq, items, kinds, answers, annotators, shown, answered, *by = zip(*rows, strict=True)
        streams, strategies, models, scores, q = by
        labels.extend(
            {
                "seq": np.array(seq, dtype=np.int64),
                "item": find(items),
                "kind": np.array([KIND[k] for k in kinds], dtype=np.int8),
                "answer": labels.answers.codes(answers),
                "annotator": labels.annotators.codes(annotators),
                "shown": times(shown),
                "answered": times(answered),
                "stream": np.array([STREAM[s] for s in streams], dtype=np.int8),
                "strategy": labels.strategies.codes(strategies),
                "model": np.array([NONE if m is None else m for m in models], dtype=np.int32),
                "score": np.array(scores, dtype=np.float64),  # None becomes NaN
                "q": np.array(q, dtype=np.float64),
            }
        )


def _read_retracts(store: LabelStore, labels: Labels) -> None:
    """Mark what was taken back before it arrived, and tell the other retracts their targets."""
    event, seqs = events_table.c, labels.column("seq")
    retracts = sa.select(event.seq, event.target).where(event.kind == "retract")
    by_retract = dict(row for rows in store.rows(retracts.order_by(event.seq)) for row in rows)
    targets = sa.select(event.target).where(event.kind == "retract")
    named = sa.select(event.event_id, event.seq).where(event.event_id.in_(targets))
    seq_of = dict(row for rows in store.rows(named) for row in rows)
    target, state, kind = (labels.column(name) for name in ("target", "state", "kind"))
    for seq, event_id in by_retract.items():
        row = int(np.searchsorted(seqs, seq))
        if event_id not in seq_of:
            labels.early.add(event_id)
        elif (taken := int(np.searchsorted(seqs, seq_of[event_id]))) < row:
            target[row] = taken
        elif kind[taken] != RETRACT:
            state[taken] = NEVER


def _read_draws(store: LabelStore) -> tuple[list[tuple[Any, ...]], int]:
    """Draws of cards that may wait, and the newest model that picked training cards.

    Of the training cards only those can wait that came with the last batch that took the place of
    the others, or after it.
    """
    draw = draws_table.c
    train = draw.stream == "train"
    (version,) = next(store.rows(sa.select(sa.func.max(draw.model_version)).where(train)))[0]
    first = sa.select(sa.func.min(draw.seq)).where(train, draw.model_version == (version or 0))
    query = sa.select(*(draw[f.name] for f in fields(Draw)))
    # Others that were chosen are shown beside those that wait.
    others = (draw.stream == "audit") | ((draw.stream == "chosen") & (draw.strategy == "chosen"))
    query = query.where(others | (train & (draw.seq >= first.scalar_subquery())))
    query = query.order_by(draw.seq)
    return [row for rows in store.rows(query) for row in rows], version or 0


def _wait(
    store: LabelStore,
    pool: Pool,
    queue: CardQueue,
    labels: Labels,
    drawn: Sequence[tuple[Any, ...]],
    items: NDArray[np.int32],
) -> None:
    """Put into the queue what waits, as it was put there and taken out.

    An item that has an answer waits only if it was chosen once more since; so what was done with
    the others need not be done again.
    """
    item, kind = labels.column("item"), labels.column("kind")
    state, target = labels.column("state"), labels.column("target")
    done = labels.standing != NONE
    last = np.full(len(done), NONE, dtype=np.int64)
    rows = np.flatnonzero((kind != FLAG) & (kind != COMMENT))
    last[item[rows]] = rows
    after = np.array([row[9] for row in drawn], dtype=np.int64)
    chosen = np.array([row[1] == "chosen" for row in drawn], dtype=bool)
    due = ~done[items] | (chosen & (after > last[items]))
    cards = deque((Draw(*drawn[n]), int(items[n])) for n in np.flatnonzero(due).tolist())
    undone = _undone(store)
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

    for row in np.flatnonzero(~done[item]).tolist():
        put(row)
        at = int(item[row])
        if kind[row] <= SKIP and state[row] != NEVER:
            stood.setdefault(at, []).append(row)
            queue.discard(pool.ids[at])
        elif kind[row] == RETRACT and (taken := int(target[row])) in stood.get(at, ()):
            stood[at].remove(taken)
            draw = undone.get(int(labels.columns["seq"][taken]))
            if not stood[at] and draw is not None:
                queue.put_first([draw])
    put(labels.n_events)


def _undone(store: LabelStore) -> dict[int, Draw]:
    """The draws of events that were taken back, by the places of these; not those of imports."""
    event, draw = events_table.c, draws_table.c
    targets = sa.select(event.target).where(event.kind == "retract")
    query = sa.select(event.seq, *(draw[f.name] for f in fields(Draw)))
    query = query.join(draws_table, event.draw_id == draw.draw_id)
    query = query.where(event.event_id.in_(targets), draw.stream != "imported")
    return {row[0]: Draw(*row[1:]) for rows in store.rows(query) for row in rows}


def _finder(pool: Pool, lookups: int) -> Find:
    """What gives the positions of ids, `NONE` of those that are not in the pool."""
    known: dict[str, int] = {}
    if lookups > MANY * len(pool):
        known = {item_id: position for position, item_id in enumerate(pool.ids)}

    def position(item_id: str) -> int:
        found = pool.ids.find(item_id)
        return NONE if found is None else found

    def find(ids: Iterable[str]) -> NDArray[np.int32]:
        if known:
            return np.array([known.get(item_id, NONE) for item_id in ids], dtype=np.int32)
        return np.array([position(item_id) for item_id in ids], dtype=np.int32)

    return find


def times(texts: Sequence[str | None]) -> NDArray[np.int64]:
    """Each time in microseconds since 1970, UTC."""
    if len(texts) < MANY_TIMES:
        return np.array([microseconds(text) for text in texts], dtype=np.int64)
    import pandas as pd

    series = pd.Series(list(texts), dtype=object)
    read = pd.to_datetime(series, utc=True, format="ISO8601", errors="coerce")
    return read.dt.tz_localize(None).to_numpy("datetime64[us]").astype(np.int64)
