"""A store on a PostgreSQL server: one session at a time, and the server may go and come back."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import psycopg
import pytest

import alwidgets as al
from alwidgets.errors import StoreError, StoreInUseError
from alwidgets.schema import SCHEMA_VERSION, Draw, Event
from alwidgets.store import LabelStore
from tests.unit.postgres import Server, running


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as server:
        yield server


@pytest.fixture
def place(server: Server) -> str:
    return server.place()


def skip(name: str) -> Event:
    return Event(name, "x", "skip")


def names(store: LabelStore) -> list[str]:
    return [event.event_id for event in store.events()]


def end_connections(place: str, which: str) -> None:
    """Cut the connections whose newest statement is so, as a network does."""
    with psycopg.connect(place, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND query LIKE %s",
            [which],
        )


def test_two_schemas_of_a_database_are_two_stores(server: Server) -> None:
    one, other = LabelStore(server.place()), LabelStore(server.place())
    one.append([skip("a")])
    assert names(other) == []
    one.close()
    other.close()


def test_a_database_by_its_plain_name(server: Server) -> None:
    store = LabelStore(server.address("postgres"))
    assert store.persistent
    assert (
        str(store) == f"The label store {server.address('postgres').replace('ql:', 'ql+psycopg:')}"
    )
    store.close()


def test_a_password_is_shown_nowhere(server: Server) -> None:
    address = server.address("nowhere").replace("tests@", "tests:secret@")
    with pytest.raises(StoreError, match=r"tests:\*\*\*@.*could not be opened") as error:
        LabelStore(address)
    assert "secret" not in str(error.value)


def test_a_server_that_is_not_there_is_named_with_the_remedy() -> None:
    with pytest.raises(StoreError, match=r"127\.0\.0\.1:1/.*Check that the server runs"):
        LabelStore("postgresql://tests@127.0.0.1:1/labels")


def test_somebody_elses_schema_is_left_alone(place: str) -> None:
    with psycopg.connect(place) as connection:
        connection.execute("CREATE TABLE books (title text)")
    with pytest.raises(StoreError, match=r"holds the tables books\..*a schema of its own"):
        LabelStore(place)
    with psycopg.connect(place) as connection:
        count = "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()"
        assert connection.execute(count).fetchone() == (1,)


def test_the_lock_is_let_go_when_opening_fails(place: str) -> None:
    LabelStore(place).close()
    with psycopg.connect(place) as connection:
        connection.execute("UPDATE meta SET value = '99' WHERE key = 'schema'")
    with pytest.raises(StoreError, match="newer version"):
        LabelStore(place)
    with psycopg.connect(place) as connection:
        connection.execute(f"UPDATE meta SET value = '{SCHEMA_VERSION}' WHERE key = 'schema'")
    LabelStore(place).close()


def test_a_connection_that_was_cut_is_made_anew(place: str) -> None:
    store = LabelStore(place)
    store.append([skip("a")])
    end_connections(place, "%")
    assert names(store) == ["a"]
    assert [event.seq for event in store.append([skip("b")])] == [2]
    end_connections(place, "%")
    draw = Draw("x", "train", "random", 0, None, None, 1)
    store.append_draws([draw])
    with pytest.raises(StoreInUseError):
        LabelStore(place)
    assert store.draws() == [draw]
    store.close()


def test_cut_off_at_the_commit_an_event_is_stored_once_and_returned(
    place: str,
) -> None:
    store = LabelStore(place)
    store.append([skip("a")])
    # The commit is done and the connection is gone before the client hears of it.
    with psycopg.connect(place, autocommit=True) as connection:
        connection.execute(
            """
            CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$
            """
        )
        connection.execute(
            "CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON events "
            "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION cut()"
        )
    with pytest.raises(StoreError, match=r"could not be written: .*Check that the server runs"):
        store.append([skip("b")])
    with psycopg.connect(place, autocommit=True) as connection:
        connection.execute("DROP TRIGGER cut ON events")
    assert names(store) == ["a"]
    assert store.append([skip("b"), skip("c")]) == [skip("b"), skip("c")]
    assert names(store) == ["a", "b", "c"]
    store.close()


def test_what_was_stored_though_the_append_failed_is_returned_by_the_next_one(place: str) -> None:
    store = LabelStore(place)
    store.append([skip("a")])
    # As where the server has committed and its answer is lost on the way.
    end_connections(place, "%")
    with psycopg.connect(place) as connection:
        connection.execute(
            "INSERT INTO events (event_id, item_id, annotator, kind, stored_at) "
            "VALUES ('b', 'x', '', 'skip', '')"
        )
    fresh = store.append([skip("b"), skip("c")])
    assert [event.event_id for event in fresh] == ["b", "c"] == names(store)[1:]
    assert [event.seq for event in fresh] == [e.seq for e in store.events()][1:]
    assert store.append([skip("b"), skip("c")]) == []
    store.close()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["in order", "crash"])
def test_a_restart_under_load_loses_and_doubles_nothing(
    server: Server, place: str, how: signal.Signals
) -> None:
    store = LabelStore(place)
    acknowledged: list[str] = []
    refused: list[str] = []
    stop = threading.Event()

    def write() -> None:
        n = 0
        while not stop.is_set():
            event = skip(f"{how.name}-{n}")
            try:
                fresh = store.append([event])
            except StoreError as error:
                # The same event again, as the outbox of a page sends it.
                refused.append(str(error))
                time.sleep(0.01)
            else:
                acknowledged.extend(event.event_id for event in fresh)
                n += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(3):
            _until_longer(acknowledged, 50)
            server.stop(how)
            _until_longer(refused, 1)
            server.start()
        _until_longer(acknowledged, 50)
    finally:
        stop.set()
        writer.join()
    assert names(store) == acknowledged
    assert acknowledged == [f"{how.name}-{n}" for n in range(len(acknowledged))]
    assert all("Check that the server runs" in text for text in refused)
    store.close()
    again = LabelStore(place)
    assert names(again) == acknowledged
    again.close()


def test_a_session_outlasts_a_restart(server: Server, place: str) -> None:
    def open_it() -> al.Session:
        pool = al.Pool.from_arrays([[float(i), 1.0] for i in range(40)], ids=range(40))
        task = al.Classification(["a", "b"])
        return al.Session(pool, task, place, batch_size=1000, executor=al.InlineExecutor())

    session = open_it()
    for _ in range(5):
        session.record(session.next()[0].id, "a")
    server.stop()
    item = session.next(wait=False)[0]
    with pytest.raises(StoreError, match="Check that the server runs"):
        session.record(item.id, "b")
    assert session.progress()["labelled"] == 5
    server.start()
    session.record(item.id, "b")
    session.undo()
    session.record(item.id, "a")
    labels = session.labels()["answer"].to_dict()
    assert len(labels) == 6
    session.close()
    again = open_it()
    assert again.labels()["answer"].to_dict() == labels
    again.close()


def test_nobody_else_writes_while_the_lock_is_another_ones(place: str) -> None:
    first = LabelStore(place)
    first.append([skip("a")])
    end_connections(place, "%")
    second = LabelStore(place)  # quicker than the first to come back
    second.append([skip("b")])
    with pytest.raises(StoreInUseError):
        first.append([skip("c")])
    second.close()
    # What the other one wrote is told with the next event, in order.
    assert first.append([skip("c")]) == [skip("b"), skip("c")]
    first.close()


def test_the_server_notices_within_a_minute_that_a_client_has_vanished(place: str) -> None:
    store = LabelStore(place)
    with store._writer.connect() as connection:
        shown = [
            connection.exec_driver_sql(f"SHOW tcp_keepalives_{name}").scalar()
            for name in ("idle", "interval", "count")
        ]
    assert shown == ["30", "10", "3"]
    store.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run the server as somebody else")
def test_the_server_of_the_tests_runs_as_nobody_on_loopback_alone(server: Server) -> None:
    process = server._process
    assert process is not None
    assert os.stat(f"/proc/{process.pid}").st_uid != 0
    with psycopg.connect(server.address("postgres")) as connection:
        settings = "SELECT setting FROM pg_settings WHERE name = ANY(%s) ORDER BY name"
        found = connection.execute(settings, [["fsync", "listen_addresses"]]).fetchall()
    assert found == [("on",), ("127.0.0.1",)]


def _until_longer(said: list[str], n: int, patience: float = 60.0) -> None:
    wanted, deadline = len(said) + n, time.monotonic() + patience
    while len(said) < wanted:
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)
