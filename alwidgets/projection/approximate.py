"""Neighbours in pools of many millions, nearly always the true ones: FAISS, if it is installed."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ProjectionError
from .linear import check_features, chunks
from .neighbours import ExactNeighbours, Found, by_distance, checked_rows

#: From so many rows on a session has the index built: below, comparing with all of them takes a
#: few seconds at most, and the index minutes to build.
MANY = 3_000_000
#: Fewer rows do not tell what the codes are to be: they are compared one by one.
FEW = 10_240
#: Rows of the sample for each cell and each centroid of a code that are learnt from it.
LEARNT_FROM = 40
#: Of the code of some numbers.
BITS = 8
#: Numbers that one byte of a row's code stands for.
PACKED = 4
#: Of the cells, those that are looked into; at least so many.
LOOKED_INTO, FEWEST = 1 / 32, 16
#: So many times as many rows as are asked for are measured exactly; at least so many.
SHORT_LIST, SHORTEST = 8, 256


def is_installed() -> bool:
    """Whether FAISS can be used."""
    from importlib.util import find_spec

    return find_spec("faiss") is not None


class FaissNeighbours:
    """Nearest rows by an inverted file with product quantisation.

    Jégou, Douze & Schmid, "Product quantization for nearest neighbor search" (TPAMI 2011), as
    FAISS has it (Douze et al., 2024): rows lie in about 4 √n cells, each coded in a byte for four
    of its numbers. A question looks into the nearest cells, and what the codes say is nearest is
    measured again from the rows themselves. So distances are exact, and a neighbour is missed now
    and then.

    Parameters
    ----------
    features : ndarray, shape (n, d)
        Finite numbers; float16 and memory-mapped arrays are read in chunks. The index takes about
        d / 4 + 8 bytes a row.
    seed : int, optional
        Of the rows that the cells are learnt from.

    Raises
    ------
    ProjectionError
        If FAISS is not installed, or `features` is not a table with rows and columns.
    """

    def __init__(self, features: NDArray[Any], seed: int = 0) -> None:
        check_features(features)
        if not is_installed():
            raise ProjectionError("FAISS is not installed: pip install 'alwidgets[faiss]'.")
        self._features = features
        self._exact = ExactNeighbours(features)
        self._index = _built(features, seed) if len(features) >= FEW else None

    @property
    def features(self) -> NDArray[Any]:
        """The table that is searched, shape (n, d)."""
        return self._features

    def prepare(self) -> None:
        """Nothing: the index is built when this is made."""

    def search(self, V: NDArray[Any], k: int) -> Found:
        """Find k near rows of the table for each row of `V`: see `NeighborProvider`.

        Raises
        ------
        ProjectionError
            If `V` has not the table's number of columns, or holds NaN or infinity.
        ValueError
            If `k` is not positive.
        """
        if self._index is None:
            return self._exact.search(V, k)
        n, d = self._features.shape
        rows, k = checked_rows(V, d, k), min(k, n)
        size = min(n, max(SHORTEST, SHORT_LIST * k))
        _, short = self._index.search(_padded(rows), size)
        found = (short >= 0).sum(axis=1)
        # In cells that hold too few, the rest of the list repeats its first.
        short = np.where(short >= 0, short, short[:, :1])
        positions, distances = by_distance(self._features, rows, np.maximum(short, 0), k)
        few = np.flatnonzero(found < k)
        if len(few):
            positions[few], distances[few] = self._exact.search(rows[few], k)
        return positions, distances


def _built(features: NDArray[Any], seed: int) -> Any:
    import faiss

    n, d = features.shape
    cells = max(1, min(round(4 * n**0.5), n // LEARNT_FROM))
    width = -(-d // PACKED) * PACKED
    coarse = faiss.IndexFlatL2(width)
    index = faiss.IndexIVFPQ(coarse, width, cells, width // PACKED, BITS)
    index.cp.seed = index.pq.cp.seed = seed + 1
    index.nprobe = min(cells, max(FEWEST, round(cells * LOOKED_INTO)))
    # One core stays the kernel's.
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(max(1, (os.cpu_count() or 2) - 1))
    try:
        sample = min(n, LEARNT_FROM * max(cells, 2**BITS))
        some = np.sort(np.random.default_rng(seed).choice(n, sample, replace=False))
        index.train(_padded(np.asarray(features[some], dtype=np.float32)))
        for part in chunks(features):
            index.add(_padded(part))
    finally:
        faiss.omp_set_num_threads(before)
    return index


def _padded(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows with zeros behind them, which change no distance, so that all bytes code as many."""
    short = -rows.shape[1] % PACKED
    return np.ascontiguousarray(np.pad(rows, ((0, 0), (0, short))))
