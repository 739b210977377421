"""Which sessions are open: two on one store are a mistake, and none may outlive the process."""

from __future__ import annotations

import atexit
import sys
import weakref
from os import PathLike
from pathlib import Path
from typing import Protocol

from .database import parse_location
from .store import LabelStore


class Closable(Protocol):
    """What is asked of an open session."""

    def close(self, reason: str = ...) -> None:
        """End it, and say why."""
        ...


_by_path: weakref.WeakValueDictionary[Path, Closable] = weakref.WeakValueDictionary()
_all: weakref.WeakSet[Closable] = weakref.WeakSet()


def open_store(location: str | PathLike[str] | None) -> LabelStore:
    """Open a store; in a notebook, the session that has it open gives way.

    A cell that makes a session is run again and again, so there the newer session replaces the
    older one. In a script two sessions on one store are a mistake.
    """
    path = parse_location(location)[1]
    older = _by_path.get(path) if path is not None else None
    if older is not None and not hasattr(sys.modules["__main__"], "__file__"):
        older.close("A newer session has opened its store.")
    return LabelStore(location)


def remember(session: Closable, path: Path | None) -> None:
    """Know that a session is open, and on which file if it is on one."""
    if path is not None:
        _by_path[path] = session
    _all.add(session)


@atexit.register
def _close_all() -> None:
    # A thread that is in the middle of a fit when the interpreter goes away takes it down.
    for session in list(_all):
        session.close("The process is ending.")
