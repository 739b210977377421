"""The store: nothing lost, nothing doubled, and nobody else's."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from alwidgets.errors import StoreError, StoreInUseError
from alwidgets.schema import Event
from alwidgets.store import LabelStore
from alwidgets.tasks import Classification

TASK = Classification(["a", "b"])


def answer(n: int, item: str = "x") -> Event:
    return Event(f"e{n}", item, "answer", {"any": ["json", 1]}, annotator="ann", draw_id="d")


def test_full_synchronous_write_ahead_log(tmp_path: Path) -> None:
    store = LabelStore(tmp_path / "labels.db")
    with store._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
    store.close()


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
    with pytest.raises(StoreError, match=r"newer version of alwidgets \(schema 99"):
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
