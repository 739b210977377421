"""Nearest neighbours against the definition, in blocks of every size."""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from alwidgets.errors import StrategyError
from alwidgets.strategies import _blocks, neighbours
from alwidgets.strategies._arrays import as_tensor, checked
from alwidgets.strategies._blocks import Rows, blocks, check_rows, labelled_rows, squared
from alwidgets.strategies.neighbours import farthest_first, nearest, nearest_gap, nearest_mask
from alwidgets.threads import one_thread


@pytest.fixture(params=[neighbours.BLOCK, 1000, 1])
def block(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(neighbours, "BLOCK", request.param)
    return int(request.param)


@pytest.mark.parametrize("k", [1, 5, 40, 60])
def test_the_nearest_are_exact(k: int) -> None:
    rng = np.random.default_rng(k)
    X, to = rng.normal(size=(90, 7)).astype(np.float32), rng.normal(size=(40, 7)).astype(np.float32)
    near = nearest_mask(torch.from_numpy(X), torch.from_numpy(to), k)
    order = np.argsort(cdist(X.astype(np.float64), to.astype(np.float64)), axis=1)[:, :k]
    truth = np.zeros((90, 40), bool)
    np.put_along_axis(truth, order, True, axis=1)
    np.testing.assert_array_equal(near, truth)


@settings(max_examples=40, deadline=None)
@given(n=st.integers(0, 9), m=st.integers(1, 12), k=st.integers(1, 14), kinds=st.integers(1, 4))
def test_of_copies_as_many_as_asked_for_are_nearest(n: int, m: int, k: int, kinds: int) -> None:
    X = torch.arange(n).remainder(kinds).float()[:, None]
    to = torch.arange(m).remainder(kinds).float()[:, None]
    near = nearest_mask(X, to, k)
    assert near.sum(dim=1).tolist() == [min(k, m)] * n
    for row, chosen in zip((X - to.T).square(), near, strict=True):
        rest = row[~chosen]
        assert not len(rest) or float(row[chosen].max()) <= float(rest.min())


@pytest.mark.usefixtures("block")
def test_the_nearest_one_by_the_definition() -> None:
    rng = np.random.default_rng(0)
    X, to = rng.normal(size=(50, 3)), rng.normal(size=(2000, 3))
    gaps, rows = nearest(torch.from_numpy(X), torch.from_numpy(to))
    truth = cdist(X, to, "sqeuclidean")
    np.testing.assert_array_equal(rows, truth.argmin(axis=1))
    np.testing.assert_allclose(gaps, truth.min(axis=1), atol=1e-12)
    # The same without the rows.
    torch.testing.assert_close(nearest_gap(torch.from_numpy(X), torch.from_numpy(to)), gaps)


def test_half_precision_is_converted() -> None:
    X = torch.from_numpy(np.random.default_rng(1).normal(size=(60, 5))).half()
    gaps, rows = nearest(X, X[:30].float())
    assert gaps.dtype == torch.float32
    assert torch.equal(rows, nearest(X.float(), X[:30].float())[1])


def slow_farthest(X: np.ndarray, gap: np.ndarray, n: int) -> list[int]:
    """From the definition."""
    picked: list[int] = []
    for _ in range(n):
        picked.append(int(np.argmax(gap)))
        gap = np.minimum(gap, ((X - X[picked[-1]]) ** 2).sum(axis=1))
        gap[picked] = -1
    return picked


@pytest.mark.parametrize("short", [1, 3, 16, 1024])
@pytest.mark.parametrize("given_first", [True, False])
def test_farthest_first(short: int, given_first: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "SHORT", short)
    rng = np.random.default_rng(short)
    X = rng.normal(size=(70, 4))
    gap = ((X - 5) ** 2).sum(axis=1) if given_first else np.full(70, np.inf)
    among = torch.from_numpy(rng.permutation(70))
    h = Rows(X, "things")
    picked, gaps = farthest_first(h, torch.from_numpy(gap)[among], 70, among)
    found = picked.tolist()
    # Each with its distance to what is given and to those before it.
    for place in range(70):
        known = [gap[found[place]], *((X[found[place]] - X[found[:place]]) ** 2).sum(axis=1)]
        np.testing.assert_allclose(float(gaps[place]), min(known), rtol=1e-9, atol=1e-12)
    if not given_first:
        # Any row may come first; what follows is determined.
        gap = ((X - X[found[0]]) ** 2).sum(axis=1)
        gap[found[0]] = -1
        assert found[1:60] == slow_farthest(X, gap, 59)
    else:
        assert found[:60] == slow_farthest(X, gap, 60)
    assert sorted(found) == list(range(70))


@settings(max_examples=40, deadline=None)
@given(m=st.integers(1, 40), n=st.integers(0, 50), kinds=st.integers(1, 3), short=st.integers(1, 9))
def test_farthest_first_with_duplicates(m: int, n: int, kinds: int, short: int) -> None:
    h = Rows(torch.arange(m).remainder(kinds).float()[:, None], "things")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neighbours, "SHORT", short)
        rows, gaps = farthest_first(h, torch.full((m,), torch.inf), n, torch.arange(m))
    assert len(rows) == min(n, m) == len(rows.unique())
    assert len(h[rows[:kinds]].unique()) == min(n, m, kinds)
    assert not gaps[kinds:].any()


def test_distances_that_are_no_numbers_do_not_go_on_for_ever() -> None:
    h = Rows(torch.full((9, 2), 1e30), "things")
    with pytest.raises(StrategyError, match="scale"):
        farthest_first(h, torch.full((9,), torch.inf), 4, torch.arange(9))


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_blocks_name_the_bad_row(dtype: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_blocks, "BLOCK", 8)
    X = np.zeros((10, 2), dtype)
    check_rows(X, "things")
    found = list(blocks(X, "things"))
    assert [where.start for where, _ in found] == [0, 4, 8]
    assert found[0][1].dtype == torch.float32
    assert [where.start for where, _ in blocks(X, "things", columns=4)] == [0, 2, 4, 6, 8]
    X[7, 1] = np.nan
    for look in (
        lambda: list(blocks(X, "things")),
        lambda: check_rows(X, "things"),
        lambda: Rows(X, "things").check(),
    ):
        with pytest.raises(StrategyError, match="in the things, first in row 7"):
            look()
    with pytest.raises(StrategyError, match="first in row 107"):
        list(blocks(X, "things", numbers=np.arange(100, 110)))
    for look in (lambda: list(blocks(X[:, 0], "things")), lambda: check_rows(X[:, 0], "things")):
        with pytest.raises(StrategyError, match="2 axes"):
            look()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_too_large_to_square_are_named(dtype: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_blocks, "BLOCK", 8)
    longest = float(np.sqrt(np.finfo(dtype).max)) / 4
    # All rows together are longer, which is no reason to complain; nor is a sum that overflows.
    X = np.full((10, 2), 0.7 * longest, dtype)
    check_rows(X, "things")
    assert len(list(blocks(X, "things"))) == 3
    assert torch.isfinite(squared(torch.from_numpy(X), -torch.from_numpy(X))).all()
    X[7] *= 2
    for look in (
        lambda: list(blocks(X, "things")),
        lambda: check_rows(X, "things"),
        lambda: Rows(X, "things").check(),
        lambda: labelled_rows(X, Rows(X[:2], "others")),
    ):
        with pytest.raises(StrategyError, match=r"Row 7 of the .* too large to square: scale"):
            look()
    with pytest.raises(StrategyError, match="Row 107 of the things"):
        list(blocks(X, "things", numbers=np.arange(100, 110)))
    # What is no number is called that.
    X[7] = np.inf
    with pytest.raises(StrategyError, match="NaN or infinity in the things, first in row 7"):
        check_rows(X, "things")


def test_large_numbers_are_finite() -> None:
    # Their sum is not.
    assert checked(np.full((3, 2), 3e38, np.float32), 2).shape == (3, 2)


@pytest.mark.parametrize("make", [list, pd.DataFrame], ids=["lists", "data frame"])
def test_lists_and_data_frames(make: Any) -> None:
    X = np.arange(20.0).reshape(10, 2)
    kept = make(X.tolist())
    check_rows(kept, "things")
    np.testing.assert_array_equal(torch.cat([part for _, part in blocks(kept, "things")]), X)
    rows = Rows(kept, "things")
    np.testing.assert_array_equal(rows[torch.tensor([3, 1])], X[[3, 1]])
    np.testing.assert_array_equal(labelled_rows(kept, rows), X)


def test_read_only_arrays_are_shared_without_a_warning() -> None:
    X = np.arange(6.0).reshape(3, 2)
    X.flags.writeable = False
    tensor = as_tensor(X)
    assert tensor.data_ptr() == X.ctypes.data
    # It keeps what it looks at.
    kept = as_tensor(np.frombuffer(bytes(range(16)), np.uint8))
    gc.collect()
    assert kept.tolist() == list(range(16))
    assert as_tensor(X[::-1]).tolist() == X[::-1].tolist()
    assert as_tensor(X.astype(">f8")).tolist() == X.tolist()


def test_one_thread_is_for_this_thread_and_this_block_alone() -> None:
    threads = torch.get_num_threads()
    if threads == 1:
        # The limit of this process: the calling thread may have more.
        torch.set_num_threads(2)
    try:
        several = torch.get_num_threads()
        with ThreadPoolExecutor(1) as pool, one_thread():
            assert torch.get_num_threads() == 1
            assert pool.submit(torch.get_num_threads).result() == several
            with one_thread():
                pass
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == several
        with pytest.raises(StrategyError), one_thread():
            raise StrategyError("no")
        assert torch.get_num_threads() == several
    finally:
        torch.set_num_threads(threads)
