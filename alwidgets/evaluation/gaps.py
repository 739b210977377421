"""Slices of a pool, ranked by how surely the model is worse on them than on the rest."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc, betaincc

from alwidgets.errors import EvaluationError
from alwidgets.evaluation.intervals import wilson
from alwidgets.evaluation.risk import Estimate, checked_mask, lure, unknown

Name = TypeVar("Name", bound=Hashable)

#: Labels of a slice below which nothing is said of it.
FEWEST = 5
#: Chance of calling any slice worse while none is.
LEVEL = 0.05
#: In how many places the two distributions of a test are compared, and how many standard
#: deviations of one of them to either side.
PLACES, REACH = 401, 8.0


@dataclass(frozen=True)
class Gap(Generic[Name]):
    """How much worse a slice is than what is not in it.

    Attributes
    ----------
    name : hashable
    risk, rest : Estimate
        The mean loss in the slice, and in the rest of the pool.
    difference : Estimate
        `risk` less `rest`, between -1 and 1; above 0 the slice is worse. NaN, and why in words,
        where there are too few labels.
    p : float
        Chance of a difference as large as this one where there is none; 1 where nothing is known.
    adjusted : float
        The same of the whole list: that of any slice in it to look as bad (Holm).
    """

    name: Name
    risk: Estimate
    rest: Estimate
    difference: Estimate
    p: float
    adjusted: float

    @property
    def is_worse(self) -> bool:
        """Whether it is worse, and that is not chance among so many slices."""
        return self.difference.value > 0 and self.adjusted < LEVEL


def rank_slices(
    losses: ArrayLike,
    q: ArrayLike,
    N: int,
    slices: Mapping[Name, NDArray[np.bool_]],
    *,
    confidence: float = 0.95,
    fewest: int = FEWEST,
) -> list[Gap[Name]]:
    """Compare slices with the rest of the pool, from M items that were drawn.

    The difference of two risks, each with the weights of LURE, has the hybrid score interval
    (Newcombe, "Interval estimation for the difference between independent proportions", Statistics
    in Medicine 1998, method 10) at the effective sample sizes. Slices are small and many, so what
    is called worse goes by Fisher's exact test, and the chance that the worst of many looks bad is
    kept down by Holm's correction (Scandinavian Journal of Statistics 1979), which holds however
    slices overlap.

    Parameters
    ----------
    losses, q, N
        As for `lure`.
    slices : mapping of name to (M,) bool array
        Which draws are in each.
    confidence : float
        Of each interval by itself.
    fewest : int
        Labels of a slice, and of the rest, below which nothing is said.

    Returns
    -------
    list of Gap
        The most surely worse first, those of which nothing is known last.

    Raises
    ------
    EvaluationError
        As `lure`, and for masks that are none.

    Examples
    --------
    >>> wrong = 8 * [1] + 12 * [0]
    >>> q = [1 / (500 - m) for m in range(20)]
    >>> early = np.arange(20) < 10
    >>> [(gap.name, gap.is_worse) for gap in rank_slices(wrong, q, 500, {"early": early})]
    [('early', True)]
    """
    if not 0 < confidence < 1:
        raise EvaluationError(f"confidence must lie between 0 and 1, not {confidence}.")
    M = lure(losses, q, N).n
    found = []
    for name, given in slices.items():
        inside = checked_mask(given, M)
        part, rest = (lure(losses, q, N, within=mask) for mask in (inside, ~inside))
        found.append(_gap(name, part, rest, confidence, fewest))
    adjusted = _holm([gap.p for gap in found if gap.difference.known])
    known = [gap for gap in found if gap.difference.known]
    known = [replace(gap, adjusted=p) for gap, p in zip(known, adjusted, strict=True)]
    known.sort(key=_sureness, reverse=True)
    few = [gap for gap in found if not gap.difference.known]
    return known + sorted(few, key=lambda gap: -gap.risk.n)


def _gap(name: Name, part: Estimate, rest: Estimate, confidence: float, fewest: int) -> Gap[Name]:
    why = None
    if part.n < fewest:
        why = f"{_labels(part.n)} of it: {fewest} are the fewest that tell something"
    elif rest.n < fewest:
        why = f"{_labels(rest.n)} not of it: there is no rest to compare it with"
    if why is not None:
        return Gap(name, part, rest, unknown(why, part.n, low=-1.0), 1.0, 1.0)
    value = part.value - rest.value
    low, high = _newcombe(part, rest, confidence)
    n_eff = min(part.n_eff, rest.n_eff)
    words = "ratios of LURE, Newcombe at the effective sample sizes"
    if part.method == rest.method == "every item is labelled":
        low, high, words = value, value, part.method
    # Every item of it is known: nothing is left to chance.
    p = _p(part, rest) if low < high else float(value == 0)
    return Gap(name, part, rest, Estimate(value, low, high, part.n, n_eff, words), p, p)


def _newcombe(part: Estimate, rest: Estimate, confidence: float) -> tuple[float, float]:
    """The interval of the difference of two risks."""
    (low, high), (other_low, other_high) = (
        (float(end) for end in wilson(e.value, e.n_eff, confidence)) for e in (part, rest)
    )
    value = part.value - rest.value
    down = np.hypot(part.value - low, other_high - rest.value)
    up = np.hypot(high - part.value, rest.value - other_low)
    return max(-1.0, float(value - down)), min(1.0, float(value + up))


def _p(part: Estimate, rest: Estimate) -> float:
    """Fisher's exact test, both ways, at effective sample sizes that need not be whole."""
    first, second = (part, rest) if part.value >= rest.value else (rest, part)
    return min(1.0, 2 * _exceeds(first, second))


def _exceeds(first: Estimate, second: Estimate) -> float:
    """Chance of the first risk to be so far above the second where they are the same.

    It is the chance that a Beta(x, n - x + 1) lies below a Beta(y + 1, m - y) (Altham, JRSS-B
    1969), which needs no whole counts.
    """
    # Draws from a large part of the pool count for more than they are: not in a test.
    n, m = (min(e.n_eff, float(e.n)) for e in (first, second))
    x, y = first.value * n, second.value * m
    if x <= 0 or y >= m:
        return 1.0
    mean = (y + 1) / (m + 1)
    reach = REACH * np.sqrt(mean * (1 - mean) / (m + 2))
    at = np.linspace(max(0.0, mean - reach), min(1.0, mean + reach), PLACES)
    below = betainc(x, n - x + 1, at)
    above = betaincc(y + 1, m - y, (at[1:] + at[:-1]) / 2)
    return float(below[0] + np.diff(below) @ above)


def _holm(p: list[float]) -> list[float]:
    """Holm's adjusted p of each."""
    adjusted, worst = [1.0] * len(p), 0.0
    for rank, at in enumerate(np.argsort(p, kind="stable").tolist()):
        worst = max(worst, min(1.0, (len(p) - rank) * p[at]))
        adjusted[at] = worst
    return adjusted


def _sureness(gap: Gap[Name]) -> tuple[float, float]:
    """How surely it is worse, and then by how much."""
    value = gap.difference.value
    sure = 1 - gap.p
    return (sure if value > 0 else -sure), value


def _labels(n: int) -> str:
    if n == 0:
        return "none of the audit labels is"
    return "only 1 audit label is" if n == 1 else f"only {n} audit labels are"
