"""A round: fit on 1,000 labels, score the pool, pick 20; beside the usual ways to do it.

Everything is fitted and asked in turn, so that what else the machine does is spread evenly; what
counts is the median of the ratios within a repetition.
"""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from inputs import BLOCK, CLASSES, CLUSTERS, FEATURES
from numpy.typing import NDArray
from table import Row, count

LABELS, NEW, PICKS, HEADS = 1_000, 20, 20, 16
TEST = 5_000
REPEATS = 7
#: Held-out accuracies that differ by less are equal.
EQUAL = 0.005


@dataclass(frozen=True)
class Task:
    """The first rows of X are labelled; the rest is the pool."""

    X: NDArray[np.float32]
    y: NDArray[np.int64]
    X_test: NDArray[np.float32]
    y_test: NDArray[np.int64]

    @property
    def pool(self) -> NDArray[np.float32]:
        return self.X[LABELS:]


def made(n: int, seed: int = 0) -> Task:
    """Clustered features of unit length, and labels of a noisy linear rule about the clusters."""
    rng = np.random.default_rng(seed)
    total = n + LABELS + TEST
    centres = rng.standard_normal((CLUSTERS, FEATURES), dtype=np.float32)
    scores = rng.standard_normal((CLUSTERS, CLASSES), dtype=np.float32)
    rule = centres.T @ scores / np.float32(FEATURES**0.5)
    X = np.empty((total, FEATURES), np.float32)
    for start in range(0, total, BLOCK):
        size = min(BLOCK, total - start)
        x = rng.standard_normal((size, FEATURES), dtype=np.float32)
        x += centres[rng.integers(CLUSTERS, size=size)]
        X[start : start + size] = x / np.linalg.norm(x, axis=1, keepdims=True)
    y = (X @ rule + 0.1 * rng.gumbel(size=(total, CLASSES))).argmax(axis=1).astype(np.int64)
    cut = n + LABELS
    return Task(X[:cut], y[:cut], X[cut:], y[cut:])


def _margins(proba: Any) -> Any:
    two = np.partition(proba, -2, axis=1)[:, -2:]
    return np.argpartition(two[:, 1] - two[:, 0], PICKS)[:PICKS]


def _logistic() -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=1000)


#: Prepares what is not measured; what it returns is, and returns how to predict.
Make: TypeAlias = Callable[[Task], Callable[[], Callable[[Any], Any]]]


def ours(task: Task) -> Callable[[], Any]:
    from alwidgets.learners import HeadEnsemble
    from alwidgets.strategies import select

    def run() -> Any:
        learner = HeadEnsemble(members=HEADS, device="cpu", warm_start=False)
        learner.fit(task.X[:LABELS], task.y[:LABELS], classes=CLASSES)
        select(
            "margin",
            learner=learner,
            features=task.X,
            candidates=np.arange(LABELS, len(task.X)),
            labelled=np.arange(LABELS),
            labels=task.y[:LABELS],
            n_classes=CLASSES,
            n=PICKS,
            seed=0,
        )
        return learner.predict

    return run


def one_logistic(task: Task) -> Callable[[], Any]:
    def run() -> Any:
        model = _logistic().fit(task.X[:LABELS], task.y[:LABELS])
        _margins(model.predict_proba(task.pool))
        return model.predict

    return run


def bagged(task: Task) -> Callable[[], Any]:
    def run() -> Any:
        rng = np.random.default_rng(0)
        models = []
        for _ in range(HEADS):
            rows = rng.integers(LABELS, size=LABELS)
            models.append(_logistic().fit(task.X[rows], task.y[rows]))
        _margins(sum(model.predict_proba(task.pool) for model in models))
        return lambda X: sum(model.predict_proba(X) for model in models).argmax(axis=1)

    return run


def modal(task: Task) -> Callable[[], Any]:
    import modAL.models.learners
    from modAL.models import ActiveLearner
    from sklearn.utils import check_X_y

    def check(*given: Any, force_all_finite: Any = True, **more: Any) -> Any:
        # modAL 0.4.2 calls this argument by the name that scikit-learn 1.8 removed.
        return check_X_y(*given, ensure_all_finite=force_all_finite, **more)

    modAL.models.learners.check_X_y = check
    from modAL.uncertainty import margin_sampling

    # Its fit on the labels before is part of the round before.
    old = LABELS - NEW
    learner = ActiveLearner(_logistic(), margin_sampling, task.X[:old], task.y[:old])

    def run() -> Any:
        learner.teach(task.X[old:LABELS], task.y[old:LABELS])
        learner.query(task.pool, n_instances=PICKS)
        return learner.predict

    return run


def skactiveml(task: Task) -> Callable[[], Any]:
    from skactiveml.classifier import SklearnClassifier
    from skactiveml.pool import UncertaintySampling

    y = np.full(len(task.X), np.nan)
    y[:LABELS] = task.y[:LABELS]
    model = SklearnClassifier(_logistic(), classes=list(range(CLASSES)))
    query = UncertaintySampling(method="margin_sampling", random_state=0)

    def run() -> Any:
        query.query(task.X, y, clf=model, batch_size=PICKS)
        return lambda X: model.fit(task.X, y).predict(X)

    return run


def _timed(make: Make, task: Task) -> tuple[float, Any]:
    run = make(task)
    begin = time.perf_counter()
    predict = run()
    return time.perf_counter() - begin, predict


MINE = "alwidgets, 16 heads"
CONTESTANTS: dict[str, Make] = {
    MINE: ours,
    "one LogisticRegression": one_logistic,
    "16 bagged LogisticRegression": bagged,
    "modAL teach + query": modal,
    "scikit-activeml query": skactiveml,
}
#: Whom we are compared with: our time over theirs, and what it may be at most.
BARS = {
    "one LogisticRegression": (3.0, "3x its time"),
    "16 bagged LogisticRegression": (1 / 5, "1/5 its time"),
    "modAL teach + query": (1.0, "its time"),
    "scikit-activeml query": (1.0, "its time"),
}


def rounds(sizes: tuple[int, ...] = (100_000,)) -> Iterator[Row]:
    """A round at each pool size, then the warm start."""
    warnings.simplefilter("ignore")
    for n in sizes:
        yield from _round(n)
    yield from warm()
    yield from session()


def _round(n: int) -> Iterator[Row]:
    task, tiny = made(n), made(2_000, seed=1)
    group = f"round, {LABELS} labels, {count(n)}"
    running: dict[str, Make] = {}
    for name, run in CONTESTANTS.items():
        try:
            _timed(run, tiny)
            running[name] = run
        except ImportError:
            yield Row(group, name, None, note="not installed")
        except Exception as error:
            if name == MINE:
                raise
            text = f"{type(error).__name__}: {error}".splitlines()[0][:120]
            yield Row(group, name, None, note=text)
    times: dict[str, list[float]] = {name: [] for name in running}
    accuracy = {}
    for _ in range(REPEATS):
        for name, run in running.items():
            seconds, predict = _timed(run, task)
            times[name].append(seconds)
            if name not in accuracy:
                accuracy[name] = float(np.mean(predict(task.X_test) == task.y_test))
    for name in running:
        spread = f"{min(times[name]):.3g} to {max(times[name]):.3g}"
        note = f"{spread}; held-out accuracy {accuracy[name]:.4f}"
        yield Row(group, name, statistics.median(times[name]), "s", note)
    for name, (most, words) in BARS.items():
        if name in running:
            pairs = zip(times[MINE], times[name], strict=True)
            ratio = statistics.median(a / b for a, b in pairs)
            yield Row(group, f"ours / {name}", ratio, "x", bar=words, met=ratio <= most)
    gap = accuracy[MINE] - accuracy["one LogisticRegression"]
    yield Row(group, "accuracy, ours - one", gap, "", bar="equal", met=gap >= -EQUAL)


def warm() -> Iterator[Row]:
    """A fit after 20 new labels, from the last fit and from scratch."""
    from alwidgets.learners import HeadEnsemble

    task = made(2_000, seed=2)
    before = LABELS - NEW
    old, new = (task.X[:before], task.y[:before]), (task.X[:LABELS], task.y[:LABELS])
    times: dict[str, list[float]] = {"warm": [], "scratch": []}
    accuracy = {"warm": 0.0, "scratch": 0.0}
    for _ in range(REPEATS + 1):
        for kind in times:
            learner = HeadEnsemble(members=HEADS, device="cpu", warm_start=kind == "warm")
            learner.fit(*old, classes=CLASSES)
            begin = time.perf_counter()
            learner.fit(*new, classes=CLASSES)
            times[kind].append(time.perf_counter() - begin)
            accuracy[kind] = float(np.mean(learner.predict(task.X_test) == task.y_test))
    group = f"fit, {NEW} labels after {before}"
    for kind, seconds in times.items():
        # The first of each warms the machine up.
        yield Row(
            group,
            f"16 heads, {kind}",
            statistics.median(seconds[1:]),
            "s",
            f"held-out accuracy {accuracy[kind]:.4f}",
        )
    pairs = zip(times["warm"][1:], times["scratch"][1:], strict=True)
    ratio = statistics.median(a / b for a, b in pairs)
    yield Row(group, "warm / scratch", ratio, "x", bar="a third", met=ratio <= 1 / 3)
    gap = accuracy["warm"] - accuracy["scratch"]
    yield Row(group, "accuracy, warm - scratch", gap, "", bar="equal", met=gap >= -EQUAL)


def session() -> Iterator[Row]:
    """One retraining of a session at 150 labels, beside one fit on the same rows."""
    import alwidgets as al

    pool, truth = al.datasets.digits()
    session = al.Session(pool, al.Classification(range(10)), executor=al.InlineExecutor())
    for _ in range(150):
        item = session.next()[0]
        session.record(item.id, str(truth[item.index]))
    known = np.flatnonzero(session.label_codes() >= 0)
    X, y = pool.features[known], session.label_codes()[known]
    whole, fits = [], []
    for _ in range(REPEATS):
        result = session.retrain()
        assert result is not None
        whole.append(result.seconds)
        begin = time.perf_counter()
        _logistic().fit(X, y)
        fits.append(time.perf_counter() - begin)
    session.close()
    group = "session, 150 labels of digits"
    note = f"fit, predict the pool, estimate and pick; median of {REPEATS}"
    yield Row(group, "alwidgets", statistics.median(whole), "s", note)
    note = f"fit alone, {len(y)} rows; median of {REPEATS}"
    yield Row(group, "LogisticRegression.fit", statistics.median(fits), "s", note)
