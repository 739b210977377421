"""A session in a plain script: the loop, undo, the queue, the audit, resuming, bad input."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import alwidgets as al
from alwidgets.errors import (
    AnswerError,
    LearnerError,
    StoreError,
    StoreInUseError,
    StrategyError,
    TaskError,
    UnknownItemError,
)
from alwidgets.readings import audit_sample
from alwidgets.schema import Event

RNG = np.random.default_rng(0)
N = 120
CENTRES = np.array([[0.0, 0.0], [6.0, 0.0], [0.0, 6.0]])
TRUTH = RNG.integers(0, 3, N)
X = CENTRES[TRUTH] + RNG.normal(size=(N, 2))
NAMES = ["red", "green", "blue"]

Make = Callable[..., al.Session]


@pytest.fixture
def make(request: pytest.FixtureRequest) -> Make:
    def make(store: Any = None, pool: al.Pool | None = None, **options: Any) -> al.Session:
        pool = pool or al.Pool.from_arrays(X, ids=range(N))
        options = {"batch_size": 10, "executor": al.InlineExecutor()} | options
        session = al.Session(pool, al.Classification(NAMES), store, **options)
        request.addfinalizer(session.close)
        return session

    return make


def truth(item_id: str) -> str:
    return NAMES[TRUTH[int(item_id)]]


def label(session: al.Session, n: int) -> list[str]:
    """Answer n cards rightly, five at a time."""
    done: list[str] = []
    while len(done) < n:
        for item in session.next(min(5, n - len(done))):
            session.record(item.id, truth(item.id))
            done.append(item.id)
    return done


def test_the_same_items_until_they_are_answered(make: Make) -> None:
    session = make()
    first = [i.id for i in session.next(5)]
    assert [i.id for i in session.next(5)] == first
    session.record(first[0], "red")
    assert [i.id for i in session.next(4)] == first[1:]


def test_labelling_trains_and_the_model_learns(make: Make) -> None:
    session = make()
    done = label(session, 60)
    assert len(set(done)) == 60
    assert [r.version for r in session.rounds] == [1, 2, 3, 4, 5, 6]
    assert (session.predict(X) == np.array(NAMES)[TRUTH]).mean() > 0.9
    assert session.predict_proba(X[:3]).shape == (3, 3)
    assert list(session.labels()["answer"]) == [truth(i) for i in session.labels().index]


def test_everything_can_be_labelled_and_then_nothing_is_left(make: Make) -> None:
    session = make()
    assert sorted(label(session, N), key=int) == [str(i) for i in range(N)]
    assert session.next(5) == []
    assert session.exhausted
    assert session.progress()["labelled"] == N


def test_audit_labels_never_train(make: Make) -> None:
    session = make(audit=0.3)
    seen: list[np.ndarray] = []

    class Spy(al.HeadEnsemble):
        def fit(self, features: Any, y: Any, *, classes: int | None = None) -> Any:
            seen.append(np.asarray(features))
            return super().fit(features, y, classes=classes)

    session = make(audit=0.3, learner=Spy())
    label(session, 80)
    labels = session.labels()
    audited = labels.index[labels["use"] == "audit"]
    assert len(audited) == pytest.approx(0.3 * 80, abs=1)
    kept = {tuple(X[int(i)].astype(np.float32)) for i in audited}
    assert seen
    assert not kept & {tuple(row) for rows in seen for row in rows}


def test_audit_cards_hide_the_suggestion_and_the_others_show_it(make: Make) -> None:
    session = make(audit=0.3)
    label(session, 30)
    items = session.next(20)
    assert {i.stream for i in items} == {"train", "audit"}
    for item in items:
        assert (item.suggestion is None) == (item.stream == "audit")
        if item.suggestion is not None:
            assert item.suggestion in NAMES
            assert 1 / 3 <= (item.confidence or 0) <= 1


def test_the_estimate_is_that_of_the_audit_labels(make: Make) -> None:
    session = make(audit=0.3)
    assert np.isnan(session.estimate().value)
    label(session, 80)
    labels = session.labels()
    audited = [int(i) for i in labels.index[labels["use"] == "audit"]]
    right = session.predict(X[audited]) == np.array(NAMES)[TRUTH[audited]]
    estimate = session.estimate("accuracy")
    assert estimate.n == len(audited)
    assert estimate.value == pytest.approx(right.mean())
    assert estimate.low <= estimate.value <= estimate.high
    assert session.rounds[-1].n_audit <= estimate.n


def test_every_card_is_a_logged_draw(make: Make) -> None:
    session = make(audit=0.3, strategy="margin")
    label(session, 50)
    drawn = {d.draw_id: d for d in session.store.draws()}
    for event in session.store.events():
        assert drawn[event.draw_id or ""].item_id == event.item_id
    audits = [d for d in drawn.values() if d.stream == "audit"]
    assert [d.q for d in audits] == [1 / (N - k) for k in range(len(audits))]
    sampled = [d for d in drawn.values() if d.strategy == "margin"]
    assert sampled
    assert all(0 < (d.q or 0) <= 1 for d in sampled)


def test_undo_brings_the_card_back_first(make: Make) -> None:
    session = make()
    one, two, *_ = session.next(3)
    session.record(one.id, "red")
    session.record(two.id, "red")
    undone = session.undo()
    assert undone is not None
    assert undone.item_id == two.id
    assert session.next(1)[0].id == two.id
    assert session.next(1)[0].draw_id == two.draw_id
    session.undo()
    assert [i.id for i in session.next(2)] == [one.id, two.id]
    assert session.undo() is None
    assert session.labels().empty


def test_undo_is_an_event(make: Make) -> None:
    session = make()
    event = session.record("3", "red")
    session.undo()
    kinds = [(e.kind, e.target) for e in session.store.events()]
    assert kinds == [("answer", None), ("retract", event.event_id)]


def test_skip_and_flag(make: Make) -> None:
    session = make()
    item = session.next()[0]
    session.skip(item.id)
    assert item.id not in {i.id for i in session.next(50)}
    flag = session.flag("5")
    assert session.flag_of("5") == flag
    session.record("5", "red")
    assert bool(session.labels().loc["5", "flagged"])
    session.retract(flag.event_id)
    assert session.flag_of("5") is None
    assert session.progress()["skipped"] == 1


def test_an_answer_can_be_changed(make: Make) -> None:
    session = make()
    session.record("3", "red")
    session.record("3", "blue")
    assert list(session.labels()["answer"]) == ["blue"]
    assert session.label_codes()[3] == 2


def test_chosen_items_come_first(make: Make) -> None:
    session = make(audit=0.3)
    label(session, 10)
    reserved = [str(i) for i in np.flatnonzero(session._ledger.audit.reserved)]
    answered = next(iter(session.labels().index))
    free = [str(i) for i in range(N) if str(i) not in {*reserved, *session.labels().index}]
    wanted = [free[7], free[3], next(r for r in reserved if r not in session.labels().index)]
    report = session.queue([*wanted, answered])
    assert (report.queued, report.labelled, report.kept_for_audit) == (3, 1, 1)
    items = session.next(4)
    assert [i.id for i in items[:3]] == wanted
    assert {i.stream for i in items[:3]} == {"chosen"}
    assert items[2].suggestion is None
    for item in items[:3]:
        session.record(item.id, truth(item.id))
    labels = session.labels()
    assert list(labels.loc[wanted, "use"]) == ["train", "train", "held"]


def test_a_held_label_counts_once_its_item_is_drawn_for_the_audit(make: Make) -> None:
    session = make(audit=0.3)
    first = session.pool.ids[session._ledger.audit.order[0]]
    session.record(first, truth(first))
    assert session.labels().loc[first, "use"] == "held"
    label(session, 20)
    assert session.labels().loc[first, "use"] == "audit"
    assert len(session.labels()) == 21


def test_resume(make: Make, tmp_path: Path) -> None:
    session = make(tmp_path / "labels.db")
    label(session, 25)
    chosen = next(i for i in session.pool.ids if i not in session.labels().index)
    session.queue([chosen])
    labels, upcoming = session.labels(), session.upcoming()
    rounds, proba = session.rounds, session.predict_proba(X)
    session.close()

    again = make(tmp_path / "labels.db")
    assert again.labels().equals(labels)
    assert again.upcoming() == upcoming
    assert again.rounds == rounds
    assert again.version == 2
    np.testing.assert_array_equal(again.predict_proba(X), proba)
    label(again, 5)
    assert again.version == 3
    assert len(again.labels()) == 30


def test_resume_without_the_model_file_fits_anew(make: Make, tmp_path: Path) -> None:
    session = make(tmp_path / "labels.db")
    label(session, 25)
    session.close()
    files = list(tmp_path.glob("*.safetensors"))
    assert len(files) == 1
    files[0].write_bytes(b"broken")
    again = make(tmp_path / "labels.db")
    assert again.version == 3
    assert (again.predict(X) == np.array(NAMES)[TRUTH]).mean() > 0.8


def test_resume_counts_the_labels_that_no_model_has_seen(make: Make, tmp_path: Path) -> None:
    session = make(tmp_path / "labels.db")
    label(session, 18)
    session.close()
    again = make(tmp_path / "labels.db")
    assert again.version == 1
    label(again, 2)
    assert again.version == 2


def test_seed_and_audit_stay_those_of_the_store(make: Make, tmp_path: Path) -> None:
    session = make(tmp_path / "labels.db", seed=1, audit=0.3)
    order = list(session._ledger.audit.order)
    session.close()
    again = make(tmp_path / "labels.db", seed=2, audit=0.1)
    assert list(again._ledger.audit.order) == order


def test_the_same_seed_asks_the_same(make: Make) -> None:
    def run(seed: int) -> list[str]:
        return label(make(seed=seed), 40)

    assert run(1) == run(1)
    assert run(1) != run(2)


def test_threads_in_the_background_ask_the_same(make: Make) -> None:
    assert label(make(executor=None), 40) == label(make(), 40)


def test_training_is_what_the_signals_say_and_picking_is_none(make: Make) -> None:
    """A view that looks when it is told must not see a round that is over as under way."""
    session, seen = make(executor=None), []
    session.on("training", lambda on: seen.append((on, session.training)))
    session.on("round", lambda result: seen.append((result.fitted, session.training)))
    session.next(5)  # a round that picks only
    assert seen == [(False, False)]
    seen.clear()
    label(session, 30)
    session.retrain()
    # Told of in pairs: that a fit begins and ends, and then its round.
    assert seen[:3] == [(True, True), (False, False), (True, False)]
    assert all(not training for on, training in seen if not on)
    assert not session.training


def test_classes_are_renamed_and_merged_while_labelling(make: Make, tmp_path: Path) -> None:
    session = make(tmp_path / "labels.db")
    notices: list[str] = []
    session.on("notice", notices.append)
    done = label(session, 40)
    before = session.labels()["answer"]
    session.rename_class("red", "crimson")
    session.merge_classes("blue", into="green")
    assert notices == [
        "Class 'red' is called 'crimson' now.",
        "Class 'blue' is part of 'green' now.",
    ]
    now = {"red": "crimson", "green": "green", "blue": "green"}
    assert list(session.labels()["answer"]) == [now[a] for a in before]
    assert set(session.predict(X)) == {"crimson", "green"}
    # A label that was on its way under an old name.
    late = session.next()[0]
    session.record(late.id, truth(late.id))
    assert session.labels().loc[late.id, "answer"] == now[truth(late.id)]
    assert {item.suggestion for item in session.next(20)} <= {None, "crimson", "green"}
    right = [session.pool.index(i) for i in done]
    assert {int(c) for c in session.label_codes()[right]} == {0, 1}
    assert [(c.what, c.name, c.to, c.after) for c in session.store.class_changes()] == [
        ("rename", "red", "crimson", 40),
        ("merge", "blue", "green", 40),
    ]
    labels, codes = session.labels(), session.label_codes()
    session.close()
    again = make(tmp_path / "labels.db")
    assert again.labels().equals(labels)
    np.testing.assert_array_equal(again.label_codes(), codes)
    with pytest.raises(TaskError, match="'red' is no class"):
        again.rename_class("red", "ruby")
    assert len(again.store.class_changes()) == 2


def test_the_log_has_a_class_by_the_name_that_the_task_keeps(make: Make) -> None:
    session = make()
    notices: list[str] = []
    session.on("notice", notices.append)
    number: Any = np.int64(3)
    session.add_class(number)
    session.rename_class("red", number + 1)
    session.merge_classes("blue", into=number)
    changes = [(c.what, c.name, c.to) for c in session.store.class_changes()]
    assert changes == [("add", "3", None), ("rename", "red", "4"), ("merge", "blue", "3")]
    assert notices == [
        "Class '3' added.",
        "Class 'red' is called '4' now.",
        "Class 'blue' is part of '3' now.",
    ]


def test_a_change_of_the_classes_that_cannot_be_logged_is_none(make: Make, tmp_path: Path) -> None:
    session = make(tmp_path / "labels.db")
    with closing(sqlite3.connect(tmp_path / "labels.db")) as other, other:
        other.execute(
            "CREATE TRIGGER full BEFORE INSERT ON class_changes "
            "BEGIN SELECT RAISE(ABORT, 'no room'); END"
        )
    before = session.task.classes
    with pytest.raises(StoreError, match="no room"):
        session.rename_class("red", "crimson")
    assert session.task.classes == before
    session.close()
    again = make(tmp_path / "labels.db")
    assert again.task.classes == before
    assert again.store.class_changes() == []


def test_a_slip_in_a_class_name_is_put_right(make: Make, tmp_path: Path) -> None:
    session = make(tmp_path / "labels.db")
    label(session, 30)
    labels = session.labels()
    session.rename_class("red", "rde")
    late = session.next()[0]
    session.record(late.id, "rde")
    session.rename_class("rde", "red")
    assert session.labels().drop(index=late.id).equals(labels)
    assert session.labels().loc[late.id, "answer"] == "red"
    labels, codes = session.labels(), session.label_codes()
    session.close()
    again = make(tmp_path / "labels.db")
    assert again.task.classes == session.task.classes
    assert again.labels().equals(labels)
    np.testing.assert_array_equal(again.label_codes(), codes)


def test_other_tasks_have_no_classes_to_change(make: Make) -> None:
    session = al.Session(al.Pool.from_arrays(X), al.Rating(1, 3))
    with pytest.raises(AnswerError, match=r"Rating\(1, 3\) has no classes that could change"):
        session.rename_class("1", "one")
    session.close()


def test_a_session_records_while_it_trains(make: Make) -> None:
    started, go = threading.Event(), threading.Event()

    class Slow(al.HeadEnsemble):
        def fit(self, features: Any, y: Any, *, classes: int | None = None) -> Any:
            started.set()
            assert go.wait(10)
            return super().fit(features, y, classes=classes)

    session = make(learner=Slow(), executor=None)
    for item in session.next(30):
        session.record(item.id, truth(item.id))
    assert started.wait(10)
    assert session.training
    assert len(session.labels()) == 30
    ready = session.next(5, wait=False)
    assert ready
    session.record(ready[0].id, truth(ready[0].id))
    go.set()
    session.retrain()
    assert session.rounds[-1].n_train + session.rounds[-1].n_audit == 31


def test_events_are_told(make: Make) -> None:
    session = make()
    told: list[str] = []
    ends = [session.on(name, lambda *_, n=name: told.append(n)) for name in ("labelled", "round")]
    label(session, 10)
    assert told.count("labelled") == 10
    assert "round" in told
    for end in ends:
        end()
    told.clear()
    label(session, 10)
    assert told == []
    with pytest.raises(al.AlwidgetsError, match="no event 'unheard'"):
        session.on("unheard", print)


def test_a_listener_that_fails_harms_nobody(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    session = make()
    session.on("labelled", lambda event: 1 / 0)
    session.record("1", "red")
    assert len(session.labels()) == 1
    assert "a listener to 'labelled' failed" in caplog.text


def test_any_function_of_the_context_is_a_strategy(make: Make) -> None:
    session = make(strategy=lambda context: context.features[:, 0], audit=0)
    done = {int(i) for i in label(session, 10)}
    expected = [i for i in np.argsort(-X[:, 0]) if i not in done][:3]
    assert [int(i.id) for i in session.next(3)] == expected


def test_an_error_of_the_strategy_is_told_and_labels_go_on(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(context: Any) -> Any:
        if context.n_labelled:
            raise ZeroDivisionError("mine")
        return np.ones(len(context.indices))

    session = make(strategy=broken)
    errors: list[Exception] = []
    session.on("error", errors.append)
    label(session, 15)
    assert isinstance(session.error, ZeroDivisionError)
    assert len(errors) == 1
    assert len(session.labels()) == 15
    with pytest.raises(ZeroDivisionError, match="mine"):
        session.retrain()
    assert "labels are safe" in caplog.text


def test_a_class_can_be_added_while_labelling(make: Make, tmp_path: Path) -> None:
    session = make(tmp_path / "labels.db")
    label(session, 20)
    session.add_class("grey")
    session.record("5", "grey")
    session.retrain()
    assert session.predict_proba(X).shape == (N, 4)
    session.close()
    assert make(tmp_path / "labels.db").labels().loc["5", "answer"] == "grey"


def test_a_second_session_on_the_store_is_refused(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import __main__

    monkeypatch.setattr(__main__, "__file__", "script.py", raising=False)
    make(tmp_path / "labels.db")
    with pytest.raises(StoreInUseError, match=r"labels\.db is open in another session"):
        make(tmp_path / "labels.db")


def test_in_a_notebook_the_newer_session_takes_over(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import __main__

    older = make(tmp_path / "labels.db")
    older.record("1", "red")
    monkeypatch.delattr(__main__, "__file__", raising=False)
    newer = make(tmp_path / "labels.db")
    assert list(newer.labels().index) == ["1"]
    with pytest.raises(StoreError, match="A newer session has opened its store"):
        older.record("2", "red")


@pytest.mark.parametrize(
    ("do", "error", "says"),
    [
        (lambda s: s.record("zz", "red"), UnknownItemError, "no item 'zz'"),
        (lambda s: s.record(3, "red"), UnknownItemError, "no item 3"),
        (lambda s: s.record("3", "pink"), AnswerError, "'pink' is no class"),
        (lambda s: s.record("3", None), AnswerError, "None is no class"),
        (lambda s: s.record("3", "red", kind="shout"), AnswerError, "'shout' is no kind"),
        (lambda s: s.queue(["3", "zz"]), UnknownItemError, "no item 'zz'"),
        (lambda s: s.retract("zz"), AnswerError, "no event 'zz'"),
        (lambda s: s.predict(X), LearnerError, "no model yet"),
        (lambda s: s.estimate("beauty"), al.AlwidgetsError, "no metric 'beauty'"),
    ],
)
def test_bad_calls_are_named_and_change_nothing(
    make: Make, do: Callable[[al.Session], object], error: type[Exception], says: str
) -> None:
    session = make()
    upcoming = session.upcoming()
    with pytest.raises(error, match=says):
        do(session)
    assert session.store.events() == []
    assert session.upcoming() == upcoming


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"strategy": "magic"}, StrategyError, "Unknown strategy 'magic'"),
        ({"batch_size": 0}, al.AlwidgetsError, "at least 1"),
        ({"audit": 2}, al.AlwidgetsError, r"between 0 and 0\.5"),
        ({"audit": "0.1"}, al.AlwidgetsError, r"between 0 and 0\.5"),
        ({"batch_size": 2.5}, al.AlwidgetsError, "whole number"),
        ({"seed": None}, al.AlwidgetsError, "whole number"),
        ({"seed": True}, al.AlwidgetsError, "whole number"),
        ({"seed": np.float64(1)}, al.AlwidgetsError, "whole number"),
        ({"batch_size": np.int64(0)}, al.AlwidgetsError, "at least 1"),
        ({"ready": 0}, al.AlwidgetsError, "ready=0 must be a whole number of cards"),
        ({"ready": 1_001}, al.AlwidgetsError, "from 1 to 1,000"),
        ({"learner": al.HeadEnsemble}, LearnerError, r"give an instance of it, HeadEnsemble\("),
    ],
)
def test_bad_options(
    make: Make, tmp_path: Path, options: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        make(tmp_path / "labels.db", **options)
    make(tmp_path / "labels.db")  # the store was let go of


def test_whole_numbers_may_be_those_of_numpy(make: Make, tmp_path: Path) -> None:
    session = make(tmp_path / "labels.db", seed=np.int64(3), batch_size=np.int32(7))
    label(session, 8)
    assert (session.error, session.version, session.batch_size) == (None, 1, 7)
    upcoming = session.upcoming()
    session.close()
    again = make(tmp_path / "labels.db", seed=3, batch_size=7)
    assert (again.seed, again.upcoming()) == (3, upcoming)


def test_a_session_says_how_many_labels_a_batch_lacks(make: Make) -> None:
    session = make(batch_size=10)
    assert session.until_fit == 10
    label(session, 9)
    assert (session.until_fit, session.version) == (1, 0)
    label(session, 1)
    assert (session.until_fit, session.version) == (10, 1)
    label(session, 3)
    assert session.until_fit == 7


def test_a_batch_that_is_fitted_lacks_none(make: Make) -> None:
    class Held(al.HeadEnsemble):
        def fit(self, X: Any, y: Any, *, classes: Any = None) -> Any:
            begun.set()
            assert go_on.wait(30)
            return super().fit(X, y, classes=classes)

    begun, go_on = threading.Event(), threading.Event()
    session = make(learner=Held(), executor=None)
    label(session, 10)
    assert begun.wait(30)
    for item in session.next(2, wait=False):
        session.record(item.id, truth(item.id))
    assert session.until_fit == 0
    go_on.set()
    session.next()  # waits for the fit
    assert (session.until_fit, session.version) == (8, 1)


def test_a_closed_session_says_so(make: Make) -> None:
    session = make()
    session.close()
    session.close()
    for call in (lambda: session.record("1", "red"), session.next, session.retrain):
        with pytest.raises(StoreError, match="This session is closed"):
            call()


@pytest.mark.parametrize("n", [1, 2, 3])
def test_the_smallest_pools(make: Make, n: int) -> None:
    session = make(pool=al.Pool.from_arrays(X[:n], ids=range(n)), batch_size=1)
    assert len(label(session, n)) == n
    assert session.next() == []


def test_a_script_that_ends_while_it_trains_ends_well(tmp_path: Path) -> None:
    import subprocess
    import sys

    script = (
        "import alwidgets as al\n"
        "pool, truth = al.datasets.digits()\n"
        "s = al.Session(pool, al.Classification(range(10)), batch_size=5)\n"
        "for i in s.next(20): s.record(i.id, truth[i.index])\n"
        "s.retrain(wait=False)\n"
    )
    quiet = os.environ | {"TQDM_DISABLE": "1"}  # a slow machine shows how far it is
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=quiet)
    assert (done.returncode, done.stderr) == (0, "")


# ---------------------------------------------------------------------- found the hard way


def test_one_class_only_goes_on_for_as_long_as_it_takes(make: Make) -> None:
    session = make(audit=0.3)
    for _ in range(N):
        session.record(session.next()[0].id, "red")
    assert session.error is None
    assert session.exhausted
    assert session.estimate().n == 0


def test_a_restart_before_the_first_model(make: Make, tmp_path: Path) -> None:
    session = make(tmp_path / "labels.db", audit=0.3)
    label(session, 8)
    session.close()
    again = make(tmp_path / "labels.db", audit=0.3)
    assert again.error is None
    label(again, 4)
    assert again.version == 1


def test_a_model_is_not_used_on_features_it_was_not_fitted_on(make: Make, tmp_path: Path) -> None:
    def pool(features: Any) -> al.Pool:
        return al.Pool.from_arrays(features, content=[f"item {i}" for i in range(N)], ids=range(N))

    session = make(tmp_path / "labels.db", pool=pool(X))
    label(session, 30)
    session.close()
    again = make(tmp_path / "labels.db", pool=pool(3 - X[:, ::-1]))
    assert again.version == 4
    assert (again.predict(3 - X[:, ::-1]) == np.array(NAMES)[TRUTH]).mean() > 0.9


def test_other_parameters_of_the_learner_are_heeded(make: Make, tmp_path: Path) -> None:
    session = make(tmp_path / "labels.db")
    label(session, 30)
    session.close()
    mine = al.HeadEnsemble(members=4)
    again = make(tmp_path / "labels.db", learner=mine)
    assert again._loop.learner.posterior(X[:1]).shape[0] == 4
    assert again.version == 4
    with pytest.raises(LearnerError):
        mine.predict_proba(X)  # the learner given is a pattern: nobody changes it


def test_kept_settings_are_told(
    make: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    make(tmp_path / "labels.db").close()
    make(tmp_path / "labels.db").close()
    assert caplog.text == ""
    make(tmp_path / "labels.db", audit=0.4)
    assert "these stay" in caplog.text


def test_after_the_pool_has_grown_only_a_random_sample_of_it_counts(
    make: Make, tmp_path: Path
) -> None:
    session = make(tmp_path / "labels.db", audit=0.3)
    label(session, 80)
    before = session.estimate().n
    session.close()
    more = np.concatenate([X, X + 0.1])
    again = make(tmp_path / "labels.db", al.Pool.from_arrays(more, ids=range(2 * N)), audit=0.3)
    order = [again.pool.ids[i] for i in again._ledger.audit.order]
    sample = [again.pool.ids[i] for i in audit_sample(again._ledger).items]
    assert sample == order[: len(sample)]
    assert len(sample) < before


@pytest.mark.parametrize("how", ["imported", "together"])
def test_labels_given_out_of_turn_do_not_choose_what_is_estimated_from(
    make: Make, how: str
) -> None:
    session = make(audit=0.5)
    order = [session.pool.ids[i] for i in np.asarray(session._ledger.audit.order)]
    easy = [i for i in session.pool.ids if TRUTH[int(i)] != 0]
    if how == "imported":
        rows = {"item_id": easy, "answer": [truth(i) for i in easy]}
        session.import_labels(pd.DataFrame(rows))
    else:
        for item in session.gather(easy).items:
            session.record(item.id, truth(item.id), draw_id=item.draw_id)

    def turn() -> int:
        sample = [session.pool.ids[i] for i in audit_sample(session._ledger).items]
        assert sample == order[: len(sample)]
        return len(sample)

    items = session.next(20)
    waiting = [item for item in items if item.stream == "audit"]
    assert turn() == order.index(waiting[0].id)
    assert session.progress()["audit"] == turn()
    session.record(waiting[1].id, "red")
    assert turn() == order.index(waiting[0].id)
    event = session.record(waiting[0].id, "red")
    assert turn() == order.index(waiting[2].id)
    session.retract(event.event_id)
    assert turn() == order.index(waiting[0].id)
    session.skip(waiting[0].id)
    sample = [session.pool.ids[i] for i in audit_sample(session._ledger).items]
    assert sample == [i for i in order[: order.index(waiting[2].id)] if i != waiting[0].id]


def test_a_card_that_was_shown_before_a_retraining_is_answered_as_it_was_shown(
    make: Make, tmp_path: Path
) -> None:
    session = make(tmp_path / "labels.db", audit=0)
    label(session, 20)
    shown = session.next(10)
    session.record(shown[0].id, truth(shown[0].id))
    # What waits is picked anew; some of it is among the cards that were shown.
    session.retrain()
    later = {item.id: item for item in session.next(100, wait=False)}
    old = next(item for item in shown[1:] if item.id in later)
    assert later[old.id].draw_id != old.draw_id
    event = session.record(old.id, truth(old.id), draw_id=old.draw_id)
    assert event.draw_id == old.draw_id
    stored = session.store.events()[-1]
    assert (stored.draw_id, stored.suggested) == (old.draw_id, old.suggestion)
    assert old.id not in session.upcoming()
    row = session.labels().loc[old.id]
    assert row["model_version"] == old.model_version
    session.close()
    again = make(tmp_path / "labels.db", audit=0)
    pd.testing.assert_series_equal(again.labels().loc[old.id], row)
    assert again.upcoming() == session.upcoming()
    again.undo()
    assert again.next(wait=False)[0].draw_id == old.draw_id
    again.close()
    once_more = make(tmp_path / "labels.db", audit=0)
    assert once_more.upcoming() == again.upcoming()
    assert once_more.next(wait=False)[0].draw_id == old.draw_id


def test_nothing_tells_what_the_model_thinks_of_the_audits_items(make: Make) -> None:
    session = make(audit=0.3)
    label(session, 40)
    assert session.reserved.sum() > 20
    for index in np.flatnonzero(session.reserved):
        assert session.suggestion(int(index)) is None


def test_a_retract_must_name_its_own_item_and_a_draw_its_own_too(make: Make) -> None:
    session = make()
    one, two, three = session.next(3)
    event = session.record(one.id, "red")
    with pytest.raises(AnswerError, match="cannot be taken back there"):
        session.record(two.id, kind="retract", target=event.event_id)
    stolen = session.record(two.id, "red", draw_id=three.draw_id)
    assert session.store.events()[-1].draw_id == two.draw_id
    session.retract(stolen.event_id)
    assert session.next()[0].id == two.id
    assert three.id in session.upcoming()


def test_a_retract_beside_its_target_must_name_its_item_too(make: Make, tmp_path: Path) -> None:
    session = make(tmp_path / "labels.db")
    one, two, three = (item.id for item in session.next(3))
    answer = Event("e1", two, "answer", "red")
    other = Event("r1", one, "retract", target="e1")
    for batch in ([answer, other], [other, answer]):
        with pytest.raises(AnswerError, match="cannot be taken back there"):
            session.commit(batch)
    assert session.store.events() == []
    # Of its own item it may come before the answer, or after it, or twice.
    own = Event("r1", two, "retract", target="e1")
    session.commit([own, answer, own])
    assert session.upcoming()[0] == one
    session.commit(
        [Event("e2", three, "answer", "red"), Event("r2", three, "retract", target="e2")]
    )
    assert session.labels().empty
    assert (session.label_codes() == -1).all()
    assert session.upcoming()[0] == three
    waiting = session.upcoming()
    session.close()
    again = make(tmp_path / "labels.db")
    assert again.labels().empty
    assert again.upcoming() == waiting


def test_a_retract_of_an_unknown_event_takes_back_none_of_another_item(
    make: Make, tmp_path: Path
) -> None:
    session = make(tmp_path / "labels.db")
    one, two, three = (item.id for item in session.next(3))
    session.record(one, kind="retract", target="zz")
    session.record(one, kind="retract", target="yy")
    session.record(three, kind="retract", target="yy")
    session.record(two, "red", event_id="zz")
    session.record(three, "red", event_id="yy")
    assert session.labels().index.tolist() == [two]
    codes = session.label_codes()
    session.close()
    again = make(tmp_path / "labels.db")
    assert again.labels().index.tolist() == [two]
    np.testing.assert_array_equal(again.label_codes(), codes)


def test_taking_an_audit_card_back_brings_no_second_one(make: Make) -> None:
    session = make(audit=0.2)
    label(session, 10)
    for _ in range(30):
        item = session.next()[0]
        event = session.record(item.id, truth(item.id))
        if item.stream == "audit":
            session.retract(event.event_id)
            session.next(5)
            session.record(item.id, truth(item.id))
    assert (session.labels()["use"] == "audit").sum() == pytest.approx(0.2 * 40, abs=1)


def test_the_log_says_how_likely_each_draw_was(make: Make) -> None:
    session = make(strategy="random", audit=0.3)
    label(session, 10)
    draws = [d for d in session.store.draws() if d.strategy == "random" and d.stream == "train"]
    assert draws
    assert all((d.q or 0) * d.remaining == pytest.approx(1) for d in draws)


def test_a_model_that_cannot_be_saved_is_told_and_used(make: Make, tmp_path: Path) -> None:
    class Unsaved(al.HeadEnsemble):
        def save(self, path: Any) -> None:
            raise OSError("no space left")

    session = make(tmp_path / "labels.db", learner=Unsaved())
    notices: list[str] = []
    session.on("notice", notices.append)
    label(session, 20)
    assert session.version == 2
    assert len(session.predict(X)) == N
    assert "no space left" in notices[0]


def test_what_a_session_is_made_of() -> None:
    with pytest.raises(al.AlwidgetsError, match="needs a Pool, not list"):
        al.Session(["text"], al.Classification(["a", "b"]))  # type: ignore[arg-type]
    with pytest.raises(al.AlwidgetsError, match="needs a task, not list"):
        al.Session(al.Pool.from_texts(["a", "b"]), ["a", "b"])  # type: ignore[arg-type]


def test_a_session_has_its_own_classes() -> None:
    task = al.Classification(["a", "b"])
    session = al.Session(al.Pool.from_texts(["x one", "y two"]), task)
    session.add_class("c")
    assert task.classes == ("a", "b")
    assert session.task.classes == ("a", "b", "c")
    session.close()
