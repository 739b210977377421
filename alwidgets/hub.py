"""What all of a session's abilities work on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from .anchoring import Suggested
from .errors import StoreError
from .ledger import Ledger
from .loop import Loop
from .pool import Pool
from .signals import Signals
from .store import LabelStore
from .tasks import Task


class Hub:
    """The parts of a session; `Session` makes them, its abilities use them.

    Attributes
    ----------
    pool : Pool
    task : Task
    store : LabelStore
    batch_size, ready, seed : int
    annotator : str
    guidelines : str
        Markdown.
    """

    pool: Pool
    task: Task
    store: LabelStore
    batch_size: int
    ready: int
    seed: int
    annotator: str
    guidelines: str
    _strategy: str | Callable[..., Any]
    _suggested: Suggested
    _ledger: Ledger
    _loop: Loop
    _signals: Signals
    #: Held briefly around every look at the ledger, and never across a fit.
    _lock: threading.RLock
    #: Why the session is closed, or None.
    _closed: str | None

    def _check_open(self) -> None:
        if self._closed is not None:
            raise StoreError(f"This session is closed. {self._closed} Make a new one to go on.")
