"""A store's log, read as a whole: the labels it comes to and the cards that still wait."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeAlias

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from .checkpoint import Checkpoint, Drawn
from .labels import (
    AUDIT,
    KINDS,
    NEVER,
    NONE,
    RETRACT,
    SKIP,
    STREAMS,
    Labels,
    looked_up,
)
from .pool import Pool
from .queueing import CardQueue
from .schema import Draw, draws_table, events_table
from .store import LabelStore
from .times import all_microseconds

KIND: dict[str, int] = {kind: code for code, kind in enumerate(KINDS)}
STREAM: dict[str | None, int] = {None: NONE, **{s: code for code, s in enumerate(STREAMS)}}
#: A draw, and the position of its item.
Card: TypeAlias = tuple[Draw, int]


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
        Has what the log came to at some event; kept anew where there are many more.
    """
    labels = Labels(len(pool))
    known = checkpoint.load(labels) if checkpoint is not None else Drawn()
    start = labels.n_events
    targets, drawn = _read_events(store, pool, labels)
    _resolve(store, labels, targets)
    labels.settle_all()
    answered, audited = _answered(labels, start, drawn, known)
    version, new = _read_draws(store, pool, known, answered)
    _wait(store, pool, queue, labels, start, known, version, new)
    audits = np.array([item for draw, item in new if draw.stream == "audit"], dtype=np.int32)
    audited = np.concatenate([known.audited, audited, audits])
    if checkpoint is not None:
        checkpoint.save(labels, queue, audited, version)
    return Replayed(labels, audited, version)


def _read_events(
    store: LabelStore, pool: Pool, labels: Labels
) -> tuple[dict[int, str], NDArray[np.int64]]:
    """Put the events that are not there yet into the labels, with what is known of their draws.

    Returns the events that are to be taken back, by the rows of the retracts; and of each new row
    the place of the draw of its item that it answers, 0 where there is none.
    """
    start = labels.n_events
    known = int(labels.columns["seq"][start - 1]) if start else 0
    event, draw = events_table.c, draws_table.c
    answer = sa.cast(event.answer, sa.Text)
    query = sa.select(event.seq, event.item_id, event.kind, answer, event.annotator)
    query = query.add_columns(event.shown_at, event.answered_at, event.target)
    query = query.add_columns(draw.stream, draw.strategy, draw.model_version, draw.score, draw.q)
    query = query.add_columns(sa.case((draw.item_id == event.item_id, draw.seq), else_=0))
    query = query.join(draws_table, event.draw_id == draw.draw_id, isouter=True)
    ids: list[str] = []
    drawn: list[int] = []
    by_retract: dict[int, str] = {}
    for rows in store.rows(query.where(event.seq > known).order_by(event.seq)):
        seq, items, kinds, answers, annotators, shown, answered, targets, *by = zip(
            *rows, strict=True
        )
        streams, strategies, models, scores, q, draws = by
        ids += items
        drawn += draws
        kind = looked_up(KIND, kinds, np.int8)
        for n in np.flatnonzero(kind == RETRACT).tolist():
            by_retract[labels.n_events + n] = targets[n]
        labels.extend(
            {
                "seq": np.array(seq, dtype=np.int64),
                "kind": kind,
                "answer": labels.answers.codes(answers),
                "annotator": labels.annotators.codes(annotators),
                "shown": all_microseconds(shown),
                "answered": all_microseconds(answered),
                "stream": looked_up(STREAM, streams, np.int8),
                "strategy": labels.strategies.codes(strategies),
                "model": np.array([NONE if m is None else m for m in models], dtype=np.int32),
                "score": np.array(scores, dtype=np.float64),  # None becomes NaN
                "q": np.array(q, dtype=np.float64),
            }
        )
    labels.column("item")[start:] = pool.ids.places(ids)
    return by_retract, np.array(drawn, dtype=np.int64)


def _resolve(store: LabelStore, labels: Labels, by_retract: dict[int, str]) -> None:
    """Tell new retracts their targets, and mark what was taken back before it arrived."""
    seqs = labels.column("seq")
    item, kind = labels.column("item"), labels.column("kind")
    target, state = labels.column("target"), labels.column("state")
    found = store.places({*by_retract.values(), *labels.early})
    places = np.searchsorted(seqs, list(found.values())).tolist()
    row_of = dict(zip(found, places, strict=True))
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


def _answered(
    labels: Labels, start: int, drawn: NDArray[np.int64], known: Drawn
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Places of the new draws that rows from `start` on answer, and the items of their audits."""
    column = {name: labels.column(name)[start:] for name in ("item", "kind", "state", "stream")}
    given = (column["kind"] <= SKIP) & (column["state"] != NEVER) & (drawn > known.end)
    answered, first = np.unique(drawn[given], return_index=True)
    audits = first[column["stream"][given][first] == AUDIT]
    return answered, column["item"][given][audits]


def _read_draws(
    store: LabelStore, pool: Pool, known: Drawn, answered: NDArray[np.int64]
) -> tuple[int, list[Card]]:
    """The newest model that picked training cards, and the new draws of cards that may wait.

    Of the training cards only those can wait that came with the last batch that took the place of
    the others, or after it; and none that has been answered: where that is taken back the card
    comes back with it.
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
    query = sa.select(draw.seq).where(others | (train & (draw.seq >= first))).order_by(draw.seq)
    seqs = np.array([seq for rows in store.rows(query) for (seq,) in rows], dtype=np.int64)
    waiting = seqs[~np.isin(seqs, answered)]
    return version, _cards(pool, store.draws_at(waiting.tolist()))


def _cards(pool: Pool, draws: Sequence[Draw]) -> list[Card]:
    """Draws and their items, but for those that are not here.

    What is not here was drawn and never answered: rows may have been filtered since.
    """
    items = pool.ids.places([draw.item_id for draw in draws]).tolist()
    return [(draw, item) for draw, item in zip(draws, items, strict=True) if item != NONE]


def _wait(
    store: LabelStore,
    pool: Pool,
    queue: CardQueue,
    labels: Labels,
    start: int,
    known: Drawn,
    version: int,
    new: list[Card],
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

    def is_due(card: Card) -> bool:
        draw, at = card
        return not done[at] or (draw.stream == "chosen" and draw.after > last[at])

    first, audits, train = known.waiting
    if version > known.version:
        train = []
    for part, put_back in ((first, queue.put_first), (audits + train, queue.extend)):
        put_back([draw for draw, _ in filter(is_due, _cards(pool, part))])
    cards = deque(filter(is_due, new))
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

    columns = (open_rows, item[open_rows], given[open_rows], kind[open_rows], target[open_rows])
    for row, at, is_given, what, taken in zip(*(c.tolist() for c in columns), strict=True):
        if row >= start:
            put(row)
        if is_given:
            stood.setdefault(at, []).append(row)
            if row >= start:
                queue.discard(pool.ids[at])
        elif what == RETRACT and taken in stood.get(at, ()):
            stood[at].remove(taken)
            draw = undone.get(int(labels.columns["seq"][taken]))
            if not stood[at] and draw is not None and draw.stream != "imported" and row >= start:
                queue.put_first([draw])
    put(labels.n_events)
