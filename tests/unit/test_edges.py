"""Edge cases: each score against its definition, and what is odd is found."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.special import logsumexp
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC
from torch import nn

import alwidgets as al
from alwidgets import exploring
from alwidgets.errors import AlwidgetsError, LearnerError, ProjectionError
from alwidgets.learners import SklearnLearner, TorchLearner
from alwidgets.projection import edges
from alwidgets.projection.neighbours import ExactNeighbours
from alwidgets.strategies.disagreement import bald

DATA = Path(__file__).parents[3] / "shared" / "data"
MODEL_BASED = ("mahalanobis", "energy", "disagreement", "flipped")


def test_mahalanobis_of_many_labels_is_the_formula() -> None:
    rng = np.random.default_rng(0)
    mix = rng.standard_normal((3, 3))
    y = np.arange(6000) % 2
    X = (rng.standard_normal((6000, 3)) @ mix + 4 * y[:, None]).astype(np.float32)
    rows, predicted = np.arange(50), 1 - y[:50]
    found = edges.mahalanobis(X, rows, predicted, np.arange(6000), y)
    means = np.stack([X[y == c].mean(axis=0) for c in (0, 1)])
    precision = np.linalg.inv(np.cov((X - means[y]).T, bias=True))
    away = X[:50] - means[predicted]
    # Of so many labels the covariance is hardly shrunk.
    np.testing.assert_allclose(found, np.sqrt(((away @ precision) * away).sum(axis=1)), rtol=0.02)


def test_mahalanobis_does_not_care_for_units() -> None:
    rng = np.random.default_rng(1)
    X = rng.standard_normal((40, 5)).astype(np.float32)
    y, rows = np.arange(40) % 3, np.arange(40)
    once = edges.mahalanobis(X, rows, y, rows[:12], y[:12])
    np.testing.assert_allclose(
        edges.mahalanobis(1e-6 * X, rows, y, rows[:12], y[:12]), once, rtol=1e-4
    )


def test_mahalanobis_of_little() -> None:
    X = np.array([[0, 0], [3, 4], [6, 8]], dtype=np.float32)
    rows = np.arange(3)
    # One label a class: plain distances; a class without one has the mean of all.
    found = edges.mahalanobis(X, rows, np.array([0, 0, 7]), rows[:2], np.array([0, 1]))
    np.testing.assert_allclose(found, [0, 5, 7.5])
    constant = edges.mahalanobis(np.ones((6, 4)), np.arange(6), np.zeros(6, int), rows, rows * 0)
    assert not constant.any()
    with pytest.raises(ProjectionError, match="label some"):
        edges.mahalanobis(X, rows, rows, rows[:0], rows[:0])


@pytest.mark.parametrize("temperature", [0.5, 1.0, 10.0])
def test_energy_is_the_formula(temperature: float) -> None:
    logits = 300 * np.random.default_rng(2).standard_normal((30, 4))
    expected = -temperature * logsumexp(logits / temperature, axis=1)
    np.testing.assert_allclose(edges.energy(logits, temperature), expected, rtol=1e-6)
    with pytest.raises(ValueError, match="positive"):
        edges.energy(logits, 0)


def test_flipped_is_by_how_sure_both_were() -> None:
    was, now = np.array([0, 1, 1, 2]), np.array([0, 2, 0, 1])
    found = edges.flipped(was, now, np.array([1, 0.9, 0.6, 0.5]), np.array([1, 0.8, 1, 0.5]))
    np.testing.assert_allclose(found, [0, 0.72, 0.6, 0.25])


def test_clusters_take_turns() -> None:
    owner = np.array([0, 0, 1, 1, 1, 2, 2, 3])
    distance = np.array([0.1, 0.2, 0.3, 0.1, 0.2, 0.2, 0.1, 0.0])
    labelled = np.array([True, *[False] * 7])
    rows, sizes, turns = edges.unlabelled_clusters(owner, distance, labelled)
    assert rows.tolist() == [3, 6, 7, 4, 5, 2]
    assert sizes.tolist() == [3, 2, 1, 3, 2, 3]
    assert turns.tolist() == [0, 0, 0, 1, 1, 2]
    assert not len(edges.unlabelled_clusters(owner, distance, np.ones(8, bool))[0])


def test_highest() -> None:
    assert edges.highest(np.array([1.0, 3, 2, 3, 3]), 2).tolist() == [1, 3]
    assert edges.highest(np.array([1.0, 3]), 9).tolist() == [1, 0]
    assert edges.highest(np.empty(0), 3).tolist() == []


# ---------------------------------------------------------------------- of a session


def a_session(**given: Any) -> al.Session:
    digits = load_digits()
    pool = al.Pool.from_arrays(
        (digits.data[:600] / 16).astype(np.float32), ids=[f"d{i}" for i in range(600)]
    )
    return al.Session(
        pool,
        al.Classification(range(10)),
        batch_size=1000,
        executor=al.InlineExecutor(),
        **given,
    )


def teach(session: al.Session, positions: Any) -> None:
    truth = load_digits().target
    for i in positions:
        session.record(f"d{i}", str(truth[i]))
    session.retrain()


@pytest.fixture
def session() -> Any:
    found = a_session(audit=0.3)
    yield found
    found.close()


@pytest.mark.parametrize("by", MODEL_BASED)
def test_no_model_yet(session: al.Session, by: Any) -> None:
    with pytest.raises(LearnerError, match="no model yet"):
        session.edge_cases(5, by=by)


@pytest.mark.parametrize("by", [*MODEL_BASED, "knn", "unlabelled_cluster"])
def test_a_table_in_order_of_rank(session: al.Session, by: Any) -> None:
    teach(session, range(40))
    teach(session, range(40, 80))
    found = session.edge_cases(12, by=by)
    assert list(found.columns) == ["score", "why"]
    assert found.index.name == "item_id"
    assert found.index.is_unique
    assert 0 < len(found) <= 12
    assert found["why"].str.len().min() > 20
    if by != "unlabelled_cluster":  # where the clusters take turns
        assert found["score"].is_monotonic_decreasing
    # All there are; those of the audit only where the model is not asked.
    everyone = [session.pool.index(i) for i in session.edge_cases(600, by=by).index]
    if by in MODEL_BASED:
        assert not session.reserved[everyone].any()
        if by != "flipped":
            assert len(everyone) == (~session.reserved).sum()
    else:
        assert session.reserved[everyone].any()


def test_scores_are_those_of_the_model(session: al.Session) -> None:
    teach(session, range(60))
    learner: Any = session.current.learner if session.current else None
    X = session.pool.features
    at = [session.pool.index(i) for i in session.edge_cases(600, by="disagreement").index]
    np.testing.assert_allclose(
        session.edge_cases(600, by="disagreement")["score"],
        bald(learner.posterior(X))[at],
        atol=1e-5,
    )
    # Logits are those of the probabilities, but for the temperature.
    logits = learner.logits(X)
    scaled = logits / learner.temperature_
    proba = np.exp(scaled - logsumexp(scaled, axis=1, keepdims=True))
    np.testing.assert_allclose(proba, learner.predict_proba(X), atol=1e-5)
    at = [session.pool.index(i) for i in session.edge_cases(600, by="energy").index]
    np.testing.assert_allclose(
        session.edge_cases(600, by="energy")["score"], edges.energy(logits)[at], rtol=1e-4
    )


@pytest.mark.parametrize("learner", [LogisticRegression(), LinearSVC(), "module"])
def test_the_energy_is_that_of_the_logits_of_any_learner_that_has_them(learner: Any) -> None:
    if learner == "module":
        module = nn.Sequential(nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 10))
        learner = TorchLearner(module, max_epochs=5, seed=0)
    session = a_session(learner=learner)
    teach(session, range(60))
    fitted: Any = session.current.learner if session.current else None
    rows = np.flatnonzero(~session.reserved)
    X = session.pool.features[rows]
    if isinstance(fitted, TorchLearner):
        with torch.no_grad():
            logits = fitted.module_(torch.from_numpy(X)).numpy()
    else:
        logits = fitted._fitted().fitted.decision_function(X)
    expected = -np.log(np.exp(logits.astype(np.float64)).sum(axis=1))
    found = session.edge_cases(len(rows), by="energy")
    at = np.searchsorted(rows, [session.pool.index(i) for i in found.index])
    np.testing.assert_allclose(found["score"], expected[at], rtol=1e-4, atol=1e-5)
    assert found["score"].is_monotonic_decreasing
    session.close()


def test_the_one_score_of_two_classes_is_the_difference_of_their_logits() -> None:
    X = np.array([[-2.0], [-1.0], [1.0], [2.0]])
    learner = SklearnLearner(LogisticRegression()).fit(X, np.array([0, 0, 1, 1]), classes=3)
    logits = learner.logits(X)
    assert np.isneginf(logits[:, 2]).all()
    with np.errstate(invalid="ignore"):
        proba = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(proba, learner.predict_proba(X), atol=1e-6)
    energy = edges.energy(logits)
    np.testing.assert_allclose(energy, energy[::-1], atol=1e-5)  # neither class is the odd one
    assert energy[1] > energy[0]


def test_flipped_compares_the_last_two_models(session: al.Session) -> None:
    teach(session, range(15))
    with pytest.raises(AlwidgetsError, match="Only one model"):
        session.edge_cases(5, by="flipped")
    before = session.current
    session.next(60)  # a round that only picks is no other model
    teach(session, range(15, 120))
    after = session.current
    assert before is not None
    assert after is not None
    assert before.predictions is not None
    assert after.predictions is not None
    changed = (before.predictions != after.predictions) & ~session.reserved
    found = session.edge_cases(600, by="flipped")
    assert {session.pool.index(i) for i in found.index} == set(np.flatnonzero(changed).tolist())
    first = session.pool.index(found.index[0])
    assert f"Was '{before.predictions[first]}'" in found["why"].iloc[0]
    assert f"is now '{after.predictions[first]}'" in found["why"].iloc[0]


def test_flipped_goes_on_after_a_restart(tmp_path: Path) -> None:
    session = a_session(store=tmp_path / "labels.db")
    teach(session, range(15))
    teach(session, range(15, 60))
    before, after = (session.predictions(v) for v in (session.version - 1, session.version))
    changed = set(np.flatnonzero((before != after) & ~session.reserved).tolist())
    assert changed
    session.close()
    session = a_session(store=tmp_path / "labels.db")
    found = session.edge_cases(200, by="flipped")
    assert {session.pool.index(i) for i in found.index} == changed
    assert found["score"].is_monotonic_decreasing
    first = session.pool.index(found.index[0])
    sure = session.predict_proba(session.pool.features[first : first + 1]).max()
    assert found["score"].iloc[0] == pytest.approx(sure, abs=1e-5)
    why = found["why"].iloc[0]
    assert why.startswith(f"Was '{before[first]}', is now '{after[first]}' (")
    session.close()


def test_clusters_with_a_label_are_left_out(session: al.Session) -> None:
    every = session.edge_cases(600, by="unlabelled_cluster")
    assert len(every) == 600
    first = every.index[0]
    session.record(first, "3")
    left = session.edge_cases(600, by="unlabelled_cluster")
    assert first not in left.index
    assert len(left) == 600 - every["score"].iloc[0]


def test_errors_name_the_remedy(session: al.Session) -> None:
    for n in (0, -3, 2.5, True):
        with pytest.raises(AlwidgetsError, match="at least 1"):
            session.edge_cases(n)  # type: ignore[arg-type]
    with pytest.raises(AlwidgetsError, match=r"'odd'.*'knn'"):
        session.edge_cases(5, by="odd")  # type: ignore[arg-type]


def test_a_learner_of_probabilities_has_no_energy() -> None:
    session = a_session(learner=KNeighborsClassifier())
    teach(session, range(60))
    with pytest.raises(
        LearnerError, match=r"KNeighborsClassifier\(\) has no decision_func.*HeadEnsemble"
    ):
        session.edge_cases(5, by="energy")
    assert len(session.edge_cases(5, by="mahalanobis")) == 5
    session.close()


def test_several_labels_for_an_item() -> None:
    rng = np.random.default_rng(5)
    X = rng.standard_normal((80, 4)).astype(np.float32)
    session = al.Session(
        al.Pool.from_arrays(X, ids=[str(i) for i in range(80)]),
        al.MultiLabel(["up", "right"]),
        audit=0,
        executor=al.InlineExecutor(),
    )
    for i in range(40):
        answer = [name for name, x in (("up", X[i, 0]), ("right", X[i, 1])) if x > 0]
        session.record(str(i), answer)
    session.retrain()
    with pytest.raises(LearnerError, match="several labels"):
        session.edge_cases(5, by="energy")
    assert len(session.edge_cases(5, by="disagreement")) == 5
    assert len(session.edge_cases(5, by="mahalanobis")) == 5
    session.close()


# ---------------------------------------------------------------------- what is odd is found


def recall(session: al.Session, odd: set[str], n: int) -> dict[str, float]:
    found: dict[str, float] = {}
    for by in ("knn", "mahalanobis", "energy", "disagreement"):
        ids = session.edge_cases(n, by=by).index  # type: ignore[arg-type]
        found[by] = len(odd & set(ids)) / len(odd)
    return found


def hidden(
    usual: NDArray[Any], y: NDArray[Any], odd: NDArray[Any], n_labels: int
) -> tuple[al.Session, set[str]]:
    """A session on both, shuffled, with some of the usual ones labelled."""
    order = np.random.default_rng(0).permutation(len(usual) + len(odd))
    X = np.concatenate([usual, odd])[order].astype(np.float32)
    ids = [str(i) for i in order]
    session = al.Session(
        al.Pool.from_arrays(X, ids=ids),
        al.Classification(range(10)),
        audit=0,
        batch_size=10_000,
        executor=al.InlineExecutor(),
    )
    for i in range(n_labels):
        session.record(str(i), str(y[i]))
    session.retrain()
    return session, {str(i) for i in range(len(usual), len(usual) + len(odd))}


def test_shuffled_digits_among_digits() -> None:
    digits = load_digits()
    X = digits.data / 16
    odd = np.random.default_rng(1).permuted(X[-30:], axis=1)
    session, names = hidden(X[:-30], digits.target, odd, 200)
    found = recall(session, names, 60)
    print("recall in the top 60:", found)
    assert found["knn"] >= 0.8
    session.close()


def test_fashion_among_mnist() -> None:
    mnist, fashion = DATA / "mnist" / "t10k.npz", DATA / "fashion_mnist" / "fashion.npz"
    if not (mnist.is_file() and fashion.is_file()):
        pytest.skip("MNIST and Fashion-MNIST are not beside the repository")
    with np.load(mnist) as file:
        X, y = file["images"], file["labels"]
    with np.load(fashion) as file:
        clothes = file["test_images"]
    rng = np.random.default_rng(0)
    some = rng.choice(len(X), 5000, replace=False)
    odd = clothes[rng.choice(len(clothes), 50, replace=False)]
    session, names = hidden(
        X[some].reshape(5000, -1) / 255, y[some], odd.reshape(50, -1) / 255, 300
    )
    found = recall(session, names, 100)
    print("recall in the top 100:", found)
    assert max(found.values()) >= 0.8
    session.close()


# ---------------------------------------------------------------------- prepared in the background


class Counted(ExactNeighbours):
    """Counts how often the rows are measured, which the first search would have to wait for."""

    measured = 0

    def _measure(self) -> Any:
        self.measured += 1
        return super()._measure()


def test_what_is_prepared_is_not_done_again() -> None:
    X = np.random.default_rng(0).standard_normal((500, 6)).astype(np.float32)
    prepared, fresh = Counted(X), Counted(X)
    threads = [threading.Thread(target=prepared.prepare) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert prepared.measured == 1
    for mine, theirs in zip(prepared.search(X[:9], 5), fresh.search(X[:9], 5), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert (prepared.measured, fresh.measured) == (1, 1)


def test_a_large_pool_is_prepared_in_the_background(monkeypatch: pytest.MonkeyPatch) -> None:
    session = a_session()
    session.prepare_neighbours()
    assert session._neighbours is None  # a small one needs none of that
    monkeypatch.setattr(exploring, "WORTH_PREPARING", 100)

    def prepare() -> ExactNeighbours:
        session.prepare_neighbours()
        session.prepare_neighbours()
        working = [t for t in threading.enumerate() if t.name == "alwidgets-neighbours"]
        assert len(working) < 2
        for thread in working:
            thread.join()
        found: Any = session._neighbours
        assert found is session.neighbours
        return found

    first = prepare()
    assert first._known is not None
    assert prepare() is first
    session.pool.extend(np.ones((1, 64), np.float32), ids=["new"])
    grown = prepare()
    assert grown is not first
    assert grown._known is not None
    assert len(grown._known[1]) == 601
    session.close()
