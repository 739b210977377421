"""Neighbourhoods of the labelled items against a full table of distances."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from alwidgets.errors import StrategyError
from alwidgets.strategies import _blocks, seals
from alwidgets.strategies.seals import Neighbourhood, seal_candidates


@pytest.fixture
def X() -> NDArray[np.float32]:
    return np.random.default_rng(0).normal(size=(500, 6)).astype(np.float32)


def by_definition(
    X: NDArray[np.float32], labelled: NDArray[np.int64], k: int, free: NDArray[np.int64]
) -> NDArray[np.int64]:
    distance = cdist(X[labelled].astype(np.float64), X[free].astype(np.float64))
    return np.unique(free[distance.argsort(axis=1)[:, :k]])


@pytest.mark.parametrize("block", [65_536, 100, 1])
@pytest.mark.parametrize("k", [1, 7, 400])
def test_as_defined(X: NDArray[np.float32], k: int, block: int) -> None:
    labelled = np.array([3, 77, 78, 400, 499])
    free = np.setdiff1d(np.arange(500), labelled)
    rows = seal_candidates(X, labelled, k, block=block)
    assert rows.dtype == np.int64
    np.testing.assert_array_equal(rows, by_definition(X, labelled, k, free))
    # Of the candidates alone: those farther away come in for the others.
    some = np.random.default_rng(1).permutation(free)[:120]
    rows = seal_candidates(X, labelled, k, some, block)
    np.testing.assert_array_equal(rows, by_definition(X, labelled, k, np.sort(some)))


def test_small_blocks_of_distances(X: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch) -> None:
    labelled = np.arange(0, 500, 9)
    whole = seal_candidates(X, labelled, 5)
    monkeypatch.setattr(_blocks, "BLOCK", len(labelled) * 11)
    np.testing.assert_array_equal(seal_candidates(X, labelled, 5), whole)
    assert _blocks.BLOCK < 1000


def test_far_from_the_origin(X: NDArray[np.float32]) -> None:
    labelled = np.array([1, 2, 3])
    free = np.setdiff1d(np.arange(500), labelled)
    moved = X + np.float32(500)
    np.testing.assert_array_equal(
        seal_candidates(moved, labelled, 9), by_definition(moved, labelled, 9, free)
    )


def test_half_precision_from_a_read_only_file(X: NDArray[np.float32], tmp_path: Path) -> None:
    np.save(tmp_path / "features.npy", X.astype(np.float16))
    mapped = np.load(tmp_path / "features.npy", mmap_mode="r")
    labelled = np.array([10, 20])
    free = np.setdiff1d(np.arange(500), labelled)
    rows = seal_candidates(mapped, labelled, 30, block=64)
    np.testing.assert_array_equal(rows, by_definition(np.asarray(mapped), labelled, 30, free))


def test_tensors(X: NDArray[np.float32]) -> None:
    labelled = np.array([10, 20])
    rows = seal_candidates(torch.from_numpy(X), labelled, 30, np.arange(100, 300))
    assert isinstance(rows, np.ndarray)
    np.testing.assert_array_equal(rows, seal_candidates(X, labelled, 30, np.arange(100, 300)))


@pytest.mark.parametrize("size", [1, 13, 500])
def test_chunks_in_any_order(X: NDArray[np.float32], size: int) -> None:
    order = np.random.default_rng(2).permutation(500)
    near = Neighbourhood(X[:4], 20)
    for start in range(0, 500, size):
        part = order[start : start + size]
        near.update(X[part], part)
    np.testing.assert_array_equal(near.result(), by_definition(X, np.arange(4), 20, np.arange(500)))


def test_nothing_labelled_nothing_left_and_duplicates(X: NDArray[np.float32]) -> None:
    nothing = np.empty(0, np.int64)
    assert seal_candidates(X, nothing, 5).shape == (0,)
    assert seal_candidates(X, np.array([1]), 5, nothing).shape == (0,)
    assert seal_candidates(X, np.arange(500), 5).shape == (0,)
    assert Neighbourhood(X[:0], 3).result().shape == (0,)
    assert len(seal_candidates(np.zeros((50, 2), np.float32), np.array([0]), 10)) == 10


def test_where_it_is_computed(X: NDArray[np.float32]) -> None:
    labelled = np.array([10, 20])
    whole = seal_candidates(X, labelled, 30)
    for device in ("cpu", torch.device("cpu")):
        for features in (X, torch.from_numpy(X)):
            near = seal_candidates(features, labelled, 30, device=device)
            np.testing.assert_array_equal(near, whole)


@pytest.mark.parametrize("make", [list, pd.DataFrame], ids=["lists", "data frame"])
def test_lists_and_data_frames(X: NDArray[np.float32], make: Any) -> None:
    labelled = np.array([10, 20])
    near = seal_candidates(make(X.tolist()), labelled.tolist(), 30, list(range(100, 300)), 64)
    np.testing.assert_array_equal(near, seal_candidates(X, labelled, 30, np.arange(100, 300)))


def test_one_thread_counts(X: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch) -> None:
    """Many short steps are not handed to threads, which would wait for each other."""
    threads = []
    merge = Neighbourhood._merge

    def watched(*args: Any) -> None:
        threads.append(torch.get_num_threads())
        merge(*args)

    monkeypatch.setattr(Neighbourhood, "_merge", watched)
    seal_candidates(X, np.array([1, 2]), 5)
    assert set(threads) == {1}


def test_errors(X: NDArray[np.float32]) -> None:
    with pytest.raises(StrategyError, match="labelled row 500 is not in the pool of 500"):
        seal_candidates(X, np.array([500]), 3)
    with pytest.raises(StrategyError, match="candidate row -1"):
        seal_candidates(X, np.array([5]), 3, np.array([4, -1]))
    with pytest.raises(StrategyError, match="k must be at least 1"):
        seal_candidates(X, np.array([5]), 0)
    for k in (2.5, np.nan, True, "3"):
        with pytest.raises(StrategyError, match="k must be at least 1 and a whole number"):
            seal_candidates(X, np.array([5]), k)  # type: ignore[arg-type]
        with pytest.raises(StrategyError, match="k must be at least 1 and a whole number"):
            seals("margin", k=k)  # type: ignore[arg-type]
    assert len(seal_candidates(X, np.array([5]), np.int64(3))) == 3
    with pytest.raises(StrategyError, match="block"):
        seal_candidates(X, np.array([5]), 3, block=0)
    with pytest.raises(StrategyError, match="2 axes"):
        seal_candidates(X[0], np.array([5]), 3)
    with pytest.raises(StrategyError, match="expected"):
        Neighbourhood(X[:2], 3).update(X[:, :2], np.arange(500))
    X[321, 0] = 1e25
    with pytest.raises(StrategyError, match="Row 321 of the features is too large to square"):
        seal_candidates(X, np.array([5]), 3, block=100)
    X[321, 0] = np.nan
    with pytest.raises(StrategyError, match="first in row 321"):
        seal_candidates(X, np.array([5]), 3, block=100)
    with pytest.raises(StrategyError, match="first in row 321"):
        seal_candidates(X, np.array([4, 321]), 3)
