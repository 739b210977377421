"""The round that the views look back at."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import alwidgets as al
from alwidgets.errors import AlwidgetsError

SIDE = np.arange(60) % 2
X = np.random.default_rng(0).normal(size=(60, 3)) + 3 * SIDE[:, None]


@pytest.fixture
def session() -> Iterator[al.Session]:
    session = al.Session(
        al.Pool.from_arrays(X, ids=range(60)),
        al.Classification(["left", "right"]),
        batch_size=10,
        executor=al.InlineExecutor(),
    )
    yield session
    session.close()


def test_it_is_the_newest_until_one_is_chosen(session: al.Session) -> None:
    heard: list[int | None] = []
    session.on("round shown", heard.append)
    assert session.round_shown is None
    with pytest.raises(AlwidgetsError, match="There is no round 1: there is none yet"):
        session.round_shown = 1
    for _ in range(30):
        item = session.next()[0]
        session.record(item.id, ["left", "right"][SIDE[item.index]])
    suggested = [session.next()[0].suggestion, session.current]
    session.round_shown = 1
    # Labelling goes by the newest model whatever is looked at.
    assert [session.next()[0].suggestion, session.current] == suggested
    session.round_shown = 1
    session.round_shown = None
    assert heard == [1, None]
    with pytest.raises(AlwidgetsError, match="There is no round 9: there are 1 to 3"):
        session.round_shown = 9


def test_seconds_per_label_are_in_the_order_given(session: al.Session) -> None:
    given = []
    for seconds in (3, None, 8):
        item = session.next()[0]
        times = (
            {}
            if seconds is None
            else {
                "shown_at": "2026-01-01T00:00:00",
                "answered_at": f"2026-01-01T00:00:0{seconds}",
            }
        )
        session.record(item.id, "left", **times)
        given.append(np.nan if seconds is None else float(seconds))
    np.testing.assert_array_equal(session.seconds_per_label(), given)
    session.undo()
    np.testing.assert_array_equal(session.seconds_per_label(), given[:2])
