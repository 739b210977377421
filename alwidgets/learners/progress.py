"""How far a fit has come, and how to end one early."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from alwidgets.errors import AlwidgetsError

#: Seconds between two reports, at least.
INTERVAL = 0.1


class Cancelled(AlwidgetsError, RuntimeError):
    """A fit was told to stop; the learner is what it was before."""


@dataclass(frozen=True)
class Progress:
    """How far a fit has come.

    Attributes
    ----------
    done, total : int
        Steps. A fit that ends early reports ``done = total`` at its end.
    what : str
        What a step is, for people: ``"training"``, ``"fold"``, ``"member"``.
    """

    done: int
    total: int
    what: str

    @property
    def fraction(self) -> float:
        """From 0 to 1."""
        return self.done / self.total if self.total else 1.0


ProgressListener: TypeAlias = Callable[[Progress], None]
#: Set, or returning true, as soon as a fit should end.
StopSignal: TypeAlias = threading.Event | Callable[[], bool]


class Reporting:
    """Gives a learner ``on_progress`` and ``should_stop``.

    Both belong to whoever runs the fit, not to the learner: they are no parameters, and a copy of
    the learner has none. Both are called in the thread that fits.

    Attributes
    ----------
    on_progress : callable or None
        Gets a :class:`Progress`, ten times a second at most. What it raises ends the fit.
    should_stop : threading.Event, callable or None
        Looked at before every step; once it is set or returns true, ``fit`` raises
        :class:`Cancelled` and the learner stays as it was.
    """

    on_progress: ProgressListener | None = None
    should_stop: StopSignal | None = None

    def __getstate__(self) -> Any:
        state = super().__getstate__()
        if not isinstance(state, dict):
            return state
        return {k: v for k, v in state.items() if k not in ("on_progress", "should_stop")}

    def _watch(self, total: int, what: str) -> Watch:
        return Watch(total, what, self.on_progress, self.should_stop)


class Watch:
    """Counts the steps of one fit; reports them and looks whether to stop."""

    def __init__(
        self, total: int, what: str, listener: ProgressListener | None, stop: StopSignal | None
    ) -> None:
        self._total, self._what = total, what
        self._listener, self._stop = listener, stop
        self._done = 0
        self._next = 0.0

    def check(self) -> None:
        """Raise `Cancelled` if the fit should stop."""
        stop = self._stop
        if stop is not None and (stop.is_set() if isinstance(stop, threading.Event) else stop()):
            raise Cancelled("The fit was stopped; the learner is what it was before.")

    def step(self) -> None:
        """Count a step that has ended."""
        self._done += 1
        self.check()
        if self._done < self._total and time.monotonic() >= self._next:
            self._report(self._done)

    def end(self) -> None:
        """Report that all is done."""
        self._report(self._total)

    def _report(self, done: int) -> None:
        self._next = time.monotonic() + INTERVAL
        if self._listener is not None:
            self._listener(Progress(done, self._total, self._what))
