"""The random arm beside the active arm: what the audit says of the models of both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .audit import Audit
from .errors import AlwidgetsError
from .evaluation.extrapolation import Ahead, beyond
from .evaluation.risk import Estimate, accuracy, difference, unknown
from .evaluation.rivals import CONFIDENCE, Verdict, is_due
from .evaluation.saved import Saved, check_target, labels_saved, not_known
from .samples import AuditSample

Arm = Literal["active", "random"]
ARMS: tuple[Arm, Arm] = ("active", "random")
#: Items of the audit, the first to be drawn, that an arm's models are asked about.
ASKED = 2_000
NOT_COMPARED = "cards are not shared out: Session(..., compare='random') does that"
NO_POINTS = "there is no estimate of the random arm yet"


@dataclass(frozen=True)
class ArmPoint:
    """A model of an arm.

    Attributes
    ----------
    n_labels : int
        That it was trained on.
    estimate : Estimate
        Of its accuracy, from the audit labels that there are now.
    version : int
        Of the round after which it was fitted.
    """

    n_labels: int
    estimate: Estimate
    version: int


@dataclass(frozen=True)
class Arms:
    """Active selection and random cards in one run.

    Attributes
    ----------
    active, random : list of ArmPoint
        The models of each arm, in the order of the rounds. All are judged by the same audit labels.
    difference : Estimate
        By how much the newest active model is more accurate than a random one with as many labels,
        or as nearly as there is one; between -1 and 1. NaN, and why, where nothing can be said.
    forecast : list of Ahead
        The random arm beyond its labels, to be drawn dashed; empty where that cannot be told.
    no_forecast : str
        Why it is empty, in words.
    saved : Saved
        How many labels active selection has saved by now.
    catching_up : bool
        Whether items joined and random cards go to these first: until the random arm's labels are
        a uniform sample of the grown pool there are no new points.
    """

    active: list[ArmPoint]
    random: list[ArmPoint]
    difference: Estimate
    forecast: list[Ahead]
    no_forecast: str
    saved: Saved
    catching_up: bool = False


@dataclass(frozen=True)
class Said:
    """What a model of an arm says of the audit's items.

    Attributes
    ----------
    arm : {"active", "random"}
    version : int
        Of the round after which it was fitted.
    n_labels : int
    n : int
        Items that the pool had.
    codes : ndarray of int64, shape (k,)
        Of its answers on the first k items of the audit's order.
    """

    arm: Arm
    version: int
    n_labels: int
    n: int
    codes: NDArray[np.int64]


class Both:
    """The models of both arms, beside the audit labels that there are now.

    Parameters
    ----------
    said : list of Said
        In the order of the rounds, with the codes that answers have now.
    sample : AuditSample
        Of the pool as it was for the first of them.
    audit : Audit
    why_not : str or None
        Why nothing is to be said, in words.

    Attributes
    ----------
    sample : AuditSample
        Up to the first item that some model was not asked about: any beginning is a sample, too.
    """

    def __init__(
        self, said: list[Said], sample: AuditSample, audit: Audit, why_not: str | None = None
    ) -> None:
        self._models = {arm: [one for one in said if one.arm == arm] for arm in ARMS}
        order = {n: audit.first(n)[:ASKED] for n in {one.n for one in said}}
        places = {n: _places(sample.items, items) for n, items in order.items()}
        m = len(sample.items)
        for one in said:
            outside = np.flatnonzero(places[one.n] >= len(one.codes))
            m = min(m, int(outside[0])) if len(outside) else m
        self.sample = sample.first(m)
        self._wrong = {
            arm: np.array(
                [one.codes[places[one.n][:m]] != self.sample.codes for one in models]
            ).reshape(len(models), m)
            for arm, models in self._models.items()
        }
        self._why_not = why_not or self._no_models()

    def summary(self) -> Arms:
        """Everything there is to say."""
        points = {arm: self._points(arm) for arm in ARMS}
        ahead, no_forecast = _ahead(points["active"], points["random"])
        return Arms(
            active=points["active"],
            random=points["random"],
            difference=self.difference()[0],
            forecast=ahead,
            no_forecast=no_forecast,
            saved=self.saved(),
        )

    def difference(self, confidence: float = 0.95) -> tuple[Estimate, int]:
        """By how much active selection is better at equal numbers of labels, and how many."""
        if self._why_not is not None:
            return unknown(self._why_not, low=-1.0), 0
        # The newest of the arm with fewer labels, and that of the other which is nearest to it.
        labels = {arm: np.array([one.n_labels for one in self._models[arm]]) for arm in ARMS}
        each = int(min(at[-1] for at in labels.values()))
        near = {
            arm: np.flatnonzero(abs(at - each) == abs(at - each).min())[-1]
            for arm, at in labels.items()
        }
        wrong = {arm: self._wrong[arm][near[arm]] for arm in ARMS}
        found = difference(
            wrong["random"],
            wrong["active"],
            self.sample.q,
            self.sample.population,
            confidence=confidence,
        )
        return found, each

    def verdict(self, before: Verdict | None) -> Verdict | None:
        """Whether active selection is worth it; None while there is too little to say.

        The last verdict stands until there is so much more to judge by that one is due.
        """
        gain, each = self.difference(CONFIDENCE)
        return Verdict(gain, each) if is_due(each, gain.n, before) else before

    def saved(self, target: float | None = None) -> Saved:
        """How many labels active selection saved on the way to an accuracy."""
        check_target(target)
        if self._why_not is not None:
            return not_known(self._why_not)
        labels = {arm: [one.n_labels for one in self._models[arm]] for arm in ARMS}
        return labels_saved(
            labels["active"],
            self._wrong["active"],
            labels["random"],
            self._wrong["random"],
            self.sample.q,
            self.sample.population,
            target,
        )

    def _no_models(self) -> str | None:
        missing = [arm for arm in ARMS if not self._models[arm]]
        if not missing:
            return None
        which = "of either arm" if len(missing) > 1 else f"of the {missing[0]} arm"
        return f"there is no model {which} yet: it takes labels of two classes"

    def _points(self, arm: Arm) -> list[ArmPoint]:
        q, population = self.sample.q, self.sample.population
        return [
            ArmPoint(one.n_labels, accuracy(~wrong, q, population), one.version)
            for one, wrong in zip(self._models[arm], self._wrong[arm], strict=True)
        ]


def _places(items: NDArray[np.int64], order: NDArray[np.int64]) -> NDArray[np.int64]:
    """Places of some items in an order; its length for those that are not in it."""
    place = {item: at for at, item in enumerate(order.tolist())}
    return np.array([place.get(item, len(order)) for item in items.tolist()], dtype=np.int64)


def _ahead(active: list[ArmPoint], random: list[ArmPoint]) -> tuple[list[Ahead], str]:
    """The random arm beyond its labels, as far again as it has come; or why not, in words."""
    known = [point for point in random if point.estimate.known]
    if not known:
        return [], NO_POINTS
    labels = [point.n_labels for point in known]
    to = max(2 * max(labels), *(point.n_labels for point in active), 0)
    estimates = [point.estimate for point in known]
    try:
        return beyond(labels, [e.value for e in estimates], [e.n for e in estimates], to), ""
    except AlwidgetsError as error:
        return [], str(error)
