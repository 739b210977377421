"""Labelling with active learning in a Jupyter notebook.

Names are resolved when they are first used: importing `alwidgets` loads nothing heavy.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import datasets, encoders, errors, evaluation, learners, stopping, strategies
    from .content import Audio, Fields, Html, Image, Pair, Table, Text
    from .errors import AlwidgetsError
    from .evaluation.comparing import Comparison, compare
    from .learners import HeadEnsemble, SklearnLearner, TorchLearner
    from .pool import Pool
    from .session import Session
    from .store import LabelStore
    from .tasks import Binary, Classification, Correction, MultiLabel, Rating
    from .trainer import InlineExecutor

__version__ = "0.1.0"

_HOME = {
    "AlwidgetsError": "errors",
    "Audio": "content",
    "Binary": "tasks",
    "Classification": "tasks",
    "Comparison": "evaluation.comparing",
    "Correction": "tasks",
    "Fields": "content",
    "HeadEnsemble": "learners",
    "Html": "content",
    "Image": "content",
    "InlineExecutor": "trainer",
    "LabelStore": "store",
    "MultiLabel": "tasks",
    "Pair": "content",
    "Pool": "pool",
    "Rating": "tasks",
    "Session": "session",
    "SklearnLearner": "learners",
    "Table": "content",
    "Text": "content",
    "TorchLearner": "learners",
    "compare": "evaluation.comparing",
}
_MODULES = ("datasets", "encoders", "errors", "evaluation", "learners", "stopping", "strategies")

__all__ = [
    "AlwidgetsError",
    "Audio",
    "Binary",
    "Classification",
    "Comparison",
    "Correction",
    "Fields",
    "HeadEnsemble",
    "Html",
    "Image",
    "InlineExecutor",
    "LabelStore",
    "MultiLabel",
    "Pair",
    "Pool",
    "Rating",
    "Session",
    "SklearnLearner",
    "Table",
    "Text",
    "TorchLearner",
    "__version__",
    "compare",
    "datasets",
    "encoders",
    "errors",
    "evaluation",
    "learners",
    "stopping",
    "strategies",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
    if name in _MODULES:
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
