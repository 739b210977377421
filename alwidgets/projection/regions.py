"""Names for the regions of a map: where items crowd, and the words that are theirs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Fewer items than this need no names.
FEWEST = 30
#: At most so many regions have a name.
MOST = 20
#: The density is smoothed less and less until there are so many regions.
WANTED = 8
#: Share of the items that a region holds, at least.
SHARE = 0.01
#: Cells of the density, each way.
GRID = 96
#: Widths of the smoothing, in cells, from coarse to fine.
WIDTHS = (7.0, 5.5, 4.5, 3.5, 2.75, 2.0)
#: Texts of a region that its words are counted in, at most, and characters of each.
TEXTS, LONGEST = 1_000, 2_000
#: Items of a region among which the most typical is looked for, at most.
TYPICAL = 200
#: Words that a region is named by.
WORDS = 3


@dataclass(frozen=True)
class Region:
    """Where items crowd.

    Attributes
    ----------
    index : int
        The item at its densest spot.
    size : int
        How many items it has.
    words : tuple of str
        That are its own; empty where the items have no text.
    """

    index: int
    size: int
    words: tuple[str, ...] = ()


def find_regions(coords: NDArray[np.float32]) -> tuple[NDArray[np.int32], list[Region]]:
    """Part a layout into the hills of its density.

    Every item belongs to the hill that it is on: to the peak which one reaches by climbing as
    steeply as possible (mode seeking: Fukunaga & Hostetler, IEEE Transactions on Information
    Theory 1975), here from cell to cell of a grid of 96 by 96, so that the time does not grow with
    the number of items but for counting them. The density is smoothed less and less until there
    are 8 regions; only those with 1 % of the items count, 20 at most.

    Parameters
    ----------
    coords : ndarray, shape (n, 2)

    Returns
    -------
    labels : ndarray of int32, shape (n,)
        Place of each item's region in the list; -1 outside of them.
    regions : list of Region
        The largest first; empty for fewer than 30 items, or where all lie in one place.
    """
    n = len(coords)
    none = np.full(n, -1, dtype=np.int32)
    spread = np.ptp(coords, axis=0).max() if n else 0.0
    if n < FEWEST or not spread > 0:
        return none, []
    # A margin, so that no hill is cut off at the edge.
    scaled = (coords - coords.min(axis=0)) / spread * 0.9 + 0.05
    cells = np.minimum((scaled * GRID).astype(np.int64), GRID - 1)
    cell = cells[:, 0] * GRID + cells[:, 1]
    counts = np.bincount(cell, minlength=GRID * GRID).reshape(GRID, GRID)
    least = max(4.0, SHARE * n)
    hills = _hills(counts, least)
    own = hills[cell]
    sizes = np.bincount(own, minlength=GRID * GRID)
    peaks = np.argsort(-sizes, kind="stable")[:MOST]
    peaks = peaks[sizes[peaks] >= least]
    place = np.full(GRID * GRID, -1, dtype=np.int32)
    place[peaks] = np.arange(len(peaks))
    labels = place[own]
    found = []
    for label, peak in enumerate(peaks.tolist()):
        members = np.flatnonzero(labels == label)
        spot = (np.array(divmod(peak, GRID)) + 0.5) / GRID
        nearest = members[np.argmin(((scaled[members] - spot) ** 2).sum(axis=1))]
        found.append(Region(int(nearest), len(members)))
    return labels, found


def name_regions(
    labels: NDArray[np.int32],
    regions: Sequence[Region],
    text_of: Callable[[int], str | None],
    *,
    seed: int = 0,
    between: Callable[[], None] = lambda: None,
) -> list[Region]:
    """Give regions the words that are theirs, by class-based TF-IDF.

    All texts of a region count as one: the weight of a word is its share of the region's words,
    times log(1 + A / f), where f is how often it occurs in all regions and A the mean number of
    words in a region (Grootendorst, "BERTopic", 2022). English stop words are left out, and a word
    names only the region in which it weighs most.

    Parameters
    ----------
    labels : ndarray of int, shape (n,)
    regions : sequence of Region
        As of `find_regions`.
    text_of : callable
        Position -> the item's text, or None. Asked for 1,000 items of a region at most.
    seed : int, optional
        Of the random sample of a larger region.
    between : callable, optional
        Called now and then; what it raises ends it.

    Returns
    -------
    list of Region
        With up to 3 words each; fewer, or none, where the texts have no more.
    """
    from sklearn.feature_extraction.text import CountVectorizer

    if not regions:
        return []
    rng = np.random.default_rng(seed)
    analyse = CountVectorizer(
        stop_words="english", token_pattern=r"(?u)\b[^\W\d_]{2,}\b", strip_accents=None
    ).build_analyzer()
    chosen = [np.flatnonzero(labels == label) for label in range(len(regions))]
    chosen = [m if len(m) <= TEXTS else rng.choice(m, TEXTS, replace=False) for m in chosen]
    counts: list[dict[str, int]] = [{} for _ in regions]
    # In the order of the pool: what lies in files is read once, from the beginning to the end.
    for order, index in enumerate(np.sort(np.concatenate(chosen)).tolist()):
        if order % 100 == 0:
            between()
        counted = counts[labels[index]]
        for word in analyse((text_of(index) or "")[:LONGEST]):
            counted[word] = counted.get(word, 0) + 1
    return [
        Region(region.index, region.size, words)
        for region, words in zip(regions, _own_words(counts), strict=True)
    ]


def medoid(members: NDArray[np.int64], features: NDArray[Any], *, seed: int = 0) -> int:
    """The item whose distances to the others add up to the least, as their features tell.

    Of more than 200 items a random 200 stand for all, so that the time is bounded.

    Parameters
    ----------
    members : ndarray of int64
        Positions, one at least.
    features : ndarray, shape (n, d)
        Of all items.
    seed : int, optional
        Of the random sample.
    """
    from scipy.spatial.distance import cdist

    if len(members) > TYPICAL:
        rng = np.random.default_rng(seed)
        members = np.sort(rng.choice(members, TYPICAL, replace=False))
    rows = np.asarray(features[members], dtype=np.float64)
    return int(members[cdist(rows, rows).sum(axis=1).argmin()])


def _hills(counts: NDArray[np.int64], least: float) -> NDArray[np.int64]:
    """The peak, as a cell, that each cell (GRID * GRID,) leads up to."""
    from scipy.ndimage import gaussian_filter

    flat = counts.reshape(-1)
    peaks = np.arange(len(flat))
    for width in WIDTHS:
        density = gaussian_filter(counts.astype(np.float64), width, mode="constant")
        peaks = _climb(density)
        sizes = np.bincount(peaks, weights=flat, minlength=len(flat))
        if (sizes >= least).sum() >= WANTED:
            break
    return peaks


def _climb(density: NDArray[np.float64]) -> NDArray[np.int64]:
    rows, columns = density.shape
    padded = np.pad(density, 1, constant_values=-1.0)
    steps = [(i, j) for i in (0, -1, 1) for j in (0, -1, 1)]
    around = np.stack(
        [padded[1 + i : 1 + i + rows, 1 + j : 1 + j + columns] for i, j in steps], axis=-1
    )
    best = around.argmax(axis=-1)  # of equal ones the first: where one is
    offsets = np.array([i * columns + j for i, j in steps])
    up: NDArray[np.int64] = np.arange(rows * columns) + offsets[best.reshape(-1)]
    while True:
        further = up[up]
        if np.array_equal(further, up):
            return up
        up = further


def _own_words(counts: Sequence[dict[str, int]]) -> list[tuple[str, ...]]:
    vocabulary = {word: i for i, word in enumerate(sorted(set().union(*counts)))}
    if not vocabulary:
        return [()] * len(counts)
    table = np.zeros((len(counts), len(vocabulary)))
    for row, counted in zip(table, counts, strict=True):
        row[[vocabulary[word] for word in counted]] = list(counted.values())
    totals = table.sum(axis=1, keepdims=True)
    share = table / np.maximum(totals, 1)
    weights: NDArray[Any] = share * np.log1p(totals.mean() / table.sum(axis=0))
    weights *= weights >= weights.max(axis=0)  # each word for one region
    names = list(vocabulary)
    found = []
    for row in weights:
        best = np.argsort(-row, kind="stable")[:WORDS]
        found.append(tuple(names[i] for i in best if row[i] > 0))
    return found
