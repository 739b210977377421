"""Batches that are informative together, against the definition."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import entr
from skactiveml.pool import batch_bald as peer_batch_bald

from alwidgets.errors import StrategyError
from alwidgets.strategies import batchbald
from alwidgets.strategies.batchbald import batch_bald
from alwidgets.strategies.disagreement import bald

Floats = NDArray[np.float64]


def information(p: Floats, batch: list[int]) -> float:
    """H(y_1..y_b) - sum of E_k H(y_i | k), by going through all joint labels."""
    joint = 0.0
    for labels in itertools.product(range(p.shape[2]), repeat=len(batch)):
        joint += entr(p[:, batch, labels].prod(1).mean())
    return float(joint - entr(p[:, batch]).sum(axis=(1, 2)).mean())


def greedy(p: Floats, n: int) -> list[int]:
    batch: list[int] = []
    for _ in range(n):
        free = [i for i in range(p.shape[1]) if i not in batch]
        batch.append(max(free, key=lambda i: information(p, [*batch, i])))
    return batch


def posterior(K: int, m: int, C: int, seed: int, sharpness: float = 0.5) -> Floats:
    rng = np.random.default_rng(seed)
    return np.asarray(rng.dirichlet(np.full(C, sharpness), size=(K, m)))


@pytest.mark.parametrize(("K", "C", "n"), [(4, 2, 5), (6, 3, 4), (10, 5, 3)])
def test_exact_by_brute_force(K: int, C: int, n: int) -> None:
    for seed in range(3):
        p = posterior(K, 12, C, seed)
        assert batch_bald(p, n).tolist() == greedy(p, n)


def test_first_pick_is_that_of_the_peer() -> None:
    p = posterior(16, 80, 4, 0)
    # The peer clips its argument in place.
    scores = peer_batch_bald(p.copy(), 1)
    assert batch_bald(p, 1).tolist() == [int(scores[0].argmax())]


def test_drawn_joint_is_nearly_as_good_as_the_exact_one() -> None:
    """With 40 of 243 outcomes the batch holds nearly as much information as the exact one."""
    for seed in range(5):
        p = posterior(8, 20, 3, seed)
        batch = batch_bald(p, 5, samples=40).tolist()
        assert len(set(batch)) == 5
        assert information(p, batch) > 0.97 * information(p, greedy(p, 5))


def test_draws_without_bias() -> None:
    """Over many draws the gain of an item is the exact one on average."""
    p = torch.from_numpy(posterior(6, 5, 3, 1))
    start = batchbald._Joint(
        torch.ones(1, dtype=torch.float64), torch.full((1, 6), 1 / 6, dtype=torch.float64)
    )
    exact, found = start, []
    rng = np.random.default_rng(0)
    for i in range(4):
        exact = exact.extended(p[:, i], 1_000, rng)
    assert len(exact.mass) == 81
    for _ in range(400):
        joint = start
        for i in range(4):
            joint = joint.extended(p[:, i], 12, rng)
        assert len(joint.mass) == 12
        found.append(float(joint.entropy(p[:, 4:])))
    error = np.std(found) / np.sqrt(len(found))
    assert abs(np.mean(found) - float(exact.entropy(p[:, 4:]))) < 4 * error
    own = [information(p.numpy(), [0, 1, 2, 3, 4]), information(p.numpy(), [0, 1, 2, 3])]
    noise = float(torch.special.entr(p[:, 4]).sum(1).mean())
    assert float(exact.entropy(p[:, 4:])) - noise == pytest.approx(own[0] - own[1])


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 60), st.floats(0.05, 3))
def test_thinned_weights_keep_their_sum(seed: int, size: int, sharpness: float) -> None:
    rng = np.random.default_rng(seed)
    mass = torch.from_numpy(rng.dirichlet(np.full(size, sharpness))) + 1e-12
    n = int(rng.integers(1, size))
    rows, weight = batchbald._thinned(mass, n, float(rng.random()))
    assert len(set(rows.tolist())) == n
    assert float(weight.sum()) == pytest.approx(float(mass.sum()))
    # What is drawn by chance never weighs less than before.
    assert bool((weight >= mass[rows] * (1 - 1e-9)).all())


def test_redundant_items_are_not_both_asked_for() -> None:
    p = posterior(8, 10, 3, 4, 0.2)
    p = np.concatenate([p, p], axis=1)
    batch = batch_bald(p, 4) % 10
    assert len(set(batch.tolist())) == 4


def test_lazy_is_the_same_as_looking_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    p = posterior(12, 3_000, 4, 5).astype(np.float32)
    lazy = batch_bald(p, 6, seed=1)
    monkeypatch.setattr(batchbald, "FIRST", 3_000)
    np.testing.assert_array_equal(lazy, batch_bald(p, 6, seed=1))


def test_a_quick_look_never_says_too_little() -> None:
    p = torch.from_numpy(posterior(12, 400, 4, 5))
    joint = batchbald._Joint(
        torch.ones(1, dtype=torch.float64), torch.full((1, 12), 1 / 12, dtype=torch.float64)
    )
    assert joint.merged() is None
    for row in range(5):
        joint = joint.extended(p[:, row], 1_000, np.random.default_rng(0))
    merged = joint.merged()
    assert merged is not None
    assert len(merged.mass) <= batchbald.GROUPS
    assert float(merged.mass.sum()) == pytest.approx(1)
    exact, quick = joint.gain(p), merged.gain(p)
    assert bool((quick > exact - 1e-9).all())
    # And not much too much.
    assert float((quick - exact).mean()) < 0.2 * float(exact.mean())


@pytest.mark.filterwarnings("ignore::alwidgets.errors.FewerItemsWarning")
@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(0, 12), st.integers(2, 6),
    st.integers(0, 15), st.integers(1, 30),
)  # fmt: skip
def test_picks_are_distinct_and_complete(
    seed: int, K: int, m: int, C: int, n: int, samples: int
) -> None:
    p = posterior(K, m, C, seed, 0.1).astype(np.float32)
    if m > 2:
        p[:, 1] = p[:, 0]
    batch = batch_bald(p, n, seed, samples=samples)
    assert batch.dtype == np.int64
    assert len(set(batch.tolist())) == len(batch) == min(n, m)
    np.testing.assert_array_equal(batch, batch_bald(p, n, seed, samples=samples))


def test_exhausted_information_is_filled_by_bald() -> None:
    """Two samples hold ln 2 nats: one sure contradiction tells them apart."""
    p = np.full((2, 6, 2), 0.5)
    p[:, 3] = [[1, 0], [0, 1]]
    p[:, 1] = [[0.9, 0.1], [0.2, 0.8]]
    p[:, 4] = [[0.8, 0.2], [0.3, 0.7]]
    assert batch_bald(p, 3).tolist() == [3, 1, 4]
    assert np.argsort(-bald(p))[:3].tolist() == [3, 1, 4]


def test_ties_are_drawn() -> None:
    p = np.repeat(posterior(4, 1, 3, 0), 5, axis=1)
    assert {int(batch_bald(p, 1, seed)[0]) for seed in range(60)} == set(range(5))
    alike = np.repeat(p[:1], 4, axis=0)
    assert {int(batch_bald(alike, 1, seed)[0]) for seed in range(60)} == set(range(5))


def test_many_classes_and_tensors() -> None:
    p = torch.from_numpy(posterior(4, 30, 1000, 0, 0.01)).float()
    batch = batch_bald(p, 4, samples=200)
    assert isinstance(batch, torch.Tensor)
    assert len(set(batch.tolist())) == 4


def test_bad_input() -> None:
    p = posterior(3, 5, 2, 0)
    with pytest.raises(StrategyError, match="samples"):
        batch_bald(p, 2, samples=0)
    with pytest.raises(StrategyError, match="holds no sample"):
        batch_bald(p[:0], 2)
    p[1, 3, 0] = np.inf
    with pytest.raises(StrategyError, match="row 3"):
        batch_bald(p, 2)


def test_scores_are_the_information_each_adds() -> None:
    p = posterior(6, 12, 3, 0)
    batch, gains = batch_bald(p, 4, return_scores=True)
    np.testing.assert_array_equal(batch, batch_bald(p, 4))
    total = [information(p, batch[:size].tolist()) for size in range(5)]
    np.testing.assert_allclose(gains, np.diff(total), atol=1e-9)
    tensor, gains = batch_bald(torch.from_numpy(p), 4, return_scores=True)
    assert isinstance(tensor, torch.Tensor)
    assert isinstance(gains, torch.Tensor)
    # Once outcomes are drawn: about as much.
    batch, drawn = batch_bald(p, 4, samples=20, return_scores=True)
    assert drawn.sum() == pytest.approx(information(p, batch.tolist()), rel=0.1)


def test_no_scores_for_what_fills_up() -> None:
    p = np.full((2, 6, 2), 0.5)
    p[:, 3] = [[1, 0], [0, 1]]
    _, gains = batch_bald(p, 3, return_scores=True)
    np.testing.assert_allclose(gains, [np.log(2), np.nan, np.nan])
    picks, gains = batch_bald(p, 0, return_scores=True)
    assert len(picks) == len(gains) == 0


def test_logits_are_no_probabilities() -> None:
    with pytest.raises(StrategyError, match="Row 1 of the probabilities is no probability"):
        batch_bald(np.array([[[0.5, 0.5], [2.0, -1.0]]] * 3), 1)
