"""What the scores refuse, and what they take for probabilities."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray

from alwidgets.errors import StrategyError
from alwidgets.strategies.disagreement import (
    bald,
    consensus_entropy,
    epig,
    max_disagreement,
    variation_ratio,
    vote_entropy,
)
from alwidgets.strategies.expected import expected_error_reduction, expected_gradient_length
from alwidgets.strategies.uncertainty import entropy, least_confident, margin

Floats = NDArray[np.float64]
UNCERTAINTY = (least_confident, margin, entropy)
COMMITTEE = (bald, consensus_entropy, max_disagreement, vote_entropy, variation_ratio)
LOGITS = np.array([[2.5, -1.4, 2.1], [0.1, 0.2, 0.7]])


def posterior(K: int, n: int, C: int) -> Floats:
    """(K, n, C)."""
    return np.asarray(np.random.default_rng(0).dirichlet(np.full(C, 0.5), size=(K, n)))


@pytest.mark.parametrize("score", [*UNCERTAINTY, *COMMITTEE])
def test_logits_are_no_probabilities(score: Callable[[Any], Floats]) -> None:
    def at(p: Any) -> Any:
        return p if score in UNCERTAINTY else p[None].repeat(3, 0)

    message = r"Row 0 of the .*sum 3.2, lowest -1.4\): apply softmax"
    with pytest.raises(StrategyError, match=message):
        score(at(LOGITS))
    good = np.full((50, 3), 1 / 3)
    for several in ([0.9, 0.8, 0.1], [0.0, 0.0, 0.0], [1.1, -0.1, 0.0], [0.3, 0.3, 0.3]):
        bad = good.copy()
        bad[17] = several
        with pytest.raises(StrategyError, match="Row 17 of the probabilities is no probability"):
            score(at(bad))
    with pytest.raises(StrategyError, match="have no column"):
        score(at(np.empty((4, 0))))
    # NaN is named as such, in the presence of logits too.
    bad = at(np.concatenate([LOGITS, good]))
    bad[..., 7, 1] = np.inf
    with pytest.raises(StrategyError, match="NaN or infinity in the probabilities, first in row 7"):
        score(bad)


def test_one_member_that_says_logits() -> None:
    p = posterior(4, 9, 3)
    p[2, 6] = [3.0, -1.0, 1.0]
    for score in (*COMMITTEE, lambda p: epig(p, p)):
        with pytest.raises(StrategyError, match="Row 6 of the probabilities"):
            score(p)
    with pytest.raises(StrategyError, match="Row 6 of the target probabilities"):
        epig(posterior(4, 9, 3), p)
    with pytest.raises(StrategyError, match="Row 0"):
        expected_gradient_length(LOGITS, np.ones((2, 4)))
    with pytest.raises(StrategyError, match="Row 0"):
        expected_error_reduction(LOGITS, lambda row, code: LOGITS)


@pytest.mark.parametrize("C", [1, 2, 3, 7, 100, 1000, 20_000])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "two decimals"])
def test_rounded_probabilities_are_probabilities(C: int, dtype: str) -> None:
    for sharpness in (0.05, 1.0, 1e4):
        p = np.random.default_rng(C).dirichlet(np.full(C, sharpness), size=12)
        if dtype == "two decimals":
            # Of more classes the small ones would all be rounded away.
            rounded = torch.from_numpy(p.round(2) if C < 8 else p)
        else:
            rounded = torch.from_numpy(p).to(getattr(torch, dtype))
        for score in UNCERTAINTY:
            assert len(score(rounded)) == 12


@pytest.mark.parametrize(
    "bad",
    [
        None,
        "probabilities",
        [["a", "b"]],
        [[0.5, None]],
        [[0.5, 0.5], [1.0]],
        np.array([[0.5, 0.5]], dtype=object),
        np.array([[0.5 + 1j, 0.5]]),
        torch.tensor([[0.5 + 1j, 0.5]]),
    ],
)
def test_what_is_no_number(bad: Any) -> None:
    for score in (*UNCERTAINTY, *COMMITTEE):
        with pytest.raises(StrategyError, match="probabilities must be an array of real numbers"):
            score(bad)


def test_lists_tables_and_long_numbers() -> None:
    p = posterior(3, 8, 4)
    for score in UNCERTAINTY:
        for other in (p[0].tolist(), pd.DataFrame(p[0]), p[0].astype(np.longdouble)):
            np.testing.assert_allclose(score(other), score(p[0]), rtol=1e-12)
    np.testing.assert_array_equal(least_confident([[1, 0], [0, 1]]), [0, 0])
    for score in COMMITTEE:
        np.testing.assert_array_equal(score(p.tolist()), score(p))
    np.testing.assert_array_equal(epig(p.tolist(), p.tolist()), epig(p, p))
    np.testing.assert_array_equal(
        expected_gradient_length(p[0].tolist(), pd.DataFrame(p[1])),
        expected_gradient_length(p[0], p[1]),
    )


def test_expected_error_reduction_of_no_class() -> None:
    # Beyond the rows whose sum is looked at.
    p = np.full((2000, 2), 0.5)
    p[1500] = 0
    with pytest.raises(StrategyError, match="Row 1500 of the probabilities holds none above 0"):
        expected_error_reduction(p, lambda row, code: p[:1])
    with pytest.raises(StrategyError, match="refit gave no row"):
        expected_error_reduction(p, lambda row, code: p[:0])
    with pytest.raises(StrategyError, match="probabilities after refitting"):
        expected_error_reduction(p, lambda row, code: LOGITS)
