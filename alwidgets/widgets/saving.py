"""The selection of the map as a file."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, TypedDict

log = logging.getLogger(__name__)

#: More items than this make a file that is too long to travel at once.
MOST_SAVED = 100_000


class FileMessage(TypedDict):
    """A file for the browser to save; its bytes follow."""

    type: Literal["file"]
    name: str


class Saving:
    """Makes the file, beside the thread of the messages.

    Parameters
    ----------
    session : Session
    post : callable
        Sends a message and its buffers.
    run : callable, optional
        Runs work in the background, in order.
    """

    def __init__(
        self,
        session: Any,
        post: Callable[[dict[str, Any], list[bytes]], None],
        run: Callable[[Callable[[], None]], object] | None = None,
    ) -> None:
        self._session, self._post = session, post
        self._thread = ThreadPoolExecutor(1, "alwidgets-saving")
        self._run = run or self._thread.submit
        self._is_closed = False

    def ask(self) -> None:
        """Send the selection as CSV, or say in words why there is none."""
        if not self._is_closed:
            self._run(self._save)

    def close(self) -> None:
        """Make no more files."""
        self._is_closed = True
        self._thread.shutdown(wait=False)

    def _save(self) -> None:
        n = len(self._session.selection)
        if n == 0:
            self._refuse("Nothing is selected, so there is nothing to save.")
            return
        if n > MOST_SAVED:
            self._refuse(
                f"{n:,} items are too many for one file; select at most {MOST_SAVED:,} at a time."
            )
            return
        try:
            table = self._session.selection.to_frame()
            text = table.to_csv(index=False).encode("utf-8", "replace")
        except Exception as error:
            log.exception("the selection could not be saved")
            self._refuse(
                f"The selection could not be saved: {type(error).__name__}: {error}",
                "The log has the details.",
            )
            return
        message: FileMessage = {"type": "file", "name": f"{self._session.name} selection.csv"}
        self._post(dict(message), [text])

    def _refuse(self, text: str, remedy: str = "") -> None:
        self._post({"type": "problem", "text": text, "remedy": remedy}, [])
