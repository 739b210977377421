"""What the map is told of a lasso that took or left something by mistake."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from alwidgets.projection import guard as module
from alwidgets.projection.neighbours import ExactNeighbours
from alwidgets.widgets.lassoguard import LassoGuard

#: Two clusters of thirty items, far apart.
FEATURES = np.random.default_rng(0).normal(size=(60, 8)) + 20 * (np.arange(60) >= 30)[:, None]
SESSION = SimpleNamespace(neighbours=ExactNeighbours(FEATURES))

Sent = list[tuple[dict[str, Any], list[bytes]]]


def now(work: Callable[[], None]) -> None:
    work()


def test_both_mistakes_are_told() -> None:
    sent: Sent = []
    look = LassoGuard(SESSION, lambda *message: sent.append(message), run=now)
    look.look(np.array([*range(27), 40, 50]))
    ((message, (doubtful, missing)),) = sent
    assert message == {"type": "guard", "selected": 29, "sampled": False}
    assert np.frombuffer(doubtful, "<u4").tolist() == [40, 50]
    assert np.frombuffer(missing, "<u4").tolist() == [27, 28, 29]


def test_a_sample_is_called_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 20)
    sent: Sent = []
    look = LassoGuard(SESSION, lambda *message: sent.append(message), run=now)
    look.look(np.array([*range(27), *range(40, 43)]))
    assert [message["sampled"] for message, _ in sent] == [True]


def test_nothing_is_said_where_nothing_is_wrong_or_items_were_picked_one_by_one() -> None:
    sent: Sent = []
    look = LassoGuard(SESSION, lambda *message: sent.append(message), run=now)
    look.look(np.arange(30))
    look.look(np.array([1, 40]))
    assert sent == []


def test_the_newest_selection_counts() -> None:
    sent: Sent = []
    waiting: list[Callable[[], None]] = []
    look = LassoGuard(SESSION, lambda *message: sent.append(message), run=waiting.append)
    look.look(np.array([*range(29), 40]))
    look.look(np.array([*range(30, 59), 1]))
    for work in waiting:
        work()
    assert [np.frombuffer(data, "<u4").tolist() for data in sent[0][1]] == [[1], [59]]
    assert len(sent) == 1
    look.look(np.array([*range(29), 40]))
    look.look(np.array([1]))  # too few, and newer all the same
    for work in waiting[1:]:
        work()
    assert len(sent) == 1


def test_a_look_that_fails_says_nothing() -> None:
    sent: Sent = []
    broken = SimpleNamespace(neighbours=SimpleNamespace(features=np.zeros((9, 1))))
    LassoGuard(broken, lambda *message: sent.append(message), run=now).look(np.arange(9))
    assert sent == []
