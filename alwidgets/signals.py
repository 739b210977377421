"""Named events that views and users listen to."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from .errors import AlwidgetsError

log = logging.getLogger(__name__)

Listener = Callable[..., object]


class Signals:
    """Listeners by event name.

    Parameters
    ----------
    *names : str
        The events there are.
    """

    def __init__(self, *names: str) -> None:
        self._listeners: dict[str, list[Listener]] = {name: [] for name in names}
        self._lock = threading.Lock()

    def on(self, name: str, listener: Listener) -> Callable[[], None]:
        """Call `listener` at each such event, in the thread where it happens.

        Returns
        -------
        callable
            Ends it.

        Raises
        ------
        AlwidgetsError
            If there is no such event.
        """
        if name not in self._listeners:
            raise AlwidgetsError(f"There is no event {name!r}; use one of {list(self._listeners)}.")
        with self._lock:
            self._listeners[name].append(listener)

        def off() -> None:
            with self._lock:
                if listener in self._listeners[name]:
                    self._listeners[name].remove(listener)

        return off

    def emit(self, name: str, *args: Any) -> None:
        """Call the listeners; one that raises is logged and does not keep the others from it."""
        with self._lock:
            listeners = list(self._listeners[name])
        for listener in listeners:
            try:
                listener(*args)
            except Exception:  # a listener is the user's code
                log.exception("a listener to %r failed", name)
