"""Random against active, simulated: what is asked for is checked, then played."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from alwidgets.devices import resolve_device
from alwidgets.errors import ComparisonError
from alwidgets.evaluation.comparing.comparison import Comparison
from alwidgets.evaluation.comparing.material import material_of
from alwidgets.evaluation.comparing.plan import is_whole, made_again, plan_of


def compare(
    pool: Any,
    truth: Any,
    strategies: Iterable[Any] | Mapping[str, Any],
    *,
    seeds: int | Iterable[int] = 10,
    batch: int = 20,
    budget: int = 500,
    initial: int = 20,
    learners: Any = None,
    successors: Any = ("random_forest",),
    test: Any = None,
    metric: str = "accuracy",
    target: float | None = None,
    seconds: float | None = None,
    out: str | os.PathLike[str] | None = None,
    workers: int | None = None,
    device: str = "auto",
    background: bool | None = None,
) -> Comparison:
    """Simulate labelling with several strategies, and with random draws, on data with known labels.

    For every seed all strategies have the same split, begin with the same items, drawn at random,
    and train the same learner in the same way; random is always among them. The test split is used
    for the figures alone. In the end a model of another kind is trained on the labels that each
    strategy asked for. What comes of a seed does not depend on the other seeds and strategies, nor
    on the number of workers.

    Runs of the default learner, of a `HeadEnsemble` with linear heads and of scikit-learn's
    `LogisticRegression` advance together, their fits in one product; other learners go one after
    the other, in worker processes.

    Parameters
    ----------
    pool : Pool
    truth : sequence or mapping
        The class of every item, in the order of the pool or by id.
    strategies : list, or mapping of names
        Names, `Strategy` objects or functions of a context.
    seeds : int or sequence of int
        10 or more, for the tests to tell something.
    batch, budget, initial : int
        Labels a round, in all, and at the beginning.
    learners : learner, list, or mapping of names, optional
        Learners, classifiers of scikit-learn or torch modules; by default a `HeadEnsemble`.
    successors : names or classifiers, optional
        ``"random_forest"``, ``"linear_svm"``, ``"nearest_neighbours"`` or your own; ``()`` is none.
    test : float, or (Pool or features, truth), optional
        The share of the items that each seed sets aside for the test, 0.25, or a test of its own.
    metric : {"accuracy", "balanced accuracy", "macro F1"}
    target : float, optional
        Of the metric, for the labels that it takes to get there; by default what random reaches in
        the end.
    seconds : float, optional
        That a label takes, for the hours.
    out : path, optional
        File that finished runs are kept in as they come, a line each; those under way are kept
        every few seconds in another one beside it. Called again with the same file, `compare`
        plays what is missing, to the same result. A run begins anew if its learner is trained on
        from round to round (other than the heads that advance together) or its strategy is an
        object that may remember something.
    workers : int, optional
        Processes; 0 plays in this one. By default as many as there are cores, but for learners
        whose runs advance together none, outside of a notebook.
    device : str
        ``"auto"`` is the GPU where there is one.
    background : bool, optional
        Whether to return at once: the comparison draws its curves while it goes on. The default in
        a notebook; elsewhere it returns when all is over.

    Returns
    -------
    Comparison

    Raises
    ------
    ComparisonError, StrategyError, LearnerError
        For what cannot be: a budget above the pool, truth of another length or with gaps, one
        class only, an unknown strategy; and for a strategy that breaks off or does what it should
        not. The message names it.

    References
    ----------
    Paired seeds and one recipe for all arms: Munjal et al., "Towards robust and reproducible active
    learning", CVPR 2022. Successors: Lowell, Lipton & Wallace, EMNLP 2019.

    Examples
    --------
    >>> import numpy as np
    >>> from alwidgets import Pool, compare
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 2))
    >>> result = compare(
    ...     Pool.from_arrays(X), (X[:, 0] > 0).tolist(), ["margin"],
    ...     seeds=2, budget=30, batch=5, initial=5, successors=(),
    ... )
    >>> result.table()["seeds"].tolist()
    [2, 2]
    """
    material = material_of(pool, truth, test)
    plan = plan_of(
        material,
        strategies,
        seeds=seeds,
        batch=batch,
        budget=budget,
        initial=initial,
        learners=learners,
        successors=successors,
        metric=metric,
        target=target,
        seconds=seconds,
    )
    if workers is not None and (not is_whole(workers) or workers < 0):
        raise ComparisonError(f"workers={workers!r} must be a whole number, at least 0.")
    resolve_device(device, ComparisonError)
    about = {
        "plan": plan.to_json(),
        "material": material.about(plan.seeds),
        "versions": _versions(),
    }
    made = Comparison(plan, about, material=material, kept=out, workers=workers, device=device)
    made.start(background=_in_notebook() if background is None else background)
    return made


def again(
    about: Mapping[str, Any],
    pool: Any,
    truth: Any,
    test: Any,
    own: Mapping[str, Mapping[str, Any] | None],
    options: Mapping[str, Any],
) -> Comparison:
    """Play what a file tells of once more; see `Comparison.rerun`."""
    told = about["plan"]
    made: dict[str, Any] = {}
    for kind, given in own.items():
        mine = dict(given or {})
        rest = {name: one for name, one in told[kind].items() if name not in mine}
        found = mine | made_again(kind, rest)
        made[kind] = {name: found[name] for name in told[kind]}
    if material_of(pool, truth, test).fingerprint != about["material"]["fingerprint"]:
        raise ComparisonError(
            "These data are others than those of the comparison: features, truth or test differ. "
            "Give the same, encoded by the same encoder."
        )
    names = ("seeds", "batch", "budget", "initial", "metric", "target", "seconds")
    same: dict[str, Any] = {name: told[name] for name in names}
    return compare(pool, truth, test=test, **made, **same, **options)


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in ("alwidgets", "numpy", "scikit-learn", "torch"):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def _in_notebook() -> bool:
    """Whether a kernel runs this."""
    shell = sys.modules.get("IPython")
    found = shell.get_ipython() if shell is not None else None
    return type(found).__name__ == "ZMQInteractiveShell"
