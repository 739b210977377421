"""Labels in and out: beside their rows, and those that were made elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import alwidgets as al
from alwidgets.errors import AlwidgetsError, AnswerError, PoolError, UnknownItemError

TEXTS = [f"message {i} {'prize' if i % 3 == 0 else 'dinner'}" for i in range(60)]
TRUTH = ["spam" if "prize" in text else "ham" for text in TEXTS]


@pytest.fixture
def frame() -> pd.DataFrame:
    # The second row stands twice: one item, two rows.
    index = [f"row {i}" for i in range(61)]
    return pd.DataFrame({"text": [*TEXTS, TEXTS[1]], "answer": "mine"}, index=index)


@pytest.fixture
def session(frame: pd.DataFrame, tmp_path: Path) -> Iterator[al.Session]:
    pool = al.Pool.from_frame(frame, text="text")
    task = al.Classification(["ham", "spam"])
    where = tmp_path / "labels.db"
    session = al.Session(pool, task, where, batch_size=10, executor=al.InlineExecutor())
    yield session
    session.close()


def labelled(session: al.Session, rows: list[int]) -> None:
    for row in rows:
        session.record(session.pool.row_ids[row], TRUTH[row])


@pytest.mark.parametrize("kind", ["pandas", "polars", "arrow"])
def test_labels_stand_beside_their_rows(
    session: al.Session, frame: pd.DataFrame, kind: str
) -> None:
    labelled(session, [0, 1, 5])
    given: Any = frame
    if kind == "polars":
        given = pl.DataFrame({name: frame[name].tolist() for name in frame})
    elif kind == "arrow":
        given = pa.table({name: frame[name].tolist() for name in frame})
    joined = session.join(given)
    assert type(joined) is type(given)
    found = joined.to_pydict() if kind == "arrow" else {c: list(joined[c]) for c in joined.columns}
    assert found["answer"] == ["mine"] * 61
    answers = [None if pd.isna(a) else a for a in found["answer_label"]]
    expected: list[str | None] = [None] * 61
    expected[0], expected[1], expected[5], expected[60] = TRUTH[0], TRUTH[1], TRUTH[5], TRUTH[1]
    assert answers == expected
    assert found["item_id"] == list(session.pool.row_ids)
    if kind == "pandas":
        assert list(joined.index) == list(frame.index)
        assert joined.loc["row 0", "answered_at"].tzinfo is not None


@pytest.mark.parametrize("own", [{"answer": "mine"}, {}], ids=["own answer", "no answer"])
@pytest.mark.parametrize("kind", ["pandas", "polars", "arrow"])
def test_a_frame_that_is_joined_again_has_the_labels_once(
    session: al.Session, kind: str, own: dict[str, str]
) -> None:
    table = {"text": [*TEXTS, TEXTS[1]]} | {name: [value] * 61 for name, value in own.items()}
    make: Any = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "arrow": pa.table}[kind]
    given = joined = make(table)
    for rows in ([0], [1, 5], [7]):
        labelled(session, rows)
        joined = session.join(joined)
        fresh = session.join(given)
        if kind == "arrow":
            assert joined.equals(fresh)
        elif kind == "polars":
            assert joined.equals(fresh, null_equal=True)
        else:
            pd.testing.assert_frame_equal(joined, fresh)


def test_labels_are_joined_beside_those_of_another(session: al.Session) -> None:
    labelled(session, [0, 1])
    other = session.labels().reset_index()
    joined = session.join(other)
    assert joined["answer"].tolist() == joined["answer_label"].tolist() == TRUTH[:2]


def test_a_part_of_the_rows_is_joined_by_its_ids(session: al.Session) -> None:
    labelled(session, [3, 4])
    ids = list(session.pool.row_ids)
    part = pd.DataFrame({"key": [ids[4], "of another pool", ids[3]]})
    joined = session.join(part, id="key")
    assert joined["answer"].fillna("-").tolist() == [TRUTH[4], "-", TRUTH[3]]


def test_imported_labels_are_marked_and_train(session: al.Session, frame: pd.DataFrame) -> None:
    labelled(session, [0, 1])
    notices: list[str] = []
    session.on("notice", notices.append)
    frame["truth"] = [*TRUTH, TRUTH[1]]
    frame.loc[frame.index[40:60], "truth"] = None
    report = session.import_labels(frame, answer="truth", annotator="agency")
    assert (report.imported, report.kept, report.missing) == (38, 2, 20)
    assert notices[0] == (
        "38 labels imported; 2 already labelled here, which stay; 20 rows without a label."
    )
    labels = session.labels()
    assert len(labels) == 40
    made = labels[labels["stream"] == "imported"]
    assert len(made) == 38
    assert set(made["annotator"]) == {"agency"}
    assert made["q"].isna().all()
    session.retrain()
    assert session.version >= 1
    assert session.current is not None
    assert not set(session.upcoming()) & set(labels.index)
    # Those of the audit's part are held: they train nothing.
    reserved = set(np.array(list(session.pool.ids))[session._ledger.audit.reserved])
    assert set(made.index[made["use"] == "train"]) == set(made.index) - reserved


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([2, None, 5]),
        pd.array([2, None, 5], dtype="Int64"),
        pd.Series([2, pd.NA, 5], dtype=object),
        pd.Series([2, None, 5], dtype="int64[pyarrow]"),
        pl.Series([2, None, 5]),
        pl.Series([2.0, float("nan"), 5.0]),
        pa.array([2, None, 5]),
        pa.array([2.0, None, 5.0]),
    ],
    ids=["float", "Int64", "object", "arrow type", "polars", "polars nan", "arrow", "arrow float"],
)
@pytest.mark.parametrize("task", [al.Rating(1, 5), al.Classification(range(6))])
def test_numbers_with_a_gap_are_imported(column: Any, task: Any) -> None:
    make: Any = {"polars": pl.DataFrame, "pyarrow": pa.table}
    kind = type(column).__module__.split(".")[0]
    frame = make.get(kind, pd.DataFrame)({"item_id": ["a", "b", "c"], "answer": column})
    session = al.Session(al.Pool.from_texts(["one", "two", "three"], ids=list("abc")), task)
    report = session.import_labels(frame)
    assert (report.imported, report.missing) == (2, 1)
    answers = session.labels()["answer"].to_dict()
    assert answers == {"a": task.validate(2), "c": task.validate(5)}
    session.close()


@pytest.mark.parametrize("dtype", ["string", "string[pyarrow]", "category", object])
def test_texts_with_a_gap_are_imported(session: al.Session, dtype: Any) -> None:
    ids = list(session.pool.row_ids)[:3]
    answers = pd.Series(["ham", None, "spam"], dtype=dtype)
    report = session.import_labels(pd.DataFrame({"item_id": ids, "answer": answers}))
    assert (report.imported, report.missing) == (2, 1)


def test_a_number_between_two_steps_is_refused() -> None:
    session = al.Session(al.Pool.from_texts(["one", "two"], ids=["a", "b"]), al.Rating(1, 5))
    frame = pd.DataFrame({"item_id": ["a", "b"], "answer": [None, 1.5]})
    with pytest.raises(AnswerError, match=r"Row 1: 1\.5 is no step"):
        session.import_labels(frame)
    session.close()


def test_importing_again_changes_nothing(session: al.Session, frame: pd.DataFrame) -> None:
    frame["answer"] = [*TRUTH, TRUTH[1]]
    assert session.import_labels(frame).imported == 60
    again = session.import_labels(frame)
    assert (again.imported, again.kept) == (0, 60)
    assert len(session.store.events()) == 60


def test_imported_labels_are_there_after_a_restart(
    session: al.Session, frame: pd.DataFrame, tmp_path: Path
) -> None:
    session.next(5)
    frame["answer"] = [*TRUTH, TRUTH[1]]
    session.import_labels(frame.iloc[:30].assign(item_id=list(session.pool.row_ids)[:30]))
    taken = session.undo()
    assert taken is not None
    before = session.labels(), session.upcoming(), session.progress()
    assert session.upcoming()[0] == taken.item_id
    session.close()
    again = al.Session(
        session.pool, session.task, tmp_path / "labels.db", executor=al.InlineExecutor()
    )
    after = again.labels(), again.upcoming(), again.progress()
    assert after[0].equals(before[0])
    assert after[1:] == before[1:]
    again.close()


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        (lambda f: f.assign(answer="eggs"), AnswerError, "Row 0: 'eggs' is no class"),
        (lambda f: f.drop(columns="answer"), PoolError, "no column 'answer'"),
        (lambda f: f.iloc[:5], PoolError, "has 5 rows, but the pool was made of 61"),
        (lambda f: f.assign(item_id="nobody"), UnknownItemError, "Row 0: the pool has no item"),
        (lambda f: f.to_dict(), PoolError, "dict is no data frame"),
        (
            lambda f: f.assign(answer=["ham"] * 60 + ["spam"]),
            AnswerError,
            "Row 60: item .* has two labels, 'ham' and 'spam'",
        ),
    ],
)
def test_a_bad_row_is_named_and_nothing_is_taken(
    session: al.Session,
    frame: pd.DataFrame,
    change: Any,
    error: type[AlwidgetsError],
    says: str,
) -> None:
    with pytest.raises(error, match=says):
        session.import_labels(change(frame))
    assert session.store.events() == []


def test_rows_of_another_frame_are_not_joined(session: al.Session) -> None:
    with pytest.raises(PoolError, match="name the column of ids"):
        session.join(pd.DataFrame({"text": ["a"]}))
    with pytest.raises(PoolError, match="no column 'key' of ids"):
        session.join(pd.DataFrame({"text": ["a"]}), id="key")
