"""The slices of the map, without a browser."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

import alwidgets as al
from alwidgets.errors import MessageError
from alwidgets.widgets.slicing import MAX_NAME, Slicing


@pytest.fixture
def session() -> Iterator[al.Session]:
    pool = al.Pool.from_texts([f"text {i}" for i in range(9)], ids=[f"t{i}" for i in range(9)])
    made = al.Session(pool, al.Classification(["ham", "spam"]), executor=al.InlineExecutor())
    yield made
    made.close()


class Desk:
    """A map's front end, which hears at once."""

    def __init__(self, session: al.Session) -> None:
        self.sent: list[dict[str, Any]] = []
        self.slicing = Slicing(session, self.sent.append, run=lambda work: work())

    def ask(self, what: str, name: str | None = None) -> dict[str, Any]:
        message = {"type": "slice", "what": what} | ({} if name is None else {"name": name})
        self.slicing.ask(message)
        return self.sent[-1]


def test_a_selection_is_kept_and_comes_back(session: al.Session) -> None:
    desk = Desk(session)
    session.selection.set(["t3", "t1"])
    assert desk.ask("keep", " odd ones ") == {
        "type": "slices",
        "slices": [{"name": "odd ones", "count": 2}],
        "said": "“odd ones” keeps 2 items.",
    }
    session.selection.clear()
    assert desk.ask("select", "odd ones")["said"] is None
    assert session.selection.ids == ["t3", "t1"]
    assert session.selection.source == "slice"


def test_nothing_is_replaced_unless_that_is_said(session: al.Session) -> None:
    desk = Desk(session)
    session.slices["mine"] = ["t1"]
    session.selection.set(["t2"])
    answer = desk.ask("keep", "mine")
    assert (answer["type"], "already" in answer["text"]) == ("problem", True)
    assert dict(session.slices) == {"mine": ["t1"]}
    desk.ask("replace", "mine")
    assert dict(session.slices) == {"mine": ["t2"]}


def test_what_was_deleted_comes_back(session: al.Session) -> None:
    desk = Desk(session)
    session.slices["mine"] = ["t1", "t4"]
    assert desk.ask("delete", "mine")["slices"] == []
    assert dict(session.slices) == {}
    assert desk.ask("restore", "mine")["said"] == "“mine” is back."
    assert dict(session.slices) == {"mine": ["t1", "t4"]}
    assert desk.ask("restore", "mine")["type"] == "problem"


def test_what_comes_back_takes_nobodys_name(session: al.Session) -> None:
    desk = Desk(session)
    session.slices["mine"] = ["t1"]
    desk.ask("delete", "mine")
    session.slices["mine"] = ["t2"]
    desk.ask("restore", "mine")
    assert dict(session.slices) == {"mine": ["t2"], "mine (restored)": ["t1"]}


def test_items_that_are_gone_are_told(session: al.Session) -> None:
    session.store.keep_slice("old", ["t1", "gone", "t2"])
    said = Desk(session).ask("select", "old")["said"]
    assert said == "1 item of “old” is no longer in the pool; the others are selected."
    assert session.selection.ids == ["t1", "t2"]


def test_problems_reach_the_person(session: al.Session) -> None:
    desk = Desk(session)
    assert "Nothing is selected" in desk.ask("keep", "mine")["text"]
    assert "no slice “mine”" in desk.ask("select", "mine")["text"]
    assert "no slice “mine”" in desk.ask("delete", "mine")["text"]


@pytest.mark.parametrize(
    ("what", "name"),
    [
        ("nonsense", "mine"),
        ("keep", None),
        ("keep", "  "),
        ("keep", "x" * (MAX_NAME + 1)),
        ("keep", "\ud800"),
        (["keep"], "mine"),
    ],
)
def test_what_is_malformed_is_refused(session: al.Session, what: Any, name: Any) -> None:
    desk = Desk(session)
    with pytest.raises(MessageError):
        desk.slicing.ask({"type": "slice", "what": what, "name": name})
    assert desk.sent == []


def test_changes_of_others_are_told_to_those_who_asked(session: al.Session) -> None:
    desk = Desk(session)
    session.on("slices", lambda *_: desk.slicing.changed())
    session.slices["one"] = ["t1"]
    assert desk.sent == []
    desk.ask("list")
    session.slices["two"] = ["t1", "t2"]
    assert desk.sent[-1]["slices"] == [{"name": "one", "count": 1}, {"name": "two", "count": 2}]


def test_what_was_asked_for_is_done_in_order_and_not_lost_by_closing(session: al.Session) -> None:
    kept, go = threading.Event(), threading.Event()
    keep = session.store.keep_slice

    def slow(name: str, ids: list[str] | None) -> None:
        kept.set()
        assert go.wait(10)
        keep(name, ids)

    session.store.keep_slice = slow  # type: ignore[method-assign]
    done = threading.Event()
    slicing = Slicing(session, lambda message: done.set() if message["slices"] == [] else None)
    session.selection.set(["t1"])
    slicing.ask({"what": "keep", "name": "mine"})
    assert kept.wait(10)  # the thread of the messages goes on
    slicing.ask({"what": "delete", "name": "mine"})
    slicing.close()
    slicing.ask({"what": "restore", "name": "mine"})  # of a closed map: nothing
    go.set()
    assert done.wait(10)
    assert dict(session.slices) == {}
