"""Suggestions hidden at random, and whether they sway the answers."""

from __future__ import annotations

import math
import random
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import alwidgets as al
from alwidgets.anchoring import REMEMBERED, Suggested, compare, report
from alwidgets.errors import AlwidgetsError
from alwidgets.items import Item
from alwidgets.schema import Draw, Event
from alwidgets.store import LabelStore
from tests.unit.postgres import Server, running
from tests.widgets.test_cards import Page

N = 300
TRUTH = np.random.default_rng(0).integers(0, 2, N)
X = TRUTH[:, None] * 1.5 + np.random.default_rng(1).normal(size=(N, 2))
NAMES = ["a", "b"]


def opened(place: Path | None = None, **options: Any) -> al.Session:
    pool = al.Pool.from_arrays(X, ids=range(N))
    options = {"executor": al.InlineExecutor(), "batch_size": 20, "seed": 3} | options
    return al.Session(pool, al.Classification(NAMES), place, **options)


def label(session: al.Session, n: int, *, sways: bool) -> None:
    """Answer n cards: by the truth or, where it sways, by the suggestion that is seen."""
    for _ in range(n):
        item = session.next()[0]
        answer = NAMES[TRUTH[item.index]]
        if sways and item.suggestion is not None:
            answer = item.suggestion
        session.record(item.id, answer)


def draw(draw_id: str, item: str = "x", stream: Any = "train") -> Draw:
    return Draw(item, stream, "margin", 1, None, None, 1, draw_id)


# Newcombe (1998), table II, method 10.
@pytest.mark.parametrize(
    ("shown", "hidden", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0000),
        ((10, 10), (0, 10), 0.6075, 1.0000),
    ],
)
def test_the_interval_is_newcombes(
    shown: tuple[int, int], hidden: tuple[int, int], low: float, high: float
) -> None:
    found = compare(shown[1], shown[0], hidden[1], hidden[0])
    assert (found.low, found.high) == pytest.approx((low, high), abs=6e-5)
    other = compare(hidden[1], hidden[0], shown[1], shown[0])
    assert (other.low, other.high) == pytest.approx((-found.high, -found.low))
    assert found.difference == pytest.approx(shown[0] / shown[1] - hidden[0] / hidden[1])


def test_the_report_is_honest() -> None:
    assert str(compare(50, 48, 40, 20)) == (
        "Agreement with the model's suggestion: 48 of 50 shown (96%); 20 of 40 hidden (50%). "
        "Difference +46 points (95 % interval +28 to +61): people follow the suggestions that "
        "they see."
    )
    assert "this may be chance; more cards narrow the interval" in str(compare(50, 45, 10, 8))
    assert "people agree less" in str(compare(100, 40, 100, 90))
    assert str(compare(50, 45, 9, 8)).endswith(
        "8 of 9 hidden (89%). Too few to tell: at least 10 cards of each kind are needed."
    )
    none = compare(12, 12, 0, 0)
    assert "none hidden" in str(none)
    assert "hide_suggestions=0.1" in str(none)
    assert math.isnan(none.hidden)
    assert (none.low, none.high) == (-1, 1)
    assert "none shown" in str(compare(0, 0, 20, 10))


def test_which_cards_is_settled_by_the_draw_alone() -> None:
    some = Suggested(0.3)
    draws = [draw(f"d{n}") for n in range(4_000)]
    hidden = [some.hides(d) for d in draws]
    assert np.mean(hidden) == pytest.approx(0.3, abs=3 * math.sqrt(0.3 * 0.7 / 4_000))
    again = Suggested(0.3)
    assert [again.hides(draw(d.draw_id, "another item")) for d in draws] == hidden
    more = Suggested(0.5)
    assert all(more.hides(d) for d, was in zip(draws, hidden, strict=True) if was)
    assert not any(Suggested(0).hides(d) for d in draws)
    assert all(Suggested(1).hides(d) for d in draws)
    for stream in ("audit", "chosen"):
        assert not any(Suggested(1).hides(draw(d.draw_id, stream=stream)) for d in draws[:50])


@pytest.mark.parametrize("share", [-0.1, 1.1, "0.1", None, True, math.nan])
def test_what_is_no_share_is_named(share: Any) -> None:
    with pytest.raises(AlwidgetsError, match=r"hide_suggestions=.* must be a share"):
        opened(hide_suggestions=share)


def test_only_the_newest_cards_are_remembered() -> None:
    suggested = Suggested(0)
    for n in range(REMEMBERED + 1):
        suggested.remember(draw(f"d{n}"), "a")
    first, last = (Event("e", "x", "answer", "a", draw_id=f"d{n}") for n in (0, REMEMBERED))
    assert suggested.note(first) == first
    assert suggested.note(last).suggested == "a"


def test_a_person_who_follows_is_found_out_and_one_who_does_not_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The names of the draws settle which cards are hidden, and one of twenty 95 % intervals misses.
    names = random.Random(0)
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(int=names.getrandbits(128), version=4))
    for sways in (True, False):
        session = opened(tmp_path / f"{sways}.db", hide_suggestions=0.5)
        label(session, 100, sways=sways)
        session.close()
        session = opened(tmp_path / f"{sways}.db", hide_suggestions=0.5)
        label(session, 100, sways=sways)
        for _ in range(3):
            session.undo()
        found = session.anchoring()
        frame = session.store.to_frame()
        taken_back = set(frame["target"].dropna())
        cards = frame[(frame["kind"] == "answer") & (frame["stream"] == "train")]
        cards = cards[~cards["event_id"].isin(taken_back) & cards["suggestion_shown"].notna()]
        agreed = cards["answer"] == cards["suggested"]
        shown = cards["suggestion_shown"].astype(bool)
        assert (found.n_shown, found.n_hidden) == (int(shown.sum()), int((~shown).sum()))
        assert found.agreed_shown == int(agreed[shown].sum())
        assert found.agreed_hidden == int(agreed[~shown].sum())
        assert min(found.n_shown, found.n_hidden) > 30
        if sways:
            assert found.shown == 1
            assert found.low > 0
        else:
            assert found.low < 0 < found.high
        session.close()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as server:
        yield server


@pytest.mark.parametrize("place", ["memory", "file", "postgres"])
def test_answers_of_every_form_are_compared(
    place: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    where: Any = tmp_path / "labels.db" if place == "file" else None
    if place == "postgres":
        where = request.getfixturevalue("server").place()
    store = LabelStore(where)
    store.append_draws([draw(f"d{n}") for n in range(40)] + [draw("c", stream="chosen")])
    forms: list[Any] = ["é 😀 'quoted'", True, 3, ["a", "b"], []]
    others = ["e", False, 4, ["a"], ["b"]]
    events = [
        Event(
            f"e{n}",
            f"x{n}",
            "answer",
            forms[n % 5],
            draw_id=f"d{n}",
            suggested=forms[n % 5] if n < 30 else others[n % 5],
            suggestion_shown=n % 2 == 0,
        )
        for n in range(40)
    ]
    events += [
        Event("c", "y", "answer", "a", draw_id="c", suggested="a", suggestion_shown=True),
        Event("u", "z", "answer", "a", draw_id="d0"),
    ]
    seqs = [e.seq for e in store.append(events) if e.event_id != "e1"]
    found = report(store, np.array(seqs))
    assert (found.n_shown, found.agreed_shown) == (20, 15)
    assert (found.n_hidden, found.agreed_hidden) == (19, 14)
    store.close()


def test_the_card_tells_nothing_and_the_store_everything() -> None:
    session = opened(hide_suggestions=1.0, audit=0.2)
    page = Page(session)
    page.send({"type": "hello"})
    nothing_yet = page.of("queue")[0]["cards"]
    assert {card.get("suggestion_hidden", False) for card in nothing_yet} == {False}
    label(session, 60, sways=True)
    page.send({"type": "hello"})
    cards = page.of("queue")[-1]["cards"]
    assert {card["suggestion"] for card in cards} == {None}
    assert {card["suggestion_hidden"] for card in cards} == {True}
    card = next(c for c in cards if c["stream"] == "train")
    audit = next(c for c in cards if c["stream"] == "audit")
    index = session.pool.index(card["item_id"])
    said = session.suggestion(index)
    assert said is not None
    for n, item in enumerate((card, audit)):
        page.answer(item["item_id"], f"e{n}", answer="a", draw_id=item["draw_id"])
    kept, of_audit = session.event("e0"), session.event("e1")
    assert kept is not None
    assert of_audit is not None
    assert (kept.suggested, kept.suggestion_shown) == (said[0], False)
    assert (of_audit.suggested, of_audit.suggestion_shown) == (None, None)
    first = session.store.events()[0]  # there was no model yet
    assert (first.suggested, first.suggestion_shown) == (None, None)
    # Chosen by the person, a card shows what the model says, and is left out of the report.
    counts = session.anchoring()
    free = [i for i in session.pool.ids if not session.reserved[session.pool.index(i)]]
    open_ = next(i for i in free if not session._ledger.labels.is_done(session.pool.index(i)))
    session.queue([open_])
    item = session.next()[0]
    assert item.suggestion is not None
    assert not item.suggestion_hidden
    event = session.record(item.id, "a")
    assert event.suggestion_shown is True
    assert session.anchoring() == counts
    page.cards.close()
    session.close()


def test_without_answers_there_is_nothing_to_tell() -> None:
    session = opened()
    found = session.anchoring()
    assert (found.n_shown, found.n_hidden) == (0, 0)
    assert "nothing to compare with" in str(found)
    session.close()


def test_a_card_without_a_suggestion_tells_nothing_else_either() -> None:
    session = opened(hide_suggestions=0.5)
    label(session, 40, sways=False)
    cards = [i for i in session.next(20) if i.stream == "train"]
    hidden = {i.id for i in cards if i.suggestion is None}
    assert hidden == {i.id for i in cards if i.suggestion_hidden}
    assert 0 < len(hidden) < len(cards)
    for item in cards:
        assert (session.why(item.id).neighbours == []) == (item.id in hidden)
    session.close()


def test_the_words_that_drive_a_hidden_suggestion_are_not_sent() -> None:
    def opened(share: float) -> Page:
        pool = al.Pool.from_texts([f"{NAMES[i % 2]} {i}" for i in range(60)], ids=range(60))
        session = al.Session(
            pool,
            al.Classification(NAMES),
            batch_size=20,
            audit=0.2,
            executor=al.InlineExecutor(),
            hide_suggestions=share,
        )
        for item in session.next(20):
            session.record(item.id, NAMES[item.index % 2])
        session.retrain()
        return Page(session)

    def told(page: Page, item: Item) -> bool:
        page.send({"type": "why", "item_id": item.id, "draw_id": item.draw_id})
        for thread in set(threading.enumerate()) - before:
            thread.join(30)
        assert len(page.of("reasons")) == 1
        return bool(page.of("words"))

    for share in (0.0, 1.0):
        page, before = opened(share), set(threading.enumerate())
        items = page.session.next(20)
        train = next(i for i in items if i.stream == "train")
        audit = next(i for i in items if i.stream == "audit")
        assert told(page, train) == (share == 0)
        assert not told(page, audit)
        assert page.session.driving_words(train.id)  # from Python, whoever asks
        assert page.session.why(train.id).suggestion_shown == (share == 0)
        assert not page.session.why(audit.id).suggestion_shown
        # The person's choice puts it on another card, which shows it; the first is still hidden.
        page.session.queue([train.id])
        assert told(page, page.session.next()[0])
        assert told(page, train) == (share == 0)
        page.cards.close()
        page.session.close()
