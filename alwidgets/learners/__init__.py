"""Learners: what predicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alwidgets.learners.base import Learner
from alwidgets.learners.heads import HeadEnsemble
from alwidgets.learners.progress import Cancelled, Progress
from alwidgets.tensors import Array

if TYPE_CHECKING:
    from alwidgets.learners.images import AsImages
    from alwidgets.learners.module import TorchLearner
    from alwidgets.learners.sklearn import SklearnLearner

__all__ = [
    "Array",
    "AsImages",
    "Cancelled",
    "HeadEnsemble",
    "Learner",
    "Progress",
    "SklearnLearner",
    "TorchLearner",
]


def __getattr__(name: str) -> Any:
    # These load much that the default learner does without.
    if name == "SklearnLearner":
        from alwidgets.learners.sklearn import SklearnLearner

        return SklearnLearner
    if name == "TorchLearner":
        from alwidgets.learners.module import TorchLearner

        return TorchLearner
    if name == "AsImages":
        from alwidgets.learners.images import AsImages

        return AsImages
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
