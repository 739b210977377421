"""The default strategy: what it does when, and that it says so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import alwidgets as al
from alwidgets.learners import HeadEnsemble
from alwidgets.strategies import auto
from tests.unit.test_strategies import FREE, LABELLED, NOTHING, RNG, C, D, X, Y, ask


def test_typical_items_first() -> None:
    first = ask("auto", learner=None, labelled=NOTHING, labels=NOTHING)
    assert first.strategy == "representative"
    assert "typical" in first.reason
    assert not first.at_random.any()
    one_class = ask("auto", labels=np.zeros(30, np.int64))
    assert one_class.strategy == "representative"
    assert "second class" in one_class.reason


def test_then_what_the_model_is_unsure_of() -> None:
    later = ask("auto")
    assert later.strategy == "uncertainty_herding"
    assert np.isfinite(later.scores).all()


def test_a_rare_class_is_searched_for_until_there_are_enough_of_it() -> None:
    n = 2000
    codes = (np.arange(n) < 12).astype(np.int64)
    features = RNG.normal(size=(n, D)).astype(np.float32)
    features[:12] += 6
    labelled = np.r_[0:3, 100:180]
    learner = HeadEnsemble(members=2, device="cpu").fit(features[labelled], codes[labelled])
    made = ask(
        "auto",
        learner=learner,
        features=features,
        candidates=np.setdiff1d(np.arange(n), labelled),
        labelled=labelled,
        labels=codes[labelled],
        n_classes=2,
    )
    assert made.strategy == "galaxy"
    assert "% of the pool" in made.reason
    # Of a class that has no label yet nobody knows where to look.
    assert ask("auto", n_classes=C + 1).strategy == "uncertainty_herding"
    # With enough labels of it there is no need any more.
    known = np.r_[labelled, np.full(auto.FOUND, 1)]
    enough = ask(
        "auto",
        learner=learner,
        features=features,
        candidates=np.arange(200, n),
        labelled=known,
        labels=codes[known],
        n_classes=2,
    )
    assert enough.strategy == "uncertainty_herding"


def test_no_class_of_many_equal_ones_is_rare() -> None:
    n, classes = 3000, 60
    codes = np.arange(n) % classes
    features = RNG.normal(size=(classes, D))[codes] + 0.05 * RNG.normal(size=(n, D))
    labelled = np.arange(2 * classes)
    learner = HeadEnsemble(members=2, device="cpu").fit(features[labelled], codes[labelled])
    shares = learner.predict_proba(features).mean(axis=0)
    assert shares.min() < auto.RARE
    made = ask(
        "auto",
        learner=learner,
        features=features.astype(np.float32),
        candidates=np.arange(2 * classes, n),
        labelled=labelled,
        labels=codes[labelled],
        n_classes=classes,
    )
    assert made.strategy == "uncertainty_herding"


def test_random_where_active_selection_loses() -> None:
    made = ask("auto", losing="random labels do better")
    assert (made.strategy, made.reason) == ("random", "random labels do better")
    assert made.at_random.all()
    assert ask("margin", losing="random labels do better").strategy == "margin"


@pytest.mark.parametrize("times", [1, 50])
def test_a_few_picks_are_drawn_by_lot_and_know_their_probability(times: int) -> None:
    share, count = 0.0, 0
    # As if every label had been given several times.
    known = {"labelled": np.tile(LABELLED, times), "labels": np.tile(Y[LABELLED], times)}
    for seed in range(100, 160):
        made = ask("auto", n=20, seed=seed, **known)
        lots = made.at_random
        # Uniform over what was left when it was drawn.
        expected = 1 / (len(FREE) - np.flatnonzero(lots))
        np.testing.assert_allclose(np.exp(made.log_q[lots]), expected)
        assert np.isnan(made.log_q[~lots]).all()
        assert len(set(made.indices.tolist())) == 20
        share, count = share + lots.mean(), count + int(lots.any())
    labels = times * len(LABELLED)
    assert share / 60 == pytest.approx(0.05 if times == 1 else 20 / labels, abs=0.015)
    assert count > 10
    # A strategy that was asked for by its name is left alone.
    assert not ask("uncertainty_herding", n=20).at_random.any()


def test_a_session_goes_over_to_random_items_when_these_do_better(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 2, 1500)
    features = (rng.normal(size=(1500, 4)) + 3 * np.eye(4)[truth]).astype(np.float32)
    pool, task = al.Pool.from_arrays(features), al.Classification(["a", "b"])
    told: list[str] = []
    with_store = {"store": tmp_path / "a.db", "executor": al.InlineExecutor()}
    session = al.Session(pool, task, **with_store)  # type: ignore[arg-type]
    session.on("switch", lambda switch: told.append(switch.strategy))
    for _ in range(900):
        item = session.next()[0]
        # Whoever answers is wrong about every item that was picked actively.
        wrong = item.stream == "train" and item.strategy != "random"
        session.record(item.id, "ab"[truth[item.index] ^ int(wrong)])
        if told and told[-1] == "random":
            break
    switches = session.switches
    assert [s.strategy for s in switches[-2:]] == ["uncertainty_herding", "random"]
    assert told == [s.strategy for s in switches[1:]]
    assert [s.before for s in switches[1:]] == [s.strategy for s in switches[:-1]]
    assert "random labels do better" in switches[-1].reason
    assert switches[-1].n_labels == len(session.labels())
    assert session.rounds[-1].strategy == "random"
    session.close()
    again = al.Session(pool, task, **with_store)  # type: ignore[arg-type]
    assert again.switches[: len(switches)] == switches
    again.close()


def test_what_the_audit_said_stands_after_a_restart(tmp_path: Path) -> None:
    truth = RNG.integers(0, 2, 300)
    features = (RNG.normal(size=(300, 4)) + 3 * np.eye(4)[truth]).astype(np.float32)
    pool, task = al.Pool.from_arrays(features), al.Classification(["a", "b"])
    store = tmp_path / "a.db"
    session = al.Session(pool, task, store, executor=al.InlineExecutor())
    for _ in range(30):
        item = session.next()[0]
        session.record(item.id, "ab"[truth[item.index]])
    session._ledger.follow("random", "random labels do better", session.version)
    session.close()
    again = al.Session(pool, task, store, executor=al.InlineExecutor())
    again.next(60)
    assert again.switches[-1].strategy == "random"
    assert again.current is not None
    assert again.current.strategy == "random"
    again.close()


def test_a_comparison_that_fails_costs_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("five labels of each class are needed")

    monkeypatch.setattr("alwidgets.rounds.rivals.judge", fail)
    session = al.Session(
        al.Pool.from_arrays(X), al.Classification(range(C)), executor=al.InlineExecutor()
    )
    for _ in range(40):
        item = session.next()[0]
        session.record(item.id, int(Y[item.index]))
    assert session.version > 0
    assert session.error is None
    session.close()


def test_a_class_newer_than_the_model_is_not_taken_for_a_rare_one() -> None:
    labels = Y[LABELLED].copy()
    labels[0] = C
    assert ask("auto", labels=labels, n_classes=C + 1).strategy == "uncertainty_herding"


def test_many_labels_of_one_class_wait_for_a_second() -> None:
    # Of one class no model is fitted.
    one_class = ask("auto", learner=None, labels=np.zeros(30, np.int64))
    assert "second class" in one_class.reason
    few = ask("auto", learner=None, labelled=LABELLED[:3], labels=np.zeros(3, np.int64))
    assert few.reason == "typical items first"
    assert ask("auto", learner=None).reason == "typical items first"
