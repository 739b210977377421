"""What a comparison does: arms, seeds, budget; checked, and written down to be done again."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone

from alwidgets.errors import ComparisonError, StrategyError
from alwidgets.evaluation.comparing.material import Material
from alwidgets.evaluation.comparing.metrics import METRICS
from alwidgets.evaluation.comparing.successors import SUCCESSORS
from alwidgets.learners.heads import HeadEnsemble
from alwidgets.learners.wrapping import as_learner
from alwidgets.strategies.builtin import STRATEGIES
from alwidgets.strategies.registry import Strategy, get, suited

BASELINE = "random"
#: Learners and successors of these packages are made again from what a file says of them.
KNOWN = ("alwidgets.learners.", "sklearn.")


class Arm(NamedTuple):
    """One run: who learns, who asks, and by which seed."""

    learner: str
    strategy: str
    seed: int


@dataclass(frozen=True)
class Plan:
    """What is compared.

    Attributes
    ----------
    strategies : dict of str to strategy
        ``random`` among them.
    learners, successors : dict of str to estimator
    seeds : tuple of int
    batch, budget, initial : int
        Labels a round, in all, and at the beginning (drawn at random, the same for every arm).
    metric : str
    target : float or None
        Of the metric; None is what random reaches in the end.
    seconds : float or None
        That a label takes.
    """

    strategies: dict[str, Any]
    learners: dict[str, Any]
    successors: dict[str, Any]
    seeds: tuple[int, ...]
    batch: int
    budget: int
    initial: int
    metric: str
    target: float | None
    seconds: float | None

    @property
    def counts(self) -> list[int]:
        """Labels at each point of a curve."""
        return [*range(self.initial, self.budget, self.batch), self.budget]

    @property
    def arms(self) -> list[Arm]:
        """All runs, those of a seed beside each other."""
        return [
            Arm(learner, strategy, seed)
            for learner in self.learners
            for seed in self.seeds
            for strategy in self.strategies
        ]

    def to_json(self) -> dict[str, Any]:
        """It in JSON; what is no name is described."""
        return {
            "strategies": {name: _told_strategy(s) for name, s in self.strategies.items()},
            "learners": {name: _told_estimator(x) for name, x in self.learners.items()},
            "successors": {name: _told_estimator(x) for name, x in self.successors.items()},
            "seeds": list(self.seeds),
            "batch": self.batch,
            "budget": self.budget,
            "initial": self.initial,
            "metric": self.metric,
            "target": self.target,
            "seconds": self.seconds,
        }


def plan_of(
    material: Material,
    strategies: Iterable[Any] | Mapping[str, Any],
    *,
    seeds: int | Iterable[int],
    batch: int,
    budget: int,
    initial: int,
    learners: Any,
    successors: Any,
    metric: str,
    target: float | None,
    seconds: float | None,
) -> Plan:
    """Check what was asked for.

    Raises
    ------
    ComparisonError, StrategyError, LearnerError
        That says what cannot be.
    """
    for name, value, least in (("batch", batch, 1), ("budget", budget, 1), ("initial", initial, 1)):
        if not is_whole(value) or value < least:
            raise ComparisonError(f"{name}={value!r} must be a whole number, at least {least}.")
    if budget > material.n_pool:
        raise ComparisonError(
            f"budget={budget:,} is above the pool: it has {material.n_pool:,} items beside the "
            f"{material.n_test:,} of the test. Give budget={material.n_pool:,} or less."
        )
    if initial >= budget:
        raise ComparisonError(
            f"initial={initial:,} uses up the budget of {budget:,}: nothing would be chosen."
        )
    if not isinstance(metric, str) or metric not in METRICS:
        raise ComparisonError(f"metric={metric!r} is none of {', '.join(METRICS)}.")
    if target is not None and not (isinstance(target, Real) and 0 < float(target) <= 1):
        raise ComparisonError(f"target={target!r} must be a figure of the metric, in (0, 1].")
    if seconds is not None and not (isinstance(seconds, Real) and 0 < float(seconds) < np.inf):
        raise ComparisonError(f"seconds={seconds!r} must be those that a label takes, above 0.")
    return Plan(
        _strategies(strategies),
        _learners(learners),
        _successors(successors),
        _seeds(seeds),
        int(batch),
        int(budget),
        int(initial),
        metric,
        None if target is None else float(target),
        None if seconds is None else float(seconds),
    )


def _strategies(given: Iterable[Any] | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(given, str) or callable(given) or isinstance(given, Strategy):
        given = [given]
    if not isinstance(given, Iterable):
        raise ComparisonError(f"strategies={given!r} must be a list of them, or a mapping.")
    pairs = list(given.items()) if isinstance(given, Mapping) else [(None, one) for one in given]
    found: dict[str, Any] = {BASELINE: BASELINE}
    for name, one in pairs:
        chosen = suited(one, multilabel=False)
        name = chosen.name if name is None else str(name)
        if name == BASELINE and get(one).name == BASELINE:
            continue
        if name in found:
            raise StrategyError(
                f"There are two strategies called {name!r}: give a mapping of names to strategies."
            )
        found[name] = one
    if len(found) < 2:
        raise ComparisonError("There is nothing to compare with random: name a strategy or two.")
    return found


def _learners(given: Any) -> dict[str, Any]:
    if given is None:
        given = HeadEnsemble()
    pairs = _named(given)
    for one in pairs.values():
        as_learner(one, 0)
    return pairs


def _successors(given: Any) -> dict[str, Any]:
    if given is None or (isinstance(given, (list, tuple, Mapping)) and not given):
        return {}
    wanted = [given] if isinstance(given, str) else given
    if isinstance(wanted, (list, tuple)) and all(isinstance(one, str) for one in wanted):
        unknown = [one for one in wanted if one not in SUCCESSORS]
        if unknown:
            raise ComparisonError(
                f"Unknown successor {unknown[0]!r}: choose one of {', '.join(SUCCESSORS)}, or give "
                "a classifier of scikit-learn."
            )
        return {one: SUCCESSORS[one]() for one in wanted}
    found = _named(wanted)
    for name, one in found.items():
        if not (hasattr(one, "fit") and hasattr(one, "predict") and hasattr(one, "get_params")):
            raise ComparisonError(
                f"Successor {name!r} is {one!r}: give a classifier of scikit-learn."
            )
    return found


def _named(given: Any) -> dict[str, Any]:
    """Estimators by name: of one, of a list, of a mapping."""
    found: dict[str, Any] = {}
    if isinstance(given, Mapping):
        found = {str(name): one for name, one in given.items()}
    else:
        for one in given if isinstance(given, (list, tuple)) else [given]:
            name = type(getattr(one, "estimator", one)).__name__
            if name in found:
                raise ComparisonError(
                    f"There are two models called {name!r}: give a mapping of names to them."
                )
            found[name] = one
    if not found:
        raise ComparisonError("There is no learner: leave learners out, or give one.")
    return found


def _seeds(given: int | Iterable[int]) -> tuple[int, ...]:
    try:
        seeds = tuple(range(given) if is_whole(given) else given)  # type: ignore[arg-type]
    except TypeError as error:
        raise ComparisonError(f"seeds={given!r} must be a number of seeds, or a list.") from error
    if not seeds or any(not is_whole(seed) or seed < 0 for seed in seeds):
        raise ComparisonError(f"seeds={given!r} must be whole numbers, at least one of them.")
    if len(set(seeds)) < len(seeds):
        raise ComparisonError(f"seeds={given!r} has one twice: that run would count double.")
    return tuple(int(seed) for seed in seeds)


def fresh(estimator: Any, seed: int) -> Any:
    """A copy that was not fitted, with a seed where it takes one."""
    if not hasattr(estimator, "get_params"):
        return estimator
    made = clone(estimator)
    for name in ("seed", "random_state"):
        if name in made.get_params(deep=False):
            made.set_params(**{name: seed})
    return made


def comes_along(strategy: Strategy) -> bool:
    """Whether it is one of the toolkit's as they come: known to every process, and well behaved."""
    return any(strategy is one for one in STRATEGIES)


def _told_strategy(strategy: Any) -> Any:
    return strategy if isinstance(strategy, str) else {"function": get(strategy).name}


def _told_estimator(estimator: Any) -> dict[str, Any]:
    kind = type(estimator)
    told: dict[str, Any] = {"class": f"{kind.__module__}.{kind.__qualname__}"}
    try:
        params = estimator.get_params(deep=False)
        json.dumps(params)
    except (AttributeError, TypeError, ValueError):
        return told | {"repr": repr(estimator)}
    return told | {"params": params}


def made_again(kind: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """Strategies, learners or successors as a file tells of them.

    Raises
    ------
    ComparisonError
        For those that a file cannot hold, such as a function: they have to be given again.
    """
    found: dict[str, Any] = {}
    for name, one in told.items():
        if isinstance(one, str):
            found[name] = one
            continue
        place = str(one.get("class", ""))
        if not place.startswith(KNOWN) or "params" not in one:
            raise ComparisonError(
                f"{name!r} is of your own and not in the file: rerun(…, {kind}={{{name!r}: …}})."
            )
        module, _, called = place.rpartition(".")
        made: Callable[..., Any] = getattr(importlib.import_module(module), called)
        found[name] = made(**one["params"])
    return found


def plan_in(told: dict[str, Any]) -> Plan:
    """A plan that was kept, with the names of what is compared."""
    return Plan(
        dict(told["strategies"]),
        dict(told["learners"]),
        dict(told["successors"]),
        tuple(told["seeds"]),
        int(told["batch"]),
        int(told["budget"]),
        int(told["initial"]),
        str(told["metric"]),
        told["target"],
        told["seconds"],
    )


def is_whole(value: object) -> bool:
    """Whether it is a whole number, numpy's too; True and False are none."""
    return isinstance(value, Integral) and not isinstance(value, bool)
