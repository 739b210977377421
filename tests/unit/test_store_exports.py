"""A store's log for other programs: frame, JSON lines, Parquet."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from alwidgets import exports
from alwidgets.schema import Draw, Event
from alwidgets.store import LabelStore
from tests.unit.postgres import Server, running

AT = "2026-01-01T00:00:00.000000+00:00"
DRAW = Draw("x", "audit", "random", 3, 0.5, 1 / 3, 4, "d", AT)
EVENTS = [
    Event("e", "x", "answer", "spam", None, "d", "ann", AT, AT, "a remark", "b", "ham", True),
    Event("f", "é", "skip", shown_at=AT),
    Event("g", "x", "retract", target="e", annotator="bob"),
]
FIRST = {
    "item_id": "x",
    "kind": "answer",
    "answer": "spam",
    "annotator": "ann",
    "shown_at": AT,
    "answered_at": AT,
    "stream": "audit",
    "strategy": "random",
    "score": 0.5,
    "q": 1 / 3,
    "remaining": 4,
    "model_version": 3,
    "comment": "a remark",
    "bulk": "b",
    "suggested": "ham",
    "suggestion_shown": True,
    "event_id": "e",
    "target": None,
    "draw_id": "d",
    "seq": 1,
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as server:
        yield server


@pytest.fixture(params=["file", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LabelStore]:
    place: Any = tmp_path / "labels.db"
    if request.param == "postgres":
        place = request.getfixturevalue("server").place()
    store = LabelStore(place)
    yield store
    store.close()


@pytest.fixture
def filled(store: LabelStore) -> LabelStore:
    store.append_draws([DRAW])
    store.append(EVENTS)
    return store


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_json_lines_have_every_column(filled: LabelStore, tmp_path: Path) -> None:
    rows = lines(filled.to_jsonl())
    assert all(tuple(row) == exports.COLUMNS for row in rows)
    stored_at = rows[0].pop("stored_at")
    assert stored_at.startswith("20")
    assert rows[0] == FIRST
    assert [row["kind"] for row in rows] == ["answer", "skip", "retract"]
    assert rows[1]["stream"] is rows[1]["q"] is rows[1]["answer"] is None
    assert rows[2]["target"] == "e"
    filled.to_jsonl(tmp_path / "out.jsonl")
    assert (tmp_path / "out.jsonl").read_text(encoding="utf-8") == filled.to_jsonl()


def test_a_frame_has_every_column(filled: LabelStore) -> None:
    frame = filled.to_frame()
    assert tuple(frame.columns) == exports.COLUMNS
    assert frame.loc[0, list(FIRST)].dropna().to_dict() == {k: v for k, v in FIRST.items() if v}
    assert frame["stream"].isna().tolist() == [False, True, True]
    kinds = frame.dtypes.astype(str)
    assert [kinds[c] for c in ("seq", "remaining", "model_version")] == ["int64", "Int64", "Int64"]
    assert [kinds[c] for c in ("score", "q")] == ["float64", "float64"]


def test_parquet_says_the_same_as_the_frame(filled: LabelStore, tmp_path: Path) -> None:
    filled.to_parquet(tmp_path / "out.parquet")
    table = pq.read_table(tmp_path / "out.parquet")
    assert tuple(table.column_names) == exports.COLUMNS
    assert table.to_pylist() == lines(filled.to_jsonl())
    found = pd.read_parquet(tmp_path / "out.parquet").astype({"suggestion_shown": "boolean"})
    pd.testing.assert_frame_equal(found, filled.to_frame(), check_dtype=False)
    for name in ("answer", "suggested"):
        assert table.schema.field(name).metadata == {b"form": b"text"}


def test_answers_that_are_no_text_are_json_in_parquet(store: LabelStore, tmp_path: Path) -> None:
    answers: list[Any] = [["a", "é"], 3, "plain", {"start": 1}, None, True]
    store.append([Event(f"e{n}", "x", "answer", given) for n, given in enumerate(answers)])
    store.to_parquet(tmp_path / "out.parquet")
    table = pq.read_table(tmp_path / "out.parquet")
    assert table.schema.field("answer").metadata == {b"form": b"JSON"}
    found = table.column("answer").to_pylist()
    assert [None if text is None else json.loads(text) for text in found] == answers
    assert [row["answer"] for row in lines(store.to_jsonl())] == answers
    assert store.to_frame()["answer"].tolist() == answers


def test_an_empty_store_has_the_columns(store: LabelStore, tmp_path: Path) -> None:
    assert tuple(store.to_frame().columns) == exports.COLUMNS
    assert store.to_jsonl() == ""
    store.to_jsonl(tmp_path / "out.jsonl")
    assert (tmp_path / "out.jsonl").read_bytes() == b""
    store.to_parquet(tmp_path / "out.parquet")
    assert pq.read_table(tmp_path / "out.parquet").num_rows == 0
    assert tuple(pq.read_schema(tmp_path / "out.parquet").names) == exports.COLUMNS


def test_parts_hold_each_event_once_while_more_arrive(store: LabelStore) -> None:
    store.append([Event(f"e{n}", "x", "skip") for n in range(10)])
    store.append([Event("e3", "x", "skip"), Event("e10", "x", "skip")])
    sizes, found = [], []
    for rows in exports.parts(store._fetch, at_once=4):
        sizes.append(len(rows))
        found += [row[exports.COLUMNS.index("event_id")] for row in rows]
        store.append([Event(f"late{len(found)}", "x", "skip")])
    assert sizes == [4, 4, 3]
    assert found == [f"e{n}" for n in range(11)]


def test_half_a_surrogate_pair_harms_no_export(store: LabelStore, tmp_path: Path) -> None:
    store.append([Event("e", "x", "answer", "cut \ud83d"), Event("f", "x", "answer", "é")])
    store.to_jsonl(tmp_path / "out.jsonl")
    rows = lines((tmp_path / "out.jsonl").read_text(encoding="utf-8"))
    assert [row["answer"] for row in rows] == ["cut \ud83d", "é"]
    store.to_parquet(tmp_path / "out.parquet")
    found = pq.read_table(tmp_path / "out.parquet").column("answer").to_pylist()
    assert found == ["cut ?", "é"]


def test_an_export_that_fails_leaves_the_file_before_it(filled: LabelStore, tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    target.write_text("of last week")

    def breaking(query: Any) -> Any:
        if len(seen := breaking.__dict__.setdefault("seen", [])) == 2:
            raise OSError("the disk is gone")
        seen.append(query)
        return filled._fetch(query.limit(1) if len(seen) == 2 else query)

    with pytest.raises(OSError, match="the disk is gone"):
        exports.write_json_lines(breaking, target)
    assert target.read_text() == "of last week"
    assert [path.name for path in tmp_path.iterdir() if "out" in path.name] == ["out.jsonl"]


@pytest.mark.parametrize("name", ["out.jsonl", "out.parquet"])
def test_a_long_log_is_written_in_little_memory(tmp_path: Path, name: str) -> None:
    fill = (
        "WITH RECURSIVE t(n) AS (SELECT {} UNION ALL SELECT n + 1 FROM t WHERE n < {}) "
        "INSERT INTO events (event_id, item_id, annotator, kind, answer, stored_at) "
        "SELECT 'e' || n, 'item ' || n, '', 'answer', json_quote(printf('%.400c', 'y')), '' FROM t"
    )
    write = (
        "import resource, sys\n"
        "import pyarrow.parquet\n"
        "from alwidgets.store import LabelStore\n"
        "store, target = LabelStore(sys.argv[1]), sys.argv[2]\n"
        "export = store.to_jsonl if target.endswith('l') else store.to_parquet\n"
        "most = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024\n"
        "def fill(sql):\n"
        "    with store._engine.begin() as connection: connection.exec_driver_sql(sql)\n"
        f"fill({fill.format(1, 12_000)!r}); export(target); few = most()\n"
        f"fill({fill.format(12_001, 60_000)!r}); export(target); print(most() - few)"
    )
    command = [sys.executable, "-c", write, str(tmp_path / "labels.db"), str(tmp_path / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    # As rows the whole log takes more than fifty megabytes.
    assert int(done.stdout) < 25
    path = tmp_path / name
    n = pq.read_metadata(path).num_rows if name.endswith("t") else path.read_bytes().count(b"\n")
    assert n == 60_000
