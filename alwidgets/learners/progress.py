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
#: Seconds before a fit that is mostly quick says anything.
LONG = 1.0
#: Into so many steps a fit is cut that has none of its own.
FINE = 1000


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
    """Counts the steps of one fit; reports them and looks whether to stop.

    Parameters
    ----------
    total : int
        Steps.
    what : str
        What a step is.
    listener : callable or None
    stop : threading.Event, callable or None
    quiet : float
        Seconds until the first report.
    """

    def __init__(
        self,
        total: int,
        what: str,
        listener: ProgressListener | None,
        stop: StopSignal | None,
        quiet: float = 0.0,
    ) -> None:
        self._total, self._what = total, what
        self._listener, self._stop = listener, stop
        self._done = 0
        self._next = time.monotonic() + quiet if quiet else 0.0
        self.told = False  # anything yet

    @property
    def due(self) -> bool:
        """Whether somebody is to hear how far the fit is."""
        return self._listener is not None and time.monotonic() >= self._next

    def check(self) -> None:
        """Raise `Cancelled` if the fit should stop."""
        stop = self._stop
        if stop is not None and (stop.is_set() if isinstance(stop, threading.Event) else stop()):
            raise Cancelled("The fit was stopped; the learner is what it was before.")

    def step(self) -> None:
        """Count a step that has ended."""
        self.move_to(self._done + 1)

    def move_to(self, done: int) -> None:
        """So many steps have ended; fewer than before are as many as before."""
        self._done = max(done, self._done)
        self.check()
        if self._done < self._total and self.due:
            self._report(self._done)

    def end(self) -> None:
        """Report that all is done."""
        self._report(self._total)

    def _report(self, done: int) -> None:
        self._next = time.monotonic() + INTERVAL
        if self._listener is not None:
            self.told = True
            self._listener(Progress(done, self._total, self._what))


class Course:
    """How far a fit has come whose parts are known, but not how many steps each will take.

    A part takes its share of what is left. So a part that turns out to be needed makes the rest
    slower, and what was done stays done. A fit of less than a second reports nothing.

    Parameters
    ----------
    listener : callable or None
    stop : threading.Event, callable or None
    """

    def __init__(
        self, listener: ProgressListener | None = None, stop: StopSignal | None = None
    ) -> None:
        self._watch = Watch(FINE, "training", listener, stop, LONG)
        self._left = 0.0
        self._from = self._to = 0.0  # of the part under way, as shares of the whole

    def plan(self, cost: float) -> None:
        """Parts that cost so much, in any unit, are still to come."""
        self._left += cost

    def part(self, cost: float) -> None:
        """The part before has ended; one that costs so much begins."""
        share = cost / max(self._left, cost)
        self._left = max(0.0, self._left - cost)
        self._from, self._to = self._to, self._to + (1.0 - self._to) * share

    @property
    def due(self) -> bool:
        """Whether somebody is to hear how far the fit is."""
        return self._watch.due

    def reach(self, fraction: float) -> None:
        """So much of the part is done, from 0 to 1.

        Raises
        ------
        Cancelled
            If the fit should stop.
        """
        self._watch.move_to(int(FINE * (self._from + (self._to - self._from) * fraction)))

    def check(self) -> None:
        """Raise `Cancelled` if the fit should stop."""
        self._watch.check()

    def end(self) -> None:
        """Report that all is done, if anything was reported."""
        if self._watch.told:
            self._watch.end()
