"""`al.compare` beside the same protocol as people write it with modAL and scikit-activeml.

Both play the same splits, first items, batches and budget with scikit-learn's LogisticRegression;
theirs is fitted by scikit-learn, one after the other, ours by `al.compare`. (modAL's own loop,
`ActiveLearner.teach`, does not run on this release of scikit-learn; its strategies do.) Seconds are
those of the processor, on one core, so that what else the machine does counts for neither.

Two groups, for they tell different things: in the first most of the peers' time goes into their
core-set and BADGE, in the second, where picking is cheap, all of it into fits and probabilities.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from data import Data, load, there
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from table import Row

#: What most papers compare, and what takes no time but that of the fits.
STRATEGIES = ("random", "margin", "entropy", "k_center", "badge")
CHEAP = ("random", "margin", "entropy", "least_confident")
BATCH, BUDGET, INITIAL = 20, 510, 30
#: So many times faster `al.compare` is to be.
BAR = 10.0
#: Areas under the curve may differ by this much: sampled batches are not the best few.
APART = 0.03

Curves = dict[tuple[str, int], list[float]]


@dataclass(frozen=True)
class Played:
    """Curves by strategy and seed, and the seconds they took: of the clock and of the processor."""

    curves: Curves
    wall: float
    cpu: float

    def area(self, strategy: str) -> float:
        found = [curve for (name, _), curve in self.curves.items() if name == strategy]
        return float(np.mean([(np.sum(c) - (c[0] + c[-1]) / 2) / (len(c) - 1) for c in found]))


def timed(play: Callable[[], Curves]) -> Played:
    wall, cpu = time.perf_counter(), time.process_time()
    curves = play()
    return Played(curves, time.perf_counter() - wall, time.process_time() - cpu)


def first_items(data: Data, seed: int) -> NDArray[np.int64]:
    """Those that `al.compare` begins with."""
    return np.random.default_rng([seed, 1]).permutation(len(data.X))[:INITIAL]


def ours(data: Data, strategies: tuple[str, ...], seeds: int) -> Curves:
    import alwidgets as al

    pool = al.Pool.from_arrays(data.X, ids=range(len(data.X)))
    found = al.compare(
        pool,
        data.y,
        [name for name in strategies if name != "random"],
        seeds=seeds,
        batch=BATCH,
        budget=BUDGET,
        initial=INITIAL,
        learners=LogisticRegression(),
        successors=(),
        test=(data.X_test, data.y_test),
        workers=0,
        device="cpu",
    )
    for arm, run in found.runs.items():
        assert sorted(run.rows[:INITIAL]) == sorted(first_items(data, arm.seed).tolist())
    return {(arm.strategy, arm.seed): list(run.figures) for arm, run in found.runs.items()}


def theirs(data: Data, strategies: tuple[str, ...], seeds: int) -> Curves:
    found: Curves = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for seed in range(seeds):
            for name in strategies:
                found[name, seed] = _their_run(data, name, seed)
    return found


def _their_run(data: Data, name: str, seed: int) -> list[float]:
    query, known = _their_query(name, seed), first_items(data, seed)
    rest = np.setdiff1d(np.arange(len(data.X)), known)
    model = LogisticRegression(max_iter=1000).fit(data.X[known], data.y[known])
    curve = [model.score(data.X_test, data.y_test)]
    for _ in range((BUDGET - INITIAL) // BATCH):
        X = data.X[rest]
        whole = (data.X[known], X) if name in ("k_center", "badge") else X
        found = query(model, whole, n_instances=BATCH)
        rows = np.asarray(found[0] if isinstance(found, tuple) else found)
        known, rest = np.concatenate([known, rest[rows]]), np.delete(rest, rows)
        model = LogisticRegression(max_iter=1000).fit(data.X[known], data.y[known])
        curve.append(model.score(data.X_test, data.y_test))
    return curve


def _their_query(name: str, seed: int) -> Callable[..., Any]:
    from modAL import uncertainty

    rng = np.random.default_rng(seed)
    if name == "random":
        return lambda classifier, X, n_instances: rng.choice(len(X), n_instances, replace=False)
    if name in ("k_center", "badge"):
        return _skactiveml(name, seed)
    modal = {"margin": "margin", "entropy": "entropy", "least_confident": "uncertainty"}[name]
    return getattr(uncertainty, f"{modal}_sampling")  # type: ignore[no-any-return]


def _skactiveml(name: str, seed: int) -> Callable[..., Any]:
    """One of scikit-activeml's strategies, asked about the same classifier."""
    from skactiveml.base import SkactivemlClassifier
    from skactiveml.pool import Badge, CoreSet

    def query(classifier: Any, X: Any, n_instances: int) -> Any:
        known, rest = X
        whole = np.concatenate([known, rest])
        # Of those that are labelled it wants to know that they are.
        y = np.r_[np.zeros(len(known)), np.full(len(rest), np.nan)]
        arguments: dict[str, Any] = {"X": whole, "y": y, "batch_size": n_instances}
        if name == "k_center":
            found = CoreSet(random_state=seed).query(**arguments)
            return np.asarray(found) - len(known)
        classes = classifier.classes_

        class Fitted(SkactivemlClassifier):  # type: ignore[misc]
            def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
                return self

            def predict_proba(self, X: Any) -> Any:
                return classifier.predict_proba(X)

        fitted = Fitted(classes=list(classes))
        fitted.classes_ = classes
        found = Badge(random_state=seed).query(**arguments, clf=fitted, fit_clf=False)
        return np.asarray(found) - len(known)

    return query


def comparing(seeds: int) -> Iterator[Row]:
    """The rows of the bench."""
    torch.set_num_threads(1)
    if not there("trec"):
        yield Row("comparing", "trec", None, note="not on this machine, left out")
        return
    data = load("trec")
    # What is loaded when it is first used belongs to neither.
    small = Data(data.X[:400], data.y[:400], data.X_test[:50], data.y_test[:50])
    for play in (ours, theirs):
        _warm(play, small)
    for group, strategies in (("", STRATEGIES), (", cheap", CHEAP)):
        mine = timed(lambda some=strategies: ours(data, some, seeds))  # type: ignore[misc]
        peer = timed(lambda some=strategies: theirs(data, some, seeds))  # type: ignore[misc]
        rounds = (BUDGET - INITIAL) // BATCH + 1
        name = f"comparing, {len(strategies)} x {seeds} x {rounds}{group}"
        yield Row(name, "al.compare, CPU", mine.cpu, "s", f"{mine.wall:.1f} s of the clock")
        yield Row(name, "peers, CPU", peer.cpu, "s", f"{peer.wall:.1f} s of the clock")
        ratio = peer.cpu / mine.cpu
        bar = {"bar": f">= {BAR:g}", "met": ratio >= BAR} if strategies is STRATEGIES else {}
        yield Row(name, "times faster", ratio, **bar)  # type: ignore[arg-type]
        for strategy in strategies:
            area, other = mine.area(strategy), peer.area(strategy)
            yield Row(
                name,
                f"area, {strategy}",
                area,
                note=f"peer {other:.4f}",
                bar=f"- peer > -{APART}",
                met=area > other - APART,
            )


def _warm(play: Callable[..., Curves], small: Data) -> None:
    global BUDGET
    whole, BUDGET = BUDGET, INITIAL + BATCH
    try:
        play(small, (*STRATEGIES, *CHEAP[-1:]), 1)
    finally:
        BUDGET = whole


if __name__ == "__main__":
    import argparse

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    for row in comparing(parser.parse_args().seeds):
        print(row, flush=True)
