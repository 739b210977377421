"""Several items at once: chosen or found by a word, to be labelled in one go."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .errors import AlwidgetsError, UnknownItemError
from .finding import Finding
from .items import Gathered
from .labelling import Labelling
from .pool import Pool
from .search import MOST_FOUND

#: Items that are looked at, drawn at random, before many more get the same answer; and how many
#: there are to be for that.
SAMPLE = 20
MANY = 2 * SAMPLE


class Gathering(Labelling, Finding):
    """The gathering of items in a session."""

    def label_together(
        self,
        ids: Sequence[str] | None = None,
        *,
        search: str | None = None,
        title: str | None = None,
    ) -> Gathered:
        """Put several items on the cards at once, to be labelled in one go.

        They are shown beside the cards that wait, which stay as they are. Of more than 40, a
        random 20 are shown first: what is wrong with these tells of the others. Their draws are
        of the stream ``chosen``. Estimates leave them out, but for items that are kept for the
        audit: the label of such a one counts from its turn in the audit's random order on.

        Parameters
        ----------
        ids : sequence of str, optional
            Of many the first 500 that have no answer; the others are the result's `waiting`.
        search : str, optional
            Instead: words that the items hold, as for `search`. The first 500 that have no
            answer; of a large pool whose words are not indexed yet, those found in two seconds.
        title : str, optional
            What they have in common, in words.

        Raises
        ------
        UnknownItemError
            If an item is not in the pool.
        AlwidgetsError
            If neither or both of `ids` and `search` are given, or the items have no text.

        Examples
        --------
        >>> import alwidgets as al
        >>> pool = al.Pool.from_texts(["win a prize", "see you at six", "your prize waits"])
        >>> session = al.Session(pool, al.Classification(["ham", "spam"]), audit=0)
        >>> print(session.label_together(search="Prize"))
        2 items to label together
        """
        gathered = self.gather(ids, search=search, title=title)
        if gathered.items:
            self._signals.emit("together", gathered)
        return gathered

    def gather(
        self,
        ids: Sequence[str] | None = None,
        *,
        search: str | None = None,
        title: str | None = None,
    ) -> Gathered:
        """Return the items that `label_together` would put on the cards, and draw them."""
        if (ids is None) == (search is None):
            raise AlwidgetsError(
                "Give ids or search=…, one of them: label_together(search='prize')."
            )
        positions, done, among = self._chosen(ids) if ids is not None else self._search(str(search))
        with self._lock:
            self._check_open()
            # What was answered while others were looked for is left out too.
            open_ = [at for at in positions if not self._ledger.labels.is_answered(at)]
            names = [self.pool.ids[at] for at in open_[:MOST_FOUND]]
            sample = SAMPLE if len(names) > MANY else 0
            names = _sample_first(names, sample, self.seed)
            draws = self._ledger.draw_beside(names, "chosen", "together", self.version)
        if title is None:
            title = "Chosen items" if search is None else f"Found “{search.strip()}”{among}"
        waiting = list(self.pool.ids.take(np.array(open_[MOST_FOUND:], dtype=np.int64)))
        if waiting:
            title += f": the first {len(names):,} of {len(open_):,}"
        items = [self._item(draw) for draw in draws]
        return Gathered(title, items, done + len(positions) - len(open_), sample, waiting)

    def _chosen(self, ids: Sequence[str]) -> tuple[list[int], int, str]:
        if isinstance(ids, str):
            raise UnknownItemError(
                f"label_together takes a list of ids, not a text: label_together([{ids!r}]), or "
                f"label_together(search={ids!r})."
            )
        return list(dict.fromkeys(positions_of(list(ids), self.pool).tolist())), 0, ""

    def _search(self, search: str) -> tuple[list[int], int, str]:
        # The lock is not held while the pool is read: others may answer meanwhile.
        with self._lock:
            self._check_open()
            done = self._ledger.standing >= 0
        found = self.matching(search)
        answered = done[found.positions]
        open_ = found.positions[~answered]
        read = found.read
        if len(open_) >= MOST_FOUND:  # those behind them were not asked for
            read = int(open_[MOST_FOUND - 1]) + 1
        left_out = int(np.count_nonzero(answered & (found.positions < read)))
        partly = read < len(self.pool)
        among = f" in the first {read:,} of {len(self.pool):,} items" if partly else ""
        return open_[:MOST_FOUND].tolist(), left_out, among


def positions_of(ids: list[str], pool: Pool) -> NDArray[np.int64]:
    """Positions of some items, all in one step where they are many.

    Raises
    ------
    UnknownItemError
        If one of them is not in the pool.
    """
    if all(isinstance(item_id, str) for item_id in ids):
        found = pool.ids.places(ids)
        if (found >= 0).all():
            return found
    return np.array([pool.index(item_id) for item_id in ids], dtype=np.int64)


def _sample_first(names: list[str], size: int, seed: int) -> list[str]:
    """Random ones first, the others in their order; the same items give the same sample."""
    rng = np.random.default_rng([seed, zlib.crc32("\n".join(names).encode())])
    drawn = rng.choice(len(names), size, replace=False) if size else np.empty(0, dtype=np.int64)
    left = np.delete(np.arange(len(names)), drawn)
    return [names[at] for at in [*drawn.tolist(), *left.tolist()]]
