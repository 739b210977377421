"""Tables of features: checked, and left on disk where they lie there."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..errors import PoolError
from .folders import check_room, scratch_folder
from .progress import progress_bar

ROWS_AT_ONCE = 65_536


def as_table(X: Any, name: str = "X") -> NDArray[Any]:
    """Make an array (n, d) of numbers from an array, a list of rows, a frame or a .npy file.

    Parameters
    ----------
    X : array-like or path
        A file is mapped into memory, not read.
    name : str
        What to call it in an error.

    Raises
    ------
    PoolError
        Naming the row whose length differs, or saying what else this is.
    """
    if isinstance(X, (str, PathLike)):
        X = open_npy(X)
    X = off_torch(X)
    if hasattr(X, "toarray"):
        raise PoolError(
            f"{name} is sparse ({type(X).__name__}): give {name}.toarray(), or fewer columns by a "
            "TruncatedSVD of scikit-learn."
        )
    if not isinstance(X, np.ndarray):
        try:
            X = np.asarray(X)
        except ValueError as e:  # rows of different lengths
            raise PoolError(f"{name} must be a table of numbers, (n, d){_uneven(X)}.") from e
    if X.ndim != 2:
        raise PoolError(
            f"{name} must be a table of numbers, (n, d); it has the shape {X.shape}. "
            "For images use Pool.from_images."
        )
    if X.dtype.kind not in "fiub":
        raise PoolError(f"{name} must be numbers, not {X.dtype}. Encode it first.")
    return np.asanyarray(X)


def off_torch(values: Any) -> Any:
    """A tensor of torch as an array, wherever it is and whatever it holds; the rest as it is."""
    torch = sys.modules.get("torch")  # where there is a tensor, it has been imported
    if torch is None or not isinstance(values, torch.Tensor):
        return values
    plain = values.detach().cpu()
    return (plain.float() if plain.dtype == torch.bfloat16 else plain).numpy()


def as_new_rows(new: Any, width: int) -> NDArray[Any]:
    """Make features of things that are not in a pool of ready ones, `width` of them an item."""
    try:
        rows = np.asarray(list(new) if isinstance(new, Iterator) else off_torch(new))
    except ValueError:  # rows of different lengths
        rows = np.empty((), dtype=object)
    if rows.ndim and len(rows) == 0:
        return np.empty((0, width), dtype=np.float32)
    if rows.ndim != 2 or rows.dtype.kind not in "fiub":
        raise PoolError(
            f"This pool was made of ready features: give an array (n, {width}) of them."
        )
    return rows


def open_npy(path: str | PathLike[str]) -> NDArray[Any]:
    """Map a .npy file into memory.

    Raises
    ------
    PoolError
        If it is not there or is no such file.
    """
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError as e:
        raise PoolError(f"{path} cannot be read ({e.strerror or e}). Give a .npy file.") from e
    except (ValueError, EOFError) as e:
        raise PoolError(f"{path} is no .npy file of numbers ({e}). np.save writes one.") from e
    if not isinstance(found, np.ndarray):
        found.close()
        raise PoolError(f"{path} holds several arrays: save the features alone, with np.save.")
    return found


def check_features(features: NDArray[Any], ids: Sequence[str] | None) -> NDArray[Any]:
    """Return features (n, d) as float32 or float16, every number finite.

    Memory-mapped ones are read block by block, and stay on disk.

    Raises
    ------
    PoolError
        Naming the first row (and its item) that holds anything else.
    """
    if features.dtype.kind not in "fiub":
        raise PoolError(f"Features must be numbers, not {features.dtype}.")
    if features.ndim != 2 or features.shape[1] == 0:
        raise PoolError(f"Features must have the shape (n, d), d ≥ 1; this is {features.shape}.")
    if ids is not None and len(features) != len(ids):
        raise PoolError(f"{len(features):,} rows of features for {len(ids):,} items.")
    if features.dtype not in (np.float32, np.float16):
        with np.errstate(over="ignore"):
            if isinstance(features, np.memmap):
                features = _mapped(features, None)
            else:
                features = features.astype(np.float32)
    n = len(features)
    # What is new to the pool is small: one bar is for the pool itself.
    with progress_bar("Checking features") if ids is not None else nullcontext() as progress:
        for start in range(0, n, ROWS_AT_ONCE):
            block = features[start : start + ROWS_AT_ONCE]
            bad = ~np.isfinite(block)
            if bad.any():
                row, col = (int(i) for i in np.argwhere(bad)[0])
                item = f" (item {ids[start + row]!r})" if ids is not None else ""
                raise PoolError(
                    f"Features hold {block[row, col]} in row {start + row}{item}, column {col}. "
                    "Fill or drop such rows first."
                )
            if progress is not None:
                progress(min(start + ROWS_AT_ONCE, n), n)
    return features


def take_rows(features: NDArray[Any], rows: NDArray[np.int64]) -> NDArray[Any]:
    """Copy some rows; of a memory-mapped table to a file that is gone when nobody needs it."""
    if isinstance(features, np.memmap):
        return _mapped(features, rows)
    taken: NDArray[Any] = features[rows]
    return taken


def _mapped(features: NDArray[Any], rows: NDArray[np.int64] | None) -> NDArray[Any]:
    """Copy rows of a table into a nameless file, block by block, as float32 or float16."""
    n = len(features) if rows is None else len(rows)
    dtype = np.float16 if features.dtype == np.float16 else np.float32
    folder = scratch_folder()
    check_room(folder, n * features.shape[1] * np.dtype(dtype).itemsize)
    with tempfile.TemporaryFile(dir=folder) as file:
        # The map keeps the file's room on disk for as long as it is needed itself.
        copy = np.memmap(file, dtype=dtype, mode="w+", shape=(n, features.shape[1]))
    with progress_bar("Copying features") as progress:
        for start in range(0, n, ROWS_AT_ONCE):
            stop = min(start + ROWS_AT_ONCE, n)
            copy[start:stop] = features[start:stop] if rows is None else features[rows[start:stop]]
            progress(stop, n)
    return copy


def _uneven(rows: Sequence[Any]) -> str:
    """Say which row has another length than the first."""
    lengths = [len(row) if hasattr(row, "__len__") else None for row in rows]
    row = next((i for i, length in enumerate(lengths) if length != lengths[0]), None)
    if row is None:
        return ". Give every row the same number of them"
    there = "is one number" if lengths[row] is None else f"has {lengths[row]:,} of them"
    first = "is one number" if lengths[0] is None else f"has {lengths[0]:,}"
    return f": row {row} {there} and row 0 {first}. Give every row the same number"


FeatureSource: TypeAlias = str | PathLike[str] | Sequence[str] | NDArray[Any]


def as_source(
    features: FeatureSource | None, columns: Sequence[str]
) -> tuple[NDArray[Any] | None, list[str]]:
    """Tell what ``features=…`` is, beside a table with these columns.

    Returns
    -------
    features : ndarray or None
        Where it is an array, a tensor, another frame or the path of a .npy file.
    names : list of str
        Where it names one column or more.
    """
    if features is None:
        return None, []
    if isinstance(features, np.ndarray):
        return features, []
    if isinstance(features, (str, PathLike)):
        if features not in columns and Path(features).suffix.lower() == ".npy":
            return open_npy(features), []
        return None, [str(features)]
    if getattr(features, "ndim", 1) == 2:  # a tensor or a frame
        return as_table(features, "features"), []
    if not isinstance(features, Iterable):
        raise PoolError(
            f"features={features!r} must name columns, be a .npy file, or an array (n, d)."
        )
    if len(features) == 0:
        raise PoolError("features=[] names no column. Name at least one, or leave it out.")
    return None, list(features)
