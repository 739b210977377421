"""The map's search box: what is typed becomes points, while the kernel goes on answering."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable
from typing import Any, Literal, TypedDict

import numpy as np

from ..errors import AlwidgetsError, MessageError
from ..search import Matches
from .background import Background, on_a_thread

log = logging.getLogger(__name__)

#: More points than this are counted and not shown: 4 bytes each travel with every letter typed.
MOST_SHOWN = 100_000
MAX_SEARCH = 1_000
#: How long texts are looked through while there is no index: letters go on being typed.
SECONDS = 0.5
#: Share of an index after which it is told again how far it is.
STEP = 0.02


class FoundMessage(TypedDict):
    """What a search came to; the positions of the first of them follow, as uint32.

    `read` of `n` items were looked through. `error` says why nothing was, `hint` what may have been
    meant otherwise.
    """

    type: Literal["found"]
    text: str
    total: int
    read: int
    n: int
    error: str | None
    hint: str | None


class IndexingMessage(TypedDict):
    """How far the index of the words is; None where none is being built."""

    type: Literal["indexing"]
    fraction: float | None


class Finder:
    """Answers what is typed into a search box, the newest text first.

    Parameters
    ----------
    session : Session
    post : callable
        Sends a message and its buffers.
    run : callable, optional
        Runs work in the background.
    """

    def __init__(
        self,
        session: Any,
        post: Callable[[dict[str, Any], list[bytes]], None],
        run: Callable[[Callable[[], None]], None] = on_a_thread,
    ) -> None:
        self._session, self._post = session, post
        self._lock = threading.Lock()
        self._text = ""
        self._told = -1.0
        self._unsubscribe: Callable[[], None] | None = None
        self._background = Background(self._made, run)

    def ask(self, message: dict[str, Any]) -> None:
        """Look for a text; an empty one only has the index begun.

        Raises
        ------
        MessageError
            If the message holds none.
        """
        text = message.get("text")
        if not isinstance(text, str) or len(text) > MAX_SEARCH:
            raise MessageError(
                f"A text of at most {MAX_SEARCH:,} characters is searched for, not "
                f"{str(text)[:80]!r}."
            )
        self._text = text
        self._start()
        if text.strip():
            self._look()

    def close(self) -> None:
        """Answer no more."""
        self._background.close()
        with self._lock:
            unsubscribe, self._unsubscribe = self._unsubscribe, None
        if unsubscribe is not None:
            unsubscribe()

    def _start(self) -> None:
        """Begin to index the words, once."""
        index = self._session.text_index
        with self._lock:
            if index is None or self._unsubscribe is not None:
                return
            self._unsubscribe = index.on_change(self._on_index)
        index.start()
        self._on_index()

    def _look(self) -> None:
        # What is shown now was looked for without the index, if that was not ready.
        index = self._session.text_index
        key = (self._text, index is not None and index.ready)
        made = self._background.get(key, lambda: self._message(key[0]))
        if made is not None:
            self._post(*made)

    def _made(self, key: Hashable) -> None:
        if isinstance(key, tuple) and key[0] == self._text:
            self._look()

    def _message(self, text: str) -> tuple[dict[str, Any], list[bytes]]:
        error, found = None, Matches(np.empty(0, dtype=np.int64), 0, 0)
        try:
            found = self._session.matching(text, n=MOST_SHOWN, seconds=SECONDS)
        except AlwidgetsError as problem:
            error = str(problem)
        except Exception as problem:
            log.exception("the search for %r failed", text)
            error = f"The search failed: {type(problem).__name__}: {problem}"
        message: FoundMessage = {
            "type": "found",
            "text": text,
            "total": found.total,
            "read": found.read,
            "n": len(self._session.pool),
            "error": error,
            "hint": found.hint or None,
        }
        return dict(message), [found.positions.astype("<u4").tobytes()]

    def _on_index(self) -> None:
        index = self._session.text_index
        if index is None:
            return
        fraction = index.progress
        if fraction is not None and 0 <= fraction - self._told < STEP:
            return
        self._told = -1.0 if fraction is None else fraction
        message: IndexingMessage = {"type": "indexing", "fraction": fraction}
        self._post(dict(message), [])
        if fraction is None and index.ready and self._text.strip():
            self._look()
