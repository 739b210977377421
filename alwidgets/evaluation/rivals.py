"""Is active selection worth it? Its labels against random ones, judged by the audit.

A session asks again and again, and one false alarm is enough to go over to random items: of twenty
looks at an interval that holds in 95 of 100 cases, one in ten sessions has one. A verdict is given
at most `LOOKS` times, each time when there is half as much again to judge by, and each with an
interval that is so much surer: all of them together hold in 95 of 100 sessions, whatever the models
have become in between (Bonferroni; Lan & DeMets, "Discrete sequential boundaries for clinical
trials", Biometrika 1983, have it that looks are spent as information grows). A band for any number
of looks would hold for two models that stay what they are, and these do not.
"""

from __future__ import annotations

import math
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
#: Verdicts at most, and how much more there is to judge by from one to the next: from 30 audit
#: labels to 2,600.
LOOKS, GROWTH = 12, 1.5
#: Of the interval of each.
CONFIDENCE = 1 - 0.05 / LOOKS

#: How the words of a verdict against active selection begin: a session knows them again by it.
AUDIT_SAYS = "random labels do better"


@dataclass(frozen=True)
class Verdict:
    """What a comparison came to.

    Attributes
    ----------
    gain : Estimate
        By how much active labels beat as many random ones, in accuracy; negative where they lose.
        Its interval is of `CONFIDENCE`.
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


def is_due(each: int, audited: int, before: Verdict | None) -> bool:
    """Whether there is so much more to judge by that a verdict is given anew.

    Parameters
    ----------
    each : int
        Labels of each side.
    audited : int
        Audit labels.
    before : Verdict or None
        The last one.
    """
    if each < EACH or audited < AUDITED:
        return False
    return before is None or _look(each, audited) > _look(before.each, before.gain.n)


def _look(each: int, audited: int) -> int:
    """The number of the verdict that is due with so many labels."""
    grown = max(each / EACH, audited / AUDITED, 1.0)
    return min(LOOKS, 1 + math.floor(math.log(grown, GROWTH) + 1e-9))


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
        The last one; it stands until `is_due`.

    Returns
    -------
    Verdict or None
        None while there are too few labels to say.
    """
    drawn, chosen = np.flatnonzero(at_random), np.flatnonzero(active)
    each = min(len(drawn), len(chosen))
    if not is_due(each, len(audit_targets), before):
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
    return Verdict(difference(wrong[0], wrong[1], q, population, confidence=CONFIDENCE), each)
