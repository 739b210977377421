"""Strategies whose work grows with the classes and the fits: a round stays affordable."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from sklearn.svm import SVC
from torch import nn

import alwidgets as al
from alwidgets.learners import HeadEnsemble, SklearnLearner, TorchLearner
from alwidgets.strategies import batch_bald, costly, entropy, select

N, D, C = 400, 8, 10
RNG = np.random.default_rng(0)
Y = np.arange(N) % C
X = (RNG.normal(size=(N, D)) + 2 * RNG.normal(size=(C, D))[Y]).astype(np.float32)
LABELLED, FREE = np.arange(40), np.arange(40, N)


class Counting(HeadEnsemble):
    """Counts its fits, those of its copies too."""

    fits: ClassVar[int] = 0

    def fit(self, X: Any, y: Any, *, classes: int | None = None) -> Any:
        type(self).fits += 1
        return super().fit(X, y, classes=classes)


def ask(strategy: str, learner: Any, **given: Any) -> Any:
    arguments: dict[str, Any] = {
        "learner": learner,
        "features": X,
        "candidates": FREE,
        "labelled": LABELLED,
        "labels": Y[LABELLED],
        "n_classes": C,
        "n": 40,
        "seed": 0,
    }
    return select(strategy, **(arguments | given))


@pytest.mark.parametrize("n", [1, 5, 40, 300])
def test_error_reduction_fits_no_more_than_a_round_may_take(n: int) -> None:
    learner = Counting(members=1, max_iter=3, device="cpu")
    learner.fit(X[LABELLED], Y[LABELLED], classes=C)
    Counting.fits = 0
    made = ask("expected_error_reduction", learner, n=n)
    assert len(set(made.indices.tolist())) == n
    assert 2 * min(n, 16) <= Counting.fits <= costly.FITS


def test_what_there_are_no_fits_for_comes_by_how_unsure_the_model_is() -> None:
    learner = HeadEnsemble(members=1, device="cpu").fit(X[LABELLED], Y[LABELLED], classes=C)
    made = ask("expected_error_reduction", learner, n=200).indices
    doubt = entropy(learner.predict_proba(X))
    tried = costly.FITS // costly.FEWEST_ANSWERS
    assert np.all(np.diff(doubt[made[tried:]]) <= 1e-6)
    assert doubt[made[:tried]].min() >= doubt[made[tried:]].max() - 1e-6


@pytest.mark.parametrize("kind", ["torch", "sklearn"])
def test_of_a_slow_learner_a_head_is_fitted_again(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner: Any = SklearnLearner(SVC(), members=2)
    if kind == "torch":
        net = nn.Sequential(nn.Linear(D, 16), nn.ReLU(), nn.Linear(16, C))
        learner = TorchLearner(net, max_epochs=30, device="cpu")
    learner.fit(X[LABELLED], Y[LABELLED], classes=C)

    def refuse(*args: Any, **given: Any) -> None:
        raise AssertionError("the slow learner was fitted again")

    monkeypatch.setattr(type(learner), "fit", refuse)
    made = ask("expected_error_reduction", learner, n=10)
    assert len(set(made.indices.tolist())) == 10
    # By what the head expects of them, not just by doubt.
    doubt = entropy(torch.as_tensor(learner.predict_proba(X[FREE])))
    unsure = FREE[torch.argsort(doubt, descending=True)[:10].numpy()]
    assert set(made.indices.tolist()) != set(unsure.tolist())


@pytest.mark.parametrize("classes", [3, 50, 1_000])
def test_batch_bald_looks_at_fewer_where_there_are_many_classes(
    classes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int]] = []

    def watched(posterior: Any, n: int, seed: int, *, samples: int, **given: Any) -> Any:
        asked.append((posterior.shape[1] * posterior.shape[2], samples))
        return batch_bald(posterior, n, seed, samples=samples, **given)

    monkeypatch.setattr(costly, "batch_bald", watched)
    codes = np.arange(40) % classes
    learner = HeadEnsemble(members=3, max_iter=2, device="cpu")
    learner.fit(X[LABELLED], codes, classes=classes)
    made = ask("batch_bald", learner, labels=codes, n_classes=classes, n=8)
    assert len(set(made.indices.tolist())) == 8
    ((cells, samples),) = asked
    assert cells <= costly.CELLS
    assert 100 <= samples <= 1_000
    assert cells * samples <= costly.TERMS
    if classes == 3:  # nothing is left out
        assert (cells, samples) == (len(FREE) * 3, 1_000)


def test_a_module_without_dropout_keeps_its_model_and_another_strategy_picks() -> None:
    session = al.Session(
        al.Pool.from_arrays(X),
        al.Classification([str(code) for code in range(C)]),
        learner=TorchLearner(nn.Linear(D, C), max_epochs=5, device="cpu"),
        strategy="bald",
        batch_size=20,
        executor=al.InlineExecutor(),
    )
    for item in session.next(30):
        session.record(item.id, str(Y[item.index]))
    made = session.retrain()
    assert made is not None
    assert session.error is None
    assert session.version > 0
    assert made.predictions is not None
    assert made.strategy == "margin"
    reason = session.switches[-1].reason
    assert reason.startswith("margin in place of bald: ")
    assert "nn.Dropout" in reason
    assert len(session.next(20)) == 20
    session.close()


def test_several_labels_without_dropout() -> None:
    marks = ["a", "b", "c"]
    session = al.Session(
        al.Pool.from_arrays(X),
        al.MultiLabel(marks),
        learner=TorchLearner(nn.Linear(D, 3), max_epochs=5, device="cpu"),
        strategy="multilabel_bald",
        executor=al.InlineExecutor(),
    )
    for item in session.next(30):
        session.record(item.id, marks[: item.index % 3])
    made = session.retrain()
    assert made is not None
    assert made.strategy == "mean_binary_entropy"
    assert "in place of multilabel_bald" in session.switches[-1].reason
    session.close()


def test_a_round_says_what_it_came_to_in_a_line() -> None:
    session = al.Session(
        al.Pool.from_arrays(X),
        al.Classification([str(code) for code in range(C)]),
        executor=al.InlineExecutor(),
    )
    assert repr(session.current).startswith("Round(no model yet, 0 labels, ")
    for item in session.next(30):
        session.record(item.id, str(Y[item.index]))
    said = repr(session.retrain())
    assert said.startswith(f"Round(model {session.version}, ")
    assert len(said) < 200
    session.close()


def test_why_a_strategy_has_no_score() -> None:
    session = al.Session(al.Pool.from_arrays(X), al.Classification(["a", "b"]), audit=0)
    for name, why in (
        ("random", "draws by lot"),
        ("auto", "hands over to other strategies"),
        ("badge", "weighs items against each other"),
    ):
        with pytest.raises(al.AlwidgetsError, match=f"'{name}' {why}, so no item.*margin"):
            session.scores(name)
    session.close()
