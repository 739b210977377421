"""Runs as they are told of: a point more, one under way, one that is over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from alwidgets.evaluation.comparing.plan import Arm


@dataclass(frozen=True)
class Point:
    """One more point of a curve.

    Attributes
    ----------
    arm : Arm
    labels : int
    figure : float
        Of the metric, on the test split.
    """

    arm: Arm
    labels: int
    figure: float


@dataclass(frozen=True)
class Begun:
    """A run under way, between two rounds: all that it takes to go on from there.

    Attributes
    ----------
    arm : Arm
    figures : tuple of float
        Of the rounds that are over.
    rows : tuple of int
        That are labelled, those of the next round among them.
    chosen : dict of str to int
    seconds : float
    learnt : dict
        What the learner takes from one fit to the next, in JSON.
    """

    arm: Arm
    figures: tuple[float, ...]
    rows: tuple[int, ...]
    chosen: dict[str, int]
    seconds: float
    learnt: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """It as it is kept."""
        return _told(self) | {"learnt": self.learnt}

    @classmethod
    def of(cls, told: dict[str, Any]) -> Begun:
        """One that was kept."""
        return cls(
            arm_of(told),
            tuple(float(x) for x in told["figures"]),
            tuple(int(x) for x in told["rows"]),
            {str(name): int(x) for name, x in told["chosen"].items()},
            float(told["seconds"]),
            dict(told["learnt"]),
        )


@dataclass(frozen=True)
class Run:
    """A run that is over.

    Attributes
    ----------
    arm : Arm
    figures : tuple of float
        Of the metric at each of `Plan.counts`.
    rows : tuple of int
        Of the training pool, in the order in which they were labelled.
    successors : dict of str to float
        The metric of each successor in the end.
    chosen : dict of str to int
        Strategies that chose, with the number of labels at their first batch.
    seconds : float
        That its share of the computing took; no part of any result.
    """

    arm: Arm
    figures: tuple[float, ...]
    rows: tuple[int, ...]
    successors: dict[str, float]
    chosen: dict[str, int]
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """It as it is kept."""
        return _told(self) | {"successors": self.successors}

    @classmethod
    def of(cls, told: dict[str, Any]) -> Run:
        """One that was kept."""
        return cls(
            arm_of(told),
            tuple(float(x) for x in told["figures"]),
            tuple(int(x) for x in told["rows"]),
            {str(name): float(x) for name, x in told["successors"].items()},
            {str(name): int(x) for name, x in told["chosen"].items()},
            float(told["seconds"]),
        )


#: Points of curves, runs under way, and runs that are over.
News: TypeAlias = Sequence[Point | Begun | Run]
#: Gets what is new.
Report: TypeAlias = Callable[[News], None]


def arm_of(told: dict[str, Any]) -> Arm:
    """The arm that something which was kept is of."""
    return Arm(str(told["learner"]), str(told["strategy"]), int(told["seed"]))


def _told(run: Begun | Run) -> dict[str, Any]:
    return {
        **run.arm._asdict(),
        "figures": list(run.figures),
        "rows": list(run.rows),
        "chosen": run.chosen,
        "seconds": round(run.seconds, 4),
    }
