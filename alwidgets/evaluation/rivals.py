"""Is active selection worth it? Its labels against random ones, judged by the audit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alwidgets.evaluation.risk import Estimate, difference
from alwidgets.learners.base import Learner
from alwidgets.learners.targets import decided

#: Labels that each side needs, and audit labels to judge by: fewer say nothing.
EACH = 20
AUDITED = 30
#: More labels a side before they are compared again.
STEP = 10

#: How the words of a verdict against active selection begin: a session knows them again by it.
AUDIT_SAYS = "random labels do better"


@dataclass(frozen=True)
class Verdict:
    """What a comparison came to.

    Attributes
    ----------
    gain : Estimate
        By how much active labels beat as many random ones, in accuracy; negative where they lose.
    each : int
        Labels of each side.
    """

    gain: Estimate
    each: int

    @property
    def losing(self) -> str | None:
        """Why to go over to random selection, in words, if the whole interval says so."""
        if not self.gain.high < 0:
            return None
        return (
            f"{AUDIT_SAYS}: with {self.each} labels each, active ones are "
            f"{-self.gain.value:.0%} less accurate ({-self.gain.high:.0%} to "
            f"{-self.gain.low:.0%}, {self.gain.n} audit labels)"
        )


def judge(
    make_learner: Callable[[], Learner],
    features: NDArray[Any],
    targets: NDArray[Any],
    at_random: NDArray[np.bool_],
    active: NDArray[np.bool_],
    n_classes: int,
    audit_features: NDArray[Any],
    audit_targets: NDArray[Any],
    q: NDArray[np.float64],
    population: int,
    before: Verdict | None = None,
) -> Verdict | None:
    """Compare active labels with as many random ones.

    Both sides train a learner of the same kind: one on the first random labels, the other on the
    first actively chosen ones. Both are asked about the same audit items.

    Parameters
    ----------
    make_learner : callable
        Returns an unfitted learner.
    features : (l, d) array
        Of the training labels, in the order in which they were given.
    targets : (l,) or (l, C) int array
        Class codes, or 0 and 1 for each of several labels.
    at_random, active : (l,) bool arrays
        Which of them were drawn uniformly, and which a strategy picked; others, which a person
        chose, are on neither side.
    n_classes : int
    audit_features, audit_targets : (M, d) and (M,) or (M, C) arrays
    q : (M,) array
        Probability of each audit draw among what remained.
    population : int
        Items that the audit was drawn from.
    before : Verdict, optional
        The last one; it stands until there are 10 more labels a side, or to judge by.

    Returns
    -------
    Verdict or None
        None while there are too few labels to say.
    """
    drawn, chosen = np.flatnonzero(at_random), np.flatnonzero(active)
    each = min(len(drawn), len(chosen))
    if each < EACH or len(audit_targets) < AUDITED:
        return before
    if before is not None and max(each - before.each, len(audit_targets) - before.gain.n) < STEP:
        return before
    sides = drawn[:each], chosen[:each]
    if any(len(np.unique(targets[rows], axis=0)) < 2 for rows in sides):
        return before
    wrong = []
    for rows in sides:
        trial = make_learner()
        trial.fit(features[rows], targets[rows], classes=n_classes)
        said = decided(trial.predict_proba(audit_features), several=targets.ndim == 2)
        wrong.append((said != audit_targets).reshape(len(said), -1).any(axis=1))
    return Verdict(difference(wrong[0], wrong[1], q, population), each)
