"""UMAP itself: a layout from nothing, and one that goes on from the layout before.

Only the process of `LayoutWorker` runs this: it is the one place that imports umap.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .linear import fit_square, lie_down, pca
from .nearest import nearest
from .placing import place
from .procrustes import align
from .quality import Moved, displacement

#: Report progress: a fraction of 0 to 1, or None where there is none to tell, and words.
Report = Callable[[float | None, str], None]
Coords = NDArray[np.float32]

#: Fewer items than this have no neighbourhoods to keep.
SMALLEST = 4
#: Passes over the edges of the graph when a layout goes on from the one before, up to 10,000 items
#: and beyond: a tenth of what umap-learn takes from nothing.
EPOCHS, EPOCHS_OF_MANY, MANY = 50, 20, 10_000
#: How far a point goes at once, at first; umap-learn's from nothing is 1. On digits and AG News a
#: tenth moved points a tenth farther than three hundredths, for 0.004 of trustworthiness at most.
RATE = 0.03
#: Points that would move this share of the map's width (their median) go all the way: the model has
#: learnt something. If they would move less they go a smaller part of it, but half at least: it is
#: chance in the first place, and the next layouts bring the rest.
WHOLE = 0.06


class Arranged(NamedTuple):
    """A finished layout.

    Attributes
    ----------
    coords : ndarray of float32, shape (n, 2)
        In [-1, 1] where it came from nothing; otherwise in the frame of the layout before.
    span : float
        How many of UMAP's own units a unit of `coords` is: what the next layout starts with.
    neighbours : ndarray of int, shape (n, k), or None
        The nearest others in the features.
    moved : Moved or None
        Against the layout before.
    """

    coords: Coords
    span: float
    neighbours: NDArray[np.int32] | None = None
    moved: Moved | None = None


class EpochReport:
    """The file that UMAP's progress bar is written to: turns ``12/200`` into a fraction."""

    def __init__(self, report: Report, words: str = "Arranging the map…") -> None:
        self._report, self._words = report, words

    @property
    def bar(self) -> dict[str, Any]:
        """What UMAP gives to its progress bar."""
        return {
            "file": self,
            "bar_format": "{n_fmt}/{total_fmt} ",
            "mininterval": 0.2,
            "disable": False,
        }

    def write(self, text: str) -> None:
        """Take what the bar draws."""
        match = re.search(r"(\d+)/(\d+)", text)
        if match and int(match[2]):
            fraction = int(match[1]) / int(match[2])
            self._report(fraction, f"{self._words} {round(100 * fraction)} %")

    def flush(self) -> None:
        """Nothing is held back."""


def arrange(
    features: NDArray[np.float32],
    seed: int,
    n_neighbors: int,
    min_dist: float,
    report: Report,
    *,
    before: Coords | None = None,
    span: float | None = None,
    still: bool = False,
) -> Arranged:
    """UMAP coordinates (McInnes, Healy & Melville 2018).

    From nothing the layout starts from PCA (Kobak & Linderman, Nature Biotechnology 2021): as good
    as a spectral start, and the map that is on screen unfolds instead of being dealt anew. With
    the layout before and its span it goes on from there, in few and small steps, and is turned
    onto it afterwards.

    Parameters
    ----------
    features : ndarray of float32, shape (n, d)
    seed : int
    n_neighbors, min_dist
        As in umap-learn.
    report : callable
    before : ndarray of float32, shape (n, 2), optional
        The layout on screen. Without `span` the new one is only turned like it. With it there may
        be fewer items: the others are placed among these first.
    span : float, optional
        Of the layout before.
    still : bool, optional
        Whether the items of the layout before stay where they are.

    Returns
    -------
    Arranged
        PCA's coordinates for fewer than 4 items, zeros where all are equal.
    """
    n = len(features)
    if before is not None and span is not None and len(before) < n:
        words = f"Placing {n - len(before):,} new items…"
        report(None, words)
        bar = EpochReport(report, words).bar
        before = place(features, before, span, seed, n_neighbors, min_dist, bar)
        if still:
            return Arranged(before, span)
    start = pca(features, seed)
    if n < SMALLEST or not start.any():
        return Arranged(start, 1.0)
    report(None, "Looking for neighbours…")
    k = max(2, min(n_neighbors, n - 1))
    graph = nearest(features, k, seed)
    goes_on = before is not None and span is not None and np.ptp(before, axis=0).all()
    if before is None or not goes_on:
        raw = _from_nothing(features, graph, start, seed, min_dist, report)
    else:
        raw = _from_before(features, graph, before * np.float32(span), seed, min_dist, report)
    if not np.isfinite(raw).all():
        raise ValueError("UMAP gave coordinates that are not finite")
    neighbours = graph[0][:, 1:]
    if goes_on and before is not None:
        aligned = align(raw, before)
        part = np.clip(displacement(before, aligned.coords).median / WHOLE, 0.5, 1)
        coords = before + np.float32(part) * (aligned.coords - before)
        return Arranged(coords, 1 / aligned.scale, neighbours, displacement(before, coords))
    turned = lie_down(raw) if before is None or not before.any() else align(raw, before).coords
    coords = fit_square(turned)
    return Arranged(coords, _size(raw) / _size(coords), neighbours)


def _size(coords: Coords) -> float:
    """Root of the summed squares of the distances to the centre; no turn changes it."""
    return float(np.linalg.norm(coords - coords.mean(axis=0)))


def _from_nothing(
    features: NDArray[np.float32],
    graph: tuple[NDArray[np.int32], NDArray[np.float32]],
    start: Coords,
    seed: int,
    min_dist: float,
    report: Report,
) -> Coords:
    import umap

    flat = np.ptp(start, axis=0) == 0
    if flat.any():
        # One direction holds all there is: UMAP scales each axis by its extent.
        noise = np.random.default_rng(seed).normal(scale=1e-2, size=start.shape)
        start = start + noise.astype(np.float32) * flat
    model = umap.UMAP(
        n_neighbors=graph[0].shape[1],
        min_dist=min_dist,
        init=np.ascontiguousarray(start * 10, dtype=np.float32),
        random_state=seed,
        transform_seed=seed,
        n_jobs=1,
        precomputed_knn=graph,
        tqdm_kwds=EpochReport(report).bar,
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "precomputed_knn", UserWarning)
        return np.asarray(model.fit_transform(features), dtype=np.float32)


def _from_before(
    features: NDArray[np.float32],
    graph: tuple[NDArray[np.int32], NDArray[np.float32]],
    start: Coords,
    seed: int,
    min_dist: float,
    report: Report,
) -> Coords:
    """UMAP's optimisation without what `umap.UMAP` does to a start: it scales each axis to 10."""
    from umap.layouts import optimize_layout_euclidean
    from umap.umap_ import find_ab_params, fuzzy_simplicial_set, make_epochs_per_sample

    random = np.random.RandomState(seed)
    indices, distances = graph
    edges = fuzzy_simplicial_set(
        features,
        indices.shape[1],
        random,
        "euclidean",
        knn_indices=indices,
        knn_dists=distances,
    )[0].tocoo()
    epochs = EPOCHS if len(features) <= MANY else EPOCHS_OF_MANY
    # An edge that would not be looked at once.
    seen = edges.data >= edges.data.max() / epochs
    head, tail, weight = edges.row[seen], edges.col[seen], edges.data[seen]
    a, b = find_ab_params(1.0, min_dist)
    coords = np.array(start, dtype=np.float32, order="C")
    found = optimize_layout_euclidean(
        coords,
        coords,
        head,
        tail,
        epochs,
        len(coords),
        make_epochs_per_sample(weight, epochs),
        a,
        b,
        random.randint(-(2**31) + 1, 2**31 - 2, 3).astype(np.int64),
        initial_alpha=RATE,
        tqdm_kwds=EpochReport(report).bar,
        move_other=True,
    )
    return np.asarray(found, dtype=np.float32)


def prewarm(stop: Callable[[], bool]) -> None:
    """Compile what a layout needs, for small and for large pools, unless a job is waiting."""
    import umap

    rows = np.random.default_rng(0).standard_normal((64, 8)).astype(np.float32)
    start = np.ascontiguousarray(rows[:, :2])

    def silent(fraction: float | None, text: str) -> None:
        """Nobody waits for it."""

    if not stop():
        _from_before(rows, nearest(rows, 5, 0), start, 0, 0.5, silent)
    if not stop():
        umap.UMAP(
            n_neighbors=5,
            n_epochs=2,
            init=start,
            random_state=0,
            n_jobs=1,
            force_approximation_algorithm=True,
        ).fit(rows)
