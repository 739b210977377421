"""Models of another kind, trained in the end on the labels that a learner asked for.

What was chosen for one model may serve another badly (Lowell, Lipton & Wallace, "Practical
obstacles to deploying active learning", EMNLP 2019).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits


def _random_forest() -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(n_estimators=100, n_jobs=1)


def _linear_svm() -> Any:
    from sklearn.svm import LinearSVC

    return LinearSVC()


def _nearest_neighbours() -> Any:
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier(n_neighbors=5)


#: By the name that they are asked for by.
SUCCESSORS: dict[str, Callable[[], Any]] = {
    "random_forest": _random_forest,
    "linear_svm": _linear_svm,
    "nearest_neighbours": _nearest_neighbours,
}


def said_by(
    successor: Any,
    features: NDArray[np.float32],
    codes: NDArray[np.int64],
    test: NDArray[np.float32],
) -> NDArray[np.int64]:
    """What a classifier that is fitted on some labels says of the test, (M,) codes."""
    if len(np.unique(codes)) < 2:
        return np.full(len(test), codes[0])
    with threadpool_limits(1):
        fitted = successor.fit(features, codes)
        return np.asarray(fitted.predict(test), dtype=np.int64)
