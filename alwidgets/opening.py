"""Which sessions are open: two on one store are a mistake, and none may outlive the process."""

from __future__ import annotations

import atexit
import sys
import weakref
from os import PathLike
from typing import Protocol

from .database import parse_location
from .store import LabelStore


class Closable(Protocol):
    """What is asked of an open session."""

    def close(self, reason: str = ...) -> None:
        """End it, and say why."""
        ...


_by_place: weakref.WeakValueDictionary[str | None, Closable] = weakref.WeakValueDictionary()
_all: weakref.WeakSet[Closable] = weakref.WeakSet()


def open_store(location: str | PathLike[str] | None) -> LabelStore:
    """Open a store; in a notebook, the session that has it open gives way.

    A cell that makes a session is run again and again, so there the newer session replaces the
    older one. In a script two sessions on one store are a mistake.
    """
    older = _by_place.get(_place(location))
    if older is not None and not hasattr(sys.modules["__main__"], "__file__"):
        older.close("A newer session has opened its store.")
    return LabelStore(location)


def remember(session: Closable, location: str | PathLike[str] | None) -> None:
    """Know that a session is open, and on which store."""
    if (place := _place(location)) is not None:
        _by_place[place] = session
    _all.add(session)


def _place(location: str | PathLike[str] | None) -> str | None:
    """What a store's place is known by; None of one in memory."""
    url, path = parse_location(location)
    if path is not None:
        return str(path)
    return None if url.get_backend_name() == "sqlite" else url.render_as_string(False)


@atexit.register
def _close_all() -> None:
    # A thread that is in the middle of a fit when the interpreter goes away takes it down.
    for session in list(_all):
        session.close("The process is ending.")
