"""The audit: a random part of the pool that is never trained on, to estimate from.

The part is fixed by the seed before the first card. Its items come up in random order among the
other cards, so the audit labels are a random sample of the pool, whatever the strategy chooses.
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

    Attributes
    ----------
    reserved : ndarray of bool, shape (n,)
    order : ndarray of int64
        Positions of the reserved items in the order in which they are drawn.
    key : str
        Hash of the ids in their order, and of the seed.
    """

    def __init__(
        self,
        ids: Sequence[str],
        share: float,
        seed: int,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> None:
        check_share(share)
        self.share = share
        self.n_pool = len(ids)
        place = _uniform(ids, seed, progress)
        self.key = hashlib.blake2b(place.data, digest_size=16).hexdigest()
        self.reserved: NDArray[np.bool_] = place < share
        positions = np.flatnonzero(self.reserved)
        self.order: NDArray[np.int64] = positions[np.argsort(place[positions])]

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


def _uniform(
    ids: Sequence[str], seed: int, progress: Callable[[int, int], None]
) -> NDArray[np.float64]:
    """Numbers in [0, 1) that depend on id and seed alone."""
    key, blake2b = str(seed).encode(), hashlib.blake2b
    numbers = np.empty(len(ids))
    rest = iter(ids)
    for start in range(0, len(ids), IDS_AT_ONCE):
        names = [item_id.encode("utf-8", "surrogatepass") for item_id in islice(rest, IDS_AT_ONCE)]
        digests = b"".join([blake2b(name, digest_size=8, key=key).digest() for name in names])
        numbers[start : start + IDS_AT_ONCE] = np.frombuffer(digests, dtype=">u8")
        progress(start + len(names), len(ids))
    numbers /= 2.0**64
    return numbers
