"""What a long log comes to, kept apart: what never changes need not be worked out again.

A checkpoint can be deleted at any time: the store has everything. It ends at an event and a draw;
what was stored after these is read from the store.
"""

from __future__ import annotations

import json
import logging
import os
import zipfile
from contextlib import suppress
from dataclasses import dataclass, field, fields
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .ingest.folders import cache_place
from .labels import COLUMNS, NEVER, STANDS, Labels
from .queueing import CardQueue
from .schema import Draw
from .store import LabelStore

log = logging.getLogger(__name__)

#: Events from which reading them anew takes a while.
WORTH_KEEPING = 50_000
#: Columns that are kept; the others follow from them, and of the state all but what never counts.
FACTS = tuple(name for name in COLUMNS if name != "before")
FORMAT = 3
#: What reading a file may raise that is not what it should be.
_DAMAGED = (OSError, EOFError, ValueError, KeyError, TypeError, IndexError, zipfile.BadZipFile)
#: The fields of a draw, as a tuple: `dataclasses.astuple` copies each of them, at length.
_plain = attrgetter(*(f.name for f in fields(Draw)))


@dataclass(frozen=True)
class Drawn:
    """What a log's draws come to.

    Attributes
    ----------
    end : int
        Place of the last draw that is in here; 0 if none is.
    version : int
        Newest model that picked training cards.
    audited : (k,) int32 array
        Positions of the items that were drawn for the audit.
    waiting : tuple of three lists of Draw
        What waited then: first, for the audit and for training.
    """

    end: int = 0
    version: int = 0
    audited: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))
    waiting: tuple[list[Draw], list[Draw], list[Draw]] = field(default_factory=lambda: ([], [], []))


class Checkpoint:
    """The state of a store's log at some event, in a file of the cache folder.

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

    def load(self, labels: Labels) -> Drawn:
        """Fill labels that are empty, and return what the draws came to; nothing if none is kept.

        The rows do not count before they are settled.
        """
        if not self._store.persistent or not self.path.exists():
            return Drawn()
        try:
            with self.path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                about = json.loads(bytes(file["about"]))
                if (about["format"], about["order"]) != (FORMAT, self._order):
                    return Drawn()
                columns = {name: file[name] for name in FACTS}
                first, audits, train = ([Draw(*d) for d in part] for part in about["waiting"])
                end, version, audited = about["draw"], about["version"], file["audited"]
                drawn = Drawn(end[0], version, audited, (first, audits, train))
            event = self._store.event(about["event_id"])
            if event is None or event.seq != columns["seq"][-1]:
                return Drawn()
            if self._store.draw_at(end[0]) != end[1]:
                return Drawn()
        except _DAMAGED as error:
            log.warning("%s could not be read (%s); the labels are read anew.", self.path, error)
            return Drawn()
        labels.extend(columns)
        for name, words in about["words"].items():
            getattr(labels, name).codes(words)
        labels.early.update({event_id: set(of) for event_id, of in about["early"].items()})
        self._kept = labels.n_events
        return drawn

    def save(
        self, labels: Labels, queue: CardQueue, audited: NDArray[np.integer[Any]], version: int
    ) -> None:
        """Keep the state, where enough events are new; a failure is logged, and nothing lost."""
        if not self._store.persistent or labels.n_events - self._kept < WORTH_KEEPING:
            return
        end = self._store.event_at(int(labels.column("seq")[-1]))
        names = ("answers", "annotators", "strategies")
        about: dict[str, Any] = {
            "format": FORMAT,
            "order": self._order,
            "event_id": end.event_id,
            "draw": self._store.last_draw(),
            "version": version,
            "early": {event_id: sorted(of) for event_id, of in labels.early.items()},
            "waiting": [[_plain(draw) for draw in part] for part in queue.parts],
            "words": {name: getattr(labels, name).names for name in names},
        }
        arrays = {name: labels.column(name) for name in FACTS}
        arrays["state"] = np.where(arrays["state"] == NEVER, NEVER, STANDS).astype(np.int8)
        arrays["audited"] = audited.astype(np.int32)
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
