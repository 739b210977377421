"""Several items labelled in one go: gathered, answered with one id, undone as one."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import alwidgets as al
from alwidgets.errors import AlwidgetsError, StoreError, UnknownItemError
from alwidgets.items import Item
from alwidgets.schema import Event
from alwidgets.search import MOST_FOUND, scan, words_of
from alwidgets.terms import parse

TEXTS = [["win a PRIZE", "see you", "the prize waits"][i % 3] + f" {i}" for i in range(60)]
IDS = [str(i) for i in range(60)]


def opened(place: Path | None = None, **options: Any) -> al.Session:
    pool = al.Pool.from_texts(TEXTS, ids=IDS)
    options = {"executor": al.InlineExecutor(), "batch_size": 10} | options
    return al.Session(pool, al.Classification(["ham", "spam"]), place, **options)


def events(items: list[Item], bulk: str = "b1", answer: str = "spam") -> list[Event]:
    return [
        Event(f"{bulk}-{n}", i.id, "answer", answer, draw_id=i.draw_id, bulk=bulk)
        for n, i in enumerate(items)
    ]


def test_a_bulk_answer_is_one_transaction_and_one_undo(tmp_path: Path) -> None:
    session = opened(tmp_path / "labels.db")
    before = session.record("1", "ham")
    waiting = session.upcoming()
    items = session.label_together(IDS[10:16]).items
    assert session.upcoming() == waiting  # they are shown beside those that wait
    session.commit(events(items))
    labels = session.labels()
    assert labels["bulk"].fillna("").to_dict() == {"1": ""} | dict.fromkeys(IDS[10:16], "b1")
    assert set(labels.loc[IDS[10:16], "stream"]) == {"chosen"}
    assert set(labels.loc[IDS[10:16], "strategy"]) == {"together"}
    assert session._ledger.queue.cards_done <= 1
    session.retract("b1-2")  # one was put right already
    appended: list[int] = []
    append = session.store.append
    session.store.append = lambda new: appended.append(len(new)) or append(new)  # type: ignore
    last = session.undo()
    assert last is not None
    assert last.event_id == "b1-5"
    assert appended == [5]
    assert session.labels().index.tolist() == ["1"]
    assert session.upcoming()[:6] == ["10", "11", "13", "14", "15", "12"]
    assert session.undo() == before
    upcoming = session.upcoming()
    session.close()
    again = opened(tmp_path / "labels.db")
    assert again.upcoming() == upcoming
    assert again.labels().empty
    again.close()


def test_a_bulk_answer_is_undone_without_a_query_for_each(
    tmp_path: Path, selects: list[str]
) -> None:
    for bulk in ("b1", "b2"):
        session = opened(tmp_path / "labels.db")
        items = session.label_together(IDS).items
        session.commit(events(items, bulk))
        if bulk == "b2":  # after a restart the draws have to be read, too
            session.close()
            session = opened(tmp_path / "labels.db")
        selects.clear()
        session.undo()
        assert len(selects) < 20 < len(IDS)
        assert session.labels().empty
        assert [item.id for item in session.next(3)] == [item.id for item in items[:3]]
        session.close()


def test_none_of_a_bulk_answer_is_kept_where_one_cannot_be() -> None:
    session = opened()
    items = session.label_together(IDS[10:13]).items
    wrong = [*events(items[:2]), Event("x", "12", "answer", "eggs", bulk="b1")]
    with pytest.raises(AlwidgetsError, match="eggs"):
        session.commit(wrong)
    assert session.store.events() == []
    session.close()


def test_it_trains_but_is_no_estimate() -> None:
    session = opened(audit=0.3)
    items = session.label_together(IDS).items
    reserved = {IDS[n] for n in np.flatnonzero(session.reserved)}
    assert all(item.suggestion is None for item in items if item.id in reserved)
    given = [
        Event(f"e{i.id}", i.id, "answer", "ham" if i.index % 3 == 1 else "spam", bulk="b")
        for i in items
    ]
    session.commit(given)
    assert session.version == 1
    assert session.rounds[-1].n_train == 60 - len(reserved)
    assert session.estimate().n == 0
    session.close()


def test_what_is_gathered() -> None:
    session = opened()
    told: list[Any] = []
    session.on("together", told.append)
    session.record("3", "spam")
    session.skip("0")
    found = session.label_together(search="  prize ")
    assert told == [found]
    assert [i.id for i in found.items] == [i for i in IDS if int(i) % 3 != 1 and i != "3"]
    assert (found.title, found.left_out) == ("Found “prize”", 1)
    assert str(found) == "39 items to label together; 1 already labelled"
    assert "PRIZE" not in repr(found)
    chosen = session.label_together(["5", "3", "5", "4"], title="These")
    assert ([i.id for i in chosen.items], chosen.left_out, chosen.title) == (["5", "4"], 1, "These")
    assert {i.stream for i in chosen.items} == {"chosen"}
    assert session.label_together(search="nowhere").items == []
    assert session.label_together([]).items == []
    assert len(told) == 2
    assert len({d.draw_id for d in session.store.draws() if d.strategy == "together"}) == 41
    session.close()
    with pytest.raises(StoreError, match="closed"):
        session.label_together(["5"])


def test_of_many_a_random_sample_comes_first() -> None:
    session = opened(seed=1)
    few = session.gather(IDS[:40])
    assert (few.sample, [item.id for item in few.items]) == (0, IDS[:40])
    found = session.gather(IDS)
    ids = [item.id for item in found.items]
    assert found.sample == 20
    assert sorted(ids) == sorted(IDS)
    assert ids[20:] == [name for name in IDS if name not in ids[:20]]
    assert [item.id for item in session.gather(IDS).items] == ids
    others = [opened(seed=seed).gather(IDS) for seed in range(2, 42)]
    drawn = np.zeros(60)
    for one in [found, *others]:
        drawn[[int(item.id) for item in one.items[:20]]] += 1
    # Each item is in a third of the samples.
    assert abs(drawn[:20].mean() - drawn[40:].mean()) < 3
    assert drawn.min() > 0


@pytest.mark.parametrize(
    ("how", "error", "says"),
    [
        ({}, AlwidgetsError, "one of them"),
        ({"ids": ["1"], "search": "x"}, AlwidgetsError, "one of them"),
        ({"ids": "prize"}, UnknownItemError, r"search='prize'"),
        ({"ids": ["1", "nobody"]}, UnknownItemError, "nobody"),
        ({"search": "  "}, AlwidgetsError, "nothing to search for"),
    ],
)
def test_what_cannot_be_gathered_is_named(how: Any, error: type[Exception], says: str) -> None:
    session = opened()
    before = len(session.store.draws())
    with pytest.raises(error, match=says):
        session.label_together(**how)
    assert len(session.store.draws()) == before
    session.close()


def test_at_most_five_hundred() -> None:
    pool = al.Pool.from_texts([f"prize {i}" for i in range(800)], ids=range(800))
    session = al.Session(pool, al.Classification(["a", "b"]))
    found = session.label_together(search="prize")
    assert len(found.items) == MOST_FOUND
    assert found.title == "Found “prize” in the first 500 of 800 items"
    session.record("3", "a")
    chosen = session.label_together([str(i) for i in range(700)], title="Many")
    first = [str(i) for i in range(501) if i != 3]
    assert sorted(item.id for item in chosen.items) == sorted(first)
    assert chosen.waiting == [str(i) for i in range(501, 700)]
    assert (chosen.title, chosen.left_out) == ("Many: the first 500 of 699", 1)
    assert str(chosen) == "500 items to label together; 1 already labelled; 199 more to come"
    rest = session.label_together(chosen.waiting, title="Many")
    assert (len(rest.items), rest.waiting, rest.title) == (199, [], "Many")
    session.close()


@pytest.mark.parametrize(
    "pool",
    [
        al.Pool.from_arrays(np.eye(3), ids=range(3)),
        al.Pool.from_images(np.random.default_rng(0).integers(0, 255, (3, 4, 4), np.uint8)),
    ],
    ids=["features", "images"],
)
def test_what_has_no_text_cannot_be_searched(pool: al.Pool) -> None:
    session = al.Session(pool, al.Classification(["a", "b"]), audit=0)
    with pytest.raises(AlwidgetsError, match="have no text to search through: give their ids"):
        session.label_together(search="x")
    session.close()


def test_a_search_ends_in_time_and_says_how_far_it_came() -> None:
    pool = al.Pool.from_texts([f"prize {i}" for i in range(1_000)])
    ticks = iter(range(1_000))
    found = scan(pool, parse("prize 9"), seconds=3, clock=lambda: next(ticks))
    assert found.read == 4 * 64  # the clock was looked at once before
    assert found.positions.tolist() == [9, *range(90, 100)]


def test_others_answer_while_it_searches() -> None:
    """The lock is free while the pool is read."""
    session = opened()
    reading, go = threading.Event(), threading.Event()

    class Slow:
        def __getitem__(self, index: int) -> Any:
            return al.Text(TEXTS[index])

        def __iter__(self) -> Any:
            for text in TEXTS:
                reading.set()
                assert go.wait(10)
                yield al.Text(text)

        def __len__(self) -> int:
            return len(TEXTS)

    whole, session.pool.contents = session.pool.contents, Slow()  # type: ignore[assignment]
    found: list[Any] = []
    search = threading.Thread(target=lambda: found.append(session.gather(search="prize")))
    search.start()
    assert reading.wait(10)
    session.record("0", "spam")
    session.record("1", "ham")
    go.set()
    search.join()
    session.pool.contents = whole
    assert found[0].left_out == 1
    assert "0" not in [i.id for i in found[0].items]
    session.close()


def test_words_of_every_kind_of_content() -> None:
    table = al.Table({"name": "Ann", "age": 7})
    html = al.Html("<p>Win <b>a prize</b></p><script>alert(1)</script>")
    assert words_of(table) == "name Ann age 7"
    assert "prize" in (words_of(html) or "")
    assert words_of(al.Pair(al.Text("left"), table)) == "left name Ann age 7"
    assert words_of(al.Fields({"a": al.Text("one"), "b": al.Text("two")})) == "one two"
