"""One retraining at a time, in the background; while one runs, asking again causes one more."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, Protocol, TypeVar

Snapshot = TypeVar("Snapshot")
Result = TypeVar("Result")

#: By how much a job in the background lets others go first, in steps of `nice`.
YIELDS = 5


class Executor(Protocol):
    """Runs a job, now or in the background."""

    def submit(self, job: Callable[[], None]) -> None:
        """Run `job` once."""
        ...

    def join(self) -> None:
        """Wait until nothing of a job that has ended is left."""
        ...


class BackgroundExecutor:
    """Runs each job in a thread of its own; the thread does not keep the process alive.

    Where every processor is wanted, the page and the rest of the kernel go before it.

    Parameters
    ----------
    yields : int
        By how much it lets others go first, in steps of `nice`.
    """

    def __init__(self, yields: int = YIELDS) -> None:
        self._yields = yields
        self._thread: threading.Thread | None = None

    def submit(self, job: Callable[[], None]) -> None:
        """Start `job` in the background."""
        self._thread = threading.Thread(
            target=self._run, args=(job,), name="alwidgets-trainer", daemon=True
        )
        self._thread.start()

    def join(self) -> None:
        """Wait for the thread: one that is left over when the interpreter goes aborts it."""
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self, job: Callable[[], None]) -> None:
        if sys.platform == "linux":  # elsewhere it is the whole process that would yield
            with suppress(OSError):
                own = threading.get_native_id()
                nice = os.getpriority(os.PRIO_PROCESS, own) + self._yields
                os.setpriority(os.PRIO_PROCESS, own, nice)
        job()


class InlineExecutor:
    """Runs each job at once, in the caller's thread: a script or a test without threads."""

    def submit(self, job: Callable[[], None]) -> None:
        """Run `job` and return when it has ended."""
        job()

    def join(self) -> None:
        """Nothing is left."""


class Trainer(Generic[Snapshot, Result]):
    """Takes snapshots, works on them in the background and publishes what comes out.

    Parameters
    ----------
    snapshot : callable
        Returns an immutable picture of what to work on, or None if there is nothing to do.
    work : callable
        From a snapshot to a result; touches nothing else.
    publish : callable
        Gets each result, in order.
    fail : callable
        Gets what `snapshot`, `work` or `publish` raised.
    executor : Executor, optional
        A thread in the background by default.

    Attributes
    ----------
    stop : threading.Event
        Set where the run under way should end early; that is for `work`, or whoever else looks,
        to heed. It never outlasts the run that it was meant for, except after `close`.
    """

    def __init__(
        self,
        snapshot: Callable[[], Snapshot | None],
        work: Callable[[Snapshot], Result],
        publish: Callable[[Result], None],
        fail: Callable[[Exception], None],
        executor: Executor | None = None,
    ) -> None:
        self._snapshot = snapshot
        self._work = work
        self._publish = publish
        self._fail = fail
        self._executor = executor or BackgroundExecutor()
        self._changed = threading.Condition()
        self._running = False
        self._again = False
        self._closed = False
        self._worker: int | None = None
        self.stop = threading.Event()

    @property
    def busy(self) -> bool:
        """Whether a run is under way."""
        return self._running

    def request(self) -> None:
        """Ask for a run: at once if none is under way, else one more when that has ended."""
        with self._changed:
            if self._closed:
                return
            if self._running:
                self._again = True
                return
            self._running = True
        try:
            self._executor.submit(self._run)
        except RuntimeError as error:  # no more threads to be had
            self._end()
            self._fail(error)

    def wait(
        self, timeout: float | None = None, *, until: Callable[[], bool] = lambda: False
    ) -> bool:
        """Wait until no run is under way.

        Parameters
        ----------
        timeout : float, optional
            Seconds to wait at most.
        until : callable, optional
            Wait no longer than until this is true; `look_again` has it asked.

        Returns
        -------
        bool
            False if the time ran out.
        """
        if self._worker == threading.get_ident():
            return True  # a listener that waits for the run that called it would wait for ever
        with self._changed:
            return self._changed.wait_for(lambda: not self._running or until(), timeout)

    def look_again(self) -> None:
        """Tell those who wait for a part of a run that it may be done."""
        with self._changed:
            self._changed.notify_all()

    def cancel(self) -> None:
        """Wish for the run under way to end early; with none under way, nothing happens.

        A run that was asked for meanwhile comes all the same.
        """
        with self._changed:
            if self._running:
                self.stop.set()

    def close(self, timeout: float | None = None) -> None:
        """Take no more requests, and wait for the run under way; its result is dropped."""
        with self._changed:
            self._closed = True
            self._again = False
            self.stop.set()
        if self.wait(timeout):
            self._executor.join()

    def _run(self) -> None:
        self._worker = threading.get_ident()
        while True:
            try:
                snapshot = self._snapshot()
                if snapshot is not None:
                    result = self._work(snapshot)
                    if not self._closed:
                        self._publish(result)
            except Exception as error:  # noqa: BLE001, a learner or strategy may be the user's
                self._fail(error)
            except BaseException:
                self._end()  # whoever waits must not wait for ever
                raise
            with self._changed:
                if not self._again:
                    self._end()
                    return
                self._again = False
                self._rearm()

    def _rearm(self) -> None:
        """Forget a wish to stop, which may have come too late; that of a closed trainer stays."""
        if not self._closed:
            self.stop.clear()

    def _end(self) -> None:
        with self._changed:
            self._running = False
            self._worker = None
            self._rearm()
            self._changed.notify_all()
