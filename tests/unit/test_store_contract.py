"""What holds for every place where labels can be kept: memory, an SQLite file, PostgreSQL."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

import alwidgets as al
from alwidgets.errors import AnswerError, StoreError, StoreInUseError
from alwidgets.pool import Pool
from alwidgets.schema import (
    ClassChange,
    Draw,
    Event,
    RoundRecord,
    Switch,
    draws_table,
    events_table,
    meta_table,
)
from alwidgets.store import LabelStore
from alwidgets.tables import VALUES_AT_ONCE
from alwidgets.tasks import Classification
from alwidgets.trainer import BackgroundExecutor
from tests.unit.postgres import Server, running

TASK = Classification(["a", "b"])
PLACES = ["memory", "file", "postgres"]
AT = "2026-01-01T00:00:00.000000+00:00"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as server:
        yield server


@pytest.fixture(params=PLACES)
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str | Path | None:
    if request.param == "memory":
        return None
    if request.param == "file":
        return tmp_path / "labels.db"
    server: Server = request.getfixturevalue("server")
    return server.place()


lasting = pytest.mark.parametrize("location", PLACES[1:], indirect=True)


@pytest.fixture
def pool() -> Pool:
    return Pool.from_texts([f"text {i}" for i in range(200)])


@pytest.fixture
def store(location: str | Path | None) -> Iterator[LabelStore]:
    store = LabelStore(location)
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


def test_the_events_of_one_bulk_answer_are_found(store: LabelStore) -> None:
    events = [
        Event(f"e{n}", f"x{n}", "answer", "a", bulk=[None, "b", "c"][n % 3]) for n in range(9)
    ]
    store.append(events)
    assert store.events(bulk="b") == [e for e in events if e.bulk == "b"]
    assert store.events(bulk="' OR 1=1 --%s") == []


@lasting
def test_slices_of_two_that_write_at_once_are_both_kept(store: LabelStore) -> None:
    store.keep_slice("ours", ["a"])
    other = sa.create_engine(store._engine.url)
    waiting = [{"name": "theirs", "ids": ["b"], "at": AT}]

    @sa.event.listens_for(store._writer, "before_cursor_execute")
    def meanwhile(_c: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        """Another kernel keeps a slice while this one is about to."""
        if statement.startswith("DELETE FROM meta") and waiting:
            row = sa.insert(meta_table).values(key="slice:theirs", value=waiting.pop())
            with other.begin() as connection:
                connection.execute(row)

    store.keep_slice("ours, too", ["c"])
    other.dispose()
    assert store.slices() == {"theirs": ["b"], "ours": ["a"], "ours, too": ["c"]}
    store.keep_slice("ours", None)
    store.keep_slice("ours, too", ["d"])
    assert store.slices() == {"theirs": ["b"], "ours, too": ["d"]}


@lasting
def test_slices_of_one_process_after_another_are_all_kept(location: str | Path) -> None:
    script = (
        "import sys\n"
        "from alwidgets.store import LabelStore\n"
        "store = LabelStore(sys.argv[1])\n"
        "store.keep_slice(sys.argv[2], [sys.argv[2]])\n"
        "store.close()\n"
    )
    store = LabelStore(location)
    store.keep_slice("own", ["own"])
    store.close()
    for name in ("ä" * 200, "two"):
        subprocess.run([sys.executable, "-c", script, str(location), name], check=True)
    store = LabelStore(location)
    assert store.slices() == {name: [name] for name in ("own", "ä" * 200, "two")}
    store.close()


def test_slices_that_were_kept_together_stay(store: LabelStore) -> None:
    store._set_meta("slices", {"old": ["a"], "older": ["b"]})
    store.keep_slice("new", ["c"])
    store.keep_slice("old", ["d"])
    assert store.slices() == {"older": ["b"], "new": ["c"], "old": ["d"]}
    store.keep_slice("older", None)
    assert store.slices() == {"new": ["c"], "old": ["d"]}


def test_draws_and_rounds(store: LabelStore) -> None:
    draw = Draw("x", "audit", "random", 0, None, 0.25, 4)
    record = RoundRecord(1, "margin", 10, 2, 0.5, 0.1, 0.9, 0.01, "2026-01-01T00:00:00+00:00", 12)
    store.append_draws([draw])
    store.append_round(record)
    assert store.draws() == [draw]
    assert store.rounds() == [record]


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
    store.append_class_change(ClassChange("add", "c", None, "ann", 0, AT), grown)
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


def test_every_field_comes_back_as_it_went_in(store: LabelStore) -> None:
    answers = [
        "é ☃ 😀",
        "",
        "100% 'quoted' \"and\" \\ : ;",
        3,
        0.1,
        True,
        ["a", "b"],
        {"k": [None]},
    ]
    events = [
        Event(
            f"e{n}",
            "item %s :x",
            "answer",
            given,
            None,
            "d",
            "änn",
            AT,
            AT,
            "a remark\n",
            "b",
            given,
            n % 2 == 0,
            n + 1,
        )
        for n, given in enumerate(answers)
    ]
    events.append(Event("r", "item", "retract", target="e0"))
    store.append(events)
    assert store.events() == events
    assert [type(e.answer) for e in store.events()] == [type(e.answer) for e in events]


def test_an_event_by_its_id_and_by_its_place(store: LabelStore) -> None:
    fresh = store.append([answer(n) for n in range(3)])
    places = [event.seq for event in fresh]
    assert places == sorted(places)
    assert [store.event_at(place or 0) for place in places] == fresh
    assert store.event_at(places[1] or 0).seq == places[1]
    assert store.event("e2") == answer(2)
    assert store.event("e9") is None


def test_places_grow_whatever_was_refused_between(store: LabelStore) -> None:
    store.append([answer(1)])
    store.append([answer(1), answer(1), answer(2)])
    store.append([answer(1), answer(3)])
    places = [event.seq or 0 for event in store.events()]
    assert places == sorted(set(places))
    assert [event.event_id for event in store.events()] == ["e1", "e2", "e3"]


def test_the_same_event_twice_in_one_go_is_one(store: LabelStore) -> None:
    assert store.append([answer(1), answer(1, "other")]) == [answer(1)]
    assert store.events() == [answer(1)]


def test_draws_rounds_and_switches_in_order(store: LabelStore) -> None:
    draws = [Draw(f"i{n}", "train", "margin", n, n / 3, None, 9 - n, after=n) for n in range(5)]
    rounds = [
        RoundRecord(n, "margin", 10 * n, n, None, None, None, 0.1 * n, AT, n) for n in (2, 1, 3)
    ]
    switches = [Switch(None, "random", "No model yet.", 0, 0), Switch("random", "é", "w", 1, 20)]
    store.append_draws([])
    store.append_draws(draws[:2])
    store.append_draws(draws[2:])
    for record in rounds:
        store.append_round(record)
    for switch in switches:
        store.append_switch(switch)
    assert store.draws() == draws
    assert store.draw(draws[3].draw_id) == draws[3]
    assert store.draw("none") is None
    assert store.rounds() == sorted(rounds, key=lambda record: record.version)
    assert store.switches() == switches


def test_changes_of_the_classes_in_order(store: LabelStore) -> None:
    changes = [
        ClassChange("add", "é", None, "ann", 0, AT),
        ClassChange("rename", "é", "50% e", "", 3, AT),
    ]
    for change in changes:
        store.append_class_change(change, Classification(["a", "é"]))
    assert store.class_changes() == changes


def test_scores_of_what_a_strategy_drew_by_a_model(store: LabelStore) -> None:
    scores = [0.5, None, 0.25, 0.75]
    draws = [Draw(f"i{n}", "train", "margin", 1, s, None, 9) for n, s in enumerate(scores)]
    others = [
        Draw("x", "train", "margin", 2, 0.1, None, 9),
        Draw("y", "train", "bald", 1, 1, None, 9),
    ]
    store.append_draws(draws + others)
    assert sorted(store.scores("margin", 1)) == [0.25, 0.5, 0.75]
    assert store.scores("margin", 3) == []


def test_plain_rows_are_the_same_everywhere(store: LabelStore) -> None:
    store.append([answer(1, "50% é"), Event("f", "y", "skip")])
    draw = Draw("x", "audit", "random", 0, None, 1 / 3, 4, "d", AT)
    store.append_draws([draw, Draw("y", "train", "margin", 1, 0.5, None, 3, "e", AT)])
    event, drawn = events_table.c, draws_table.c
    text = sa.cast(event.answer, sa.Text)
    query = sa.select(event.seq, event.item_id, event.kind, text, event.shown_at)
    assert list(store.rows(query.order_by(event.seq))) == [
        [(1, "50% é", "answer", '{"any": ["json", 1]}', None), (2, "y", "skip", None, None)]
    ]
    query = sa.select(drawn.draw_id, drawn.model_version, drawn.score, drawn.q)
    assert list(store.rows(query.order_by(drawn.seq), at_once=1)) == [
        [("d", 0, None, 1 / 3)],
        [("e", 1, 0.5, None)],
    ]
    some = sa.select(event.seq).where(event.item_id == "50% é", event.event_id.in_(["e1", "f"]))
    assert list(store.rows(some)) == [[(1,)]]


def test_an_event_is_written_while_rows_are_read(store: LabelStore) -> None:
    store.append([answer(n) for n in range(4)])
    query = sa.select(events_table.c.event_id).order_by(events_table.c.seq)
    parts = store.rows(query, at_once=2)
    first = next(parts)
    store.append([answer(9)])
    assert first + next(parts) == [(f"e{n}",) for n in range(4)]
    parts.close()  # type: ignore[attr-defined]
    assert len(store.events()) == 5


@lasting
def test_opened_again_it_has_everything(location: str | Path) -> None:
    store = LabelStore(location)
    store.append([answer(1)])
    store.append_draws([Draw("x", "audit", "random", 0, None, 0.25, 4, "d", AT)])
    kept = store.store_id, store.events(), store.draws()
    assert store.persistent
    store.close()
    store.close()
    again = LabelStore(location)
    assert (again.store_id, again.events(), again.draws()) == kept
    assert [event.seq for event in again.append([answer(2)])] == [2]
    again.close()


@lasting
def test_a_second_one_is_refused_until_the_first_is_closed(location: str | Path) -> None:
    store = LabelStore(location)
    with pytest.raises(StoreInUseError, match="open in another session"):
        LabelStore(location)
    store.append([answer(1)])
    store.close()
    again = LabelStore(location)
    assert again.events() == [answer(1)]
    again.close()


@lasting
def test_another_process_is_refused_until_the_first_is_killed(location: str | Path) -> None:
    hold = (
        "import sys, time; from alwidgets.store import LabelStore\n"
        "s = LabelStore(sys.argv[1])\n"
        "print('open', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", hold, str(location)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "open\n"
            with pytest.raises(StoreInUseError, match="open in another session"):
                LabelStore(location)
        finally:
            holder.kill()
    _patiently(lambda: LabelStore(location)).close()


def test_a_store_that_belongs_to_nobody_yet_takes_any_task(store: LabelStore, pool: Pool) -> None:
    assert store.bind(TASK, pool, {"é": 1.5}) == {"é": 1.5}
    store.append_class_change(
        ClassChange("add", "ç", None, "ann", 0, AT), Classification(["a", "b", "ç"])
    )
    task = Classification(["a", "b"])
    store.bind(task, pool, {})
    assert task.classes == ("a", "b", "ç")


# --- a whole session -------------------------------------------------------------------------

N = 60
Y = np.arange(N) % 2
X = np.random.default_rng(0).normal(size=(N, 3)).astype(np.float32) + 3 * np.eye(3)[Y].astype("f4")


class Held(BackgroundExecutor):
    """Comes to its jobs when it is let: until then no model is fitted behind the test's back."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()

    def submit(self, job: Callable[[], None]) -> None:
        def later() -> None:
            self.go.wait(60)
            job()

        super().submit(later)


def session_on(location: str | Path | None, executor: Any = None) -> al.Session:
    return al.Session(
        Pool.from_arrays(X, ids=range(N)),
        Classification(["even", "odd"]),
        location,
        learner=al.HeadEnsemble(members=2, seed=0),
        batch_size=10,
        audit=0.2,
        executor=executor or al.InlineExecutor(),
        annotator="ann",
    )


def label(session: al.Session, n: int) -> None:
    for _ in range(n):
        item = session.next()[0]
        session.record(item.id, ["even", "odd"][Y[item.index]], shown_at=AT)


def state(session: al.Session) -> list[Any]:
    labels = session.labels().reset_index().to_csv()  # as text: nothing equals nothing
    cards = session.next(20, wait=False)
    waiting = [(i.id, i.stream, i.strategy, i.score, i.draw_id) for i in cards]
    return [session.progress(), labels, waiting, session.store.rounds()]


@lasting
def test_a_session_goes_on_where_it_was(location: str | Path) -> None:
    session = session_on(location)
    label(session, 12)
    session.undo()
    session.skip(session.next()[0].id)
    session.flag(session.next()[0].id)
    session.add_class("neither")
    label(session, 15)
    assert session.version == 2
    session.queue(["7", "8"])
    before = state(session)
    session.close()

    held = Held()
    again = session_on(location, held)
    assert state(again) == before
    assert again.task.classes == ("even", "odd", "neither")
    held.go.set()
    again.close()

    third = session_on(location)
    label(third, 3)
    assert third.progress()["labelled"] == before[0]["labelled"] + 3
    third.close()


@lasting
def test_bulk_answers_and_remarks_are_there_again(location: str | Path) -> None:
    session = session_on(location)
    label(session, 12)
    for name in ("one", "two"):
        free = [i for i in session.pool.ids if i not in session.labels().index]
        items = session.label_together(free[:8]).items
        session.commit(
            Event(f"{name}{n}", item.id, "answer", "odd", draw_id=item.draw_id, bulk=name)
            for n, item in enumerate(items)
        )
        session.comment(items[0].id, f"of {name}")
    session.undo()
    item, _ = session.revisit(session.history(1)[0].id)
    session.record(item.id, "even", draw_id=item.draw_id)
    label(session, 3)
    before, history = state(session), session.history(100)
    assert session.labels()["bulk"].dropna().tolist() == ["one"] * 7  # one was changed since
    # Undone, the cards of the second came first and were answered one by one.
    assert session.labels()["comment"].dropna().tolist() == ["of one", "of two"]
    session.close()
    held = Held()
    again = session_on(location, held)
    assert state(again) == before
    assert again.history(100) == history
    held.go.set()
    again.close()


def test_a_session_is_the_same_on_every_place(location: str | Path | None) -> None:
    kept, memory = session_on(location), session_on(None)
    for session in (kept, memory):
        label(session, 25)
        session.undo()
    here, there = (
        [(e.item_id, e.kind, e.answer, e.seq) for e in session.store.events()]
        for session in (kept, memory)
    )
    assert here == there
    assert kept.store.to_frame()["q"].equals(memory.store.to_frame()["q"])
    kept.close()
    memory.close()


def _patiently(opening: Callable[[], LabelStore]) -> LabelStore:
    """A server takes a moment to see that a client was killed."""
    for _ in range(200):
        try:
            return opening()
        except StoreInUseError:
            threading.Event().wait(0.05)
    return opening()


def test_events_and_draws_are_found_by_many_places_at_once(store: LabelStore) -> None:
    n = 3 * VALUES_AT_ONCE // 2
    assert store.last_draw() == (0, "")
    draws = [Draw(f"i{k}", "train", "s", 1, 0.5, None, n, f"d{k}") for k in range(n)]
    store.append_draws(draws)
    names = [f"e{k}'%" for k in range(n)]  # what would matter in the text of a query
    events = [Event(name, "x", "skip", draw_id=f"d{k}") for k, name in enumerate(names[:-1])]
    places = {e.event_id: e.seq for e in store.append([*events, Event(names[-1], "x", "flag")])}
    assert store.places([*names, "nobody", "' OR 1=1"]) == places
    assert store.places([]) == {}
    by_event = store.draws_of([*places.values(), 10**6])
    assert by_event == {places[e.event_id]: draws[k] for k, e in enumerate(events)}
    seqs = list(range(n, 0, -1))
    assert store.draws_at([*seqs, n + 1]) == draws
    assert store.last_draw() == (n, f"d{n - 1}")
    assert [store.draw_at(seq) for seq in (1, n, n + 1)] == ["d0", f"d{n - 1}", ""]
