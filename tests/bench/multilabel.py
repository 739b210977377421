"""Several labels for an item: what active labels are worth on GoEmotions, and the learner's figure.

``python tests/bench/multilabel.py --help``. Every arm begins with the same random items and asks
our learner; pairs are by seed. F1 is that of labels above the threshold that is best by the
model's own probabilities of the pool, the same rule for everybody: no label is looked at for it.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

# One thread a process: the machine is shared.
if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from data import FOLDER, texts
from numpy.typing import NDArray

from alwidgets import learners, strategies
from alwidgets.content import Text
from alwidgets.encoders import TfidfEncoder

Floats = NDArray[np.float32]
Marks = NDArray[np.int64]

#: Items that every arm begins with, and that it labels at once.
FIRST, BATCH = 40, 20
OURS = ("random", "mean_binary_entropy", "binary_minimum", "mean_score", "multilabel_bald", "auto")
PEERS = ("modAL:avg_confidence", "modAL:max_score", "modAL:mean_max_loss")


@dataclass(frozen=True)
class Data:
    """Features and marks of a pool and of a test split."""

    X: Floats
    Y: Marks
    X_test: Floats
    Y_test: Marks


def there() -> bool:
    """Whether the data are on this machine."""
    return (FOLDER / "goemotions" / "train.csv").is_file()


@cache
def goemotions(pool: int, test: int, features: Path | None = None) -> Data:
    """GoEmotions (Demszky et al., ACL 2020), a random part of it.

    Parameters
    ----------
    pool, test : int
        How many texts.
    features : path, optional
        An .npz file with ``train`` and ``test``, and ``train_rows`` and ``test_rows`` of what
        they are; by default the pool's words, in 256 dimensions.
    """
    from sklearn.preprocessing import MultiLabelBinarizer

    (known, told), (unseen, truth) = texts("goemotions", "train"), texts("goemotions", "test")
    marks = MultiLabelBinarizer().fit([label.split("|") for label in told])
    if features is not None:
        with np.load(features) as file:
            rows, test_rows = file["train_rows"][:pool], file["test_rows"][:test]
            X, X_test = file["train"][:pool], file["test"][:test]
    else:
        rng = np.random.default_rng(0)
        rows = rng.choice(len(known), min(pool, len(known)), replace=False)
        test_rows = rng.choice(len(unseen), min(test, len(unseen)), replace=False)
        encoder = TfidfEncoder()
        X = encoder.fit_transform([Text(known[row]) for row in rows])
        X_test = encoder.transform([Text(unseen[row]) for row in test_rows])
    return Data(
        np.asarray(X, np.float32),
        marks.transform([told[row].split("|") for row in rows]).astype(np.int64),
        np.asarray(X_test, np.float32),
        marks.transform([truth[row].split("|") for row in test_rows]).astype(np.int64),
    )


def threshold(proba: Floats) -> float:
    """Above which labels have the most expected micro-F1, by the probabilities themselves."""
    ranked = np.sort(proba.ravel())[::-1].astype(np.float64)
    hits = np.cumsum(ranked)
    return float(ranked[np.argmax(2 * hits / (np.arange(1, len(ranked) + 1) + hits[-1]))])


def figures(data: Data, proba: Floats, proba_test: Floats) -> dict[str, float]:
    """Micro- and macro-F1, the share of items with every label right, and the log loss."""
    from sklearn.metrics import f1_score

    said = proba_test >= threshold(proba)
    p = np.clip(proba_test.astype(np.float64), 1e-6, 1 - 1e-6)
    nats = -np.where(data.Y_test > 0, np.log(p), np.log1p(-p)).sum(axis=1).mean()
    right = ((proba_test >= 0.5) == data.Y_test).all(axis=1).mean()
    scores = {
        f"{average}-F1": float(f1_score(data.Y_test, said, average=average, zero_division=0))
        for average in ("micro", "macro")
    }
    return scores | {"all right": float(right), "log loss": float(nats)}


@dataclass
class Asked:
    """What an arm may look at."""

    learner: Any
    data: Data
    labelled: NDArray[np.int64]
    candidates: NDArray[np.int64]
    seed: int


def ours(name: str) -> Callable[[Asked], NDArray[np.int64]]:
    """A strategy of the package."""

    def pick(asked: Asked) -> NDArray[np.int64]:
        return strategies.select(
            name,
            learner=asked.learner,
            features=asked.data.X,
            candidates=asked.candidates,
            labelled=asked.labelled,
            labels=asked.data.Y[asked.labelled],
            n_classes=asked.data.Y.shape[1],
            n=BATCH,
            seed=asked.seed,
        ).indices

    return pick


def modal(name: str) -> Callable[[Asked], NDArray[np.int64]]:
    """One of modAL's, asked about our learner."""
    from modAL import multilabel

    query = getattr(multilabel, name)

    def pick(asked: Asked) -> NDArray[np.int64]:
        rest = asked.data.X[asked.candidates]
        found = query(asked.learner, rest, n_instances=BATCH, random_tie_break=True)
        rows = found[0] if isinstance(found, tuple) else found
        return asked.candidates[np.asarray(rows, dtype=np.int64)]

    return pick


def play(data: Data, arm: str, seed: int, labels: int, every: int) -> list[dict[str, float]]:
    """Figures at every so many labels."""
    peer, _, name = arm.rpartition(":")
    pick = modal(name) if peer else ours(name)
    rng = np.random.default_rng([seed, 9])
    labelled = rng.choice(len(data.X), FIRST, replace=False).astype(np.int64)
    np.random.seed(seed)  # noqa: NPY002 - modAL breaks ties by the global generator
    learner = learners.HeadEnsemble(device="cpu")
    found = []
    while True:
        learner.fit(data.X[labelled], data.Y[labelled], classes=data.Y.shape[1])
        if len(labelled) % every == 0:
            proba = learner.predict_proba(data.X)
            found.append(figures(data, proba, learner.predict_proba(data.X_test)))
        if len(labelled) >= labels:
            return found
        free = np.setdiff1d(np.arange(len(data.X)), labelled)
        asked = Asked(learner, data, labelled, free, int(rng.integers(2**31)))
        labelled = np.concatenate([labelled, pick(asked)])


def reference(data: Data, labels: int, seeds: int) -> None:
    """Our learner beside logistic regressions, one a label, on the same random labels."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier

    makers: dict[str, Callable[[], Any]] = {
        "HeadEnsemble": lambda: learners.HeadEnsemble(device="cpu"),
        "one logistic regression a label": lambda: OneVsRestClassifier(LogisticRegression()),
    }
    print(f"\n{labels} random labels, mean of {seeds} seeds")
    for name, make in makers.items():
        found, begin = [], time.perf_counter()
        for seed in range(seeds):
            rows = np.random.default_rng(seed).choice(len(data.X), labels, replace=False)
            with warnings.catch_warnings():
                # A label that no item has is constant: it says so each time.
                warnings.simplefilter("ignore", UserWarning)
                model = make().fit(data.X[rows], data.Y[rows])
            found.append(
                figures(data, model.predict_proba(data.X), model.predict_proba(data.X_test))
            )
        print(f"  {name:<34}{_row(found)}  {(time.perf_counter() - begin) / seeds:.2f} s")


def _row(found: list[dict[str, float]]) -> str:
    return "".join(f"  {key} {np.mean([f[key] for f in found]):.3f}" for key in found[0])


def main() -> None:
    about = argparse.ArgumentParser(description=__doc__)
    about.add_argument("--pool", type=int, default=6000)
    about.add_argument("--test", type=int, default=2000)
    about.add_argument("--labels", type=int, default=500)
    about.add_argument("--seeds", type=int, default=5)
    about.add_argument("--every", type=int, default=60)
    about.add_argument("--features", type=Path)
    about.add_argument("arms", nargs="*", default=[*OURS, *PEERS])
    asked = about.parse_args()
    if not there():
        print(f"{FOLDER / 'goemotions'}: not on this machine, left out")
        return
    data = goemotions(asked.pool, asked.test, asked.features)
    share = data.Y.mean(axis=0)
    print(
        f"GoEmotions: pool {len(data.X):,}, test {len(data.X_test):,}, {len(share)} labels from "
        f"{share.min():.2%} to {share.max():.0%}, {data.Y.sum(axis=1).mean():.2f} an item"
    )
    reference(data, asked.labels, asked.seeds)
    about_them = f"means over {FIRST} to {asked.labels} labels, {asked.seeds} seeds"
    print(f"\n{about_them}; beside {asked.arms[0]}, by seed")
    base: dict[str, NDArray[np.float64]] = {}
    for arm in asked.arms:
        begin = time.perf_counter()
        runs = [play(data, arm, seed, asked.labels, asked.every) for seed in range(asked.seeds)]
        seconds = (time.perf_counter() - begin) / asked.seeds
        line = f"  {arm:<24}"
        for key in runs[0][0]:
            area = np.array([np.mean([f[key] for f in run]) for run in runs])
            base.setdefault(key, area)
            gap = area - base[key]
            spread = gap.std(ddof=1) / np.sqrt(len(gap)) if len(gap) > 1 else np.nan
            line += f"  {key} {area.mean():.3f} ({gap.mean():+.3f} ± {spread:.3f})"
        print(f"{line}  {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
