"""The slices of the map: selections that are kept under a name, and come back."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, TypedDict

from ..errors import AlwidgetsError, MessageError, UnknownItemError
from .payload import LONE_SURROGATE

log = logging.getLogger(__name__)

MAX_NAME = 200


class SlicePart(TypedDict):
    """A slice, and how many items it has."""

    name: str
    count: int


class SlicesMessage(TypedDict):
    """All slices, by name, and what was done to them, in words."""

    type: Literal["slices"]
    slices: list[SlicePart]
    said: str | None


class Slicing:
    """Keeps, selects and forgets slices, one after the other, beside the thread of the messages.

    Parameters
    ----------
    session : Session
    post : callable
        Sends a message.
    run : callable, optional
        Runs work in the background, in order.
    """

    def __init__(
        self,
        session: Any,
        post: Callable[[dict[str, Any]], None],
        run: Callable[[Callable[[], None]], object] | None = None,
    ) -> None:
        self._session, self._post = session, post
        # A slice may hold all of a million items: reading it, and writing it, take a while.
        self._thread = ThreadPoolExecutor(1, "alwidgets-slices")
        self._run = run or self._thread.submit
        self._deleted: dict[str, list[str]] = {}
        self._is_closed = self._was_asked = False

    def ask(self, message: dict[str, Any]) -> None:
        """Do what a ``slice`` message asks for.

        It has all told (``list``), keeps the selection under a name that is free (``keep``) or may
        be taken (``replace``), selects the items of a slice (``select``), forgets one (``delete``),
        and brings back what was forgotten (``restore``).

        Raises
        ------
        MessageError
            If the message asks for nothing that there is.
        """
        what, name = message.get("what"), message.get("name")
        if what == "list":
            self._was_asked = True
            self._do(lambda: None)
            return
        does: dict[str, Callable[[str], str | None]] = {
            "keep": self._keep,
            "replace": self._replace,
            "select": self._select,
            "delete": self._delete,
            "restore": self._restore,
        }
        if not isinstance(what, str) or what not in does:
            raise MessageError(f"Nothing can be done to a slice called {str(what)[:40]!r}.")
        if not isinstance(name, str) or not name.strip() or len(name) > MAX_NAME:
            raise MessageError(f"A slice needs a name of 1 to {MAX_NAME} characters.")
        if LONE_SURROGATE.search(name):
            raise MessageError("The slice's name is no text that can be kept.")
        action, slice_name = does[what], name.strip()
        self._do(lambda: action(slice_name))

    def changed(self) -> None:
        """Tell of the slices if anybody asked for them: Python or another view changed them."""
        if self._was_asked:
            self._do(lambda: None)

    def close(self) -> None:
        """Do nothing more; what was asked for is done."""
        self._is_closed = True
        self._thread.shutdown(wait=False)

    def _do(self, action: Callable[[], str | None]) -> None:
        def work() -> None:
            try:
                said = action()
                kept = self._session.store.slices()
                message: SlicesMessage = {
                    "type": "slices",
                    "slices": [{"name": n, "count": len(kept[n])} for n in sorted(kept)],
                    "said": said,
                }
                self._post(dict(message))
            except AlwidgetsError as problem:
                self._post({"type": "problem", "text": str(problem), "remedy": ""})
            except Exception as problem:
                log.exception("the slices could not be changed")
                text = f"The slices could not be changed: {type(problem).__name__}: {problem}"
                self._post({"type": "problem", "text": text, "remedy": "The log has the details."})

        if not self._is_closed:
            self._run(work)

    def _keep(self, name: str) -> str:
        if name in self._session.slices:
            raise AlwidgetsError(f"There is a slice “{name}” already: choose another name.")
        return self._replace(name)

    def _replace(self, name: str) -> str:
        selection = self._session.selection
        if not len(selection):
            raise AlwidgetsError("Nothing is selected, so there is no slice to keep.")
        selection.save(name)
        return f"“{name}” keeps {_items(len(selection))}."

    def _select(self, name: str) -> str | None:
        ids = self._known(name)
        found, gone = [], 0
        for item_id in ids:
            try:
                found.append(self._session.pool.index(item_id))
            except UnknownItemError:
                gone += 1
        self._session.selection.set(found, source="slice")
        if not gone:
            return None
        are = "is" if gone == 1 else "are"
        return f"{_items(gone)} of “{name}” {are} no longer in the pool; the others are selected."

    def _delete(self, name: str) -> None:
        self._deleted[name] = self._known(name)
        del self._session.slices[name]

    def _restore(self, name: str) -> str:
        if name not in self._deleted:
            raise AlwidgetsError(f"The slice “{name}” was not deleted here.")
        free = name
        while free in self._session.slices:  # another one has its name by now
            free += " (restored)"
        self._session.slices[free] = self._deleted[name]
        del self._deleted[name]
        return f"“{free}” is back."

    def _known(self, name: str) -> list[str]:
        kept: dict[str, list[str]] = self._session.store.slices()
        if name not in kept:
            raise AlwidgetsError(f"There is no slice “{name}” any more.")
        return kept[name]


def _items(n: int) -> str:
    return "1 item" if n == 1 else f"{n:,} items"
