"""A learner made of what people have: a learner, a classifier or a module."""

from __future__ import annotations

from typing import Any

from torch import nn

from alwidgets.errors import LearnerError
from alwidgets.learners.base import Learner
from alwidgets.learners.heads import HeadEnsemble

#: What the rest of the toolkit asks of a learner.
METHODS = ("fit", "predict_proba", "posterior", "embed", "save", "load")
WANTED = (
    "give a learner (HeadEnsemble(), TorchLearner(module), SklearnLearner(classifier)), a "
    "classifier of scikit-learn or a torch module"
)


def as_learner(given: Any, seed: int) -> Learner:
    """The learner that was meant.

    Parameters
    ----------
    given : Learner, scikit-learn classifier, torch module or None
        A learner is returned as it is; None is a `HeadEnsemble`.
    seed : int
        Of a learner that is made here.

    Raises
    ------
    LearnerError
        For a class in place of an instance, and for what is none of these.
    """
    if given is None:
        return HeadEnsemble(seed=seed)
    if isinstance(given, type):
        name = given.__name__
        raise LearnerError(f"learner={name} is a class: give an instance of it, {name}(…).")
    missing = [name for name in METHODS if not callable(getattr(given, name, None))]
    if not missing and hasattr(given, "device"):
        learner: Learner = given
        return learner
    # Each of these two loads much that the default learner does without.
    if isinstance(given, nn.Module):
        from alwidgets.learners.module import TorchLearner

        return TorchLearner(given, seed=seed)
    if hasattr(given, "fit") and hasattr(given, "get_params"):
        from alwidgets.learners.sklearn import SklearnLearner

        return SklearnLearner(given, seed=seed).check()
    if hasattr(given, "fit"):
        lacks = (missing or ["device"])[0]
        raise LearnerError(f"learner={given!r} is no learner, it has no {lacks}: {WANTED}.")
    if callable(given):
        raise LearnerError(
            f"learner={given!r} is a function: TorchLearner(function) takes one that makes a "
            f"module for so many classes; else {WANTED}."
        )
    raise LearnerError(f"learner={given!r} is no learner: {WANTED}.")
