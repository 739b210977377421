"""The audit's part of the pool, and when its cards are due."""

from __future__ import annotations

import numpy as np
import pytest

from alwidgets.audit import Audit
from alwidgets.errors import AlwidgetsError

IDS = [f"item {i}" for i in range(20_000)]


def test_its_size_is_the_share_asked_for() -> None:
    audit = Audit(IDS, 0.15, seed=0)
    assert abs(audit.reserved.mean() - 0.15) < 4 * np.sqrt(0.15 * 0.85 / len(IDS))
    assert sorted(audit.order) == list(np.flatnonzero(audit.reserved))


def test_it_does_not_depend_on_the_order_of_the_pool_or_on_its_growth() -> None:
    part = {IDS[i] for i in Audit(IDS, 0.15, seed=3).order}
    shuffled = list(reversed(IDS))
    assert {shuffled[i] for i in Audit(shuffled, 0.15, seed=3).order} == part
    smaller = {IDS[i] for i in Audit(IDS[:10_000], 0.15, seed=3).order}
    assert smaller == {i for i in part if i in set(IDS[:10_000])}


def test_another_seed_is_another_part() -> None:
    one, other = Audit(IDS, 0.15, seed=0).reserved, Audit(IDS, 0.15, seed=1).reserved
    assert abs((one & other).mean() - 0.15**2) < 0.01


def test_the_order_is_not_that_of_the_pool() -> None:
    order = Audit(IDS, 0.15, seed=0).order
    assert abs(np.corrcoef(order, np.arange(len(order)))[0, 1]) < 0.1


@pytest.mark.parametrize("share", [0.0, 0.05, 0.15, 0.5])
def test_cards_keep_to_the_share(share: float) -> None:
    audit = Audit(IDS, share, seed=0)
    audits = 0
    for card in range(1_000):
        audits += audit.is_due(card, audits)
        assert abs(audits - share * (card + 1)) <= 1


def test_each_draw_is_one_of_what_remains() -> None:
    audit = Audit(IDS[:10], 0.5, seed=0)
    assert [audit.probability(k) for k in range(3)] == [(1 / 10, 10), (1 / 9, 9), (1 / 8, 8)]


@pytest.mark.parametrize("share", [-0.1, 0.51, 1.0, float("nan")])
def test_a_share_that_cannot_be(share: float) -> None:
    with pytest.raises(AlwidgetsError, match=r"between 0 and 0\.5"):
        Audit(IDS[:3], share, seed=0)
