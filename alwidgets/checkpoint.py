"""The columns of a long log, kept apart: what never changes need not be worked out again.

A checkpoint can be deleted at any time: the store has everything. It ends at an event; what was
stored after that is read from the store.
"""

from __future__ import annotations

import json
import logging
import os
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from .ingest.folders import cache_place
from .labels import COLUMNS, Labels
from .store import LabelStore

log = logging.getLogger(__name__)

#: Events from which reading them anew takes a while.
WORTH_KEEPING = 50_000
#: Columns that are facts; the others follow from them.
FACTS = tuple(name for name in COLUMNS if name not in ("state", "before", "target"))
FORMAT = 1
#: What reading a file may raise that is not what it should be.
_DAMAGED = (OSError, EOFError, ValueError, KeyError, TypeError, IndexError, zipfile.BadZipFile)


class Checkpoint:
    """The columns of a store's log, in a file of the cache folder.

    Parameters
    ----------
    store : LabelStore
    order : str
        Hash of the pool's ids in their order: the columns hold positions.
    """

    def __init__(self, store: LabelStore, order: str) -> None:
        self._store, self._order = store, order
        self._kept = 0

    @property
    def path(self) -> Path:
        """Where it lies."""
        return cache_place() / "logs" / f"{self._store.store_id}.npz"

    def load(self, labels: Labels) -> int:
        """Fill labels that are empty; the place in the store of the last event, 0 if none."""
        if not self._store.persistent or not self.path.exists():
            return 0
        try:
            with self.path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                about = json.loads(bytes(file["about"]))
                columns = {name: file[name] for name in FACTS}
                end = self._store.event(about["event_id"])
                if (about["format"], about["order"]) != (FORMAT, self._order) or end is None:
                    return 0
                if end.seq != columns["seq"][-1]:
                    return 0
        except _DAMAGED as error:
            log.warning("%s could not be read (%s); the labels are read anew.", self.path, error)
            return 0
        labels.extend(columns)
        for name, words in about["words"].items():
            getattr(labels, name).codes(words)
        self._kept = labels.n_events
        return int(columns["seq"][-1])

    def save(self, labels: Labels) -> None:
        """Keep the columns, where enough events are new; a failure is logged, and nothing lost."""
        if not self._store.persistent or labels.n_events - self._kept < WORTH_KEEPING:
            return
        end = self._store.event_at(int(labels.column("seq")[-1]))
        names = ("answers", "annotators", "strategies")
        about: dict[str, Any] = {
            "format": FORMAT,
            "order": self._order,
            "event_id": end.event_id,
            "words": {name: getattr(labels, name).names for name in names},
        }
        arrays = {name: labels.column(name) for name in FACTS}
        arrays["about"] = np.frombuffer(json.dumps(about).encode(), np.uint8)
        part = self.path.with_suffix(f".{os.getpid()}.part")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                np.savez(file, allow_pickle=False, **arrays)
            part.replace(self.path)
        except OSError as error:
            log.warning("%s could not be written (%s); nothing is lost.", self.path, error)
            with suppress(OSError):
                part.unlink(missing_ok=True)
            return
        self._kept = labels.n_events
