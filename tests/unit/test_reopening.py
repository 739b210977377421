"""A store opened again: its model is made ready in the background, and is the one it was."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

import alwidgets as al
from alwidgets.errors import LearnerError
from alwidgets.evaluation.risk import Estimate
from alwidgets.evaluation.rivals import Verdict
from alwidgets.learners import SklearnLearner
from alwidgets.learners.progress import Cancelled, Reporting

RNG = np.random.default_rng(0)
N = 120
Y = RNG.integers(0, 2, N)
X = (RNG.normal(size=(N, 4)) + 3 * np.eye(4)[Y]).astype(np.float32)
PATIENCE = 20.0


class Slow(Reporting):
    """A learner that does not come back from reading its file before it is let go."""

    go: ClassVar[threading.Event]
    began: ClassVar[threading.Event]
    threads: ClassVar[list[int]]
    fails: ClassVar[bool]
    slow_fit: ClassVar[bool]

    def __init__(self) -> None:
        self._inner = al.HeadEnsemble(members=2, seed=0)

    def fit(self, X: Any, y: Any, *, classes: int | None = None) -> Slow:
        if type(self).slow_fit:
            self._wait()
        self._inner.fit(X, y, classes=classes)
        return self

    def load(self, path: Any) -> Slow:
        type(self).threads.append(threading.get_ident())
        self._wait()
        if type(self).fails:
            raise RuntimeError("it was not to be read")
        self._inner.load(path)
        return self

    def _wait(self) -> None:
        type(self).began.set()
        for _ in range(int(PATIENCE / 0.01)):
            if type(self).go.wait(0.01):
                break
            if self.should_stop is not None and self.should_stop.is_set():  # type: ignore[union-attr]
                raise Cancelled("stopped")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "_inner":
            raise AttributeError(name)
        return getattr(self._inner, name)

    def __repr__(self) -> str:
        return "Slow()"


@pytest.fixture(autouse=True)
def gate() -> Iterator[None]:
    Slow.go, Slow.began, Slow.threads = threading.Event(), threading.Event(), []
    Slow.fails = Slow.slow_fit = False
    yield
    Slow.go.set()


@pytest.fixture
def open_again(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[..., al.Session]:
    def open_it(learner: Any) -> al.Session:
        session = al.Session(
            al.Pool.from_arrays(X, ids=range(N)),
            al.Classification(["a", "b"]),
            tmp_path / "labels.db",
            learner=learner,
            batch_size=10,
        )
        request.addfinalizer(session.close)
        return session

    return open_it


def labelled(session: al.Session, n: int = 25) -> al.Session:
    for _ in range(n):
        item = session.next()[0]
        session.record(item.id, "ab"[Y[item.index]])
    session.next()
    return session


def shown(session: al.Session) -> list[tuple[Any, ...]]:
    items = session.next(20, wait=False)
    return [(i.id, i.stream, i.score, i.suggestion, i.confidence) for i in items]


def test_neither_opening_nor_the_cards_wait_for_the_model(
    open_again: Callable[..., al.Session],
) -> None:
    session = labelled(open_again(Slow()))
    before, proba, estimate = shown(session), session.predict_proba(X), session.estimate()
    version, error = session.version, session.error
    assert version >= 1
    assert error is None
    assert not Slow.threads
    assert any(suggestion is not None for *_, suggestion, _ in before)
    session.close()

    again = open_again(Slow())
    assert Slow.began.wait(PATIENCE)
    # The model is still being read, and all else is there.
    assert again.training
    assert again.current is None
    assert [card[:3] for card in shown(again)] == [card[:3] for card in before]
    assert all(suggestion is None for *_, suggestion, _ in shown(again))
    item = again.next(wait=False)[0]
    event = again.record(item.id, "ab"[Y[item.index]])
    again.retract(event.event_id)
    assert again.training
    assert Slow.threads
    assert threading.get_ident() not in Slow.threads

    Slow.go.set()
    again.next()
    assert (again.training, again.error, again.version) == (False, None, version)
    assert shown(again) == before
    np.testing.assert_array_equal(again.predict_proba(X), proba)
    assert again.estimate() == estimate


def test_who_asks_the_model_waits_for_it_alone(open_again: Callable[..., al.Session]) -> None:
    session = labelled(open_again(Slow()))
    proba = session.predict_proba(X)
    session.close()
    again = open_again(Slow())
    found: list[Any] = []
    asking = threading.Thread(target=lambda: found.append(again.predict_proba(X)), daemon=True)
    asking.start()
    assert Slow.began.wait(PATIENCE)
    assert not found
    Slow.go.set()
    asking.join(PATIENCE)
    np.testing.assert_array_equal(found[0], proba)


def test_a_listener_that_asks_for_the_model_while_it_is_read_is_told(
    open_again: Callable[..., al.Session],
) -> None:
    labelled(open_again(Slow())).close()
    again = open_again(Slow())
    assert Slow.began.wait(PATIENCE)
    said: list[str] = []

    def ask(_: bool) -> None:
        # Told at the end of the reading, in the worker: it must not wait for itself.
        try:
            again.predict_proba(X[:1])
            said.append("model")
        except LearnerError:
            said.append("none")

    again.on("training", ask)
    Slow.go.set()
    again.next()
    assert said == ["model"]


def test_a_stop_while_the_model_is_read(open_again: Callable[..., al.Session]) -> None:
    session = labelled(open_again(Slow()))
    version = session.version
    session.close()
    again = open_again(Slow())
    notices: list[str] = []
    again.on("notice", notices.append)
    assert Slow.began.wait(PATIENCE)
    again.cancel()
    again._loop.wait()
    assert (again.training, again.error) == (False, None)
    assert notices == ["Reading the model was stopped; it comes back with the next training."]
    with pytest.raises(LearnerError, match=r"Reading the model was stopped; retrain\(\) makes"):
        again.predict_proba(X)
    assert again.current is None
    assert again.next(wait=False)
    Slow.go.set()
    again.retrain()
    assert again.version == version + 1
    assert again.current is not None
    assert again.current.version == version + 1
    assert again.predict_proba(X).shape == (N, 2)


def test_a_stop_while_the_model_is_fitted_anew(
    open_again: Callable[..., al.Session], tmp_path: Path
) -> None:
    session = labelled(open_again(Slow()))
    version = session.version
    session.close()
    for file in tmp_path.glob("*.safetensors"):
        file.unlink()
    Slow.slow_fit = True
    again = open_again(Slow())
    assert Slow.began.wait(PATIENCE)
    again.cancel()
    again._loop.wait()
    assert (again.training, again.error, again.current) == (False, None, None)
    with pytest.raises(LearnerError, match=r"that was stopped; retrain\(\) fits it"):
        again.predict_proba(X)
    Slow.go.set()
    # Cards are asked for beyond those that wait: with them comes the model.
    again.next(60)
    assert again.version == version + 1
    assert again.predict_proba(X).shape == (N, 2)


def test_random_items_by_name_are_no_verdict_of_the_audit(tmp_path: Path) -> None:
    pool = al.Pool.from_arrays(X, ids=range(N))

    def opened(strategy: str) -> al.Session:
        return al.Session(
            pool,
            al.Classification(["a", "b"]),
            tmp_path / "labels.db",
            strategy=strategy,
            batch_size=10,
            executor=al.InlineExecutor(),
        )

    session = labelled(opened("random"), 40)
    assert session.switches[-1].strategy == "random"
    session.close()
    again = labelled(opened("auto"), 20)
    assert again.current is not None
    assert again.current.strategy != "random"
    # What the audit says stays, over restarts too, until it says otherwise.
    verdict = Verdict(Estimate(-0.2, -0.3, -0.1, 40, 40.0, "given"), 30)
    assert verdict.losing is not None
    again._ledger.follow("random", verdict.losing, again.version)
    again.close()
    again = opened("auto")
    again.next()
    assert again.current is not None
    assert (again.current.strategy, again.current.selection.reason) == ("random", verdict.losing)
    again.close()


def test_closing_does_not_wait_for_the_model(open_again: Callable[..., al.Session]) -> None:
    labelled(open_again(Slow())).close()
    again = open_again(Slow())
    notices: list[str] = []
    again.on("notice", notices.append)
    assert Slow.began.wait(PATIENCE)
    again.close()
    assert not Slow.go.is_set()
    assert notices == []


def test_what_cannot_be_read_is_fitted_anew(
    open_again: Callable[..., al.Session], caplog: pytest.LogCaptureFixture
) -> None:
    session = labelled(open_again(Slow()))
    version = session.version
    session.close()
    Slow.fails = True
    Slow.go.set()
    again = open_again(Slow())
    again.next()
    assert "fitted anew" in caplog.text
    assert (again.version, again.error) == (version + 1, None)
    assert (again.predict(X) == np.array(["a", "b"])[Y]).mean() > 0.9


def test_a_classifier_of_scikit_learn_is_as_it_was(open_again: Callable[..., al.Session]) -> None:
    session = labelled(open_again(SklearnLearner(LogisticRegression(), members=2)))
    before, proba, version = shown(session), session.predict_proba(X), session.version
    session.close()
    again = open_again(SklearnLearner(LogisticRegression(), members=2))
    np.testing.assert_array_equal(again.predict_proba(X), proba)
    again.next()
    assert again.version == version
    assert shown(again) == before
