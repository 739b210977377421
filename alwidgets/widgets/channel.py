"""How a view sends: from any thread, and so that the answers do not have to wait for a cell."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import anywidget

#: A message and its buffers.
Sent: TypeAlias = tuple[dict[str, Any], list[bytes]]


class Channel:
    """Sends the messages of one view.

    Parameters
    ----------
    view : AnyWidget

    Attributes
    ----------
    lock : RLock
        Held while something is sent.
    """

    def __init__(self, view: anywidget.AnyWidget) -> None:
        self._view = view
        self.lock = threading.RLock()
        self._begun = 0
        self._sent: dict[str, int] = {}
        self._free()

    def post(self, message: Mapping[str, Any], buffers: list[bytes] | None = None) -> None:
        """Send; a view that is closed sends nothing."""
        with self.lock:
            if self._view.comm is not None:
                self._view.send(message, buffers)
                self._free()

    def post_newest(self, kind: str, make: Callable[[], Sent | None]) -> None:
        """Make a message and send it, unless one that was begun later is out already.

        Nothing is asked of the session while the lock is held: the session may be sending an
        event under a lock of its own.
        """
        with self.lock:
            self._begun += 1
            ticket = self._begun
        made = make()
        if made is None:
            return
        with self.lock:
            if ticket > self._sent.get(kind, 0):
                self._sent[kind] = ticket
                self.post(*made)

    def _free(self) -> None:
        """Let what the page sends arrive on the subshell it was sent to, also while a cell runs.

        ipykernel 7 hands it to the shell that used the connection last instead. After something
        was sent from a cell that is the main one, where it waits for the cell to end.
        """
        getattr(self._view.comm, "__dict__", {}).pop("_reply_subshell_id", None)
