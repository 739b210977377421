"""The default: which strategy suits the labels there are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from alwidgets.strategies.context import Known

#: Labels before the model is asked: more cost accuracy where the classes are not the clusters.
COLD = 5
#: A class is rare below this share of the pool, and below this part of what it would have if all
#: classes were equal: with fifty classes, one of 2 % is as usual as the others.
RARE = 0.02
UNEQUAL = 0.25
#: Labels of a rare class that are enough to learn it by.
FOUND = 10
#: Of the picks some are drawn at random, for active labels to be measured against: this share until
#: there should be enough of them to compare; later this number to the labels there are.
EXPLORE = 0.05
LOTS = 20


def choose(known: Known, losing: str | None = None) -> tuple[str, str]:
    """The strategy for the next batch, and why, in words.

    Typical items first (Hacohen et al., ICML 2022). Then uncertainty herding (Bae et al., ICLR
    2025), which goes over from coverage to uncertainty by itself as its kernel narrows; the
    uncertainty about several labels is :func:`~alwidgets.strategies.max_loss_reduction`. While a
    class of which there are fewer than 10 labels is rare in what the model says of the pool, under
    2 % and under a quarter of what it would have if all classes were equal, its border is searched
    (Zhang et al., ICML 2022); not where items have several labels. Random items where the audit
    says that these do better.

    Parameters
    ----------
    known : Known
    losing : str, optional
        Evidence against active selection, in words.
    """
    if len(known.labels) < COLD:
        return "representative", "typical items first"
    # Before the model is asked for: of one class alone none is fitted.
    if len(np.unique(known.labels, axis=0)) < 2:
        return "representative", "typical items until a second class has been seen"
    if known.learner is None:
        return "representative", "typical items first"
    if losing is not None:
        return "random", losing
    rare = None if known.multilabel else _rare(known)
    if rare is not None:
        return "galaxy", f"a class makes up {rare:.1%} of the pool: items at its border"
    return "uncertainty_herding", "items near many that the model is unsure of"


def _rare(known: Known) -> float | None:
    """The expected share of a class that is rare in the pool and among the labels."""
    counts = np.bincount(known.labels, minlength=known.n_classes)
    shares = known.reference_proba.mean(dim=0).cpu().numpy()
    # Of a class without a label, or one that the model has not seen, nobody knows where to look.
    rare = (shares > 0) & (shares < min(RARE, UNEQUAL / known.n_classes))
    wanted = rare & (counts > 0) & (counts < FOUND)
    return float(shares[wanted].min()) if wanted.any() else None


def share_of_lots(labels: int) -> float:
    """The share of the next picks that is drawn at random, where there are so many labels."""
    return min(EXPLORE, LOTS / max(labels, 1))


def explore(
    best: NDArray[np.int64], log_q: NDArray[np.float64], m: int, labels: int, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]:
    """Put uniform draws in the place of a few picks.

    Parameters
    ----------
    best, log_q : (n,) arrays
        Positions among ``m`` candidates, in the order picked, and log-probabilities.
    m : int
    labels : int
        That there are: the more, the fewer lots.
    seed : int

    Returns
    -------
    (n,) positions, log-probabilities, and which were drawn by lot
    """
    # Of its own: the strategy has drawn from the seed itself.
    rng = np.random.default_rng([seed, 1])
    by_lot = rng.random(len(best)) < share_of_lots(labels)
    taken = np.zeros(m, dtype=bool)
    found, known = np.empty_like(best), np.full(len(best), np.nan)
    picks = iter(range(len(best)))
    for slot, drawn in enumerate(by_lot):
        if drawn:
            found[slot] = _draw(taken, rng)
            known[slot] = -np.log(m - slot)
        else:
            # A pick that was drawn before gives way to the next.
            at = next(at for at in picks if not taken[best[at]])
            found[slot], known[slot] = best[at], log_q[at]
        taken[found[slot]] = True
    return found, known, by_lot


def _draw(taken: NDArray[np.bool_], rng: np.random.Generator) -> int:
    """One of what is not taken, uniformly."""
    if 2 * taken.sum() > len(taken):
        return int(rng.choice(np.flatnonzero(~taken)))
    while True:
        row = int(rng.integers(len(taken)))
        if not taken[row]:
            return row
