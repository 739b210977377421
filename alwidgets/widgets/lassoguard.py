"""Tells the map whom a lasso took or left by mistake, while the kernel goes on answering."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable
from typing import Any, Literal, TypedDict

import numpy as np
from numpy.typing import NDArray

from ..projection.guard import guard, most_looked_at
from .background import Background, on_a_thread

log = logging.getLogger(__name__)

#: Fewer items than this were picked one by one, and on purpose.
FEWEST = 5


class GuardMessage(TypedDict):
    """Members that look misplaced, and outsiders that belong there: two buffers of uint32.

    `selected` is how many items the selection has that this is said of; `sampled` says that not
    all of them were looked at.
    """

    type: Literal["guard"]
    selected: int
    sampled: bool


class LassoGuard:
    """Looks at each selection that was made on the map; the newest counts.

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
        self._number = self._selected = 0
        self._background = Background(self._made, run)

    def look(self, positions: NDArray[np.int64]) -> None:
        """Look at a selection, in the place of the one before."""
        self._number, self._selected = self._number + 1, len(positions)
        if len(positions) < FEWEST:
            return
        number, session = self._number, self._session
        found = self._background.get(number, lambda: guard(session.neighbours, positions))
        if found is not None:
            self._tell(*found)

    def close(self) -> None:
        """Look at nothing more."""
        self._background.close()

    def _made(self, key: Hashable) -> None:
        if key != self._number:
            return
        try:
            found = self._background.get(key, tuple)
        except Exception:  # the selection stands, whatever became of the look at it
            log.warning("the selection could not be looked at", exc_info=True)
            return
        if found is not None:
            self._tell(*found)

    def _tell(self, doubtful: NDArray[np.int64], missing: NDArray[np.int64]) -> None:
        if len(doubtful) or len(missing):
            sampled = self._selected > most_looked_at(*self._session.neighbours.features.shape)
            message: GuardMessage = {
                "type": "guard",
                "selected": self._selected,
                "sampled": sampled,
            }
            self._post(dict(message), [p.astype("<u4").tobytes() for p in (doubtful, missing)])
