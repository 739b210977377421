"""What may be given as a learner, and what is said of all else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

import alwidgets as al
from alwidgets.errors import LearnerError
from alwidgets.learners.wrapping import as_learner

RNG = np.random.default_rng(0)
N = 80
TRUTH = RNG.integers(0, 2, N)
X = (RNG.normal(size=(N, 4)) + 4 * np.eye(4)[TRUTH]).astype(np.float32)


def opened(learner: Any, store: Path | None = None) -> al.Session:
    return al.Session(
        al.Pool.from_arrays(X, ids=range(N)),
        al.Classification(["a", "b"]),
        store,
        learner=learner,
        batch_size=10,
        executor=al.InlineExecutor(),
    )


def labelled(session: al.Session, n: int = 20) -> al.Session:
    for _ in range(n):
        item = session.next()[0]
        session.record(item.id, "ab"[TRUTH[item.index]])
    session.next()
    return session


def test_a_learner_is_taken_as_it_is_and_none_is_the_default() -> None:
    learner = al.HeadEnsemble(members=3, device="cpu")
    assert as_learner(learner, 7) is learner
    default = as_learner(None, 7)
    assert isinstance(default, al.HeadEnsemble)
    assert default.seed == 7


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (LogisticRegression(), al.SklearnLearner),
        # It has a length only once it is fitted.
        (RandomForestClassifier(5), al.SklearnLearner),
        (make_pipeline(StandardScaler(), LogisticRegression()), al.SklearnLearner),
        (nn.Linear(4, 2), al.TorchLearner),
        # No layer that is linear: the default strategy asks for an embedding all the same.
        (
            nn.Sequential(
                nn.Unflatten(1, (1, 4)),
                nn.Conv1d(1, 8, 3),
                nn.ReLU(),
                nn.Conv1d(8, 2, 1),
                nn.AdaptiveAvgPool1d(1),
                nn.Flatten(),
            ),
            al.TorchLearner,
        ),
    ],
    ids=["classifier", "forest", "pipeline", "linear", "convolutions"],
)
def test_classifiers_and_modules_are_learners(given: Any, kind: type, tmp_path: Path) -> None:
    made = as_learner(given, 5)
    assert isinstance(made, kind)
    assert made.seed == 5  # type: ignore[attr-defined]
    session = labelled(opened(given, tmp_path / "labels.db"))
    assert (session.error, session.version) == (None, 2)
    assert session.current is not None
    assert session.current.strategy == "uncertainty_herding"
    before = session.predict_proba(X)
    session.close()
    again = opened(given, tmp_path / "labels.db")
    np.testing.assert_array_equal(again.predict_proba(X), before)
    again.close()


class Half:
    """Fits, and that is all."""

    def fit(self, X: Any, y: Any) -> Half:
        return self

    def __repr__(self) -> str:
        return "Half()"


def factory(classes: int) -> nn.Module:
    return nn.Linear(4, classes)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (al.HeadEnsemble, r"HeadEnsemble is a class: give an instance of it, HeadEnsemble\("),
        (LogisticRegression, "is a class"),
        (nn.Linear, "is a class"),
        (LinearRegression(), "is a regressor: give a classifier"),
        (PCA(), "has no predict"),
        (Half(), r"Half\(\) is no learner, it has no predict_proba: give a learner"),
        (factory, r"is a function: TorchLearner\(function\)"),
        ("svm", "'svm' is no learner: give a learner"),
        (3, "3 is no learner"),
    ],
)
def test_what_is_no_learner_is_said_before_anything_is_made(
    given: Any, says: str, tmp_path: Path
) -> None:
    with pytest.raises(LearnerError, match=says):
        opened(given, tmp_path / "labels.db")
    assert not list(tmp_path.iterdir())


def test_a_learner_of_ones_own_needs_no_base_class(tmp_path: Path) -> None:
    class Own:
        def __init__(self) -> None:
            self._inner = al.HeadEnsemble(members=2, device="cpu")

        def __getattr__(self, name: str) -> Callable[..., Any]:
            if name.startswith("__") or name == "_inner":
                raise AttributeError(name)
            found: Callable[..., Any] = getattr(self._inner, name)
            return found

    own = Own()
    assert as_learner(own, 0) is own  # type: ignore[comparison-overlap]
