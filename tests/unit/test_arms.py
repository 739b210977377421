"""The random arm beside the active arm in a session."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

import alwidgets as al
from alwidgets.arms import ARMS
from alwidgets.audit import Audit, lots_of
from alwidgets.learners.progress import Cancelled
from alwidgets.ledger import NOTHING
from alwidgets.readings import training_set
from alwidgets.sharing import NO_ORDER, Order, Shares, Sharing
from alwidgets.strategies import Selection

RNG = np.random.default_rng(0)
N = 400
CENTRES = np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 3.0]])
TRUTH = RNG.integers(0, 3, N)
X = (CENTRES[TRUTH] + RNG.normal(size=(N, 2))).astype(np.float32)
NAMES = ["red", "green", "blue"]

Make = Callable[..., al.Session]


def quick() -> Any:
    return al.HeadEnsemble(members=2, device="cpu")


def opened(store: Any = None, *, n: int = N, **options: Any) -> al.Session:
    pool = al.Pool.from_arrays(X[:n], ids=range(n))
    options = {
        "batch_size": 15,
        "audit": 0.2,
        "compare": "random",
        "learner": quick(),
        "executor": al.InlineExecutor(),
    } | options
    return al.Session(pool, al.Classification(NAMES), store, **options)


@pytest.fixture
def make(request: pytest.FixtureRequest) -> Make:
    def make(store: Any = None, **options: Any) -> al.Session:
        session = opened(store, **options)
        request.addfinalizer(session.close)
        return session

    return make


def join(session: al.Session, n: int) -> None:
    there = len(session.pool)
    session.pool.extend(X[there : there + n], ids=range(there, there + n))


def label(session: al.Session, n: int) -> None:
    for _ in range(n):
        item = session.next()[0]
        session.record(item.id, NAMES[TRUTH[item.index]])


# ---------------------------------------------------------------------- the cards


def test_the_cards_are_half_and_half_and_say_why_they_are_there(make: Make) -> None:
    session = make()
    label(session, 90)
    labels = session.labels()
    train = labels[labels["stream"] == "train"]
    by = Counter(train["strategy"] == "random")
    assert abs(by[True] - by[False]) <= 10
    at_random = train[train["strategy"] == "random"]
    assert (at_random["q"] > 0).all()
    assert at_random["score"].isna().all()


@pytest.mark.parametrize("ahead", [0, 6, -6])
def test_the_coin_levels_the_arms_and_foretells_nothing(ahead: int) -> None:
    n, runs = 40, 300
    picked = Selection(
        np.arange(n), np.ones(n), np.full(n, -3.0), np.zeros(n, dtype=bool), "margin", ""
    )
    found = [
        Shares(np.arange(100, 100 + n), ahead).out(picked, 200, seed).at_random
        for seed in range(runs)
    ]
    # In the end the arms are level, from wherever they began.
    left = ahead + n - 2 * np.sum(found, axis=1)
    assert np.abs(left).max() <= 14
    assert abs(left.mean()) < 1.0
    if ahead == 0:
        # And before each card either may come.
        share = np.mean(found, axis=0)
        assert share.min() > 0.4
        assert share.max() < 0.6


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_batch_holds_each_item_once_whoever_draws_it(data: st.DataObject) -> None:
    free = data.draw(st.permutations(range(30)))
    n = data.draw(st.integers(1, 15))
    lots = np.array(data.draw(st.permutations(range(30)))[:n])
    picked = Selection(
        np.array(free[:n]), np.ones(n), np.zeros(n), np.zeros(n, dtype=bool), "margin", ""
    )
    shares = Shares(lots, data.draw(st.integers(-20, 20)))
    batch = shares.out(picked, 30, data.draw(st.integers(0, 99)))
    assert len(set(batch.indices.tolist())) == n
    # Each side is taken in its own order, and nothing else comes.
    for of, mask in ((lots, batch.at_random), (picked.indices, ~batch.at_random)):
        mine = batch.indices[mask].tolist()
        assert mine == [item for item in of.tolist() if item in mine]
    np.testing.assert_allclose(
        batch.log_q[batch.at_random], -np.log(30 - np.flatnonzero(batch.at_random))
    )


def test_without_a_comparison_nothing_is_shared_out(make: Make) -> None:
    session = make(compare=None, strategy="margin")
    assert session.compare == "off"
    label(session, 60)
    assert "random" not in set(session.labels().query("stream == 'train'")["strategy"])
    arms = session.arms()
    assert (arms.active, arms.random, arms.forecast) == ([], [], [])
    assert not arms.difference.known
    for words in (arms.difference.method, arms.saved.why_not):
        assert "compare='random'" in words


# ---------------------------------------------------------------------- the labels


def arms_of(session: al.Session) -> dict[str, set[int]]:
    return {
        arm: set(items.tolist())
        for arm, items in zip(ARMS, session._loop.sharing.arms(), strict=True)
    }


@settings(max_examples=8, deadline=None)
@given(st.lists(st.sampled_from(["label", "skip", "undo", "choose", "flag", "join"]), max_size=50))
def test_no_arm_has_a_label_of_the_audit_or_one_not_drawn_for_it(course: list[str]) -> None:
    with closing(opened(n=80, batch_size=5, strategy="margin")) as session:
        label(session, 12)
        sizes = [80]
        for step in course:
            items = session.next()
            if not items:
                break
            if step == "undo":
                session.undo()
            elif step == "choose":
                session.queue([items[-1].id])
            elif step == "skip":
                session.skip(items[0].id)
            elif step == "flag":
                session.flag(items[0].id)
            elif step == "join":
                join(session, 3)
                sizes.append(len(session.pool))
            else:
                session.record(items[0].id, NAMES[TRUTH[items[0].index]])
        arms = arms_of(session)
        labels = session.labels()
        reserved = set(np.flatnonzero(session.reserved).tolist())
        trained = set(training_set(session._ledger)[0].tolist())
        assert arms["active"] | arms["random"] == trained
        assert not (arms["active"] | arms["random"]) & reserved
        rank = {item: at for at, item in enumerate(session._loop.sharing.order.items.tolist())}
        standing = session._ledger.standing
        for item_id, row in labels[labels["use"] == "train"].iterrows():
            item = int(item_id)
            if row["stream"] != "train":
                assert item in arms["active"]
                assert item in arms["random"]
            elif row["strategy"] == "random":
                assert item not in arms["active"]
                assert item in arms["random"]
            else:
                assert item in arms["active"]
                # Only where the random arm's order has come to it, among those of some time.
                before = [k for k in rank if rank[k] < rank[item]]
                assert (item in arms["random"]) == any(
                    item < n and all(standing[k] != -1 for k in before if k < n) for n in sizes
                )


def test_a_label_that_both_drew_serves_both(make: Make) -> None:
    session = make(n=60, strategy="margin", audit=0.1)
    label(session, 45)
    arms = arms_of(session)
    by = session.labels()["strategy"]
    crossed = [item for item in arms["random"] if by[str(item)] not in ("random", None)]
    assert crossed
    assert set(crossed) <= arms["active"]


def test_the_arms_train_on_their_labels_alone(make: Make) -> None:
    fits: list[tuple[NDArray[Any], bool]] = []

    class Recorder(LogisticRegression):  # type: ignore[misc]
        def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
            fits.append(np.asarray(X))
            return super().fit(X, y, sample_weight)

    session = make(learner=al.SklearnLearner(Recorder(), members=1))
    label(session, 60)
    place = {tuple(row): at for at, row in enumerate(X)}
    reserved = set(np.flatnonzero(session.reserved).tolist())
    trained = [frozenset(place[tuple(row)] for row in fit) for fit in fits]
    assert not set().union(*trained) & reserved
    # The last labels that each arm had.
    labels = session.labels().query("use == 'train'")
    for arm, point in zip(
        ARMS, (session.arms().active[-1], session.arms().random[-1]), strict=True
    ):
        assert any(len(one) == point.n_labels and one <= arms_of(session)[arm] for one in trained)
    assert len(labels) > max(point.n_labels for point in session.arms().active)


# ---------------------------------------------------------------------- the curve


def test_the_arms_are_told_after_the_round_and_its_cards(make: Make) -> None:
    session = make()
    told: list[str] = []
    for name in ("round", "queue", "arms"):
        session.on(name, lambda *_, name=name: told.append(name))
    label(session, 60)
    last = len(told) - 1 - told[::-1].index("arms")
    assert told[last - 2 : last + 1] == ["round", "queue", "arms"]
    assert told.count("arms") == len({p.version for p in session.arms().random})


class Later:
    """Runs jobs when it is told to."""

    def __init__(self) -> None:
        self.jobs: list[Callable[[], None]] = []

    def submit(self, job: Callable[[], None]) -> None:
        self.jobs.append(job)

    def join(self) -> None:
        pass


def test_what_is_behind_passes_rounds_over(make: Make) -> None:
    session = make()
    label(session, 30)
    later = Later()
    session._loop.arms._trainer._executor = later
    known = len(session.arms().active)
    before = session.version
    label(session, 60)
    # Rounds came and went meanwhile, and one fit waits.
    assert session.version >= before + 3
    assert len(later.jobs) == 1
    assert len(session.arms().active) == known
    later.jobs.pop()()
    assert [p.version for p in session.arms().active][known:] == [session.version]


def test_points_rest_on_the_same_audit_labels(make: Make) -> None:
    session = make()
    label(session, 120)
    arms = session.arms()
    assert len(arms.active) == len(arms.random) >= 5
    audited = session.progress()["audit"]
    for points in (arms.active, arms.random):
        assert [p.n_labels for p in points] == sorted(p.n_labels for p in points)
        assert {p.estimate.n for p in points} == {audited}
    assert abs(arms.active[-1].n_labels - arms.random[-1].n_labels) <= 15
    assert arms.difference.n == audited
    assert arms.difference.low <= arms.difference.value <= arms.difference.high
    each = min(arms.active[-1].n_labels, arms.random[-1].n_labels)
    mine, theirs = (
        min(points[::-1], key=lambda p: abs(p.n_labels - each))
        for points in (arms.active, arms.random)
    )
    gain = mine.estimate.value - theirs.estimate.value
    assert arms.difference.value == pytest.approx(gain)
    assert arms.forecast[0].labels == arms.random[-1].n_labels
    assert arms.forecast[-1].labels >= 2 * arms.random[-1].n_labels
    assert all(0 <= p.low <= p.value <= p.high <= 1 for p in arms.forecast)


def test_early_on_it_says_what_is_missing(make: Make) -> None:
    session = make()
    label(session, 5)
    arms = session.arms()
    assert "no model of either arm yet" in arms.saved.why_not
    assert "no model of either arm yet" in arms.difference.method
    assert arms.forecast == []
    assert arms.no_forecast
    label(session, 45)
    arms = session.arms()
    assert "audit labels are too few" in arms.saved.why_not
    assert "at least 6 points" in arms.no_forecast
    with pytest.raises(al.AlwidgetsError, match="must be an accuracy"):
        session.labels_saved(1.5)


def test_an_arm_of_one_class_has_no_model(make: Make) -> None:
    session = make()
    early = set(session._loop.sharing.order.items[:120].tolist())
    for _ in range(60):
        item = session.next()[0]
        # Whatever the random arm comes to is of one class.
        session.record(item.id, "red" if item.index in early else NAMES[TRUTH[item.index]])
    arms = session.arms()
    assert arms.random == []
    assert arms.active
    assert "no model of the random arm yet: it takes labels of two classes" in arms.saved.why_not


def test_active_labels_that_mislead_are_found_out(make: Make) -> None:
    session = make(strategy="margin", audit=0.3)
    for _ in range(110):
        item = session.next()[0]
        is_active = item.stream == "train" and item.strategy != "random"
        session.record(item.id, NAMES[(TRUTH[item.index] + is_active) % 3])
    assert session.arms().difference.high < 0
    assert "random labels do better" in str(session.losing)


# ---------------------------------------------------------------------- over restarts


def test_a_store_that_is_opened_again_has_the_same_arms(tmp_path: Path) -> None:
    path = tmp_path / "labels.db"
    with closing(opened(path)) as session:
        label(session, 75)
        before = session.arms()
    with closing(opened(path, compare=None)) as again:
        # To the last bit, for the same was said of the same labels.
        assert again.arms() == before
        label(again, 45)
        after = again.arms()
        train = again.labels().query("stream == 'train'")["strategy"].iloc[-30:]
        assert 8 <= (train == "random").sum() <= 24
    assert [p.n_labels for p in after.random][: len(before.random)] == [
        p.n_labels for p in before.random
    ]
    assert len(after.random) > len(before.random)


class Never:
    """Has no thread to run a job in."""

    def submit(self, job: Callable[[], None]) -> None:
        raise RuntimeError("can't start new thread")

    def join(self) -> None:
        pass


def test_what_was_killed_in_a_fit_is_fitted_when_it_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "labels.db"
    with closing(opened(path)) as session:
        label(session, 45)
        session._loop.arms._trainer._executor = Never()
        label(session, 20)
        assert session.arms().active[-1].version < session.version
    with closing(opened(path)) as again:
        assert again.arms().active[-1].version == again.version


KILLED = """
import os, signal, sys
from importlib.util import module_from_spec, spec_from_file_location

spec = spec_from_file_location("arms", sys.argv[1])
tests = module_from_spec(spec)
spec.loader.exec_module(tests)
session = tests.opened(sys.argv[2])
tests.label(session, 75)
print(repr(session.arms()), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_process_leaves_its_arms(tmp_path: Path) -> None:
    path = tmp_path / "labels.db"
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, __file__, str(path)], capture_output=True, text=True
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    with closing(opened(path)) as again:
        assert repr(again.arms()) == killed.stdout.strip()
        assert len(again.arms().random) >= 4


def test_labels_from_before_the_comparison_serve_both(tmp_path: Path) -> None:
    path = tmp_path / "labels.db"
    with closing(opened(path, compare=None, strategy="margin")) as session:
        label(session, 40)
        had = set(training_set(session._ledger)[0].tolist())
    with closing(opened(path, strategy="margin")) as session:
        label(session, 60)
        arms = arms_of(session)
        assert had <= arms["active"] & arms["random"]
        both = len(arms["active"] & arms["random"])
        assert len(arms["active"] - arms["random"]) > 10
        assert len(arms["random"] - arms["active"]) > 10
    with closing(opened(path, compare="off", strategy="margin")) as session:
        kept = session.arms()
        label(session, 60)
        last = session.labels().query("stream == 'train'")["strategy"].iloc[-40:]
        assert "random" not in set(last)
        # The curves stay as they were, judged by more audit labels.
        assert [p.n_labels for p in session.arms().random] == [p.n_labels for p in kept.random]
    with closing(opened(path, strategy="margin")) as session:
        arms = arms_of(session)
        assert len(arms["active"] & arms["random"]) > both + 30


def test_classes_that_were_merged_are_one_for_the_arms_too(tmp_path: Path) -> None:
    path = tmp_path / "labels.db"
    with closing(opened(path)) as session:
        label(session, 60)
        before = session.arms()
        session.merge_classes("blue", "green")
        merged = session.arms()
    # What was taken for the one and is the other is no error any more; another model may have come.
    for points in ("active", "random"):
        pairs = zip(getattr(before, points), getattr(merged, points), strict=False)
        assert all(was.estimate.value <= now.estimate.value for was, now in pairs)
    with closing(opened(path)) as again:
        assert again.arms() == merged


def test_a_pool_that_grows_keeps_its_arms_and_they_go_on_once_random_cards_have_caught_up(
    make: Make,
) -> None:
    session = make(n=150)
    label(session, 45)
    before = session.arms()
    assert not before.catching_up
    session.pool.extend(X[150:220], ids=range(150, 220))
    sharing, counts = session._loop.sharing, [len(before.random)]
    for _ in range(150):
        label(session, 1)
        arms = session.arms()
        order, standing = sharing.order, session._ledger.standing
        done = order.passed(standing, len(session.pool))
        old = order.passed(standing, 150)
        assert arms.catching_up == bool(np.setdiff1d(old, done).size)
        if not arms.catching_up and arms.random[-1].version == session.version:
            break
        # Old and new together are a sample of neither pool: no model is fitted on them.
        counts.append(len(arms.random))
        assert not arms.catching_up or counts[-1] == counts[-2]
    assert len(counts) > 10
    assert len(arms.random) > len(before.random)
    assert arms.random[-1].estimate.known


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_what_the_order_has_come_to_stays_when_items_join(data: st.DataObject) -> None:
    n, more = data.draw(st.integers(1, 40)), data.draw(st.integers(0, 40))
    ids = [f"item {k}" for k in range(n + more)]
    audit = Audit(ids[:n], 0.2, data.draw(st.integers(0, 99)))
    order = NO_ORDER.grown(ids[:n], audit)
    grown = order.grown(ids, audit.grown(ids))
    done = data.draw(st.lists(st.sampled_from([NOTHING, 0]), min_size=n, max_size=n))
    for k in order.items[: data.draw(st.integers(0, n))]:
        done[k] = 0
    before = order.passed(np.array(done, dtype=np.int32), n).tolist()
    standing = np.array(done + more * [NOTHING], dtype=np.int32)
    assert grown.passed(standing, n).tolist() == before
    # What joined and has a lower lot comes next; once it is done, all is one order again.
    last = before[-1:]
    end = grown.lots[last].max(initial=0)
    late = [k for k in grown.items.tolist() if k >= n and grown.lots[k] < end]
    open_ = grown.items[standing[grown.items] == NOTHING]
    assert open_[: len(late)].tolist() == late
    standing[late] = 0
    caught_up = grown.passed(standing, n + more).tolist()
    assert set(caught_up) >= set(before) | set(late)
    assert caught_up == grown.items[: len(caught_up)].tolist()


def test_labels_of_the_random_arm_stay_its_own_when_items_join(tmp_path: Path) -> None:
    path = tmp_path / "labels.db"
    with closing(opened(path, n=60, strategy="margin", audit=0.1)) as session:
        label(session, 45)
        before = arms_of(session)
        assert before["active"] & before["random"]
        join(session, 60)
        # Some of what joined stands before what the order had come to, and waits.
        order, standing = session._loop.sharing.order.items, session._ledger.standing
        at = np.flatnonzero(standing[order] == NOTHING)[0]
        assert np.isin(order[at:], sorted(before["active"] & before["random"])).any()
        assert arms_of(session) == before
        label(session, 10)
        after = arms_of(session)
        assert before["random"] <= after["random"]
    with closing(opened(path, n=120, strategy="margin", audit=0.1)) as again:
        assert arms_of(again) == after


def test_the_labels_are_shared_out_once_and_the_order_is_made_without_the_lock(make: Make) -> None:
    session = make(n=150)
    label(session, 40)
    sharing = session._loop.sharing
    found = sharing.arms()
    assert sharing.arms() is found
    label(session, 1)
    assert sharing.arms() is not found
    is_held: list[bool] = []

    def grown(ids: Any, audit: Audit) -> Order:
        is_held.append(session._lock._is_owned())  # type: ignore[attr-defined]
        return Sharing.grown(sharing, ids, audit)

    sharing.grown = grown  # type: ignore[method-assign]
    join(session, 10)
    assert is_held == [False]
    assert len(sharing.order.lots) == 160


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"compare": "margin"}, "compare='margin' is none: 'random' shares out"),
        ({"compare": "random", "audit": 0}, "give audit=0.15"),
        ({"compare": "random", "strategy": "random"}, "give another strategy, such as 'auto'"),
    ],
)
def test_a_comparison_that_cannot_be_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(al.AlwidgetsError, match=words):
        opened(**options)


def test_a_task_without_a_model_has_no_arms() -> None:
    pool = al.Pool.from_texts(["teh cat", "a dog"])
    with pytest.raises(al.AlwidgetsError, match="none is trained for"):
        al.Session(pool, al.Correction(), compare="random")


# ---------------------------------------------------------------------- every kind


@pytest.mark.parametrize("kind", ["binary", "rating", "multilabel"])
def test_every_kind_of_task_has_arms(kind: str) -> None:
    tasks: dict[str, Any] = {
        "binary": (al.Binary("red"), lambda k: bool(TRUTH[k] == 0)),
        "rating": (al.Rating(1, 3), lambda k: int(TRUTH[k]) + 1),
        "multilabel": (
            al.MultiLabel(["low", "left"]),
            lambda k: [n for n, at in (("low", 0), ("left", 1)) if X[k, at] < 1],
        ),
    }
    task, answer = tasks[kind]
    pool = al.Pool.from_arrays(X[:150], ids=range(150))
    options: dict[str, Any] = {"batch_size": 15, "learner": quick(), "compare": "random"}
    with closing(al.Session(pool, task, executor=al.InlineExecutor(), **options)) as session:
        for _ in range(60):
            item = session.next()[0]
            session.record(item.id, answer(item.index))
        arms = session.arms()
        assert len(arms.active) == len(arms.random) >= 2
        assert arms.random[-1].estimate.value > 0.4
        assert arms.difference.known


def test_rounds_go_on_while_an_arm_is_fitted_and_that_can_be_stopped(make: Make) -> None:
    begun = threading.Event()
    of_arms: list[Any] = []

    class Slow(al.HeadEnsemble):
        def fit(self, X: Any, y: Any, *, classes: int | None = None) -> Any:
            if of_arms and self.should_stop is of_arms[0]:
                begun.set()
                of_arms[0].wait(60)
                raise Cancelled("It was stopped.")
            return super().fit(X, y, classes=classes)

    session = make(executor=None, learner=Slow(members=2, device="cpu"))
    of_arms.append(session._loop.arms._trainer.stop)
    label(session, 20)
    assert begun.wait(60)
    before = session.version
    label(session, 30)
    session.retrain()
    assert session.version > before
    assert session.arms().active == []
    session.cancel()
    assert session.error is None


def test_in_the_background_nothing_waits_for_the_arms(make: Make) -> None:
    session = make(executor=None)
    label(session, 60)
    arms = session.arms(wait=True)
    assert arms.active[-1].version == session.version


def test_the_order_of_the_random_arm_goes_by_the_items_and_not_by_their_places() -> None:
    names = [f"item {k}" for k in range(50)]
    turned = names[::-1]
    assert lots_of(turned, "0 random arm")[::-1].tolist() == lots_of(names, "0 random arm").tolist()
    assert (
        lots_of(names[:20], "0 random arm").tolist() == lots_of(names, "0 random arm")[:20].tolist()
    )
    orders = []
    for ids in (names, turned):
        pool = al.Pool.from_arrays(np.random.default_rng(0).normal(size=(50, 3)), ids=ids)
        with closing(
            al.Session(
                pool, al.Classification(["a", "b"]), compare="random", executor=al.InlineExecutor()
            )
        ) as session:
            orders.append([pool.ids[at] for at in session._loop.sharing.order.items])
    assert orders[0] == orders[1]
