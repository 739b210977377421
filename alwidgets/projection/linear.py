"""The layout that is there at once: the two directions of most variance."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ProjectionError

#: The directions are found on at most this many rows: more would change them little.
ROWS = 4_096
#: Rows projected at a time.
CHUNK = 65_536
#: So small a product BLAS leaves to one core: where the other ones are busy, as they are while a
#: page loads its map, threads that wait for each other take many times as long.
ON_ONE_CORE = 2**18


def check_features(features: NDArray[Any]) -> None:
    """Raise `ProjectionError` unless `features` is a table with at least one row and column."""
    if features.ndim != 2 or 0 in features.shape:
        raise ProjectionError(
            f"A map needs features of shape (n, d); these have the shape {features.shape}."
        )


def chunks(features: NDArray[Any], size: int = CHUNK) -> Iterator[NDArray[np.float32]]:
    """Read the rows in float32, `size` at a time."""
    for start in range(0, len(features), size):
        yield np.ascontiguousarray(features[start : start + size], dtype=np.float32)


def fit_square(coords: NDArray[np.float32]) -> NDArray[np.float32]:
    """Move and scale coordinates (n, 2) to [-1, 1], both axes by the same factor."""
    low, high = coords.min(axis=0), coords.max(axis=0)
    half = float((high - low).max()) / 2
    centred = coords - (low + high) / 2
    if half == 0 or not np.isfinite(half):
        return np.zeros_like(coords)
    scaled: NDArray[np.float32] = np.clip(centred / np.float32(half), -1, 1)
    return scaled


def lie_down(coords: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn a layout (n, 2) so that its longest direction lies across; screens are wide."""
    centred = coords - coords.mean(axis=0)
    along = np.linalg.eigh(centred.T.astype(np.float64) @ centred)[1][:, 1]
    if along[0] < 0:
        along = -along
    turn = np.array([along, [-along[1], along[0]]], dtype=np.float32)
    return np.asarray(centred @ turn.T, dtype=np.float32)


def pca(features: NDArray[Any], seed: int = 0) -> NDArray[np.float32]:
    """Lay items out along their two directions of most variance.

    The directions come from a random subset of 4,096 rows by subspace iteration (Halko,
    Martinsson & Tropp, SIAM Review 2011), so that the time is one pass over the features. Nearly
    all of it is spent in matrix products, which leave the interpreter's lock to others.

    Parameters
    ----------
    features : ndarray, shape (n, d)
        Finite numbers; memory-mapped arrays are read in chunks.
    seed : int, optional
        The same seed gives the same layout.

    Returns
    -------
    ndarray of float32, shape (n, 2)
        In [-1, 1], both axes scaled alike; zeros where nothing varies.

    Raises
    ------
    ProjectionError
        If `features` is not a table, or a row is not finite.
    """
    check_features(features)
    n = len(features)
    rng = np.random.default_rng(seed)
    rows = np.arange(n) if n <= ROWS else np.sort(rng.choice(n, ROWS, replace=False))
    sample = np.ascontiguousarray(features[rows], dtype=np.float32)
    with np.errstate(invalid="ignore", over="ignore"):  # what is not finite is named below
        mean = sample.mean(axis=0)
        sample -= mean
        # Keeps the squares in float32's range whatever the unit of the features is.
        scale = np.float32(np.abs(sample).max()) or np.float32(1)
        sample /= scale
    axes = _main_directions(sample, rng)
    axes /= scale
    coords = np.zeros((n, 2), dtype=np.float32)
    start = 0
    for chunk in chunks(features, max(1, ON_ONE_CORE // axes.size)):
        with np.errstate(invalid="ignore", over="ignore"):
            coords[start : start + len(chunk), : axes.shape[1]] = (chunk - mean) @ axes
        start += len(chunk)
    bad = ~np.isfinite(coords).all(axis=1)
    if bad.any() or not np.isfinite(scale):
        row = _first_not_finite(features)
        raise ProjectionError(
            f"Row {row} of the features is not finite (NaN or infinity), so the items cannot be "
            "laid out. Repair or remove it."
        )
    return fit_square(coords)


def _first_not_finite(features: NDArray[Any]) -> int:
    start = 0
    for chunk in chunks(features):
        bad = ~np.isfinite(chunk).all(axis=1)
        if bad.any():
            return start + int(np.argmax(bad))
        start += len(chunk)
    return 0


def _main_directions(centred: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Unit directions (d, 2) of most variance, or (d, 1) for one feature."""
    d = centred.shape[1]
    if not np.isfinite(centred).all():
        return np.full((d, min(2, d)), np.nan, dtype=np.float32)
    basis = rng.standard_normal((d, min(d, 10))).astype(np.float32)
    for _ in range(6):
        basis = np.linalg.qr(centred.T @ (centred @ basis))[0]
    small = centred @ basis
    order = np.linalg.eigh(small.T @ small)[1][:, ::-1][:, : min(2, d)]
    axes = basis @ order
    # A direction has no sign of its own: its largest entry is made positive.
    largest = axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])]
    return np.asarray(axes * np.where(largest < 0, -1, 1), dtype=np.float32)
