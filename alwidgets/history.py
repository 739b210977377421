"""What each model said of the pool, round by round, over all runs of a session."""

from __future__ import annotations

import logging
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .audit import Audit
from .ingest.ids import Ids
from .store import LabelStore
from .tasks import Task
from .tasks.base import codes_of_today

log = logging.getLogger(__name__)

UNKNOWN = -1


@dataclass(frozen=True)
class Change:
    """What a model says of a pool where it does not say what the one before it said.

    Attributes
    ----------
    version : int
        Of the model.
    n : int
        Items that the pool had.
    items, codes : ndarray of int32, shape (k,)
        Positions in the pool, rising, and codes of the answers.
    """

    version: int
    n: int
    items: NDArray[np.int32]
    codes: NDArray[np.int32]

    def applied_to(self, before: NDArray[np.int32]) -> NDArray[np.int32]:
        """What the model says of every item, shape (n,), from what the one before it said."""
        said = _of_size(before, self.n)
        said[self.items] = self.codes
        return said


@dataclass(frozen=True)
class Prepared:
    """A change, all that the model says, and the row for the store."""

    change: Change
    predictions: NDArray[np.int32]
    kept: dict[str, Any]


class History:
    """The predictions of every round, kept in the store as changes from one to the next.

    Parameters
    ----------
    task : Task
    store : LabelStore
    ids : Ids
        Of the pool.
    audit : Audit
        Knows the pool again: what is kept is by positions, in the order of the ids.
    """

    def __init__(self, task: Task, store: LabelStore, ids: Ids, audit: Audit) -> None:
        self._task, self._store, self._ids, self._key = task, store, ids, audit.key
        self._audit: Audit | None = audit
        self._changes: list[Change] = []
        self._newest = np.empty(0, dtype=np.int32)
        self._unsaved: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def prepare(self, version: int, predictions: NDArray[np.int32], audit: Audit) -> Prepared:
        """Work out what a model says otherwise than the one before it; `add` notes it.

        Parameters
        ----------
        version : int
        predictions : ndarray of int32, shape (n,)
            What it says of every item, as codes.
        audit : Audit
            Of the pool as it is now, that may have grown since.
        """
        self.load()
        n, whole = len(predictions), not self._changes
        items = np.flatnonzero(_of_size(self._newest, n) != predictions).astype(np.int32)
        change = Change(version, n, items, predictions[items].astype(np.int32))
        return Prepared(change, predictions, self._kept(change, whole, audit.keys[n]))

    def add(self, prepared: Prepared) -> None:
        """Note what a model says; `save` puts it on disk."""
        with self._lock:
            self._changes.append(prepared.change)
            self._newest = prepared.predictions
            self._unsaved.append(prepared.kept)

    def save(self) -> None:
        """Write to the store what is new.

        Raises
        ------
        StoreError
            If the database refuses; then it is tried again the next time.
        """
        while self._unsaved:
            self._store.append_predictions(self._unsaved[0])
            del self._unsaved[0]

    @property
    def sizes(self) -> dict[int, int]:
        """How many items the pool had for each model, by its version."""
        self.load()
        return {change.version: change.n for change in self._changes}

    def of(self, version: int) -> NDArray[np.int32] | None:
        """What a model said of every item, shape (n,) of its time; None where it is not known."""
        self.load()
        said = np.empty(0, dtype=np.int32)
        for change in list(self._changes):
            said = change.applied_to(said)
            if change.version == version:
                found: NDArray[np.int32] = codes_of_today(self._task, said)
                return found
        return None

    def of_items(self, items: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.int32]]]:
        """What the models said of some items, by their positions, shape (m,): of each in turn.

        Yields
        ------
        version : int
        codes : ndarray of int32, shape (m,)
            -1 of those that were not in the pool then.
        """
        self.load()
        said = np.full(len(items), UNKNOWN, dtype=np.int32)
        for change in list(self._changes):
            if len(change.items):
                at = np.minimum(np.searchsorted(change.items, items), len(change.items) - 1)
                said = np.where(change.items[at] == items, change.codes[at], said)
            yield change.version, codes_of_today(self._task, said)

    # ------------------------------------------------------------------ in the store

    def load(self) -> None:
        """Read what earlier runs kept; once, for it takes a moment."""
        with self._lock:
            if self._audit is None:
                return
            audit, self._audit = self._audit, None
            try:
                self._changes = self._read_all(audit)
                for change in self._changes:
                    self._newest = change.applied_to(self._newest)
            except Exception:
                # A session goes on without it; the next model is kept whole.
                log.warning("what earlier models said could not be read", exc_info=True)
                self._changes, self._newest = [], np.empty(0, dtype=np.int32)

    def _read_all(self, audit: Audit) -> list[Change]:
        kept = self._store.predictions()
        if not kept or not self._knows(kept[-1], audit):
            return []
        # What comes before the last whole one was kept of a pool in another order.
        start = max(place for place, row in enumerate(kept) if row["whole"])
        return [self._read(row) for row in kept[start:]]

    def _knows(self, newest: dict[str, Any], audit: Audit) -> bool:
        """Whether positions mean the same items as when it was kept."""
        if newest["key"] == audit.key:
            return True
        n: int = newest["n"]
        # More may have joined behind them.
        grown = n < len(self._ids)
        return grown and Audit(self._ids[:n], audit.share, audit.seed).key == newest["key"]

    def _kept(self, change: Change, whole: bool, key: str) -> dict[str, Any]:
        """A change for the store: by answers, since the codes of sets of labels are made anew."""
        codes, places = np.unique(change.codes, return_inverse=True)
        return {
            "version": change.version,
            "n": change.n,
            "whole": whole,
            "key": key,
            "answers": [self._task.decode(int(code)) for code in codes],
            "items": _packed(np.diff(change.items, prepend=0)),
            "said": _packed(places),
        }

    def _read(self, kept: dict[str, Any]) -> Change:
        # A class may have another name by now, or be part of another one.
        codes = [self._task.encode(self._task.validate(answer)) for answer in kept["answers"]]
        items = np.cumsum(_unpacked(kept["items"]), dtype=np.int32)
        said = np.array(codes, dtype=np.int32)[_unpacked(kept["said"])]
        return Change(kept["version"], kept["n"], items, said)


def _of_size(said: NDArray[np.int32], n: int) -> NDArray[np.int32]:
    """The same of n items, of some of which nothing was said: a copy."""
    return np.append(said, np.full(n - len(said), UNKNOWN, dtype=np.int32))


def _packed(numbers: NDArray[Any]) -> bytes:
    return zlib.compress(numbers.astype("<i4").tobytes(), level=1)


def _unpacked(packed: bytes) -> NDArray[np.int32]:
    return np.frombuffer(zlib.decompress(packed), dtype="<i4")
