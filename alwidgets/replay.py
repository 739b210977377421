"""A store's log, read as a whole: the labels it comes to and the cards that still wait."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .labels import (
    FLAG,
    KINDS,
    NEVER,
    NONE,
    RETRACT,
    SKIP,
    STREAMS,
    Labels,
    Vocabulary,
    microseconds,
)
from .pool import Pool
from .queueing import CardQueue
from .schema import Draw
from .store import LabelStore

#: Lookups from which a dictionary of all ids is worth its making, as a share of the pool.
MANY = 0.05
#: Times from which pandas reads them faster.
MANY_TIMES = 10_000

Rows = Sequence[tuple[Any, ...]]


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


def replay(store: LabelStore, pool: Pool, queue: CardQueue) -> Replayed:
    """Read a store's log into labels, and put into the queue the cards that wait."""
    events, drawn = store.event_rows(), store.draw_rows()
    items = _positions(pool, [row[2] for row in events] + [row[0] for row in drawn])
    at, cards_at = items[: len(events)], items[len(events) :]
    # What is not here was drawn and never answered: rows may have been filtered since.
    drawn = [row for row, item in zip(drawn, cards_at, strict=True) if item != NONE]
    cards_at = cards_at[cards_at != NONE]
    number = {row[7]: n for n, row in enumerate(drawn)}
    of = np.fromiter((number.get(row[6], NONE) for row in events), np.int64, len(events))
    labels = Labels(len(pool))
    if events:
        _fill(labels, events, at, drawn, of)
    stream = np.array([row[1] for row in drawn], dtype=object)
    versions = np.array([row[3] for row in drawn], dtype=np.int64)
    versions[stream != "train"] = 0
    _wait(queue, pool, labels, drawn, of, cards_at, versions, stream)
    return Replayed(labels, cards_at[stream == "audit"], int(versions.max(initial=0)))


def _fill(
    labels: Labels, events: Rows, at: NDArray[np.int32], drawn: Rows, of: NDArray[np.int64]
) -> None:
    """Put all events into the labels, with what is known of their draws."""
    seq, ids, _, kinds, answers, targets, _, annotators, shown, answered = zip(*events, strict=True)
    kind = np.array([KINDS.index(k) for k in kinds], dtype=np.int8)
    retracts = np.flatnonzero(kind == RETRACT).tolist()
    place = {targets[row]: NONE for row in retracts}
    place |= {event_id: row for row, event_id in enumerate(ids) if event_id in place}
    target, state = np.full(len(kind), NONE, np.int32), np.ones(len(kind), np.int8)
    for row in retracts:
        if place[targets[row]] < row:
            target[row] = place[targets[row]]
        elif kind[place[targets[row]]] != RETRACT:
            state[place[targets[row]]] = NEVER
    labels.early |= {event_id for event_id, row in place.items() if row == NONE}
    known = np.flatnonzero(of != NONE)
    used = [drawn[n] for n in of[known].tolist()]

    def of_draws(values: Iterable[Any], dtype: type[Any], nothing: Any) -> NDArray[Any]:
        column = np.full(len(events), nothing, dtype=dtype)
        column[known] = np.array(list(values), dtype=dtype)
        return column

    labels.extend(
        {
            "seq": np.array(seq, dtype=np.int64),
            "item": at,
            "kind": kind,
            "state": state,
            "target": target,
            "answer": _codes(answers, labels.answers),
            "annotator": _codes(annotators, labels.annotators),
            "shown": times(shown),
            "answered": times(answered),
            "stream": of_draws((STREAMS.index(row[1]) for row in used), np.int8, NONE),
            "strategy": of_draws((labels.strategies.code(row[2]) for row in used), np.int32, NONE),
            "model": of_draws((row[3] for row in used), np.int32, NONE),
            "score": of_draws((row[4] for row in used), np.float64, np.nan),
            "q": of_draws((row[5] for row in used), np.float64, np.nan),
        }
    )
    labels.settle_all()


def _wait(
    queue: CardQueue,
    pool: Pool,
    labels: Labels,
    drawn: Rows,
    of: NDArray[np.int64],
    items: NDArray[np.int32],
    versions: NDArray[np.int64],
    stream: NDArray[np.object_],
) -> None:
    """Put into the queue what waits, as it was put there and taken out.

    An item that has an answer waits only if it was chosen once more since; of the training cards
    only those can wait that came with or after the last batch in place of the others. So only
    these are done again.
    """
    item, kind = labels.column("item"), labels.column("kind")
    state, target = labels.column("state"), labels.column("target")
    newest = int(np.argmax(versions)) if len(versions) else 0
    done = labels.standing != NONE
    last = np.full(len(done), NONE, dtype=np.int64)
    rows = np.flatnonzero(kind != FLAG)
    last[item[rows]] = rows
    after = np.array([row[9] for row in drawn], dtype=np.int64)
    due = ~done[items] | ((after > last[items]) & (stream == "chosen"))
    due[:newest] &= stream[:newest] != "train"
    cards = deque((Draw(*drawn[n]), int(items[n])) for n in np.flatnonzero(due).tolist())
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
                free = (
                    d for d, i in batch if not stood.get(i) and queue.draw_of(d.item_id) is None
                )
                queue.extend(free)

    for row in np.flatnonzero(~done[item]).tolist():
        put(row)
        at = int(item[row])
        if kind[row] <= SKIP and state[row] != NEVER:
            stood.setdefault(at, []).append(row)
            queue.discard(pool.ids[at])
        elif kind[row] == RETRACT and (taken := int(target[row])) in stood.get(at, ()):
            stood[at].remove(taken)
            if not stood[at] and of[taken] != NONE:
                queue.put_first([Draw(*drawn[of[taken]])])
    put(labels.n_events)


def _positions(pool: Pool, ids: Sequence[str]) -> NDArray[np.int32]:
    """Position of each id in the pool, `NONE` where it is not there."""
    found: dict[str, int | None]
    if len(ids) > MANY * len(pool):
        found = {item_id: position for position, item_id in enumerate(pool.ids)}
    else:
        found = {item_id: pool.ids.find(item_id) for item_id in set(ids)}
    places = (found.get(item_id) for item_id in ids)
    return np.fromiter((NONE if p is None else p for p in places), np.int32, len(ids))


def _codes(names: Iterable[str | None], words: Vocabulary) -> NDArray[np.int32]:
    """Code of each text, `NONE` where there is none."""
    return np.array([NONE if name is None else words.code(name) for name in names], np.int32)


def times(texts: Sequence[str | None]) -> NDArray[np.int64]:
    """Each time in microseconds since 1970, UTC."""
    if len(texts) < MANY_TIMES:
        return np.array([microseconds(text) for text in texts], dtype=np.int64)
    import pandas as pd

    read = pd.to_datetime(
        pd.Series(list(texts), dtype=object), utc=True, format="ISO8601", errors="coerce"
    )
    return read.dt.tz_localize(None).to_numpy("datetime64[us]").astype(np.int64)
