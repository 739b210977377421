"""Remarks on items: the last one stands, and they are no deeds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import alwidgets as al
from alwidgets.errors import AnswerError, UnknownItemError
from tests.unit.postgres import Server, running


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as server:
        yield server


@pytest.fixture(params=["memory", "file", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str | Path | None:
    if request.param == "postgres":
        server: Server = request.getfixturevalue("server")
        return server.place()
    return tmp_path / "labels.db" if request.param == "file" else None


def opened(place: str | Path | None) -> al.Session:
    pool = al.Pool.from_texts([f"text {i}" for i in range(20)], ids=range(20))
    return al.Session(pool, al.Classification(["a", "b"]), place, executor=al.InlineExecutor())


def test_the_last_remark_stands_and_an_empty_one_takes_it_off(place: str | Path | None) -> None:
    session = opened(place)
    session.record("3", "a")
    session.record("4", "b")
    session.comment("3", "first")
    last = session.comment("3", "second <b>é</b> 😀\nline")
    session.comment("4", "soon gone")
    session.comment("4", "")
    session.comment("5", "not answered yet")

    def check(session: al.Session) -> None:
        comments = session.labels()["comment"].fillna("")
        assert comments.to_dict() == {"3": "second <b>é</b> 😀\nline", "4": ""}
        assert [session.comment_of(i) for i in "345"] == [comments["3"], None, "not answered yet"]
        assert session.progress()["labelled"] == 2
        assert session.store.to_frame()["kind"].tolist().count("comment") == 5

    check(session)
    if place is not None:
        session.close()
        session = opened(place)
        check(session)
    session.retract(last.event_id)
    assert session.comment_of("3") == "first"
    session.close()


def test_undo_passes_over_remarks() -> None:
    session = opened(None)
    answered = session.record("3", "a")
    session.comment("3", "hm")
    revision = session._ledger.revision
    assert session.undo() == answered
    assert session.undo() is None
    assert session.comment_of("3") == "hm"
    assert session._ledger.revision == revision + 1
    session.close()


def test_a_remark_moves_no_card() -> None:
    session = opened(None)
    cards = [(item.id, item.draw_id) for item in session.next(20)]
    session.comment(cards[2][0], "later")
    assert [(item.id, item.draw_id) for item in session.next(20)] == cards
    session.close()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "comment must be a text, not NoneType"),
        (7, "comment must be a text, not int"),
        ("x" * 10_001, r"comment has 10,001 characters; at most 10,000"),
        ("half \ud83d", "no database can keep"),
        ("nought \0", "no database can keep"),
    ],
)
def test_what_is_no_remark_is_refused(text: object, says: str) -> None:
    session = opened(None)
    with pytest.raises(AnswerError, match=says):
        session.comment("3", text)  # type: ignore[arg-type]
    with pytest.raises(UnknownItemError):
        session.comment("nobody", "x")
    assert session.store.events() == []
    session.comment("3", "x" * 10_000)
    session.close()
