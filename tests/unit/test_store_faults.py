"""What can befall a store's file: a full disk, a stranger's lock, a kill, a clock set back."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from alwidgets import database
from alwidgets.errors import StoreError
from alwidgets.schema import Event
from alwidgets.store import LabelStore

KILLS = 25


def event(name: str, size: int = 1) -> Event:
    return Event(name, "x", "answer", "y" * size)


def names(store: LabelStore) -> list[str]:
    return [e.event_id for e in store.events()]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root may mount a disk; a limit on files is tested in any case")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_is_full_refuses_and_goes_on_when_there_is_room(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(300_000))
    store = LabelStore(small_disk / "labels.db")
    kept: list[str] = []

    def fill() -> None:
        for n in range(1000):
            kept.extend(e.event_id for e in store.append([event(f"e{n}", 5000)]))

    with pytest.raises(StoreError, match=r"labels\.db could not be written: .*the disk has room"):
        fill()
    assert len(kept) > 5
    assert names(store) == kept
    refused = f"e{len(kept)}"
    with pytest.raises(StoreError):
        store.append([event(refused, 5000)])
    ballast.unlink()
    assert [e.event_id for e in store.append([event(refused, 5000), event("last")])] == [
        refused,
        "last",
    ]
    store.close()
    again = LabelStore(small_disk / "labels.db")
    assert names(again) == [*kept, refused, "last"]
    again.close()


def test_a_file_that_may_not_grow_keeps_what_was_acknowledged(tmp_path: Path) -> None:
    write = (
        "import resource, signal, sys\n"
        "from alwidgets.errors import StoreError\n"
        "from alwidgets.store import Event, LabelStore\n"
        "store = LabelStore(sys.argv[1])\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))\n"
        "n = 0\n"
        "try:\n"
        "    while n < 1000: store.append([Event(f'e{n}', 'x', 'answer', 'y' * 5000)]); n += 1\n"
        "except StoreError as error: print(error)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)\n"
        "store.append([Event('last', 'x', 'skip')]); print(n)"
    )
    command = [sys.executable, "-c", write, str(tmp_path / "labels.db")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    said, n = done.stdout.splitlines()
    assert "could not be written: " in said
    assert "the disk has room" in said
    assert 5 < int(n) < 1000
    store = LabelStore(tmp_path / "labels.db")
    assert names(store) == [*(f"e{k}" for k in range(int(n))), "last"]
    store.close()


def test_a_strangers_lock_is_named_and_nothing_is_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.2)
    hold = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('BEGIN IMMEDIATE'); print('locked', flush=True)\n"
        "sys.stdin.readline(); c.execute('ROLLBACK'); print('free', flush=True)\n"
        "sys.stdin.readline()"
    )
    store = LabelStore(tmp_path / "labels.db")
    store.append([event("a")])
    command = [sys.executable, "-c", hold, str(tmp_path / "labels.db")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        with pytest.raises(StoreError, match=r"database is locked\..*no other program has it"):
            store.append([event("b")])
        assert names(store) == ["a"]
        holder.stdin.write("\n")
        assert holder.stdout.readline() == "free\n"
        assert store.append([event("b"), event("c")]) == [event("b"), event("c")]
        holder.stdin.write("\n")
    assert names(store) == ["a", "b", "c"]
    store.close()


def test_a_short_lock_is_waited_for(tmp_path: Path) -> None:
    store = LabelStore(tmp_path / "labels.db")
    hold = (
        "import sqlite3, sys, time; c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('BEGIN IMMEDIATE'); print('locked', flush=True)\n"
        "time.sleep(0.5); c.execute('ROLLBACK')"
    )
    command = [sys.executable, "-c", hold, str(tmp_path / "labels.db")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        store.append([event("a")])
    assert names(store) == ["a"]
    store.close()


def test_the_order_is_that_of_the_log_when_the_clock_goes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "labels.db"
    clock = iter(["2030-01-01T00:00:00+00:00", "2020-01-01T00:00:00+00:00", "1970-01-01T00:00:00"])
    monkeypatch.setattr("alwidgets.store.now", lambda: next(clock))
    store = LabelStore(path)
    for name, at in [("a", "2030"), ("b", "2020"), ("c", "1970")]:
        store.append([Event(name, "x", "answer", name, answered_at=f"{at}-01-01T00:00:00+00:00")])
    assert names(store) == ["a", "b", "c"]
    frame = store.to_frame()
    assert frame["event_id"].tolist() == ["a", "b", "c"]
    assert frame["stored_at"].str[:4].tolist() == ["2030", "2020", "1970"]
    store.close()
    again = LabelStore(path)
    assert names(again) == ["a", "b", "c"]
    again.close()


def test_killed_at_any_moment_all_that_was_acknowledged_is_there(tmp_path: Path) -> None:
    path = tmp_path / "labels.db"
    write = (
        "import os, sys\n"
        "sys.stdout.write('ready\\n'); sys.stdout.flush()\n"
        "from alwidgets.store import Event, LabelStore\n"
        "store, n = LabelStore(sys.argv[1]), 0\n"
        "while True:\n"
        "    batch = [Event(f'{sys.argv[2]}-{n + k}', 'x', 'answer', 'y' * k) for k in range(3)]\n"
        "    store.append(batch); n += 3; os.write(1, b'%d\\n' % n)"
    )
    rng = random.Random(0)
    told: dict[str, int] = {}
    for run in range(KILLS):
        command = [sys.executable, "-c", write, str(path), str(run)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            # Some are killed while the store is opened, most while it is written to.
            lines = [writer.stdout.readline() for _ in range(rng.choice([1, 2, 2, 5, 20]))]
            time.sleep(rng.random() * 0.03)
            writer.kill()
            lines += writer.stdout.read().splitlines(keepends=True)
        told[str(run)] = max([int(n) for n in lines if n.strip().isdigit()], default=0)
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    store = LabelStore(path)
    found = names(store)
    store.append([event("after")])
    store.close()
    assert len(found) == len(set(found))
    by_run: dict[str, list[int]] = {}
    for name in found:
        run_name, n = name.split("-")
        by_run.setdefault(run_name, []).append(int(n))
    assert sum(told.values()) > 100
    for run_name, n_told in told.items():
        there = by_run.get(run_name, [])
        assert there == list(range(len(there)))
        # A batch is there whole or not at all, and the last one may not have been told of.
        assert len(there) in (n_told, n_told + 3)
