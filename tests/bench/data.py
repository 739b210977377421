"""The data sets to measure on: features and class codes of a pool and of a test split."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

#: Real data with sentence features lies beside the repository, on machines that have it.
FOLDER = Path(__file__).parents[3] / "shared" / "data"


@dataclass(frozen=True)
class Data:
    """A pool and a test split that nothing but the final figure sees."""

    X: NDArray[np.float32]
    y: NDArray[np.int64]
    X_test: NDArray[np.float32]
    y_test: NDArray[np.int64]
    metric: Literal["accuracy", "macro-F1"] = "accuracy"

    @property
    def classes(self) -> int:
        return int(max(self.y.max(), self.y_test.max())) + 1


def digits(seed: int) -> Data:
    """Scikit-learn's digits, pixels from 0 to 1; the seed draws the split: 1297 and 500."""
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype(np.float32)
    order = np.random.default_rng(seed).permutation(len(X))
    pool, test = order[:1297], order[1297:]
    return Data(X[pool], y[pool].astype(np.int64), X[test], y[test].astype(np.int64))


def texts(name: str, split: str) -> tuple[list[str], list[str]]:
    with (FOLDER / name / f"{split}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [row["text"] for row in rows], [row["label"] for row in rows]


def _codes(name: str) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Codes of pool and test, and which test texts do not occur in the pool."""
    known, labels = texts(name, "train")
    unseen, test_labels = texts(name, "test")
    classes = {label: code for code, label in enumerate(sorted(set(labels)))}
    fresh = np.array([text not in set_ for set_ in [set(known)] for text in unseen])
    return (
        np.array([classes[label] for label in labels]),
        np.array([classes[label] for label in test_labels]),
        fresh,
    )


@cache
def sentences(name: str) -> Data:
    """MiniLM features (384, unit length) as delivered; of SMS only test texts not in the pool."""
    y, y_test, fresh = _codes(name)
    with np.load(FOLDER / name / "minilm.npz") as file:
        X, X_test = file["train"].astype(np.float32), file["test"].astype(np.float32)
    if name == "sms":
        return Data(X, y, X_test[fresh], y_test[fresh], "macro-F1")
    return Data(X, y, X_test, y_test)


@cache
def tfidf() -> Data:
    """SMS as TF-IDF of words and pairs of words, brought to 256 dimensions fitted on the pool."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import Normalizer

    y, y_test, fresh = _codes("sms")
    known, _ = texts("sms", "train")
    unseen, _ = texts("sms", "test")
    pipeline = make_pipeline(
        TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=2),
        TruncatedSVD(256, random_state=0),
        Normalizer(copy=False),
    )
    X = pipeline.fit_transform(known).astype(np.float32)
    X_test = pipeline.transform(unseen).astype(np.float32)
    return Data(X, y, X_test[fresh], y_test[fresh], "macro-F1")


DATASETS: dict[str, Callable[[int], Data]] = {
    "digits": digits,
    "sms": lambda seed: sentences("sms"),
    "sms-tfidf": lambda seed: tfidf(),
    "trec": lambda seed: sentences("trec"),
    "agnews": lambda seed: sentences("agnews"),
    "mr": lambda seed: sentences("mr"),
}


def load(name: str, seed: int = 0) -> Data:
    """A data set; FileNotFoundError where its files are not on this machine."""
    return DATASETS[name](seed)


def there(name: str) -> bool:
    """Whether its files are on this machine."""
    folder = FOLDER / name.removesuffix("-tfidf")
    return name == "digits" or (folder / "minilm.npz").is_file()


def score(data: Data, proba: NDArray[Any]) -> float:
    """Its metric on the test split."""
    guess = np.asarray(proba).argmax(1)
    if data.metric == "accuracy":
        return float(np.mean(guess == data.y_test))
    from sklearn.metrics import f1_score

    return float(f1_score(data.y_test, guess, average="macro", zero_division=0))
