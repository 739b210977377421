"""Stores of other versions: brought up to date, refused, and never the worse for it."""

from __future__ import annotations

import logging
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

import alwidgets as al
from alwidgets import migrations
from alwidgets.errors import StoreError
from alwidgets.schema import SCHEMA_VERSION, Event, draws_table, events_table, metadata
from alwidgets.store import LabelStore
from tests.unit.postgres import Server, running

FIXTURES = Path(__file__).parent / "fixtures"
FIRST, SECOND, THIRD = (FIXTURES / f"store_version_{version}.sql" for version in (1, 2, 3))
#: What stood in the session that the first version kept.
LABELS = {
    **dict.fromkeys(["26", "19", "2", "4", "38", "17", "37"], "ham"),
    **dict.fromkeys(["33", "30", "12", "36", "3"], "spam"),
}
#: And in that of the second, under the classes' new names.
LABELS_2 = {
    **dict.fromkeys(["32", "34", "23", "35", "25", "1"], "news"),
    **dict.fromkeys(["33", "3"], "spam"),
    "30": "eggs",
}
KEPT = "labels.db.before-4"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as server:
        yield server


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A store that version 1 made."""
    return made_by(FIRST, tmp_path / "labels.db")


def made_by(version: Path, path: Path) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(version.read_text(encoding="utf-8"))
        connection.execute("PRAGMA journal_mode=WAL")
    return path


def messages() -> al.Pool:
    words = ["win a prize" if i % 3 == 0 else "see you" for i in range(40)]
    return al.Pool.from_texts(
        [f"{text} {i}" for i, text in enumerate(words)],
        ids=range(40),
        features=[[float(i % 3), float(i % 5)] for i in range(40)],
    )


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def rows(path: Path, table: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()


def test_a_store_of_the_first_version_opens_with_all_it_has(
    old: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = {table: rows(old, table) for table in ("events", "draws", "rounds", "switches")}
    whole = dump(old)
    assert len(before["events"]) == 16
    with caplog.at_level(logging.WARNING):
        store = LabelStore(old)
    assert re.search(r"brought from schema 1 to 4\..*before-4", caplog.text)
    assert [e.event_id for e in store.events()] == [row[1] for row in before["events"]]
    assert {(e.comment, e.bulk, e.suggested) for e in store.events()} == {(None, None, None)}
    assert len(store.draws()) == len(before["draws"])
    new = Event("new", "3", "answer", "ham", comment="not sure", bulk="b", suggested="spam")
    fresh = store.append([replace(new, suggestion_shown=False)])
    assert [event.seq for event in fresh] == [17]
    assert store.event("new") == fresh[0]
    assert store.event("new").comment == "not sure"  # type: ignore[union-attr]
    assert store.events(bulk="b") == fresh
    store.close()
    for table in ("draws", "rounds", "switches"):
        assert rows(old, table) == before[table]
    assert [row[:-4] for row in rows(old, "events")][:16] == before["events"]
    assert dump(old.with_name(KEPT)) == whole


def test_a_session_goes_on_with_the_labels_of_the_first_version(old: Path) -> None:
    session = al.Session(messages(), al.Classification(["ham", "spam"]), old, batch_size=1000)
    assert session.labels()["answer"].to_dict() == LABELS
    assert session.progress()["skipped"] == session.progress()["flagged"] == 1
    assert session.task.classes == ("ham", "spam", "über")
    assert session.seed == 1
    session.record(session.next()[0].id, "über")
    session.close()


def test_a_store_of_the_second_version_opens_with_all_it_has(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    second = made_by(SECOND, tmp_path / "labels.db")
    names = ("class_changes", "draws", "events", "meta", "rounds", "switches")
    before = {name: rows(second, name) for name in names}
    with caplog.at_level(logging.WARNING):
        store = LabelStore(second)
    assert "brought from schema 2 to 4." in caplog.text
    assert [e.comment for e in store.events()] == [None] * 13 + ["with a remark"]
    assert [c.what for c in store.class_changes()] == ["add", "rename"]
    store.close()
    assert [row[:-3] for row in rows(second, "events")] == before.pop("events")
    assert before.pop("meta") != rows(second, "meta")
    for table, kept in before.items():
        assert rows(second, table) == kept


def test_a_session_goes_on_with_the_labels_of_the_second_version(tmp_path: Path) -> None:
    second = made_by(SECOND, tmp_path / "labels.db")
    task = al.Classification(["ham", "spam"])
    session = al.Session(messages(), task, second, batch_size=1000)
    assert session.labels()["answer"].to_dict() == LABELS_2
    assert session.progress() == {
        "labelled": 9,
        "audit": 2,
        "skipped": 1,
        "flagged": 0,
        "total": 40,
    }
    session.comment("30", "seen again")
    assert session.labels().loc["30", "comment"] == "seen again"
    session.close()


def test_a_session_goes_on_from_the_rounds_of_the_third_version(tmp_path: Path) -> None:
    third = made_by(THIRD, tmp_path / "labels.db")
    before = {name: rows(third, name) for name in ("draws", "events", "rounds")}
    task = al.Classification(["ham", "spam"])
    with closing(al.Session(messages(), task, third, batch_size=1000)) as session:
        assert len(session.labels()) == 16
        # What these models said was not kept then; their accuracy was.
        shown = [record.accuracy for record in session.rounds]
        assert [estimate.value for estimate in session.estimate_rounds()] == shown == [0.5, 1.0]
        assert "not kept" in session.estimate_rounds("f1")[0].method
        assert "not kept" in session.compare_rounds(1, 2).method
        with pytest.raises(al.AlwidgetsError, match="not kept"):
            session.predictions(1)
        session.retrain()
        assert session.estimate_rounds("f1")[2].n == session.estimate().n
        assert len(session.predictions(3)) == 40
    for name, kept in before.items():
        assert rows(third, name)[: len(kept)] == kept


def test_what_is_up_to_date_is_not_copied(old: Path) -> None:
    LabelStore(old).close()
    LabelStore(old).close()
    assert sorted(p.name for p in old.parent.glob("*before*")) == [KEPT]


def test_an_earlier_copy_stays(old: Path) -> None:
    old.with_name(KEPT).write_text("of another time")
    LabelStore(old).close()
    assert old.with_name(KEPT).read_text() == "of another time"
    assert len(rows(old.with_name(f"{KEPT}-2"), "events")) == 16


def test_a_step_that_fails_half_way_leaves_the_store_as_it_was(old: Path) -> None:
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("CREATE TABLE locks (key TEXT)")
        # The step before the last one fails, after the tables were changed.
        connection.execute(
            "CREATE TRIGGER no BEFORE UPDATE ON meta BEGIN SELECT RAISE(ABORT, 'not now'); END"
        )
        connection.commit()
    before = dump(old)
    with pytest.raises(StoreError, match=r"could not be opened: not now\."):
        LabelStore(old)
    assert dump(old) == before
    assert not list(old.parent.glob("*before*"))
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("DROP TRIGGER no")
        connection.commit()
    store = LabelStore(old)
    assert len(store.events()) == 16
    store.close()


def test_no_room_for_the_copy_leaves_the_store_as_it_was(old: Path) -> None:
    before = dump(old)
    assert old.stat().st_size > 40_000
    open_small = (
        "import resource, signal, sys\n"
        "from alwidgets.errors import StoreError\n"
        "from alwidgets.store import LabelStore\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))\n"
        "try: LabelStore(sys.argv[1])\n"
        "except StoreError as error: print(error)"
    )
    command = [sys.executable, "-c", open_small, str(old)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "no copy of it could be made" in said
    assert "Make room on the disk" in said
    assert dump(old) == before
    assert not list(old.parent.glob("*before*"))


def test_a_newer_store_is_named_and_left_as_it_was(old: Path) -> None:
    with closing(sqlite3.connect(old)) as connection:
        connection.execute(f"UPDATE meta SET value = '{SCHEMA_VERSION + 1}' WHERE key = 'schema'")
        connection.execute("DROP TABLE switches")
        connection.commit()
    before = dump(old)
    newer = rf"labels\.db was made by a newer version .*schema {SCHEMA_VERSION + 1}"
    with pytest.raises(StoreError, match=newer):
        LabelStore(old)
    assert dump(old) == before


def test_a_store_whose_making_was_cut_off_is_made(tmp_path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'labels.db'}")
    metadata.create_all(engine)
    engine.dispose()
    store = LabelStore(tmp_path / "labels.db")
    assert len(store.store_id) == 32
    assert [event.seq for event in store.append([Event("e", "x", "skip")])] == [1]
    store.close()


@pytest.mark.parametrize("place", ["sqlite", "postgres"])
def test_the_steps_lead_to_the_tables_of_today(place: str, request: pytest.FixtureRequest) -> None:
    url = "sqlite://"
    if place == "postgres":
        url = request.getfixturevalue("server").place().replace("sql://", "sql+psycopg://")
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        migrations.upgrade(connection, 0)
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        migrations.upgrade(connection, SCHEMA_VERSION)
    engine.dispose()


def test_a_store_of_the_first_version_on_a_server(server: Server, old: Path) -> None:
    place = server.place()
    engine = sa.create_engine(place.replace("sql://", "sql+psycopg://"))
    found = {name: rows(old, name) for name in ("meta", "events", "draws")}
    with engine.begin() as connection:
        migrations.upgrade(connection, 0, to=1)
        for name, values in found.items():
            names = [column.name for column in metadata.tables[name].columns][: len(values[0])]
            marks = ", ".join(["%s"] * len(names))
            quoted = ", ".join(f'"{column}"' for column in names)
            # SQLite has made a number of a number's text.
            values = [tuple(map(str, row)) for row in values] if name == "meta" else values
            connection.exec_driver_sql(f"INSERT INTO {name} ({quoted}) VALUES ({marks})", values)
            if name != "meta":
                connection.exec_driver_sql(f"SELECT setval('{name}_seq_seq', {len(values)})")
    engine.dispose()
    store = LabelStore(place)
    assert [e.event_id for e in store.events()] == [row[1] for row in found["events"]]
    assert [d.draw_id for d in store.draws()] == [row[1] for row in found["draws"]]
    assert [e.seq for e in store.append([Event("n", "3", "skip", comment="é")])] == [17]
    store.close()


def test_alembic_is_loaded_only_for_an_older_store(old: Path, tmp_path: Path) -> None:
    ask = (
        "import sys, alwidgets.store as s; s.LabelStore(sys.argv[1]).close()\n"
        "print('alembic' in sys.modules)"
    )
    for path, loaded in [(tmp_path / "new.db", "False\n"), (old, "True\n")]:
        command = [sys.executable, "-c", ask, str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout == loaded


def test_the_fixtures_are_of_their_versions() -> None:
    second = SECOND.read_text(encoding="utf-8")
    assert "VALUES('schema','2')" in second or "VALUES('schema',2)" in second
    assert "comment" in second
    assert "bulk" not in second
    third = THIRD.read_text(encoding="utf-8")
    assert "VALUES('schema',3)" in third
    assert "predictions" not in third
    text = FIRST.read_text(encoding="utf-8")
    assert "('schema',1)" in text
    assert "comment" not in text
    assert {draws_table.name, events_table.name} <= set(re.findall(r"CREATE TABLE (\w+)", text))
