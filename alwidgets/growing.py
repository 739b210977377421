"""A session keeps up with its pool while that grows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .hub import Hub
from .pool import Pool


class Growing(Hub):
    """The growing of a session; `Pool.extend` calls it."""

    @contextmanager
    def growing(self, grown: Pool) -> Iterator[None]:
        """Hold still while the pool takes over the items of `grown`, then keep up with it.

        Parameters
        ----------
        grown : Pool
            What the pool is about to be.

        Raises
        ------
        StoreError
            If the store cannot be written; then nothing has changed.
        """
        # What takes long is worked out before the lock is taken.
        audit = self._ledger.audit.grown(grown.ids)
        model_file = self._loop.model_file.grown(grown)
        order = self._loop.sharing.grown(grown.ids, audit)
        if self._closed is None:
            # Before the first event of a new item: who opens the store without them is told.
            self.store.keep_pool(grown)
        with self._lock:
            yield
            if self._closed is None:
                self._ledger.grow(audit)
                self._loop.grow(model_file, order)

    def grew(self, n: int) -> None:
        """Tell that so many items joined, and have the model look at them."""
        if self._closed is not None:
            return
        items = "1 new item is" if n == 1 else f"{n:,} new items are"
        self._signals.emit("grown", n)
        self._signals.emit("notice", f"{items} in the pool.")
        self._signals.emit("queue")
        self._loop.run()
