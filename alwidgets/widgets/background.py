"""Work that takes a while, beside the thread that messages arrive on."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

log = logging.getLogger(__name__)

#: Results that are kept.
KEPT = 8


def on_a_thread(work: Callable[[], None]) -> None:
    """Run `work` on a thread of its own."""
    threading.Thread(target=work, name="alwidgets-view", daemon=True).start()


class Superseded(Exception):
    """Raised by work that is no longer wanted."""


class Background:
    """Makes results one at a time and keeps the newest few; of the requests that wait, the newest.

    Parameters
    ----------
    on_done : callable
        Called with the key of a result that is there, or of one that failed, on any thread.
    run : callable, optional
        Runs work in the background.

    Attributes
    ----------
    making : hashable or None
        The key of what is being made.
    """

    def __init__(
        self,
        on_done: Callable[[Hashable], None],
        run: Callable[[Callable[[], None]], None] = on_a_thread,
    ) -> None:
        self._on_done, self._run = on_done, run
        self._lock = threading.Lock()
        self._results: OrderedDict[Hashable, Any] = OrderedDict()
        self._next: tuple[Hashable, Callable[[], Any]] | None = None
        self._closed = self._busy = False
        self.making: Hashable | None = None

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any | None:
        """Return a result, or None and have it made; one that failed is raised, once.

        Parameters
        ----------
        key : hashable
        make : callable
            Returns the result, which is not None.
        """
        with self._lock:
            if key in self._results:
                self._results.move_to_end(key)
                found = self._results[key]
                if isinstance(found, Exception):
                    del self._results[key]
                    raise found
                return found
            if self._closed or key == self.making:
                return None
            self._next = (key, make)
            if self._busy:
                return None
            self._busy, self.making = True, key
        self._run(self._work)
        return None

    def check(self) -> None:
        """Called by the work now and then; raises `Superseded` if something else is wanted."""
        if self._closed or self._next is not None:
            raise Superseded
        time.sleep(0)  # others get their turn

    def close(self) -> None:
        """Make nothing more."""
        with self._lock:
            self._closed, self._next = True, None

    def _work(self) -> None:
        while True:
            with self._lock:
                if self._next is None:
                    self._busy, self.making = False, None
                    return
                (key, make), self._next = self._next, None
                self.making = key
            try:
                result = make()
            except Superseded:
                continue
            except Exception as error:  # told to whoever asks for the result
                log.info("%s could not be made", key, exc_info=True)
                result = error
            with self._lock:
                self.making = None
                if self._closed:
                    return
                self._results[key] = result
                while len(self._results) > KEPT:
                    self._results.popitem(last=False)
            try:
                self._on_done(key)
            except Exception:
                log.exception("a view could not show what was made")
