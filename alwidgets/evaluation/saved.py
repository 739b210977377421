"""How many labels active selection saved: two learning curves, read at the same height.

Both arms are asked about the same audit items, so what chance did to one it did to the other, and
the difference is known better than either curve.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alwidgets.errors import EvaluationError
from alwidgets.evaluation.drawn import Floats
from alwidgets.evaluation.monotone import crossings, isotonic, smoother, thinned
from alwidgets.evaluation.risk import weights
from alwidgets.evaluation.targets import percent_of

#: Audit labels, and models of each arm, below which nothing is said.
AUDITED, MODELS = 30, 3
#: Resamples that the interval is read off, and how many are worked on at once.
RESAMPLES, AT_ONCE = 1_000, 250
MINUS = "\N{MINUS SIGN}"

Bound = Literal["", "at least", "at most"]


@dataclass(frozen=True)
class Saved:
    """How many labels active selection saved.

    Attributes
    ----------
    value : float
        Labels that random cards needed for the target less those that active selection needed:
        negative where active selection loses. NaN where nothing can be said; `why_not` says why.
    low, high : float
        Ends of the interval; infinite where an arm has not got so far.
    target : float
        The accuracy that both are read at.
    needed : float
        Labels that random cards needed; infinite where they have not got there.
    bound : {"", "at least", "at most"}
        What `value` is, where an arm reaches the target outside of the labels that it has.
    n : int
        Audit labels it rests on.
    confidence : float
        Of the interval.
    why_not : str
        Why nothing can be said, in words.
    """

    value: float
    low: float
    high: float
    target: float
    needed: float
    bound: Bound
    n: int
    confidence: float
    why_not: str = ""

    @property
    def known(self) -> bool:
        """Whether there is a value, if only a bound."""
        return not math.isnan(self.value)

    def __str__(self) -> str:
        if not self.known:
            return f"labels saved are not known: {self.why_not}"
        bound = f"{self.bound} " if self.bound else ""
        labels = "1 label" if _number(self.value) == "1" else f"{_number(self.value)} labels"
        said = f"Active selection saved {bound}{labels} ({self._interval()})"
        goal = percent_of(self.target)
        if math.isinf(self.needed):
            return f"{said}: random cards have not reached {goal} yet"
        return f"{said} of the {_number(self.needed)} that random cards needed for {goal}"

    def _interval(self) -> str:
        if math.isinf(self.low) or math.isinf(self.high):
            if math.isinf(self.low) and math.isinf(self.high):
                return "the interval is open on both sides"
            if math.isinf(self.high):
                return f"{_number(self.low)} or more"
            return f"{_number(self.high)} or fewer"
        return f"{_number(self.low)} to {_number(self.high)}"


def not_known(
    why_not: str, n: int = 0, target: float = math.nan, confidence: float = 0.95
) -> Saved:
    """Nothing, and why, in words."""
    return Saved(
        math.nan, -math.inf, math.inf, target, math.nan, "", n, confidence, why_not=why_not
    )


def labels_saved(
    active_labels: ArrayLike,
    active_wrong: ArrayLike,
    random_labels: ArrayLike,
    random_wrong: ArrayLike,
    q: ArrayLike,
    N: int,
    target: float | None = None,
    *,
    confidence: float = 0.95,
    seed: int = 0,
) -> Saved:
    """How many labels active selection saved on the way to an accuracy.

    The accuracies of each arm's models, estimated from the same audit items, are made a smooth and
    rising curve, so that no single noisy model decides, and the number of labels at which it
    reaches the target is read off. The interval is a bootstrap of the audit items, the same
    resample for all models of both arms; so far as models lie off their curve by more than the
    audit explains, that has a random sign in each resample (a wild bootstrap).

    Parameters
    ----------
    active_labels, random_labels : (a,) and (r,) arrays
        Labels that each model of an arm was trained on; positive, in any order.
    active_wrong, random_wrong : (a, M) and (r, M) arrays
        Loss of each model on each audit item, in [0, 1]: whether it is wrong. Items in the order
        drawn.
    q : (M,) array
        Probability of each audit draw among the items that remained.
    N : int
        Items that the audit was drawn from.
    target : float, optional
        Accuracy, in (0, 1). By default the highest that both arms have reached: beyond that one of
        them says nothing yet.
    confidence : float
        Of the interval.
    seed : int
        Of the bootstrap.

    Returns
    -------
    Saved
        A bound where an arm has not reached the target, or had by its first model. NaN, and why in
        words, for fewer than 30 audit items or 3 models of an arm, and where no arm has reached
        the target, or both had by their first models.

    Raises
    ------
    EvaluationError
        For shapes that do not match, labels that are not positive, losses outside [0, 1],
        impossible probabilities, and a target or a confidence that is none.

    Notes
    -----
    It is about the models that there are: how lucky the cards were that an arm drew, the audit
    cannot tell.

    References
    ----------
    Cleveland, "Robust locally weighted regression and smoothing scatterplots", JASA 1979, and Oron
    & Flournoy, "Centered isotonic regression: point and interval estimation for dose-response
    studies", Statistics in Biopharmaceutical Research 2017; Rao & Wu, "Resampling inference with
    complex survey data", JASA 1988, for finite pools; Wu, "Jackknife, bootstrap and other
    resampling methods in regression analysis", Annals of Statistics 1986, for the wild bootstrap.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> labels, hard = np.arange(10, 110, 10)[:, None], rng.random(300)
    >>> active, at_random = (hard < 1 / np.sqrt(x) for x in (2 * labels, labels))
    >>> q = 1 / (1000 - np.arange(300))
    >>> found = labels_saved(labels[:, 0], active, labels[:, 0], at_random, q, N=1000)
    >>> found.low < 50 < found.high
    True
    """
    check_target(target)
    if not 0 < confidence < 1:
        raise EvaluationError(f"confidence must lie between 0 and 1, not {confidence}: 0.95, say.")
    v = weights(q, N)
    active = _Arm("active", active_labels, active_wrong, v, N)
    random = _Arm("random", random_labels, random_wrong, v, N)
    goal = math.nan if target is None else float(target)
    if len(v) < AUDITED:
        few = f"{len(v)} audit labels are too few, {AUDITED} are needed"
        return not_known(few, len(v), goal, confidence)
    for arm in (active, random):
        if len(arm.labels) < MODELS:
            few = f"{MODELS} models of the {arm.name} arm are needed, there"
            few += f" are {len(arm.labels)}" if len(arm.labels) != 1 else " is 1"
            return not_known(few, len(v), goal, confidence)
    found = _read(active, active.curve[None], random, random.curve[None], target, N)
    height = float(found.height[0])
    reached = percent_of(height)
    spent, needed = (tuple(end.item() for end in ends) for ends in (found.spent, found.needed))
    if math.isinf(spent[1]) and math.isinf(needed[1]):
        return not_known(f"no arm has reached {reached} yet", len(v), height, confidence)
    if spent[0] == needed[0] == 0:
        words = f"the first models of both arms had reached {reached}: ask for more"
        return not_known(words, len(v), height, confidence)
    rng, parts = np.random.default_rng([seed, 8]), []
    for _ in range(0, RESAMPLES, AT_ONCE):
        mixes = _mixes(AT_ONCE, len(v), N, rng)
        curves = active.resampled(mixes, rng), random.resampled(mixes, rng)
        parts.append(_read(active, curves[0], random, curves[1], target, N))
    lows, highs = (np.concatenate(ends) for ends in zip(*(one.ends for one in parts), strict=True))
    tail = (1 - confidence) / 2
    low, high = (end.item() for end in found.ends)
    bound: Bound = ""
    if math.isinf(needed[1]) or spent[0] == 0:
        bound = "at least"
    elif math.isinf(spent[1]) or needed[0] == 0:
        bound = "at most"
    return Saved(
        value=high if bound == "at most" else low,
        low=min(low, float(np.quantile(lows, tail, method="lower"))),
        high=max(high, float(np.quantile(highs, 1 - tail, method="higher"))),
        target=height,
        needed=needed[1],
        bound=bound,
        n=len(v),
        confidence=confidence,
    )


def check_target(target: float | None) -> None:
    """Raise an `EvaluationError` for a target that is no accuracy."""
    if target is not None and not (isinstance(target, Real) and 0 < target < 1):
        raise EvaluationError(
            f"target={target!r} must be an accuracy above 0 and below 1, such as 0.9; None is the "
            "highest that both arms have reached."
        )


class _Arm:
    """The models of an arm, in the order of their labels, and their curve."""

    def __init__(self, name: str, labels: ArrayLike, wrong: ArrayLike, v: Floats, N: int) -> None:
        self.name = name
        at, losses = _checked(name, labels, wrong, len(v))
        order = np.argsort(at, kind="stable")
        self.labels, losses = thinned(at[order], losses[order])
        k, M = losses.shape
        if M < AUDITED or k < MODELS:
            return
        #: What each audit item adds to the estimate of each accuracy, (k, M).
        self._right = 1 - losses * v
        self._smoother = smoother(self.labels)
        means = self._right.mean(axis=1)
        self._smooth = self._smoother @ means
        self.curve = isotonic(self._smooth)
        # How far models lie off their curve, beyond what the audit's chance explains: they have
        # luck of their own.
        off = (np.eye(k) - self._smoother) @ self._right
        found = np.mean(off.mean(axis=1) ** 2)
        explained = np.mean(off.var(axis=1, ddof=1)) * (1 / M - 1 / N)
        free = max(k - float(np.trace(self._smoother)), 1.0)
        share = max(0.0, 1 - explained / found) if found > 0 else 0.0
        self._luck = math.sqrt(share * k / free) * off.mean(axis=1)

    def resampled(self, mixes: Floats, rng: np.random.Generator) -> Floats:
        """Curves, (b, k), as other audits and luckier models would have shown them."""
        signs = rng.choice([-1.0, 1.0], (len(mixes), len(self.labels)))
        changes = mixes @ self._right.T + signs * self._luck
        return isotonic(self._smooth + changes @ self._smoother.T)


@dataclass(frozen=True)
class _Readings:
    """Pairs of curves, read at one height each, (b,): ends of the labels spent, and needed."""

    height: Floats
    spent: tuple[Floats, Floats]
    needed: tuple[Floats, Floats]

    @property
    def ends(self) -> tuple[Floats, Floats]:
        """What was saved, at least and at most."""
        return self.needed[0] - self.spent[1], self.needed[1] - self.spent[0]


def _read(
    active: _Arm, curves: Floats, random: _Arm, others: Floats, target: float | None, N: int
) -> _Readings:
    height = np.minimum(curves[:, -1], others[:, -1])
    if target is not None:
        height = np.full_like(height, target)
    # Half an item of the pool is no gain: so much is left of one where a resample is without it.
    finest = 1 / (2 * N)
    return _Readings(
        height,
        crossings(active.labels, curves, height, finest),
        crossings(random.labels, others, height, finest),
    )


def _mixes(b: int, M: int, N: int, rng: np.random.Generator) -> Floats:
    """What b resamples of an audit change of the weights of its items, 1 / M, (b, M)."""
    counts = rng.multinomial(M, np.full(M, 1 / M), b)
    # An audit of the whole pool leaves nothing to chance.
    found: Floats = math.sqrt((1 - M / N) * M / (M - 1)) * (counts - 1.0) / M
    return found


def _checked(name: str, labels: ArrayLike, wrong: ArrayLike, M: int) -> tuple[Floats, NDArray[Any]]:
    at = np.asarray(labels, dtype=np.float64)
    losses = np.asarray(wrong, dtype=np.float64)
    if at.ndim == 1 and not len(at):
        return at, losses.reshape(0, M)
    if at.ndim != 1 or losses.shape != (len(at), M):
        raise EvaluationError(
            f"{name}_labels of shape {at.shape} and {name}_wrong of shape {losses.shape} do not "
            f"match: give a row for each model and a column for each of the {M} audit items."
        )
    for what, array, ok in (
        ("labels", at, np.isfinite(at) & (at > 0)),
        ("wrong", losses, (losses >= 0) & (losses <= 1)),
    ):
        bad = np.argwhere(~ok)
        if len(bad):
            must = "be positive" if what == "labels" else "lie in [0, 1]"
            raise EvaluationError(
                f"{name}_{what} of model {bad[0][0]} is {array[tuple(bad[0])]}: it must {must}."
            )
    return at, losses


def _number(value: float) -> str:
    """A whole number, with a minus sign that is one."""
    return f"{value:,.0f}".replace("-0", "0").replace("-", MINUS)
