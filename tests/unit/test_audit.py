"""The audit's part of the pool, and when its cards are due."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alwidgets import audit as audits
from alwidgets.audit import Audit
from alwidgets.errors import AlwidgetsError

IDS = [f"item {i}" for i in range(20_000)]

PINNED = [17, 5, 0, 19, 6, 18]


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


def test_that_of_a_pool_that_has_grown_is_that_of_all_items() -> None:
    grown, whole = Audit(IDS[:1_000], 0.3, seed=2), Audit(IDS, 0.3, seed=2)
    for n in (1_001, 1_001, 15_000, len(IDS)):
        before, grown = grown, grown.grown(IDS[:n])
        np.testing.assert_array_equal(grown.first(before.n_pool), before.order)
    np.testing.assert_array_equal(grown.order, whole.order)
    np.testing.assert_array_equal(grown.reserved, whole.reserved)
    assert (grown.key, grown.n_pool) == (whole.key, whole.n_pool)


@given(st.lists(st.text(max_size=5), unique=True, max_size=20), st.integers(0, 3))
def test_an_item_belongs_to_it_by_the_hash_of_its_id(ids: list[str], seed: int) -> None:
    def place(item_id: str) -> float:
        name = item_id.encode("utf-8", "surrogatepass")
        digest = hashlib.blake2b(name, digest_size=8, key=str(seed).encode()).digest()
        return int.from_bytes(digest, "big") / 2**64

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audits, "IDS_AT_ONCE", 3)
        audit = Audit(ids, 0.4, seed)
    places = [place(i) for i in ids]
    assert audit.reserved.tolist() == [p < 0.4 for p in places]
    reserved = [k for k, p in enumerate(places) if p < 0.4]
    assert audit.order.tolist() == sorted(reserved, key=lambda k: places[k])


def test_stores_that_there_are_know_their_part() -> None:
    # Found when ids were hashed one by one.
    assert Audit(IDS[:20], 0.3, seed=0).order.tolist() == PINNED


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
