"""A session whose items have several labels: from the cards to the estimate, and back again."""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score
from sklearn.preprocessing import MultiLabelBinarizer

import alwidgets as al
from alwidgets.errors import AnswerError, StoreError, StrategyError, TaskError
from alwidgets.ledger import ACTIVE, RANDOM
from alwidgets.readings import audit_sample
from alwidgets.widgets.cards import Cards
from alwidgets.widgets.projector import Projector

N, NAMES = 200, ["joy", "anger", "fear", "awe"]
RNG = np.random.default_rng(0)
MARKS = (RNG.random((N, 4)) < (0.5, 0.3, 0.2, 0.4)).astype(np.int64)
MARKS[:4] = [[0, 0, 0, 0], [1, 0, 0, 0], [1, 1, 0, 0], [0, 1, 1, 1]]
X = (3 * MARKS @ np.eye(4, 8) + RNG.normal(size=(N, 8))).astype(np.float32)

Make = Callable[..., al.Session]


def truth(item_id: str) -> list[str]:
    return [name for name, mark in zip(NAMES, MARKS[int(item_id)], strict=True) if mark]


@pytest.fixture
def make(request: pytest.FixtureRequest) -> Make:
    def make(store: Any = None, pool: al.Pool | None = None, **options: Any) -> al.Session:
        pool = pool or al.Pool.from_arrays(X, ids=range(N))
        options = {"batch_size": 10, "executor": al.InlineExecutor()} | options
        session = al.Session(pool, al.MultiLabel(NAMES), store, **options)
        request.addfinalizer(session.close)
        return session

    return make


def label(session: al.Session, n: int) -> None:
    for _ in range(n):
        item = session.next()[0]
        session.record(item.id, truth(item.id))


def test_from_cards_to_a_model_and_after_a_restart(make: Make, tmp_path: Path) -> None:
    session = make(tmp_path / "labels.db", audit=0.3)
    # All labels alike say nothing; the second kind of answer lets a model be fitted.
    for item in session.next(12):
        session.record(item.id, [])
    session.retrain()
    assert session.version == 0
    label(session, 88)
    assert session.version >= 7
    assert [r.version for r in session.rounds] == list(range(1, session.version + 1))
    proba = session.predict_proba(X)
    assert proba.shape == (N, 4)
    said = session.predict(X)
    assert said.shape == (N,)
    for answer, row in zip(said, proba, strict=True):
        assert answer == [name for name, p in zip(NAMES, row, strict=True) if p >= 0.5]
    marks = MultiLabelBinarizer(classes=NAMES).fit(None).transform(said)
    assert f1_score(MARKS, marks, average="micro") > 0.85

    current = session.current
    assert current is not None
    assert current.predictions is not None
    assert current.confidence is not None
    assert current.uncertainty is not None
    np.testing.assert_allclose(current.confidence, np.maximum(proba, 1 - proba).prod(1), rtol=1e-4)
    doubt = -(proba * np.log(proba) + (1 - proba) * np.log(1 - proba)).mean(1) / np.log(2)
    np.testing.assert_allclose(current.uncertainty, doubt, atol=1e-4)
    index = next(i for i in range(N) if not session.reserved[i])
    assert session.suggestion(index) == (said[index], pytest.approx(current.confidence[index]))
    for item in session.next(20):
        assert (item.suggestion is None) == (item.stream == "audit")

    labels, estimate, version = session.labels(), session.estimate(), session.version
    why = session.why(session.next()[0].id)
    assert all(near.answer == truth(near.id) or near.answer == [] for near in why.neighbours)
    session.close()
    again = make(tmp_path / "labels.db")
    assert again.labels().equals(labels)
    assert (again.version, again.estimate()) == (version, estimate)
    assert [list(a) for a in again.predict(X)] == [list(a) for a in said]
    assert isinstance(labels["answer"].iloc[0], list)
    event = again.undo()
    assert event is not None
    assert event.answer == truth(event.item_id)
    assert again.next()[0].id == event.item_id
    label(again, 30)
    assert again.version > version


def test_estimates_are_those_of_the_audit_labels(make: Make) -> None:
    session = make(audit=0.4)
    assert np.isnan(session.estimate("f1").value)
    label(session, 120)
    audited = audit_sample(session._ledger).items
    said = session.predict(X[audited])
    expected = np.mean([a == truth(str(i)) for a, i in zip(said, audited, strict=True)])
    assert session.estimate().value == pytest.approx(expected)
    assert session.estimate().n == len(audited) > 30
    marks = MultiLabelBinarizer(classes=NAMES).fit(None).transform(said)
    expected = f1_score(MARKS[audited], marks, average="samples", zero_division=1)
    found = session.estimate("f1")
    assert found.value == pytest.approx(expected)
    assert found.low < found.value < found.high
    assert found.value > session.estimate().value
    for average in ("macro", "micro"):
        expected = recall_score(MARKS[audited], marks, average=average)
        assert session.estimate("recall", average=average).value == pytest.approx(expected)
    each = session.estimate("precision", by="class")
    assert list(each.index) == NAMES
    expected = precision_score(MARKS[audited], marks, average=None)
    assert each["value"].to_list() == pytest.approx(expected)
    right = session.estimate("accuracy", by="class")
    has = MARKS[audited] == 1
    expected = [np.mean(marks[has[:, c], c]) for c in range(4)]
    assert right["value"].to_list() == pytest.approx(expected)


@pytest.mark.parametrize(
    "strategy", [*al.strategies.names(multilabel=True), al.strategies.max_loss_reduction]
)
def test_every_strategy_for_several_labels_runs(make: Make, strategy: Any) -> None:
    session = make(strategy=strategy, audit=0)
    label(session, 24)
    name = strategy if isinstance(strategy, str) else strategy.__name__
    picked = {switch.strategy for switch in session.switches}
    assert name in picked or name == "auto"
    assert session.version == 2


def test_a_strategy_for_one_class_is_refused_with_those_that_work(make: Make) -> None:
    with pytest.raises(StrategyError, match=r"'margin' is for items with one class.*binary_min"):
        make(strategy="margin")
    with pytest.raises(StrategyError, match="'badge'"):
        make(strategy=al.strategies.badge)
    pool = al.Pool.from_arrays(X, ids=range(N))
    with pytest.raises(StrategyError, match=r"'max_score' is for items with several labels"):
        al.Session(pool, al.Binary("x"), strategy="max_score")


def test_auto_goes_from_typical_items_to_those_in_doubt(make: Make) -> None:
    session = make()
    label(session, 60)
    assert [s.strategy for s in session.switches][:2] == ["representative", "uncertainty_herding"]


def test_active_labels_are_measured_against_random_ones(make: Make) -> None:
    session = make(audit=0.4)
    label(session, 100)
    ledger = session._ledger
    # As if a half of the training labels had been drawn by lot.
    positions = np.flatnonzero(ledger.origin == ACTIVE)
    ledger.origin[positions[::2]] = RANDOM
    session.retrain()
    assert session.current is not None
    verdict = session.current.verdict
    assert verdict is not None
    assert verdict.gain.n >= 30
    assert -1 <= verdict.gain.low <= verdict.gain.value <= verdict.gain.high <= 1


def test_labels_in_and_out(make: Make, tmp_path: Path) -> None:
    frame = pd.DataFrame({"text": [f"item {i}" for i in range(N)]})
    pool = al.Pool.from_frame(frame, text="text", features=X)
    session = make(tmp_path / "labels.db", pool)
    given = [truth(str(i)) if i % 3 else None for i in range(N)]
    report = session.import_labels(frame.assign(answer=given))
    assert (report.imported, report.missing) == (sum(a is not None for a in given), 67)
    assert session.labels()["answer"].tolist() == [a for a in given if a is not None]
    # Arrays, as Parquet files give them, and the same labels in another order.
    arrays = [np.array(a[::-1], dtype=object) if a is not None else None for a in given]
    again = session.import_labels(frame.assign(answer=pd.Series(arrays, dtype=object)))
    assert (again.imported, again.kept) == (0, report.imported)
    joined = session.join(frame)
    assert joined["answer"].tolist()[1] == given[1]
    assert pd.isna(joined["answer"].iloc[0])
    polars = session.join(pl.from_pandas(frame))
    assert polars["answer"].to_list() == given
    assert polars["answer"].dtype == pl.List(pl.String)
    assert session.import_labels(polars.select("text", "answer")).imported == 0
    with pytest.raises(AnswerError, match=r"Row 0: 'joy\|fear' is no answer.*split"):
        session.import_labels(frame.assign(answer="joy|fear"))
    with pytest.raises(AnswerError, match=r"Row 0: 'rage' is no label of this task \[joy"):
        session.import_labels(frame.assign(answer=[["rage"]] * N))

    log = session.store.to_frame()
    assert log["answer"].tolist() == [a for a in given if a is not None]
    session.store.to_jsonl(tmp_path / "log.jsonl")
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["answer"] for line in lines] == log["answer"].tolist()
    session.store.to_parquet(tmp_path / "log.parquet")
    kept = pl.read_parquet(tmp_path / "log.parquet")["answer"].to_list()
    assert [json.loads(text) for text in kept] == log["answer"].tolist()


def test_labels_may_be_given_in_another_order(make: Make, tmp_path: Path) -> None:
    session = make(tmp_path / "labels.db")
    label(session, 25)
    labels, said = session.labels(), session.predict_proba(X)
    session.close()
    pool = al.Pool.from_arrays(X, ids=range(N))
    task = al.MultiLabel(NAMES[::-1], keys={"awe": "a"})
    again = al.Session(pool, task, tmp_path / "labels.db", executor=al.InlineExecutor())
    # The store's order stays, and with it the columns of the model.
    assert again.task.classes == tuple(NAMES)
    assert again.task.asked()["keys"] == [None, None, None, "a"]
    assert again.labels().equals(labels)
    np.testing.assert_array_equal(again.predict_proba(X), said)
    assert task.classes == tuple(NAMES[::-1])
    again.close()
    with pytest.raises(StoreError, match="multilabel of"):
        al.Session(pool, al.MultiLabel([*NAMES, "more"]), tmp_path / "labels.db")
    with pytest.raises(StoreError, match="another task"):
        al.Session(pool, al.Classification(NAMES), tmp_path / "labels.db")


def test_the_page_answers_with_lists(make: Make) -> None:
    session = make(audit=0)
    cards = Cards(session)
    assert cards._task["answers"] == NAMES
    sent: list[dict[str, Any]] = []
    cards._channel.post = lambda message, buffers=None: sent.append(message)  # type: ignore[method-assign, assignment]

    def answer(event_id: str, given: Any) -> dict[str, Any]:
        item = session.next(1, wait=False)[0]
        event = {
            "event_id": event_id,
            "item_id": item.id,
            "kind": "answer",
            "answer": given,
            "answered_at": "2026-01-01T10:00:00Z",
        }
        cards._on_message(None, {"type": "events", "events": [event]}, [])
        return next(m for m in reversed(sent) if m["type"] in ("ack", "refused"))

    assert answer("one", ["awe", "joy"])["type"] == "ack"
    assert answer("two", [])["type"] == "ack"
    assert session.labels()["answer"].tolist() == [["joy", "awe"], []]
    for number, bad in enumerate(["joy", ["rage"], ["joy", "joy"], {"joy": True}, [["joy"]], 3]):
        refused = answer(f"bad{number}", bad)
        assert refused["type"] == "refused"
        assert "this task" in refused["reason"]
    assert len(session.labels()) == 2
    cards.close()


def test_the_map_tells_single_labels_none_and_several_apart(make: Make) -> None:
    session = make(audit=0)
    view = Projector(session)
    categories = [*NAMES, "no label", "several labels"]
    assert view._task == {"classes": categories}
    for row in range(4):
        session.record(str(row), truth(str(row)))
    made = view._colours()
    assert made is not None
    message, (codes,) = made
    assert message["categories"] == categories
    assert np.frombuffer(codes, np.uint8)[:5].tolist() == [4, 0, 5, 5, 255]
    label(session, 40)
    view._by = "prediction"
    made = view._colours()
    assert made is not None
    shown = np.frombuffer(made[1][0], np.uint8)
    sizes = [len(a) for a in session.predict(X)]
    kinds = np.where(np.array(sizes) == 1, 0, np.array(sizes) + 4).clip(max=5)
    kinds[np.array(sizes) == 0] = 4
    np.testing.assert_array_equal(np.where(shown < 4, 0, shown), kinds)

    posted: list[dict[str, Any]] = []
    view._post = lambda message, buffers=None: posted.append(message)  # type: ignore[method-assign, assignment]
    for row in range(4):
        view._preview({"index": row}, [])
    assert [m["label"] for m in posted] == ["no label", "joy", "joy, anger", "anger, fear, awe"]
    for message in posted:
        answer = session.predict(X)[message["index"]]
        assert message["prediction"] == (", ".join(answer) or "no label")
    view.close()


def test_threads_agree_on_the_code_of_a_set() -> None:
    task = al.MultiLabel([str(i) for i in range(12)])
    rows = np.random.default_rng(0).integers(0, 2, (400, 12))
    found: list[list[int]] = [[] for _ in range(6)]
    start = threading.Barrier(6)

    def run(place: int) -> None:
        start.wait()
        order = np.random.default_rng(place).permutation(400)
        codes = {int(row): int(task.codes(rows[row : row + 1])[0]) for row in order}
        found[place] = [codes[row] for row in range(400)]

    threads = [threading.Thread(target=run, args=(place,)) for place in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(codes == found[0] for codes in found)
    np.testing.assert_array_equal(task.targets(np.array(found[0])), rows)
    assert len(set(found[0])) == len(np.unique(rows, axis=0))


def test_a_thousand_labels() -> None:
    task = al.MultiLabel(range(1000))
    marks = np.random.default_rng(0).random((50, 1000)) < 0.3
    codes = task.codes(marks)
    np.testing.assert_array_equal(task.targets(codes), marks)
    assert [task.encode(task.decode(code)) for code in codes] == codes.tolist()
    assert len(task.decode(int(task.encode([])))) == 0
    with pytest.raises(TaskError, match="at most 1,000"):
        al.MultiLabel(range(1001))
    with pytest.raises(TaskError, match="at least 2"):
        al.MultiLabel(["joy"])
    twin = copy.copy(task)
    task.encode(["1", "5"])
    assert twin.encode(["2", "3"]) == 1001
    assert repr(twin).startswith("MultiLabel([0, 1,")
