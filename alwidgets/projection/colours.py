"""What a colour stands for, as small integers: class codes, or a quantity in 256 steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

#: So many classes fit into a byte beside "none".
MOST_IN_A_BYTE = 254


@dataclass(frozen=True)
class Colours:
    """A code for every item, and what the codes stand for.

    Attributes
    ----------
    codes : ndarray of uint8, shape (n,)
        As of `category_codes` or `ramp_codes`; uint16 for more than 254 categories.
    categories : list of str, or None
        Their names; None for a quantity.
    range : (float, float), or None
        Of the quantity: where the ramp begins and ends.
    none : str
        What an item without a value is, in words.
    ends : (str, str), or None
        Words for the ends of the ramp; None where the numbers say it.
    notable : ("low" or "high", str), or None
        Which end of a quantity is worth a look, and what its items are, in words.
    values : ndarray of float, shape (n,), or None
        The quantity itself, NaN where there is none; None for categories.
    """

    codes: NDArray[Any]
    categories: list[str] | None = None
    range: tuple[float, float] | None = None
    none: str = "no value"
    ends: tuple[str, str] | None = None
    notable: tuple[Literal["low", "high"], str] | None = None
    values: NDArray[np.floating[Any]] | None = None


def category_codes(codes: NDArray[Any] | None, n: int, n_classes: int) -> NDArray[Any]:
    """Class codes for the map.

    Parameters
    ----------
    codes : ndarray of int, shape (n,), or None
        Class codes, -1 where there is none; None where there is none at all.
    n : int
        How many items there are.
    n_classes : int

    Returns
    -------
    ndarray of uint8, shape (n,)
        255 is "none"; of uint16 for more than 254 classes, with 65535 for "none".
    """
    small = n_classes <= MOST_IN_A_BYTE
    dtype, none = (np.uint8, 255) if small else (np.dtype("<u2"), 65_535)
    if codes is None:
        return np.full(n, none, dtype=dtype)
    inside = (codes >= 0) & (codes < n_classes)
    return np.where(inside, codes, none).astype(dtype)


def ramp_codes(values: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """A quantity in steps 0 to 254 between `low` and `high`; what lies outside is clipped.

    NaN becomes 255, "none".
    """
    span = high - low
    if not span > 0:
        span = np.inf
    share = np.clip((np.asarray(values, dtype=np.float32) - low) / span, 0, 1)
    steps: NDArray[np.uint8] = np.where(np.isnan(share), 255, np.round(share * 254)).astype(
        np.uint8
    )
    return steps


def usual_range(values: NDArray[Any], share: float = 0.99) -> tuple[float, float]:
    """Return the smallest value, and the one below which a share of them lies.

    One item far out would leave the others a single colour if the ramp ended at the largest value.
    """
    low, high = float(np.min(values)), float(np.quantile(values, share))
    return low, high if high > low else float(np.max(values))


def middle_range(values: NDArray[Any], share: float = 0.99) -> tuple[float, float]:
    """Return between which values the middle share of them lies: either end may be far out.

    Parameters
    ----------
    values : ndarray, shape (n,)
        NaN and infinity count for nothing.
    share : float, optional

    Returns
    -------
    low, high : float
        (0, 0) where there is no value.
    """
    finite = values[np.isfinite(values)]
    if not len(finite):
        return 0.0, 0.0
    low = np.quantile(finite, (1 - share) / 2, method="lower")
    high = np.quantile(finite, (1 + share) / 2, method="higher")
    if not high > low:
        low, high = finite.min(), finite.max()
    return float(low), float(high)
