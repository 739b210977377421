"""What a label costs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

import alwidgets as al
from alwidgets.evaluation.costs import ENOUGH, seconds_per_card
from alwidgets.schema import Event

RNG = np.random.default_rng(0)
LENGTHS = RNG.integers(10, 2000, 400)
TRUTH = 0.2 * LENGTHS**0.7


def test_longer_items_cost_more() -> None:
    rows = RNG.permutation(400)[:150]
    seconds = TRUTH[rows] * RNG.lognormal(0, 0.3, 150)
    found = seconds_per_card(rows, seconds, LENGTHS)
    np.testing.assert_allclose(found, TRUTH, rtol=0.25)


def test_a_pause_and_a_wrong_clock_count_for_nothing() -> None:
    rows = RNG.permutation(400)[:150]
    seconds = TRUTH[rows].copy()
    plain = seconds_per_card(rows, seconds, LENGTHS)
    seconds[0] = 36_000.0
    seconds[1:4] = [np.nan, -2.0, 0.0]
    np.testing.assert_allclose(seconds_per_card(rows, seconds, LENGTHS), plain, rtol=0.1)


def test_without_times_everything_costs_the_same() -> None:
    assert seconds_per_card([], [], LENGTHS).tolist() == [1.0] * 400
    few = np.arange(ENOUGH - 1)
    assert set(seconds_per_card(few, few + 1.0, LENGTHS)) == {float(np.median(few + 1.0))}
    same = seconds_per_card(np.arange(50), np.full(50, 4.0), np.full(400, 64))
    np.testing.assert_allclose(same, 4.0)


def test_a_session_learns_what_its_cards_cost() -> None:
    texts = [f"{i} " + "word " * (i % 40 * 10) for i in range(200)]
    session = al.Session(
        al.Pool.from_texts(texts),
        al.Classification(["a", "b"]),
        strategy=al.strategies.per_cost("margin"),
        audit=0,
        executor=al.InlineExecutor(),
    )
    start = datetime(2026, 3, 1, tzinfo=UTC)
    for number in range(60):
        item = session.next()[0]
        took = timedelta(seconds=1 + len(item.content.text) / 20)
        begin = start.isoformat() if number % 10 else "10 o'clock"  # a script may write anything
        session.record(
            item.id, "ab"[number % 2], shown_at=begin, answered_at=(start + took).isoformat()
        )
    assert session.error is None
    assert session.version >= 2
    found = session._loop._costs()
    assert found is not None
    costs = found()
    assert costs[39] > 3 * costs[0]
    session.close()


def test_those_answered_together_share_the_time_of_their_grid() -> None:
    session = al.Session(
        al.Pool.from_texts([f"text {i}" for i in range(40)]),
        al.Classification(["a", "b"]),
        strategy=al.strategies.per_cost("margin"),
        audit=0,
        executor=al.InlineExecutor(),
    )
    found = session._loop._costs()
    assert found is not None
    np.testing.assert_allclose(found(), 1.0)
    start = datetime(2026, 3, 1, tzinfo=UTC)
    begin, end = start.isoformat(), (start + timedelta(seconds=60)).isoformat()
    times = {"shown_at": begin, "answered_at": end}
    items = session.label_together(session.pool.ids[:3]).items
    session.commit(
        Event(f"e{n}", i.id, "answer", "a", draw_id=i.draw_id, bulk="grid", **times)
        for n, i in enumerate(items)
    )
    session.record(items[0].id, "b")  # put right later; the others took no longer for it
    found = session._loop._costs()
    assert found is not None
    np.testing.assert_allclose(found(), 20.0)
    session.close()
