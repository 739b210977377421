"""GALAXY: every pick against the gaps as they are then, and what it is for, rare classes."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from alwidgets.errors import StrategyError
from alwidgets.strategies.galaxy import galaxy

# The package has a function of this name.
module = import_module("alwidgets.strategies.galaxy")

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


def allowed(margin: Floats, label: list[bool | None], ends: bool) -> set[int]:
    """What may be asked for on one line: rows, given whether each labelled one is of the class."""
    order = np.argsort(margin).tolist()
    places = [i for i, row in enumerate(order) if label[row] is not None]
    inside = [bool(label[order[i]]) for i in places]
    if ends:
        places, inside = [-1, *places, len(order)], [False, *inside, True]
    changes = [i for i in range(len(places) - 1) if inside[i] != inside[i + 1]]
    gaps = [(places[i], places[i + 1]) for i in changes]
    shortest = min((b - a for a, b in gaps if b - a > 1), default=None)
    if shortest is not None:
        return {order[(a + b) // 2] for a, b in gaps if b - a == shortest}
    free = [i for i in range(len(order)) if i not in places]
    steps = {i: min(a - i if i < a else i - b for a, b in gaps) for i in free}
    return {order[i] for i in free if steps[i] == min(steps.values())}


def margins(p: Floats) -> Floats:
    """(n, C), from the definition."""
    return np.stack(
        [p[:, c] - np.delete(p, c, axis=1).max(axis=1) for c in range(p.shape[1])], axis=1
    )


@pytest.mark.parametrize("classes", [2, 3, 6])
@pytest.mark.parametrize("labelled", [0, 1, 12])
def test_every_pick_closes_in_on_a_change(classes: int, labelled: int) -> None:
    rng = np.random.default_rng(classes)
    p = rng.dirichlet(np.ones(classes), size=60 + labelled)
    codes = rng.integers(0, classes, labelled)
    picks = galaxy(p[:60], p[60:], codes, 60, seed=labelled)
    assert sorted(picks.tolist()) == list(range(60))
    line = margins(p)
    known: list[int | None] = [None] * 60 + codes.tolist()
    ends = [len(set((codes == c).tolist())) < 2 for c in range(classes)]
    for start in range(0, 60 - 60 % classes, classes):
        options = []
        for pick in picks[start : start + classes].tolist():
            may = [
                allowed(line[:, c], [None if k is None else k == c for k in known], ends[c])
                for c in range(classes)
            ]
            options.append([pick in rows for rows in may])
            known[pick] = int(p[pick].argmax())
        # Each class had one turn in this round.
        turns = linear_sum_assignment(options, maximize=True)
        assert np.array(options)[turns].all()


def ladder(m: int) -> Floats:
    """Two classes; the second ever more probable."""
    q = (np.arange(m) + 0.5) / m
    return np.stack([1 - q, q], axis=1)


def test_bisects() -> None:
    p = ladder(17)
    # Labelled at both ends; the model changes its mind between rows 7 and 8 of what is between.
    picks = galaxy(p[1:-1], p[[0, -1]], np.array([0, 1]), 1)
    np.testing.assert_array_equal(picks, [7])


def test_shortest_gap_first() -> None:
    p = ladder(41)
    at = np.array([0, 4, 40])
    free = np.setdiff1d(np.arange(41), at)
    picks = galaxy(p[free], p[at], np.array([0, 1, 0]), 3)
    # Rows 2 and 3 are predicted as row 0 is labelled: that closes the gap before row 4.
    np.testing.assert_array_equal(free[picks], [2, 3, 22])


def test_then_next_to_the_change() -> None:
    p = ladder(40)
    at = np.array([0, 19, 20, 39])
    free = np.setdiff1d(np.arange(40), at)
    picks = galaxy(p[free], p[at], np.array([0, 0, 1, 1]), 6)
    np.testing.assert_array_equal(np.sort(free[picks]), [16, 17, 18, 21, 22, 23])


def test_finds_the_rare_classes() -> None:
    rng = np.random.default_rng(0)
    y = np.where(rng.random(5000) < 0.01, 1 + rng.integers(0, 3, 5000), 0)
    logits = 3 * np.eye(4)[y] + rng.normal(size=(5000, 4)) + [4, 0, 0, 0]
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    start = np.concatenate([np.flatnonzero(y == c)[:2] for c in range(4)])
    free = np.setdiff1d(np.arange(5000), start)
    picks = free[galaxy(p[free], p[start], y[start], 50)]
    assert (y[picks] > 0).mean() > 10 * (y > 0).mean()


def test_a_class_that_was_never_seen() -> None:
    rng = np.random.default_rng(1)
    p = rng.dirichlet([5, 5, 0.2], size=400)
    picks = galaxy(p, p[:2], np.array([0, 1]), 60)
    assert (p[picks].argmax(axis=1) == 2).any()


def test_seeds_ties_and_kinds() -> None:
    p = np.full((200, 3), 1 / 3)
    codes = np.array([0, 1])
    one, same, other = (galaxy(p, p[:2], codes, 20, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert set(one.tolist()) != set(other.tolist())
    tensor = galaxy(
        torch.from_numpy(p).half(), torch.from_numpy(p[:2]), torch.from_numpy(codes), 20
    )
    assert isinstance(tensor, torch.Tensor)
    assert tensor.dtype == torch.int64
    assert len(galaxy(p, None, np.empty(0, np.int64), 7)) == 7


@pytest.mark.filterwarnings("ignore::alwidgets.errors.FewerItemsWarning")
@settings(max_examples=60, deadline=None)
@given(
    m=st.integers(0, 30),
    n=st.integers(0, 40),
    labelled=st.integers(0, 6),
    classes=st.integers(1, 4),
    equal=st.booleans(),
)
def test_as_many_as_there_are(m: int, n: int, labelled: int, classes: int, equal: bool) -> None:
    rng = np.random.default_rng(m + 50 * n)
    p = rng.dirichlet(np.ones(classes), size=m + labelled)
    if equal:
        p[:] = 1 / classes
    rows = galaxy(p[:m], p[m:], rng.integers(0, classes, labelled), n)
    assert rows.dtype == np.int64
    assert len(set(rows.tolist())) == len(rows) == min(m, n)


def test_a_thousand_classes() -> None:
    p = np.random.default_rng(2).dirichlet(np.full(1000, 0.1), size=600).astype(np.float32)
    rows = galaxy(p[:500], p[500:], np.arange(100), 30)
    assert len(set(rows.tolist())) == 30


def test_errors() -> None:
    p = ladder(8)
    with pytest.raises(StrategyError, match="Label 2 of row 1 is none of the 2 classes"):
        galaxy(p, p[:2], np.array([0, 2]), 1)
    with pytest.raises(StrategyError, match="2 labelled items but 1 labels"):
        galaxy(p, p[:2], np.array([0]), 1)
    with pytest.raises(StrategyError, match="2 classes for the candidates, 1"):
        galaxy(p, p[:2, :1], np.array([0, 0]), 1)
    p[5, 0] = np.nan
    with pytest.raises(StrategyError, match="row 5"):
        galaxy(p, None, np.empty(0, np.int64), 1)


def test_scores_say_how_near_to_the_border() -> None:
    p = ladder(41)
    at = np.array([0, 4, 40])
    free = np.setdiff1d(np.arange(41), at)
    picks, scores = galaxy(p[free], p[at], np.array([0, 1, 0]), 3, return_scores=True)
    np.testing.assert_array_equal(free[picks], [2, 3, 22])
    np.testing.assert_allclose(scores, 1 - np.abs(p[free[picks], 0] - p[free[picks], 1]))
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(5), size=70).astype(np.float32)
    codes = rng.integers(0, 5, 10)
    picks, scores = galaxy(p[10:], p[:10], codes, 20, seed=1, return_scores=True)
    np.testing.assert_array_equal(picks, galaxy(p[10:], p[:10], codes, 20, seed=1))
    # That of a class, and of each class once in a round.
    near = 1 - np.abs(margins(p[10:][picks]))
    options = np.isclose(near, scores[:, None], atol=1e-6)
    for start in range(0, 20, 5):
        turns = linear_sum_assignment(options[start : start + 5], maximize=True)
        assert options[start : start + 5][turns].all()
    one, scores = galaxy(torch.ones(4, 1), None, np.empty(0, np.int64), 2, return_scores=True)
    assert isinstance(one, torch.Tensor)
    assert scores.tolist() == [0, 0]
    assert galaxy(p, None, codes[:0], 0, return_scores=True)[1].shape == (0,)


@pytest.mark.parametrize("room", [0, 2])
def test_orders_that_are_made_anew(room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is picked follows the same rules."""
    monkeypatch.setattr(module, "MEMORY", room * module.PLACE * 62)
    test_every_pick_closes_in_on_a_change(6, 12)
    test_every_pick_closes_in_on_a_change(3, 1)
    test_finds_the_rare_classes()


def test_order_of_floats() -> None:
    rng = np.random.default_rng(0)
    for values in (rng.normal(size=999), rng.integers(-3, 4, 999) / 3, np.array([0.0, -0.0, 0.0])):
        for dtype in (np.float32, np.float64):
            given = values.astype(dtype)
            np.testing.assert_array_equal(
                module._ascending(given), np.argsort(given, kind="stable")
            )


def test_logits_and_labels_that_are_none() -> None:
    p = ladder(8)
    with pytest.raises(StrategyError, match="Row 1 of the probabilities is no probability"):
        galaxy(np.array([[0.5, 0.5], [2.0, -1.0]]), None, np.empty(0, np.int64), 1)
    with pytest.raises(StrategyError, match="Row 0 of the labelled probabilities is no"):
        galaxy(p, 3 * p[:1], np.array([0]), 1)
    for label in (0.5, np.nan, -1):
        with pytest.raises(StrategyError, match=f"Label {label} of row 1 is none of the 2"):
            galaxy(p, p[:2], np.array([0, label]), 1)
    with pytest.raises(StrategyError, match="labels must be an array of real numbers"):
        galaxy(p, p[:2], np.array(["a", "b"]), 1)
    assert galaxy(p, p[:2], [0.0, 1.0], 1) == galaxy(p, p[:2], [0, 1], 1)
