"""The audit: a random part of the pool that is never trained on, to estimate from.

The part is fixed by the seed before the first card. Its items come up in random order among the
other cards, so the audit labels are a random sample of the pool, whatever the strategy chooses.

Every item has a lot, a number in [0, 1) that depends on its id and the seed alone. Those below the
share are the audit's, and they are drawn by their lots, the lowest first. When a pool grows, the
lots of the new items fall among those of the others as if they had always been there. The items
with the m lowest lots are then m uniform draws without replacement from the grown pool, of size N:
what LURE asks of its sample, with q = 1 / (N - m + 1) and v = 1. So labels from before count on, as
far as every item with a lower lot has its answer too (see `readings.audit_sample`). The new items
among them are drawn first; until they are answered the interval is a wide one.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from itertools import islice
from numbers import Real

import numpy as np
from numpy.typing import NDArray

from .errors import AlwidgetsError

MAX_SHARE = 0.5
#: Why there is no audit label, and never will be.
NONE_KEPT = (
    "no item of this session is kept for the audit, so nothing can be said of what its model was "
    "not trained on"
)
IDS_AT_ONCE = 65_536


class Audit:
    """Which items are kept for the audit, and in which order they are drawn.

    An item belongs to it by a hash of its id and the seed, so that it still does when the pool
    is read in another order, or has grown.

    Parameters
    ----------
    ids : sequence of str
        The pool's items.
    share : float
        Of the pool that is kept, and of the cards that come from it; between 0 and 0.5.
    seed : int
    progress : callable, optional
        Told of how many items it is known, and how many there are.
    before : Audit, optional
        That of the first items, where it is known: see `grown`.

    Attributes
    ----------
    reserved : ndarray of bool, shape (n,)
    order : ndarray of int64
        Positions of the reserved items in the order in which they are drawn.
    key : str
        Hash of the ids in their order, and of the seed.
    keys : dict of int to str
        That of the first items, by how many they are, for every size that the pool had.
    """

    def __init__(
        self,
        ids: Sequence[str],
        share: float,
        seed: int,
        progress: Callable[[int, int], None] = lambda done, total: None,
        before: Audit | None = None,
    ) -> None:
        check_share(share)
        self.share = share
        self.n_pool = len(ids)
        self.seed = seed
        n = 0 if before is None else before.n_pool
        lots = lots_of(ids[n:] if n else ids, str(seed), progress)
        self._hash: hashlib.blake2b = (
            hashlib.blake2b(digest_size=16) if before is None else before._hash.copy()
        )
        self._hash.update(lots.data)
        self.key = self._hash.hexdigest()
        self.keys: dict[int, str] = {} if before is None else dict(before.keys)
        self.keys[self.n_pool] = self.key
        self.reserved: NDArray[np.bool_] = lots < share
        self.order: NDArray[np.int64] = n + np.flatnonzero(self.reserved)
        # Of all others the lots have done their work.
        self._lots: NDArray[np.float64] = lots[self.reserved]
        if before is not None:
            self.reserved = np.concatenate([before.reserved, self.reserved])
            self.order = np.concatenate([before.order, self.order])
            self._lots = np.concatenate([before._lots, self._lots])
        drawn = np.argsort(self._lots)
        self.order, self._lots = self.order[drawn], self._lots[drawn]

    def probability(self, drawn: int) -> tuple[float, int]:
        """Probability of the next draw, and how many items it was drawn from.

        A uniform draw from a part that is itself random is a uniform draw from the whole pool.

        Parameters
        ----------
        drawn : int
            Audit draws so far.
        """
        remaining = self.n_pool - drawn
        return 1.0 / remaining, remaining

    def grown(self, ids: Sequence[str]) -> Audit:
        """The audit of a pool that has more items behind these; they keep their lots."""
        return Audit(ids, self.share, self.seed, before=self)

    def first(self, n: int) -> NDArray[np.int64]:
        """The order in which those of the first n items are drawn, whatever has joined since."""
        return self.order if n >= self.n_pool else self.order[self.order < n]

    def is_due(self, cards: int, audits: int) -> bool:
        """Whether the next card should be an audit card, after so many cards and audit cards."""
        # The first one comes half a period in; then they keep to the share as closely as they can.
        return math.floor(self.share * (cards + 1) + 0.5) > audits


def check_share(share: float) -> None:
    """Raise an `AlwidgetsError` unless `share` is one that an audit can have."""
    if not isinstance(share, Real) or not 0 <= share <= MAX_SHARE:
        raise AlwidgetsError(
            f"audit={share!r} must be a share of the cards between 0 and {MAX_SHARE}; 0.15 is "
            "usual, and 0 means that accuracy cannot be estimated."
        )


def lots_of(
    ids: Sequence[str], key: str, progress: Callable[[int, int], None] = lambda done, total: None
) -> NDArray[np.float64]:
    """Numbers in [0, 1) that depend on the id and the key alone, shape (n,)."""
    # Copied, not made anew for every id: that takes half as long again.
    begun = hashlib.blake2b(digest_size=8, key=key.encode())
    numbers = np.empty(len(ids))
    rest = iter(ids)
    for start in range(0, len(ids), IDS_AT_ONCE):
        digests = []
        for item_id in islice(rest, IDS_AT_ONCE):
            lot = begun.copy()
            lot.update(item_id.encode("utf-8", "surrogatepass"))
            digests.append(lot.digest())
        numbers[start : start + IDS_AT_ONCE] = np.frombuffer(b"".join(digests), dtype=">u8")
        progress(start + len(digests), len(ids))
    numbers /= 2.0**64
    return numbers
