"""What the cards say of many items at once, of earlier ones, of remarks and of guidelines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import alwidgets as al
from alwidgets.errors import AlwidgetsError
from tests.widgets.test_cards import AT, Page


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    pool = al.Pool.from_texts([f"message number {i}" for i in range(60)], ids=range(60))
    task = al.Classification(["ham", "spam"])
    session = al.Session(pool, task, tmp_path / "labels.db", executor=al.InlineExecutor())
    page = Page(session)
    yield page
    page.cards.close()
    session.close()


def bulk(cards: list[dict[str, Any]], name: str = "b") -> dict[str, Any]:
    events = [
        {
            "event_id": f"{name}{n}",
            "item_id": card["item_id"],
            "kind": "answer",
            "answer": "spam",
            "target": None,
            "draw_id": card["draw_id"],
            "shown_at": AT,
            "answered_at": AT,
            "bulk": name,
        }
        for n, card in enumerate(cards)
    ]
    return {"type": "events", "events": events}


def test_a_search_from_the_page_is_answered_there_alone(page: Page) -> None:
    other = Page(page.session)
    page.session.record("13", "ham")
    page.received.clear()
    other.received.clear()
    together = page.ask({"type": "together", "search": "Number 1"})
    ids = [card["item_id"] for card in together["cards"]]
    assert ids == ["1", *(str(i) for i in range(10, 20) if i != 13)]
    assert (together["title"], together["left_out"]) == ("Found “Number 1”", 1)
    assert other.received == []
    for card in together["cards"]:
        assert (card["stream"], card["content"]["kind"]) == ("chosen", "text")
        assert page.session.store.draw(card["draw_id"]).item_id == card["item_id"]  # type: ignore
    other.cards.close()


def test_label_together_reaches_every_view(page: Page) -> None:
    other = Page(page.session)
    page.session.label_together(["4", "2"], title="Odd ones")
    for view in (page, other):
        (together,) = view.of("together")
        assert [card["item_id"] for card in together["cards"]] == ["4", "2"]
        assert together["title"] == "Odd ones"
    other.cards.close()
    page.received.clear()
    page.session.label_together(["5"])
    assert len(other.of("together")) == 1


def test_nothing_found_is_a_problem_in_words(page: Page) -> None:
    problem = page.ask({"type": "together", "search": "prize"})
    assert problem["text"] == "No item to label holds “prize”."
    page.session.record("42", "ham")
    problem = page.ask({"type": "together", "search": "number 42"})
    assert problem["text"] == "No item to label holds “number 42”; 1 with it have an answer."


def test_images_cannot_be_searched_but_travel_together() -> None:
    images = np.random.default_rng(0).integers(0, 255, (6, 8, 8), dtype=np.uint8)
    pool = al.Pool.from_images(images)
    session = al.Session(pool, al.Classification(["0", "1"]))
    page = Page(session)
    assert "no text to search" in page.ask({"type": "together", "search": "x"})["text"]
    page.received.clear()
    session.label_together(pool.ids[:3])
    ((message, buffers),) = [(m, b) for m, b in page.received if m["type"] == "together"]
    assert [card["content"]["buffer"] for card in message["cards"]] == [0, 1, 2]
    assert len(buffers) == 3
    page.cards.close()
    session.close()


def test_a_bulk_answer_is_kept_and_undone_as_one(page: Page) -> None:
    cards = page.ask({"type": "together", "search": "number 1"})["cards"]
    page.send(bulk(cards))
    assert page.of("ack")[0]["event_ids"] == [f"b{n}" for n in range(11)]
    assert page.of("labelled") == []
    assert set(page.session.labels()["bulk"]) == {"b"}
    page.received.clear()
    page.session.undo()
    undone = page.of("undone")
    assert [m["card"]["item_id"] for m in undone] == [c["item_id"] for c in cards[::-1]]
    assert {m["card"]["draw_id"] for m in undone} == {c["draw_id"] for c in cards}
    assert page.session.labels().empty
    # The same events again, from an outbox: they were taken back and stay so.
    page.send(bulk(cards))
    assert page.of("ack")
    assert page.session.labels().empty


def test_an_undo_on_the_page_asks_no_query_for_each(page: Page, selects: list[str]) -> None:
    cards = page.ask({"type": "together", "search": "number"})["cards"]
    page.send(bulk(cards))
    back = [
        event | {"event_id": f"r{n}", "kind": "retract", "answer": None, "target": f"b{n}"}
        for n, event in enumerate(bulk(cards)["events"])
    ]
    # Half of a surrogate pair can be in no database.
    back.append(back[0] | {"event_id": "r", "target": "\ud800"})
    selects.clear()
    page.send({"type": "events", "events": back})
    assert len(selects) < 20 < len(cards)
    assert page.acked() == [f"r{n}" for n in range(len(cards))]
    assert [m["event_id"] for m in page.of("refused")] == ["r"]
    # Another tab is told of each by the same message as of an undo from Python.
    assert [m["event_id"] for m in page.of("undone")] == [f"b{n}" for n in range(len(cards))]
    assert page.session.labels().empty


def test_audit_items_show_no_suggestion_in_a_grid(page: Page) -> None:
    session = page.session
    for item in session.next(30):
        session.record(item.id, "ham" if item.index % 2 else "spam")
    assert session.version
    cards = page.ask({"type": "together", "search": "message"})["cards"]
    kept = [c for c in cards if session.reserved[session.pool.index(c["item_id"])]]
    assert kept
    assert all(c["suggestion"] is None for c in kept)
    assert any(c["suggestion"] for c in cards)


def test_earlier_cards_come_in_pages(page: Page) -> None:
    assert page.ask({"type": "earlier", "before": None}) == {
        "type": "earlier",
        "rows": [],
        "more": False,
    }
    for n in range(60):
        page.session.record(str(n), "ham", answered_at=AT)
    page.session.flag("59")
    page.session.comment("59", "hm")
    page.session.skip("58")
    first = page.ask({"type": "earlier", "before": None})
    assert first["more"]
    assert len(first["rows"]) == 50
    skipped, row = first["rows"][:2]
    assert (skipped["item_id"], skipped["kind"], skipped["answer"]) == ("58", "skip", None)
    assert row == {
        "item_id": "59",
        "kind": "answer",
        "answer": "ham",
        "at": "2026-03-01T09:30:00+00:00",
        "seq": 60,
        "text": "message number 59",
        "flag": True,
        "comment": "hm",
    }
    second = page.ask({"type": "earlier", "before": first["rows"][-1]["seq"]})
    assert not second["more"]
    ids = [r["item_id"] for r in first["rows"] + second["rows"]]
    assert sorted(ids, key=int) == [str(n) for n in range(60)]


def test_an_earlier_card_is_shown_again_and_answered_anew(page: Page) -> None:
    card = page.session.next()[0]
    page.answer(card.id, "e1", draw_id=card.draw_id)
    page.session.comment(card.id, "look again")
    shown = page.ask({"type": "show", "item_id": card.id})
    assert shown["former"] == "ham"
    assert shown["card"]["draw_id"] == card.draw_id
    assert shown["card"]["comment"] == "look again"
    counts = page.session.progress()
    page.answer(card.id, "e2", answer="spam", draw_id=card.draw_id)
    assert page.session.labels().loc[card.id, "answer"] == "spam"
    assert page.session.progress() == counts


def test_a_remark_from_the_page_is_on_the_card(page: Page) -> None:
    first = page.session.next()[0].id
    change = {"kind": "comment", "answer": None, "comment": "<b>hm</b>"}
    page.answer(first, "e1", **change)
    assert page.of("ack")
    page.send({"type": "hello"})
    cards = page.of("queue")[0]["cards"]
    assert cards[0]["comment"] == "<b>hm</b>"
    assert "comment" not in cards[1]
    page.answer(first, "e2", **change | {"comment": ""})
    page.send({"type": "hello"})
    assert "comment" not in page.of("queue")[0]["cards"][0]
    # Undo has nothing to take back.
    page.send({"type": "undo"})
    assert page.of("status")[0]["notice"] == "There is nothing to take back."


@pytest.mark.parametrize("name", ["how.md", "how.txt"])
def test_guidelines_from_a_file(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("# Spam\n*é* <script>", encoding="utf-8")
    for given in (tmp_path / name, str(tmp_path / name)):
        session = opened(given)
        page = Page(session)
        assert page.cards._guidelines == session.guidelines == "# Spam\n*é* <script>"
        page.cards.close()
        session.close()


def test_guidelines_as_they_are(tmp_path: Path) -> None:
    for text in ("# Spam\nsee how.md", "Ham is what a friend wrote.", ""):
        session = opened(text)
        assert session.guidelines == text
        session.close()
    session = opened("half \ud83d")
    assert session.guidelines == "half ?"
    session.close()
    session = opened(None)
    assert session.guidelines == ""
    session.close()


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("nowhere/how.md", r"nowhere/how\.md cannot be read \(No such file"),
        (Path("nowhere/how"), "nowhere/how cannot be read"),
        (7, "must be Markdown text or the path"),
        ("x" * 1_000_001, "larger than a megabyte"),
    ],
)
def test_guidelines_that_cannot_be_are_named(given: Any, says: str) -> None:
    with pytest.raises(AlwidgetsError, match=says):
        opened(given)


def test_guidelines_in_another_encoding_are_named(tmp_path: Path) -> None:
    (tmp_path / "how.md").write_bytes("é".encode("latin-1"))
    with pytest.raises(AlwidgetsError, match=r"how\.md are no text in UTF-8"):
        opened(tmp_path / "how.md")


def opened(guidelines: Any) -> al.Session:
    pool = al.Pool.from_texts(["a", "b", "c"])
    return al.Session(pool, al.Classification(["ham", "spam"]), guidelines=guidelines)
