"""The store: nothing lost, nothing doubled, and nobody else's."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from alwidgets.errors import AnswerError, StoreError, StoreInUseError
from alwidgets.pool import Pool
from alwidgets.schema import Draw, Event, RoundRecord
from alwidgets.store import LabelStore
from alwidgets.tasks import Classification

TASK = Classification(["a", "b"])


@pytest.fixture
def pool() -> Pool:
    return Pool.from_texts([f"text {i}" for i in range(200)])


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LabelStore]:
    store = LabelStore(tmp_path / "labels.db" if request.param == "file" else None)
    yield store
    store.close()


def answer(n: int, item: str = "x") -> Event:
    return Event(f"e{n}", item, "answer", {"any": ["json", 1]}, annotator="ann", draw_id="d")


def test_what_goes_in_comes_out_in_order(store: LabelStore) -> None:
    events = [answer(i) for i in range(5)]
    assert store.append(events) == events
    assert store.events() == events


def test_the_same_event_again_changes_nothing(store: LabelStore) -> None:
    store.append([answer(1)])
    assert store.append([answer(1, "other"), answer(2)]) == [answer(2)]
    assert store.events() == [answer(1), answer(2)]


def test_draws_and_rounds(store: LabelStore) -> None:
    draw = Draw("x", "audit", "random", 0, None, 0.25, 4)
    record = RoundRecord(1, "margin", 10, 2, 0.5, 0.1, 0.9, 0.01, "2026-01-01T00:00:00+00:00", 12)
    store.append_draws([draw])
    store.append_round(record)
    assert store.draws() == [draw]
    assert store.rounds() == [record]


def test_a_frame_and_json_lines(store: LabelStore, tmp_path: Path) -> None:
    draw = Draw("x", "audit", "random", 0, None, 0.25, 4)
    store.append_draws([draw])
    store.append([Event("e", "x", "answer", "a", draw_id=draw.draw_id), Event("f", "é", "skip")])
    frame = store.to_frame()
    assert frame.loc[0, "stream"] == "audit"
    assert frame["stream"].isna().tolist() == [False, True]
    assert frame.loc[0, "q"] == 0.25
    lines = store.to_jsonl(tmp_path / "out.jsonl").splitlines()
    assert (tmp_path / "out.jsonl").read_text(encoding="utf-8").splitlines() == lines
    assert [json.loads(line)["item_id"] for line in lines] == ["x", "é"]


def test_full_synchronous_write_ahead_log(tmp_path: Path) -> None:
    store = LabelStore(tmp_path / "labels.db")
    with store._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    store.close()


def test_many_threads_lose_nothing(store: LabelStore) -> None:
    def write(k: int) -> None:
        for i in range(25):
            store.append([Event(f"{k}-{i}", "x", "skip")])

    threads = [threading.Thread(target=write, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({e.event_id for e in store.events()}) == 200


def test_opened_again_it_is_the_same_store(tmp_path: Path) -> None:
    store = LabelStore(tmp_path / "labels.db")
    store.append([answer(1)])
    name = store.store_id
    store.close()
    again = LabelStore(tmp_path / "labels.db")
    assert again.store_id == name
    assert again.events() == [answer(1)]
    again.close()


def test_a_second_one_on_the_same_file_is_refused(tmp_path: Path) -> None:
    store = LabelStore(tmp_path / "labels.db")
    with pytest.raises(StoreInUseError, match="open in another session"):
        LabelStore(tmp_path / "labels.db")
    store.close()
    LabelStore(tmp_path / "labels.db").close()


def test_another_process_is_refused_until_it_is_killed(tmp_path: Path) -> None:
    hold = (
        "import time; from alwidgets.store import LabelStore\n"
        f"s = LabelStore({str(tmp_path / 'labels.db')!r})\n"
        "print('open', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", hold], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(StoreInUseError):
            LabelStore(tmp_path / "labels.db")
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        holder.stdout.close()  # type: ignore[union-attr]
    LabelStore(tmp_path / "labels.db").close()


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    write = (
        "import itertools; from alwidgets.store import Event, LabelStore\n"
        f"s = LabelStore({str(tmp_path / 'labels.db')!r})\n"
        "for i in itertools.count():\n"
        "    s.append([Event(f'e{i}', 'x', 'skip')]); print(i, flush=True)"
    )
    writer = subprocess.Popen([sys.executable, "-c", write], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    acknowledged = [writer.stdout.readline() for _ in range(200)]
    writer.send_signal(signal.SIGKILL)
    rest = writer.stdout.read().splitlines()
    writer.wait()
    writer.stdout.close()
    last = max(int(line) for line in [*acknowledged, *rest[:-1]])
    store = LabelStore(tmp_path / "labels.db")
    kept = [e.event_id for e in store.events()]
    store.close()
    assert kept[: last + 1] == [f"e{i}" for i in range(last + 1)]
    assert len(kept) == len(set(kept))


@pytest.mark.parametrize(
    ("location", "says"),
    [
        ("/proc/labels.db", "cannot be written"),
        ("/no/such/folder/labels.db", "folder /no/such/folder .* is not there"),
        ("mysql://localhost/x", "SQLite or PostgreSQL, not in mysql"),
        ("://", "no database URL"),
    ],
)
def test_where_it_cannot_be(location: str, says: str) -> None:
    with pytest.raises(StoreError, match=says):
        LabelStore(location)


def test_a_read_only_folder() -> None:
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o555)
    root = os.geteuid() == 0
    try:
        if root:
            os.seteuid(65534)  # root may write anywhere; nobody may not
        with pytest.raises(StoreError, match=r"cannot be written \(Permission denied\)"):
            LabelStore(folder / "labels.db")
    finally:
        if root:
            os.seteuid(0)
        shutil.rmtree(folder)


def test_a_file_that_is_something_else(tmp_path: Path) -> None:
    (tmp_path / "notes.db").write_text("not a database, and long enough to be told apart" * 50)
    with pytest.raises(StoreError, match="file is not a database"):
        LabelStore(tmp_path / "notes.db")
    assert (tmp_path / "notes.db").read_text().startswith("not a database")


def test_somebody_elses_database_is_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "books.db") as connection:
        connection.execute("CREATE TABLE books (title TEXT)")
    connection.close()
    with pytest.raises(StoreError, match="holds the tables books"):
        LabelStore(tmp_path / "books.db")
    with sqlite3.connect(tmp_path / "books.db") as connection:
        tables = connection.execute("SELECT name FROM sqlite_master").fetchall()
    connection.close()
    assert tables == [("books",)]


def test_a_link_to_an_open_store_is_that_store(tmp_path: Path) -> None:
    store = LabelStore(tmp_path / "labels.db")
    (tmp_path / "link.db").symlink_to(tmp_path / "labels.db")
    with pytest.raises(StoreInUseError):
        LabelStore(tmp_path / "link.db")
    store.close()


@pytest.mark.parametrize("location", [":memory:", "sqlite://", "sqlite:///:memory:"])
def test_ways_to_keep_nothing(
    location: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = LabelStore(location)
    assert not store.persistent
    thread = threading.Thread(target=store.append, args=([answer(1)],))
    thread.start()
    thread.join()
    assert store.events() == [answer(1)]
    store.close()
    assert list(tmp_path.iterdir()) == []


def test_a_store_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    LabelStore(tmp_path / "labels.db").close()
    with sqlite3.connect(tmp_path / "labels.db") as connection:
        connection.execute("UPDATE meta SET value = '99' WHERE key = 'schema'")
    connection.close()
    with pytest.raises(StoreError, match="another version of alwidgets"):
        LabelStore(tmp_path / "labels.db")


def test_a_full_disk_is_said_and_stores_nothing(tmp_path: Path) -> None:
    store = LabelStore(tmp_path / "labels.db")
    store.append([answer(1)])

    def fill(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA max_page_count = 1")  # as if the disk had no room

    sa.event.listen(store._engine, "connect", fill)
    store._engine.dispose()
    with pytest.raises(StoreError, match=r"could not be written: .*full.*the disk has room"):
        store.append([answer(2), answer(3, "x" * 100_000)])
    store.close()
    again = LabelStore(tmp_path / "labels.db")
    assert again.events() == [answer(1)]
    again.close()


def test_bad_events_are_refused_and_none_of_them_is_stored(store: LabelStore) -> None:
    with pytest.raises(AnswerError, match="'shout' is no kind"):
        store.append([answer(1), Event("e2", "x", "shout")])  # type: ignore[arg-type]
    with pytest.raises(AnswerError, match="must name the event"):
        store.append([answer(1), Event("e2", "x", "retract")])
    assert store.events() == []


def test_settings_of_the_first_opening_win(store: LabelStore, pool: Pool) -> None:
    assert store.bind(TASK, pool, {"seed": 1, "audit": 0.15}) == {"seed": 1, "audit": 0.15}
    assert store.bind(TASK, pool, {"seed": 2, "audit": 0.5}) == {"seed": 1, "audit": 0.15}


def test_another_task_is_refused(store: LabelStore, pool: Pool) -> None:
    store.bind(TASK, pool, {})
    with pytest.raises(StoreError, match=r"another task: .*\[a, b\].*\[a, c\]"):
        store.bind(Classification(["a", "c"]), pool, {})


def test_classes_added_while_labelling_come_back(store: LabelStore, pool: Pool) -> None:
    store.bind(TASK, pool, {})
    grown = Classification(["a", "b", "c"])
    store.update_task(grown)
    task = Classification(["a", "b"])
    store.bind(task, pool, {})
    assert task.classes == ("a", "b", "c")


def test_another_pool_is_refused(store: LabelStore, pool: Pool) -> None:
    store.bind(TASK, pool, {})
    with pytest.raises(StoreError, match="another pool, of 200 items"):
        store.bind(TASK, Pool.from_texts(["something", "else"]), {})


def test_a_pool_with_the_same_ids_and_other_content_is_refused(store: LabelStore) -> None:
    store.bind(TASK, Pool.from_texts(["a", "b"], ids=[0, 1]), {})
    with pytest.raises(StoreError, match=r"item '.' has other content"):
        store.bind(TASK, Pool.from_texts(["c", "d", "e"], ids=[0, 1, 2]), {})


def test_a_pool_in_another_order_or_grown_is_accepted(store: LabelStore, pool: Pool) -> None:
    store.bind(TASK, pool, {})
    texts = [c.text for c in pool.contents]  # type: ignore[union-attr]
    store.bind(TASK, Pool.from_texts(texts[::-1]), {})
    store.bind(TASK, Pool.from_texts([*texts, "new"]), {})


def test_a_pool_without_a_labelled_item_is_refused(store: LabelStore, pool: Pool) -> None:
    store.bind(TASK, pool, {})
    lost = [k for k, i in enumerate(pool.ids) if i not in pool.probes][:2]
    store.append([Event("e", pool.ids[lost[0]], "answer", "a")])
    texts = [c.text for c in pool.contents]  # type: ignore[union-attr]
    without = [t for k, t in enumerate(texts) if k != lost[0]]
    with pytest.raises(StoreError, match=f"'{pool.ids[lost[0]]}' is not in this one"):
        store.bind(TASK, Pool.from_texts([*without, "new"]), {})
    without = [t for k, t in enumerate(texts) if k != lost[1]]
    with pytest.raises(StoreError, match="has only 199 of them"):
        store.bind(TASK, Pool.from_texts(without), {})
