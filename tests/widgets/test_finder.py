"""The map's search box, without a browser."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from alwidgets.content import Text
from alwidgets.errors import AlwidgetsError, MessageError
from alwidgets.search import Matches
from alwidgets.textindex import TextIndex
from alwidgets.widgets.finder import MOST_SHOWN, Finder


class FakeSession:
    def __init__(self, index: TextIndex | None = None) -> None:
        self.pool = range(10)
        self.text_index = index
        self.searched: list[str] = []

    def matching(self, text: str, *, n: int, seconds: float) -> Matches:
        assert n == MOST_SHOWN
        self.searched.append(text)
        if text == "bad":
            raise AlwidgetsError("There is nothing to search for.")
        if text == "broken":
            raise ZeroDivisionError("by zero")
        return Matches(np.array([1, 4]), 7, 10, "no such column" if ":" in text else "")


def finder(session: Any, run: Any = lambda work: work()) -> Any:
    out: list[tuple[dict[str, Any], list[bytes]]] = []
    made = Finder(session, lambda message, buffers: out.append((message, buffers)), run)
    return SimpleNamespace(ask=lambda text: made.ask({"text": text}), out=out, close=made.close)


def test_what_is_found_travels_as_positions() -> None:
    box = finder(FakeSession())
    box.ask("prize")
    ((message, (positions,)),) = box.out
    assert message == {
        "type": "found",
        "text": "prize",
        "total": 7,
        "read": 10,
        "n": 10,
        "error": None,
        "hint": None,
    }
    assert np.frombuffer(positions, "<u4").tolist() == [1, 4]


def test_what_may_have_been_meant_otherwise_travels_too() -> None:
    box = finder(FakeSession())
    box.ask("sendr:ann")
    assert box.out[0][0]["hint"] == "no such column"


def test_an_empty_text_is_not_looked_for() -> None:
    session = FakeSession()
    box = finder(session)
    box.ask(" ")
    assert (box.out, session.searched) == ([], [])


@pytest.mark.parametrize(("text", "says"), [("bad", "nothing to"), ("broken", "ZeroDivision")])
def test_why_nothing_is_found_is_told(text: str, says: str) -> None:
    box = finder(FakeSession())
    box.ask(text)
    ((message, (positions,)),) = box.out
    assert says in message["error"]
    assert (message["total"], positions) == (0, b"")


@pytest.mark.parametrize("message", [{}, {"text": 7}, {"text": "x" * 1_001}])
def test_what_is_malformed_is_refused(message: dict[str, Any]) -> None:
    with pytest.raises(MessageError, match="searched for"):
        Finder(FakeSession(), lambda *_: None).ask(message)


def test_only_the_newest_text_is_answered() -> None:
    session, held = FakeSession(), []
    box = finder(session, held.append)
    for text in ("p", "pr", "pri"):
        box.ask(text)
    assert box.out == []
    held[0]()
    assert session.searched == ["pri"]
    assert [message["text"] for message, _ in box.out] == ["pri"]


def test_once_the_words_are_indexed_the_answer_comes_again() -> None:
    held: list[Any] = []
    index = TextIndex([Text("a")] * 5, run=held.append)
    session = FakeSession(index)
    box = finder(session)
    box.ask("prize")
    assert [m["type"] for m, _ in box.out] == ["indexing", "found"]
    assert box.out[0][0]["fraction"] == 0.0
    box.out.clear()
    held[0]()
    assert [m["type"] for m, _ in box.out] == ["indexing", "indexing", "found"]
    assert box.out[1][0]["fraction"] is None
    box.close()
    index.close()


def test_a_closed_box_is_silent() -> None:
    reading, go = threading.Event(), threading.Event()

    class Slow(FakeSession):
        def matching(self, text: str, **options: Any) -> Matches:
            reading.set()
            assert go.wait(10)
            return super().matching(text, **options)

    threads: list[threading.Thread] = []

    def run(work: Any) -> None:
        threads.append(threading.Thread(target=work))
        threads[0].start()

    box = finder(Slow(), run)
    box.ask("prize")
    assert reading.wait(10)
    box.close()
    go.set()
    threads[0].join(10)
    assert box.out == []
