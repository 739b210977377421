"""Learning curves: three shapes that rise towards a limit, fitted to the rounds so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

Floats = NDArray[np.float64]

#: What a shape is for labels u as a share of those there are, and its two parameters: it falls
#: from about 1 towards 0, and a curve is ``top - drop * shape``.
SHAPES: dict[str, Callable[[Floats, float, float], Floats]] = {
    # a - b (x + d)^-c
    "pow4": lambda u, c, d: (u + d) ** -c,
    # (a b + c x^d) / (b + x^d)
    "mmf4": lambda u, d, b: b / (b + u**d),
    # c - b exp(-a x^d)
    "wbl4": lambda u, d, a: np.exp(-a * u**d),
}
LAST = "last"
#: Of the two parameters of a shape: smallest and largest.
LEAST, MOST = 1e-3, 20.0
#: Random starts, the best of which are improved, each by so many evaluations at most.
TRIES, RESTARTS, EVALUATIONS = 48, 3, 60


@dataclass(frozen=True)
class Curve:
    """A fitted curve.

    Attributes
    ----------
    kind : str
        ``pow4``, ``mmf4``, ``wbl4``, or ``last``: the newest value, which stays.
    top : float
        What it rises to.
    drop, p, q : float
        By how much it lies lower, times its shape.
    scale : float
        Labels that count as 1.
    """

    kind: str
    top: float
    drop: float = 0.0
    p: float = 1.0
    q: float = 1.0
    scale: float = 1.0

    def __call__(self, labels: Any) -> Floats:
        """Its values (n,) at so many labels."""
        u = np.asarray(labels, dtype=np.float64) / self.scale
        if self.kind == LAST:
            return np.full(u.shape, self.top)
        found: Floats = self.top - self.drop * SHAPES[self.kind](u, self.p, self.q)
        return found


def fit(kind: str, labels: Floats, values: Floats, weights: Floats, seed: int = 0) -> Curve:
    """The curve of a kind with the least weighted squares, from several starts.

    Parameters
    ----------
    kind : {"pow4", "mmf4", "wbl4", "last"}
    labels, values, weights : (n,) arrays
        Labels are positive, values lie in [0, 1]; a weight is the inverse of a variance.
    seed : int
        Of the starts.
    """
    scale = float(labels.max())
    if kind == LAST:
        return Curve(LAST, float(values[-1]), scale=scale)
    shape, u, root = SHAPES[kind], labels / scale, np.sqrt(weights / weights.max())

    def residuals(x: Floats) -> Floats:
        top, drop, p, q = x
        found: Floats = root * (top - drop * shape(u, np.exp(p), np.exp(q)) - values)
        return found

    rng = np.random.default_rng(seed)
    low, high = np.log(LEAST), np.log(MOST)
    tries = rng.uniform(np.log(0.1), np.log(5.0), (TRIES, 2))
    starts = [_line(shape(u, *np.exp(pq)), values, root) + tuple(pq) for pq in tries]
    starts.sort(key=lambda x: float(np.square(residuals(np.array(x))).sum()))
    bounds = ((0.0, 0.0, low, low), (1.0, np.inf, high, high))
    fits = [
        least_squares(residuals, x, bounds=bounds, x_scale="jac", max_nfev=EVALUATIONS)
        for x in starts[:RESTARTS]
    ]
    top, drop, p, q = min(fits, key=lambda found: float(found.cost)).x
    return Curve(kind, float(top), float(drop), float(np.exp(p)), float(np.exp(q)), scale)


def _line(at: Floats, values: Floats, root: Floats) -> tuple[float, float]:
    """Where to start from: the line through the values over a shape, inside the bounds."""
    x, w = -at, root**2
    centre, mean = float(np.average(x, weights=w)), float(np.average(values, weights=w))
    spread = float(w @ (x - centre) ** 2)
    drop = max(float(w @ ((x - centre) * (values - mean))) / spread, 1e-3) if spread > 0 else 1e-3
    return float(np.clip(mean - drop * centre, 0.01, 0.99)), drop
