"""How a view sends: from any thread, and so that the answers do not have to wait for a cell."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import anywidget


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
        self._free()

    def post(self, message: Mapping[str, Any], buffers: list[bytes] | None = None) -> None:
        """Send; a view that is closed sends nothing."""
        with self.lock:
            if self._view.comm is not None:
                self._view.send(message, buffers)
                self._free()

    def _free(self) -> None:
        """Let what the page sends arrive on the subshell it was sent to, also while a cell runs.

        ipykernel 7 hands it to the shell that used the connection last instead. After something
        was sent from a cell that is the main one, where it waits for the cell to end.
        """
        getattr(self._view.comm, "__dict__", {}).pop("_reply_subshell_id", None)
