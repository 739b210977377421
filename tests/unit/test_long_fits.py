"""A session with a learner that takes its time: it tells how far it is, and can be stopped."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

import alwidgets as al
from alwidgets.beliefs import Beliefs
from alwidgets.learners import Progress
from alwidgets.learners.progress import Cancelled, Reporting

RNG = np.random.default_rng(0)
Y = RNG.integers(0, 2, 200)
X = (RNG.normal(size=(200, 8)) + 2 * np.eye(8)[Y]).astype(np.float32)


def network(classes: int) -> torch.nn.Module:
    return torch.nn.Sequential(
        torch.nn.Linear(8, 32), torch.nn.ReLU(), torch.nn.Dropout(), torch.nn.Linear(32, classes)
    )


@pytest.fixture
def session() -> Iterator[al.Session]:
    # Ten thousand epochs: nobody would wait for them.
    learner = al.TorchLearner(network, max_epochs=10_000, patience=10_000, device="cpu")
    session = al.Session(
        al.Pool.from_arrays(X),
        al.Classification(["a", "b"]),
        learner=learner,
        batch_size=500,
        audit=0,
    )
    for item in session.next(20):
        session.record(item.id, "ab"[Y[item.index]])
    yield session
    session.close()


def test_a_fit_tells_how_far_it_is_and_can_be_stopped(session: al.Session) -> None:
    reports: list[Progress] = []
    notices: list[str] = []
    several = threading.Event()

    def note(progress: Progress) -> None:
        reports.append(progress)
        if len(reports) == 3:
            several.set()

    session.on("progress", note)
    session.on("notice", notices.append)
    session.retrain(wait=False)
    assert several.wait(30)
    assert 0 < (session.fit_progress or 0) < 1
    # Meanwhile labelling goes on.
    item = session.next(1, wait=False)[0]
    session.record(item.id, "ab"[Y[item.index]])
    session.cancel()
    session._loop.wait()
    assert (session.training, session.version, session.error) == (False, 0, None)
    assert session.fit_progress is None
    assert notices == ["Training was stopped; there is no model yet."]
    assert [r.done for r in reports] == sorted(r.done for r in reports)
    assert len(session.labels()) == 21


def test_closing_does_not_wait_for_a_long_fit(session: al.Session) -> None:
    started = threading.Event()
    session.on("progress", lambda _: started.set())
    session.retrain(wait=False)
    assert started.wait(30)
    before = time.monotonic()
    session.close()
    # The fit alone would take minutes.
    assert time.monotonic() - before < 20


def test_after_a_stop_it_can_train_again(session: al.Session) -> None:
    started = threading.Event()
    session.on("progress", lambda _: started.set())
    session.retrain(wait=False)
    assert started.wait(30)
    session.cancel()
    session._loop.wait()
    session._loop.learner.set_params(max_epochs=20)  # type: ignore[attr-defined]
    result = session.retrain()
    assert result is not None
    assert result.version == 1
    assert (session.predict(X[:50]) == np.array(["a", "b"])[Y[:50]]).mean() > 0.65


def test_a_wish_to_train_after_a_stop_is_kept(session: al.Session) -> None:
    started = threading.Event()
    session.on("progress", lambda _: started.set())
    session.retrain(wait=False)
    assert started.wait(30)
    session._loop.learner.set_params(max_epochs=20)  # type: ignore[attr-defined]
    session.cancel()
    session.retrain()
    assert session.version == 1


def test_a_stop_with_nothing_under_way_stops_nothing(session: al.Session) -> None:
    session._loop.learner.set_params(max_epochs=20)  # type: ignore[attr-defined]
    session.cancel()
    session.retrain()
    assert session.version == 1
    assert session.fit_progress is None
    learner = session._loop.learner
    assert (learner.on_progress, learner.should_stop) == (None, None)  # type: ignore[attr-defined]


def test_a_stop_that_comes_too_late_harms_no_later_fit(session: al.Session) -> None:
    session._loop.learner.set_params(max_epochs=20)  # type: ignore[attr-defined]
    notices: list[str] = []
    session.on("notice", notices.append)
    session.on("round", lambda _: session.cancel())
    assert session.retrain() is not None
    session.retrain()
    assert (session.version, session.error, notices) == (2, None, [])


class Trial(Reporting):
    """Fits at once, until it is told to take its time; then it goes on until it is stopped."""

    slow: ClassVar[threading.Event]
    began: ClassVar[threading.Event]

    def __init__(self) -> None:
        self._inner = al.HeadEnsemble(members=2, seed=0)

    def fit(self, X: Any, y: Any, *, classes: int | None = None) -> Trial:
        if type(self).slow.is_set():
            type(self).began.set()
            for _ in range(2_000):
                if self.should_stop is not None and self.should_stop.is_set():  # type: ignore[union-attr]
                    raise Cancelled("stopped")
                time.sleep(0.01)
        self._inner.fit(X, y, classes=classes)
        return self

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "_inner":
            raise AttributeError(name)
        return getattr(self._inner, name)


def test_a_strategy_that_fits_can_be_stopped_where_it_only_picks() -> None:
    Trial.slow, Trial.began = threading.Event(), threading.Event()
    session = al.Session(
        al.Pool.from_arrays(X),
        al.Classification(["a", "b"]),
        learner=Trial(),
        strategy="expected_error_reduction",
        batch_size=10,
        audit=0,
    )
    for item in session.next(10):
        session.record(item.id, "ab"[Y[item.index]])
    session.next()
    assert (session.version, session.error) == (1, None)
    notices: list[str] = []
    session.on("notice", notices.append)
    before = session.upcoming()
    Trial.slow.set()
    session.prepare(150)
    assert Trial.began.wait(10)
    session.cancel()
    assert session._loop._trainer.wait(10)
    assert (session.version, session.error) == (1, None)
    assert notices == ["Training was stopped; model 1 stays."]
    assert session.upcoming() == before
    # The model that answers is not the one that was to be stopped.
    learner = session._loop.learner
    assert (learner.should_stop, learner.on_progress) == (None, None)  # type: ignore[attr-defined]
    assert session.predict_proba(X[:2]).shape == (2, 2)
    Trial.slow.clear()
    assert len(session.next(150)) >= 100
    session.close()


def test_scoring_ends_between_two_parts_of_the_pool() -> None:
    stop = threading.Event()
    seen = Beliefs(4, stop)
    proba = torch.tensor([[0.25, 0.75], [1.0, 0.0]])
    part: Any = type("Part", (), {"proba": proba, "multilabel": False})
    seen.see(0, part)
    stop.set()
    with pytest.raises(Cancelled):
        seen.see(2, part)
    assert seen.predictions[:2].tolist() == [1, 0]
