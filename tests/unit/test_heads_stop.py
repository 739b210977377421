"""Long fits of the heads: they say how far they are, and can be stopped at any time."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.base import clone

import alwidgets as al
from alwidgets.learners import HeadEnsemble, loss, progress
from alwidgets.learners.calibration import best_temperature
from alwidgets.learners.lbfgs import minimise
from alwidgets.learners.likelihood import Categorical
from alwidgets.learners.progress import Cancelled, Course, Progress

RNG = np.random.default_rng(0)
C = 3
Y = RNG.integers(0, C, 160)
X = (RNG.normal(size=(160, 12)) + 3 * np.eye(12)[Y]).astype(np.float32)

#: A fit with these would take hours: only a stop ends it.
ENDLESS: dict[str, Any] = {"max_iter": 10**7, "tol": 1e-30, "patience": 10**7}

KINDS: dict[str, dict[str, Any]] = {
    "linear": {},
    "fixed": {"l2": 0.3},
    "hidden": {"hidden": 6},
}


@pytest.fixture(params=list(KINDS))
def kind(request: pytest.FixtureRequest) -> dict[str, Any]:
    return {"members": 4, "device": "cpu", **KINDS[request.param]}


class Looks:
    """A signal that counts how often it is looked at, and is set from one look on."""

    def __init__(self, last: float = float("inf")) -> None:
        self.count, self.last = 0, last

    def __call__(self) -> bool:
        self.count += 1
        return self.count > self.last


def said(learner: HeadEnsemble) -> list[bytes]:
    """All that a learner says, to the bit."""
    return [np.asarray(f(X)).tobytes() for f in (learner.predict_proba, learner.posterior)]


def test_a_stopped_fit_leaves_the_learner_as_it_was(kind: dict[str, Any]) -> None:
    learner = HeadEnsemble(**kind).fit(X[:60], Y[:60])
    before, kept = said(learner), dict(vars(learner))
    looks = Looks()
    copy.deepcopy(learner).fit(X, Y)  # unwatched, it looks at nothing
    watched = copy.deepcopy(learner)
    watched.should_stop = looks
    watched.fit(X, Y)
    assert looks.count > 10
    # At every tenth look, and at the very last one: in every part of the fit.
    for last in [*range(0, looks.count - 1, max(1, looks.count // 10)), looks.count - 1]:
        learner.should_stop = Looks(last)
        with pytest.raises(Cancelled):
            learner.fit(X, Y)
        assert said(learner) == before
        assert vars(learner) == kept | {"should_stop": learner.should_stop}
    learner.should_stop = None
    assert said(learner.fit(X, Y)) == said(watched)


def test_a_first_fit_that_is_stopped_fits_nothing(kind: dict[str, Any]) -> None:
    learner = HeadEnsemble(**kind)
    stop = threading.Event()
    stop.set()
    learner.should_stop = stop
    with pytest.raises(Cancelled):
        learner.fit(X, Y)
    assert not learner.__sklearn_is_fitted__()
    assert not hasattr(learner, "n_features_in_")


def test_an_endless_fit_is_stopped_from_another_thread(kind: dict[str, Any]) -> None:
    learner = HeadEnsemble(**{**kind, **ENDLESS})
    stop, ended = threading.Event(), threading.Event()
    learner.should_stop = stop

    def fit() -> None:
        with pytest.raises(Cancelled):
            learner.fit(X, Y)
        ended.set()

    thread = threading.Thread(target=fit)
    thread.start()
    assert not ended.wait(0.3)
    stop.set()
    assert ended.wait(20)
    thread.join()


def test_who_looks_and_listens_changes_nothing(
    kind: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "LONG", 1e-9)
    plain, watched = HeadEnsemble(**kind), HeadEnsemble(**kind)
    watched.should_stop, watched.on_progress = Looks(), lambda _: None
    for n in (40, 44, 160):
        plain.fit(X[:n], Y[:n], classes=C)
        watched.fit(X[:n], Y[:n], classes=C)
        assert said(watched) == said(plain)
        assert watched.n_iter_ == plain.n_iter_


@pytest.mark.parametrize("turns", [False, True])
def test_a_fit_tells_how_far_it_is(
    kind: dict[str, Any], turns: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "LONG", 1e-9)
    monkeypatch.setattr(progress, "INTERVAL", 0.0)
    if turns:  # as with many classes: a few heads at a time, some rows at a time
        monkeypatch.setattr(loss, "MEMORY_ELEMENTS", 5_000)
        monkeypatch.setattr(loss, "CHUNK_ELEMENTS", 1_000)
    reports: list[Progress] = []
    learner = HeadEnsemble(**kind)
    learner.on_progress = reports.append
    for n in (100, 110, 160):  # afresh, warm, and with a penalty that is chosen anew
        reports.clear()
        learner.fit(X[:n], Y[:n])
        done = [r.fraction for r in reports]
        assert done == sorted(done)
        assert 0 < done[0] < 0.5
        assert done[-1] == 1.0
        assert done[-2] < 1.0
        # No jump from nothing to all: there is something to see in between.
        assert sum(0.1 < x < 0.9 for x in done) >= 3


def test_a_short_fit_says_nothing(kind: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LONG", 1e9)
    reports: list[Progress] = []
    learner = HeadEnsemble(**kind)
    learner.on_progress = reports.append
    learner.fit(X, Y)
    assert not reports


def test_what_a_listener_raises_ends_the_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LONG", 1e-9)
    learner = HeadEnsemble(members=2, device="cpu").fit(X[:50], Y[:50])
    before = said(learner)

    def refuse(_: Progress) -> None:
        raise KeyError("no")

    learner.on_progress = refuse
    with pytest.raises(KeyError):
        learner.fit(X, Y)
    assert said(learner) == before


def test_copies_have_neither_listener_nor_signal() -> None:
    learner = HeadEnsemble(members=2, device="cpu").fit(X, Y)
    before, shown = said(learner), repr(learner)
    learner.should_stop, learner.on_progress = threading.Event(), lambda _: None
    assert repr(learner) == shown
    assert {"should_stop", "on_progress"}.isdisjoint(learner.get_params())
    copiers: list[Callable[[Any], Any]] = [copy.copy, copy.deepcopy]
    for copied in copiers:
        other = copied(learner)
        assert (other.should_stop, other.on_progress) == (None, None)
        assert said(other) == before
    assert (clone(learner).should_stop, clone(learner).on_progress) == (None, None)


def test_the_minimiser_is_followed() -> None:
    seen: list[tuple[int, float]] = []

    def bowl(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return 1 + (x**4).sum(1), 4 * x**3

    def follow(made: int, fell: torch.Tensor, whole: torch.Tensor) -> None:
        assert fell.shape == whole.shape == (3,)
        seen.append((made, float((fell / whole).max())))
        if made == 4:
            raise Cancelled

    start = torch.arange(1.0, 16.0).reshape(3, 5) / 10
    with pytest.raises(Cancelled):
        minimise(bowl, start, max_iter=50, tol=0.0, follow=follow)
    assert [made for made, _ in seen] == [1, 2, 3, 4]
    assert seen[-1][1] < seen[0][1]


def test_a_search_for_a_temperature_ends_when_told() -> None:
    looks = Looks(1)

    def check() -> None:
        if looks():
            raise Cancelled

    logits, codes = torch.randn(2, 9), torch.arange(9) % 2
    with pytest.raises(Cancelled):
        best_temperature(logits, Categorical(codes), torch.ones(9), check)


def test_a_part_takes_its_share_of_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "LONG", 1e-9)
    monkeypatch.setattr(progress, "INTERVAL", 0.0)
    reports: list[int] = []
    course = Course(lambda p: reports.append(p.done))
    course.plan(4)
    course.part(1)
    course.reach(0.5)
    course.reach(1.0)
    course.plan(3)  # more is needed than was thought
    course.part(3)
    course.reach(0.0)
    course.reach(1.0)
    course.part(3)
    course.reach(0.5)
    course.reach(0.2)  # never back
    course.part(5)  # not planned: nothing is left for it
    course.reach(0.5)
    course.end()
    assert reports == [125, 250, 250, 625, 812, 812, 1000]


# ------------------------------------------------------------------ in a session


def session(learner: HeadEnsemble, batch_size: int = 500, **options: Any) -> al.Session:
    made = al.Session(
        al.Pool.from_arrays(X),
        al.Classification(["a", "b", "c"]),
        learner=learner,
        batch_size=batch_size,
        audit=0,
        **options,
    )
    for item in made.next(30):
        made.record(item.id, "abc"[Y[item.index]])
    return made


@pytest.fixture
def endless(kind: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[al.Session]:
    monkeypatch.setattr(progress, "LONG", 1e-9)
    made = session(HeadEnsemble(**{**kind, **ENDLESS}))
    yield made
    made.close()


def test_a_session_ends_a_fit_of_heads(endless: al.Session) -> None:
    fractions: list[float] = []
    notices: list[str] = []
    several = threading.Event()

    def note(report: Progress) -> None:
        fractions.append(report.fraction)
        if len(fractions) == 3:
            several.set()

    endless.on("progress", note)
    endless.on("notice", notices.append)
    endless.retrain(wait=False)
    assert several.wait(30)
    assert 0 <= (endless.fit_progress or 0) < 1
    # Meanwhile labelling goes on.
    item = endless.next(1, wait=False)[0]
    endless.record(item.id, "abc"[Y[item.index]])
    endless.cancel()
    assert endless._loop._trainer.wait(20)
    assert (endless.training, endless.version, endless.error) == (False, 0, None)
    assert notices == ["Training was stopped; there is no model yet."]
    assert fractions == sorted(fractions)
    # It can train again.
    endless._loop.learner.set_params(max_iter=100, tol=1e-4, patience=2)  # type: ignore[attr-defined]
    result = endless.retrain()
    assert result is not None
    assert (result.version, len(endless.labels())) == (1, 31)
    learner: Any = endless._loop.learner
    assert (learner.on_progress, learner.should_stop) == (None, None)


def test_a_strategy_that_fits_heads_again_and_again_can_be_stopped() -> None:
    class Patient(HeadEnsemble):
        """Fits at once, until it is told to take its time; then only a stop ends it."""

        began = threading.Event()
        slow = threading.Event()

        def _fit(self, *args: Any) -> None:
            if type(self).slow.is_set():
                type(self).began.set()
                vars(self).update(ENDLESS)
            super()._fit(*args)

    learner = Patient(members=1, hidden=2, max_iter=1, device="cpu")
    labelling = session(learner, batch_size=30, strategy="expected_error_reduction")
    labelling.next()
    version = labelling.version
    assert version > 0
    assert labelling.error is None
    before = labelling.predict_proba(X[:5])
    Patient.slow.set()
    labelling.prepare(70)
    assert Patient.began.wait(20)
    labelling.cancel()
    assert labelling._loop._trainer.wait(20)
    assert (labelling.version, labelling.error) == (version, None)
    np.testing.assert_array_equal(labelling.predict_proba(X[:5]), before)
    Patient.slow.clear()
    assert len(labelling.next(65)) == 65
    labelling.close()
