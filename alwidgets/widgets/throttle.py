"""Do something often asked for, but not more often than is useful."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol


class Timer(Protocol):
    """What a throttle needs of `threading.Timer`."""

    daemon: bool

    def start(self) -> None:
        """Begin to wait."""
        ...

    def cancel(self) -> None:
        """Stop waiting."""
        ...


class Throttle:
    """Call `action` at once, then at most every `interval` seconds; the last call is never lost.

    Parameters
    ----------
    action : callable
        Called on the caller's thread, or on a timer's for a call that had to wait.
    interval : float
        Seconds.
    clock, timer : optional
        In place of the real ones.
    """

    def __init__(
        self,
        action: Callable[[], object],
        interval: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        timer: Callable[[float, Callable[[], object]], Timer] = threading.Timer,
    ) -> None:
        self._action, self.interval = action, interval
        self._clock, self._make_timer = clock, timer
        self._lock = threading.Lock()
        self._last = -float("inf")
        self._waiting: Timer | None = None
        self._closed = False
        # One after the other: what an action saw first must not be shown last.
        self._acting = threading.RLock()

    def __call__(self) -> None:
        """Ask for the action."""
        with self._lock:
            if self._closed or self._waiting is not None:
                return
            wait = self._last + self.interval - self._clock()
            if wait > 0:
                self._waiting = self._make_timer(wait, self._late)
                self._waiting.daemon = True
                self._waiting.start()
                return
            self._last = self._clock()
        self._act()

    def _late(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._waiting = None
            self._last = self._clock()
        self._act()

    def _act(self) -> None:
        with self._acting:
            self._action()

    def close(self) -> None:
        """Forget what waits; nothing is called any more."""
        with self._lock:
            self._closed = True
            waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.cancel()
