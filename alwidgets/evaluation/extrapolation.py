"""What more labels should bring: learning curves, drawn on beyond the rounds there are."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from alwidgets.errors import AlwidgetsError
from alwidgets.evaluation.curvefit import LAST, SHAPES, Curve, fit
from alwidgets.evaluation.given import is_number

Floats = NDArray[np.float64]

#: Points below which nothing is forecast.
FEWEST = 6
#: Share of the points that the curves are fitted on to predict the others.
FIRST = 0.7
#: Of the predictions that change over some labels, the share by which the right ones among them
#: exceed the wrong ones over as many labels more; how much that share varies; and the number of
#: items that vary independently. Found by simulation on digits, SMS spam, TREC, AG News and MR.
NET, NET_VARIES, INDEPENDENT = 0.08, 0.1, 1_000
#: Added to a share that changed: where nothing did, something may still.
HARDLY = 0.001


@dataclass(frozen=True)
class Forecast:
    """The gain to expect of more labels.

    Attributes
    ----------
    ahead : int
        Labels that it looks ahead.
    gain, low, high : float
        By how much the value rises, and the interval of that.
    confidence : float
        Of the interval.
    backtest : float
        Mean absolute error of the averaged curves, fitted on the first 70 % of the points, on the
        other 30 %.
    backtest_last : float
        The same of supposing that nothing changes any more.
    weights : dict of str to float
        How much each curve counts, by its error in that.
    curves : tuple of Curve
    end : float
        Labels at the newest point.
    noise : float
        Variance of the value there; 0 where it is not known what it was estimated from.
    """

    ahead: int
    gain: float
    low: float
    high: float
    confidence: float
    backtest: float
    backtest_last: float
    weights: dict[str, float]
    curves: tuple[Curve, ...]
    end: float = math.nan
    noise: float = 0.0

    def at(self, labels: ArrayLike) -> Floats:
        """The averaged curve (n,) at so many labels, in [0, 1]."""
        at = np.asarray(labels, dtype=np.float64)
        found = [self.weights[curve.kind] * curve(at) for curve in self.curves]
        mixed: Floats = np.clip(np.sum(found, axis=0), 0.0, 1.0)
        return mixed

    def band(self, labels: ArrayLike) -> tuple[Floats, Floats, Floats]:
        """The curve drawn on from its newest point, and its interval: three (n,), in [0, 1].

        It rises by `gain` over the first `ahead` labels, and then as the averaged curve does. The
        variance of the gain is spread evenly over these labels and goes on to grow so, as if what
        each label brings were independent; that of the newest value is part of it all the way.
        """
        at = np.asarray(labels, dtype=np.float64)
        steps = np.maximum(at - self.end, 0.0) / self.ahead
        begun, drawn = self.at([self.end, self.end + self.ahead])
        value = self.at(at) + (self.gain - (drawn - begun)) * np.minimum(steps, 1.0)
        z = float(ndtri(0.5 + self.confidence / 2))
        half = np.sqrt(z**2 * self.noise + ((self.high - self.low) / 2) ** 2 * steps)
        low, mid, high = (np.clip(x, 0.0, 1.0) for x in (value - half, value, value + half))
        return mid, low, high

    def over(self, labels: int) -> Forecast:
        """The same of no more than so many labels ahead: what `band` says of these."""
        if labels >= self.ahead:
            return self
        share = labels / self.ahead
        begun, all_of_them, some = self.at([self.end, self.end + self.ahead, self.end + labels])
        gain = float(some - begun + (self.gain - (all_of_them - begun)) * share)
        half = (self.high - self.low) / 2 * math.sqrt(share)
        return replace(self, ahead=labels, gain=gain, low=gain - half, high=gain + half)

    def __str__(self) -> str:
        beats = "better" if self.backtest < self.backtest_last else "no better"
        return (
            f"the last {1 - FIRST:.0%} of the rounds, forecast from those before, were missed by "
            f"{100 * self.backtest:.1f} points on average, {beats} than supposing that nothing "
            f"changes ({100 * self.backtest_last:.1f})"
        )


def forecast(
    labels: ArrayLike,
    values: ArrayLike,
    *,
    n: ArrayLike | None = None,
    ahead: int = 100,
    changed: float | None = None,
    confidence: float = 0.8,
    seed: int = 0,
) -> Forecast:
    """Draw a learning curve on.

    Four curves are fitted by weighted least squares: two powers, a Weibull curve and the newest
    value. Each counts by the inverse of its squared error when it predicts the last 30 % of the
    points from the first 70 %, which is how wrong the forecast may be, too.

    Estimates from few audit labels tell the gain of the next labels badly. Where it is known which
    predictions change, that says more: accuracy cannot rise by more than the share of these, and
    has risen by 8 % of it on average, give or take 10 %. Both sources are weighed by their
    variances.

    Parameters
    ----------
    labels : (k,) array
        Labels at each point; positive, in any order.
    values : (k,) array
        Accuracy, or another share that is 1 at best, at each point.
    n : (k,) array, optional
        Labels that each value was estimated from; all count the same by default.
    ahead : int
        Labels to look ahead.
    changed : float, optional
        Share of a fixed set of items that the newest model predicts otherwise than the one
        `ahead` labels before.
    confidence : float
        Of the interval.
    seed : int
        Of the starts of the fits.

    Raises
    ------
    AlwidgetsError
        For fewer than 6 points, lengths that differ, NaN, values that are no shares, labels that
        are not positive or the same at every point.

    References
    ----------
    Viering & Loog, "The shape of learning curves: a review", IEEE TPAMI 2023, for the curves;
    Bloodgood & Grothendieck, "Analysis of stopping active learning based on stabilizing
    predictions", CoNLL 2013, for what changes of predictions say.

    Examples
    --------
    >>> found = forecast([20, 40, 60, 80, 100, 120], [0.5, 0.6, 0.65, 0.68, 0.7, 0.71])
    >>> found.low < found.gain < found.high
    True
    """
    if not 0 < confidence < 1:
        raise AlwidgetsError(f"confidence={confidence!r} must lie between 0 and 1.")
    if not (is_number(ahead) and ahead >= 1):
        raise AlwidgetsError(f"ahead={ahead!r} must be a number of labels, at least 1.")
    x, y, w = _points(labels, values, n)
    kinds = (*SHAPES, LAST)
    first = max(2, round(FIRST * len(x)))
    known = [fit(kind, x[:first], y[:first], w[:first], seed) for kind in kinds]
    missed = [curve(x[first:]) - y[first:] for curve in known]
    # Squared errors of few points are luck, too: some is added to all of them.
    squares = np.array([float(np.average(gap**2, weights=w[first:])) for gap in missed])
    shares = 1 / (squares + squares.mean() / 2 + 1e-8)
    shares /= shares.sum()
    averaged = np.abs(shares @ np.array(missed))
    curves = tuple(fit(kind, x, y, w, seed) for kind in kinds)
    end = float(x[-1])
    gain = float(sum(s * (c(end + ahead) - c(end)) for s, c in zip(shares, curves, strict=True)))
    variance = float(np.average((shares @ np.array(missed)) ** 2, weights=w[first:])) + 1e-8
    if n is not None and np.ptp(y[first:]) == 0:
        # Estimates that all say the same, as where no error was found yet, test no curve.
        variance = max(variance, 1 / float(w[-1]))
    if changed is not None:
        gain, variance = _weighed((gain, variance), _net(changed))
    half = float(ndtri(0.5 + confidence / 2)) * math.sqrt(variance)
    return Forecast(
        int(ahead),
        gain,
        gain - half,
        gain + half,
        confidence,
        float(np.average(averaged, weights=w[first:])),
        float(np.average(np.abs(missed[-1]), weights=w[first:])),
        dict(zip(kinds, shares.tolist(), strict=True)),
        curves,
        end,
        0.0 if n is None else 1 / float(w[-1]),
    )


@dataclass(frozen=True)
class Ahead:
    """A point of a learning curve beyond the labels that there are.

    Attributes
    ----------
    labels : float
    value, low, high : float
        Accuracy, and the ends of its 80 % interval.
    """

    labels: float
    value: float
    low: float
    high: float


def beyond(
    labels: ArrayLike, values: ArrayLike, n: ArrayLike, to: float, *, points: int = 5
) -> list[Ahead]:
    """A learning curve, drawn on from its last point to so many labels.

    The interval is that of the forecast, by its backtest, and that of the newest estimate together.

    Parameters
    ----------
    labels, values, n
        As for `forecast`.
    to : float
        More labels than there are.
    points : int

    Raises
    ------
    AlwidgetsError
        As `forecast`, and where `to` lies not beyond the last point.
    """
    x, _, precision = _points(labels, values, n)
    if not to > x[-1]:
        raise AlwidgetsError(f"to={to!r} must be more labels than there are, {x[-1]:g}.")
    found = forecast(labels, values, n=n, ahead=max(1, math.ceil(to - x[-1])))
    of_estimate = float(ndtri(0.5 + found.confidence / 2)) / math.sqrt(float(precision[-1]))
    half = math.hypot(found.high - found.gain, of_estimate)
    at = np.linspace(x[-1], to, points)
    return [
        Ahead(float(k), float(value), max(0.0, float(value) - half), min(1.0, float(value) + half))
        for k, value in zip(at, found.at(at), strict=True)
    ]


def _net(changed: float) -> tuple[float, float]:
    """Mean and variance of the gain where so large a share of the predictions changes."""
    if not 0 <= changed <= 1:
        raise AlwidgetsError(f"changed={changed!r} must be a share between 0 and 1.")
    share = changed + HARDLY
    return NET * share, (NET_VARIES * share) ** 2 + share / INDEPENDENT


def _weighed(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    """Mean and variance of what two independent sources say, each given as its own."""
    share = other[1] / (one[1] + other[1])
    return share * one[0] + (1 - share) * other[0], share * one[1]


def _points(
    labels: ArrayLike, values: ArrayLike, n: ArrayLike | None
) -> tuple[Floats, Floats, Floats]:
    """Labels in order, values, and weights: inverse variances."""
    x = np.asarray(labels, dtype=np.float64)
    y = np.asarray(values, dtype=np.float64)
    size = np.ones(x.shape) if n is None else np.asarray(n, dtype=np.float64)
    if x.ndim != 1 or not x.shape == y.shape == size.shape:
        raise AlwidgetsError(
            f"{x.shape} labels, {y.shape} values and {size.shape} sizes do not match: "
            "one of each for every point."
        )
    if len(x) < FEWEST:
        there = "there is 1" if len(x) == 1 else f"there are {len(x)}"
        raise AlwidgetsError(f"A forecast needs at least {FEWEST} points, {there}.")
    shares = (y >= 0) & (y <= 1)
    for name, array, ok in (("labels", x, x > 0), ("value", y, shares), ("n", size, size > 0)):
        bad = np.flatnonzero(~(ok & np.isfinite(array)))
        if len(bad):
            must = "a share between 0 and 1" if name == "value" else "a positive number"
            raise AlwidgetsError(f"Point {bad[0]} has {name} {array[bad[0]]}: it must be {must}.")
    if np.ptp(x) == 0:
        raise AlwidgetsError(f"All points are at {x[0]:g} labels: there is no curve yet.")
    order = np.argsort(x, kind="stable")
    x, y, size = x[order], y[order], size[order]
    # Of a binomial; one right and one wrong more, so that 10 right ones out of 10 are not certain.
    rate = (y * size + 1) / (size + 2)
    return x, y, size / (rate * (1 - rate))
