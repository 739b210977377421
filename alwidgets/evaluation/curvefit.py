"""Learning curves: three shapes that rise towards a limit, fitted to the rounds so far.

A curve is a straight line in its shape, so only the shape's two parameters are searched for
(variable projection: Golub & Pereyra, SIAM Journal on Numerical Analysis 1973).
"""

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

    def residuals(pq: Floats) -> Floats:
        at = shape(u, *np.exp(pq))
        top, drop = _line(at, values, root**2)
        found: Floats = root * (top - drop * at - values)
        return found

    rng = np.random.default_rng(seed)
    tries = rng.uniform(np.log(0.1), np.log(5.0), (TRIES, 2))
    best = sorted(tries, key=lambda pq: float(np.square(residuals(pq)).sum()))
    fits = [
        least_squares(residuals, pq, bounds=(np.log(LEAST), np.log(MOST)), max_nfev=EVALUATIONS)
        for pq in best[:RESTARTS]
    ]
    p, q = np.exp(min(fits, key=lambda found: float(found.cost)).x).tolist()
    top, drop = _line(shape(u, p, q), values, root**2)
    return Curve(kind, top, drop, p, q, scale)


def _line(at: Floats, values: Floats, weights: Floats) -> tuple[float, float]:
    """The best limit, at most 1, and drop, at least 0, for a shape that is given."""
    total = weights.sum()
    centre, mean = weights @ at / total, weights @ values / total
    spread = weights @ (at - centre) ** 2
    drop = max(0.0, -(weights @ ((at - centre) * (values - mean))) / spread) if spread > 0 else 0.0
    top = mean + drop * centre
    if top > 1:
        top, drop = 1.0, max(0.0, weights @ ((1 - values) * at) / (weights @ at**2))
    return float(top), float(drop)
