"""Pools of odd tables: files that differ, numbers of many kinds, places with no room."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image as Pillow
from scipy.sparse import csr_array

from alwidgets.errors import PoolError
from alwidgets.pool import Pool

A = np.arange(20, dtype=np.float64).reshape(5, 4) + 0.1234567
B = A + 100


pytestmark = pytest.mark.usefixtures("cache")


def fixed(rows: np.ndarray, kind: pa.DataType) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel(), kind), rows.shape[1])


def folder_of(folder: Path, *columns: Any) -> Path:
    """A Parquet file for each of these columns `v`."""
    folder.mkdir()
    for i, column in enumerate(columns):
        pq.write_table(pa.table({"v": column}), folder / f"{i}.parquet")
    return folder


HALF, SINGLE = fixed(A.astype(np.float16), pa.float16()), fixed(B, pa.float32())


@pytest.mark.parametrize(
    ("columns", "dtype"),
    [
        ((HALF, SINGLE), np.float32),
        ((SINGLE, HALF), np.float32),
        ((HALF, fixed(B, pa.float64())), np.float32),
        ((HALF, fixed((300 * B).astype(np.int32), pa.int32())), np.float32),
        ((pa.array(A.tolist()), SINGLE), np.float32),
        ((HALF, HALF), np.float16),
        # A file without rows says nothing about numbers.
        ((pa.array([], pa.null()), HALF), np.float16),
    ],
)
def test_files_of_different_numbers_make_one_table(
    columns: tuple[pa.Array, ...], dtype: type, tmp_path: Path
) -> None:
    path = folder_of(tmp_path / "parts", *columns)
    features = Pool.from_parquet(path, features="v").features
    rows = [np.array(column.to_pylist(), dtype=np.float64) for column in columns if len(column)]
    assert features.dtype == dtype
    expected = np.concatenate(rows)
    _, first = np.unique(expected, axis=0, return_index=True)
    np.testing.assert_array_equal(features, expected[np.sort(first)].astype(dtype))


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ((pa.array(A.tolist()), pa.array([1.0, 2.0])), "row 5 holds one number, the first 4"),
        ((pa.array([1.0, 2.0]), pa.array(A.tolist())), "row 2 holds a vector of 4 numbers"),
        ((SINGLE, fixed(B[:, :3], pa.float32())), "row 5 holds a vector of 3 numbers, the first 4"),
    ],
)
def test_vectors_of_different_lengths_are_named(
    columns: tuple[pa.Array, ...], says: str, tmp_path: Path
) -> None:
    with pytest.raises(PoolError, match=says):
        Pool.from_parquet(folder_of(tmp_path / "parts", *columns), features="v")


@pytest.mark.parametrize("left", [0, 140])
def test_a_damaged_table_in_the_cache_is_written_again(
    left: int, tmp_path: Path, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = folder_of(tmp_path / "parts", SINGLE)
    Pool.from_parquet(path, features="v")
    (kept,) = cache.glob("*.npy")
    kept.write_bytes(kept.read_bytes()[:left])
    with caplog.at_level(logging.WARNING):
        features = Pool.from_parquet(path, features="v").features
    np.testing.assert_array_equal(features, B.astype(np.float32))
    assert "written again" in caplog.text


def test_a_full_disk_is_named_before_it_is_written_to(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder_of(tmp_path / "parts", SINGLE)
    np.save(tmp_path / "wide.npy", B)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=79))
    with pytest.raises(PoolError, match=r"GB left\. Make room"):
        Pool.from_parquet(path, features="v")
    with pytest.raises(PoolError, match="ALWIDGETS_CACHE"):
        Pool.from_arrays(tmp_path / "wide.npy")
    assert list(cache.iterdir()) == []


def test_without_a_cache_tables_are_copied_elsewhere(
    tmp_path: Path, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    np.save(tmp_path / "wide.npy", B)
    cache.write_text("in the way")
    with caplog.at_level(logging.WARNING):
        features = Pool.from_arrays(tmp_path / "wide.npy").features
    assert isinstance(features, np.memmap)
    np.testing.assert_array_equal(features, B.astype(np.float32))
    assert "cannot be written" in caplog.text


# ---------------------------------------------------------------------- frames


@pytest.mark.parametrize(
    ("frame", "dtype"),
    [
        (pd.DataFrame({"v": list(A)}), np.float32),
        (pd.DataFrame({"v": list(A.astype(np.float16))}), np.float16),
        (pd.DataFrame({"v": A.tolist()}), np.float32),
        (pl.DataFrame({"v": A.tolist()}), np.float32),
        (pl.DataFrame({"v": A.tolist()}, schema={"v": pl.Array(pl.Float32, 4)}), np.float32),
        (pa.table({"v": fixed(A, pa.float64())}), np.float32),
        (
            pa.concat_tables([pa.table({"v": A[:2].tolist()}), pa.table({"v": A[2:].tolist()})]),
            "f4",
        ),
    ],
)
def test_vectors_of_every_frame(frame: Any, dtype: Any) -> None:
    features = Pool.from_frame(frame, features="v").features
    assert features.dtype == dtype
    np.testing.assert_allclose(features, A, rtol=2e-3)


def test_columns_that_have_no_names_but_numbers() -> None:
    features = Pool.from_frame(pd.DataFrame(A), features=[1, 3]).features  # type: ignore[list-item]
    np.testing.assert_array_equal(features, A[:, [1, 3]].astype(np.float32))


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([[1.0, 2.0], None], "row 1 holds no vector"),
        ([[1.0, 2.0], [3.0]], "row 1 holds a vector of 1 numbers, the first 2"),
        ([1.0, None], "Row 1 of column 'v' is missing"),
        ([torch.ones(2)], "must hold numbers, or vectors of numbers"),
        (["[1, 2]"], "no number"),
    ],
)
def test_a_bad_row_of_a_frame_is_named(values: list[Any], says: str) -> None:
    with pytest.raises(PoolError, match=says):
        Pool.from_frame(pd.DataFrame({"v": pd.Series(values, dtype=object)}), features="v")


def test_one_column_of_metadata_needs_no_list(tmp_path: Path) -> None:
    table = pa.table({"v": A[:, 0], "label": list("abcde")})
    pq.write_table(table, tmp_path / "t.parquet")
    for pool in (
        Pool.from_frame(table, features="v", metadata="label"),
        Pool.from_parquet(tmp_path / "t.parquet", features="v", metadata="label"),
    ):
        assert list(pool.metadata["label"]) == list("abcde")


# ---------------------------------------------------------------------- features beside content


@pytest.mark.parametrize(
    "features",
    [
        torch.ones(2, 3, dtype=torch.bfloat16),
        torch.ones(2, 3, requires_grad=True),
        pd.DataFrame(np.ones((2, 3))),
        np.ones((2, 3)),
        [[1, 1, 1], [1, 1, 1]],
    ],
    ids=lambda features: type(features).__name__,
)
def test_features_of_any_kind(features: Any, tmp_path: Path) -> None:
    pools = [Pool.from_texts(["a", "b"], features=features)]
    if not isinstance(features, list):  # of names, to a frame
        pools.append(Pool.from_frame(pd.DataFrame({"t": ["a", "b"]}), text="t", features=features))
    for pool in pools:
        assert pool.features.dtype == np.float32
        np.testing.assert_array_equal(pool.features, np.ones((2, 3)))
        np.testing.assert_array_equal(pool.encode(features), np.ones((2, 3)))


def test_features_of_a_file_beside_texts(tmp_path: Path) -> None:
    np.save(tmp_path / "f.npy", A[:2])
    pool = Pool.from_texts(["a", "b"], features=tmp_path / "f.npy")  # type: ignore[arg-type]
    np.testing.assert_array_equal(pool.features, A[:2].astype(np.float32))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Pool.from_arrays(csr_array(A)), r"X is sparse .*X\.toarray"),
        (lambda: Pool.from_texts(["a"], features=csr_array(A)), "features is sparse"),  # type: ignore[arg-type]
        (lambda: Pool.from_texts(["a"], features=np.ones(1)), "features must be a table"),
        (
            lambda: Pool.from_frame(pd.DataFrame({"t": ["a"]}), text="t", features=3),  # type: ignore[arg-type]
            "features=3 must name columns",
        ),
        (
            lambda: Pool.from_images([Pillow.new("L", (2, 2)), Pillow.new("L", (0, 2))]),
            "image in row 1 has the size",
        ),
    ],
)
def test_odd_input_is_named(make: Any, says: str) -> None:
    with pytest.raises(PoolError, match=says):
        make()
