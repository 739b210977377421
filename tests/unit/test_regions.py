"""The regions of a layout and the words that are theirs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from alwidgets.projection.linear import fit_square
from alwidgets.projection.regions import (
    FEWEST,
    GRID,
    MOST,
    SHARE,
    TYPICAL,
    Region,
    find_regions,
    medoid,
    name_regions,
)

Array = np.ndarray[Any, Any]
CENTRES = np.array([[-0.8, -0.8], [0.8, -0.8], [0.0, 0.0], [-0.8, 0.8], [0.8, 0.8]])


def blobs(n: int, seed: int = 0, scale: float = 0.06) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    of = rng.integers(0, len(CENTRES), n)
    return (CENTRES[of] + scale * rng.normal(size=(n, 2))).astype(np.float32), of


@pytest.mark.parametrize("n", [300, 5_000])
@pytest.mark.parametrize("seed", range(3))
def test_what_lies_apart_is_never_one_region(n: int, seed: int) -> None:
    coords, of = blobs(n, seed)
    labels, regions = find_regions(coords)
    assert len(CENTRES) <= len(regions) <= MOST
    assert (labels >= 0).mean() > 0.9
    for label, region in enumerate(regions):
        members = labels == label
        assert members.sum() == region.size >= SHARE * n
        assert labels[region.index] == label
        assert np.bincount(of[members]).max() / region.size > 0.98
    assert set(of[[r.index for r in regions]]) == set(range(len(CENTRES)))
    assert [r.size for r in regions] == sorted((r.size for r in regions), reverse=True)


def test_a_region_is_named_where_it_is_densest() -> None:
    coords, of = blobs(4_000)
    regions = find_regions(coords)[1]
    for region in regions[: len(CENTRES)]:
        centre = CENTRES[of[region.index]]
        assert np.linalg.norm(coords[region.index] - centre) < 0.2


@pytest.mark.parametrize("move", [lambda c: 1e6 * c, lambda c: c + 100, lambda c: c[:, ::-1]])
def test_neither_unit_nor_place_nor_axes_matter(move: Any) -> None:
    coords, _ = blobs(2_000)
    before = find_regions(coords.astype(np.float64))[0]
    after = find_regions(move(coords.astype(np.float64)))[0]
    pairs = np.unique(np.stack([before, after]), axis=1)
    one_to_one = max(np.unique(before).size, np.unique(after).size)
    if move(np.ones((1, 2)))[0, 0] == 1:  # the axes were exchanged: ties may fall otherwise
        assert pairs.shape[1] <= one_to_one + 3
    else:
        assert (before == after).mean() > 0.99


@pytest.mark.parametrize(
    "coords",
    [
        np.zeros((0, 2), np.float32),
        np.zeros((1, 2), np.float32),
        np.ones((100, 2), np.float32),
        blobs(FEWEST - 1)[0],
    ],
    ids=["none", "one", "one place", "few"],
)
def test_where_there_is_nothing_to_name(coords: Array) -> None:
    labels, regions = find_regions(coords)
    assert regions == []
    assert (labels == -1).all()
    assert name_regions(labels, regions, lambda i: "x") == []


def test_a_line_and_a_million_in_one_cell() -> None:
    line = fit_square(np.stack([np.linspace(0, 1, 500), np.zeros(500)], 1).astype(np.float32))
    labels, regions = find_regions(line)
    assert regions
    assert len(labels) == 500
    heap = np.concatenate([np.zeros((100_000, 2)), np.ones((10, 2))]).astype(np.float32)
    labels, regions = find_regions(heap)
    assert regions[0].size == 100_000
    assert GRID**2 < 100_000  # the time is that of the grid


def test_words_are_weighed_by_class_based_tf_idf() -> None:
    texts = ["prize prize lunch", "prize the", "lunch lunch lunch score", "score lunch"]
    labels = np.array([0, 0, 1, 1], dtype=np.int32)
    regions = [Region(0, 2), Region(2, 2)]
    first, second = name_regions(labels, regions, lambda i: texts[i])
    # By hand: "the" is a stop word; 4 words in region 0, 6 in region 1, so A = 5.
    weight = {
        (0, "prize"): 3 / 4 * math.log(1 + 5 / 3),
        (0, "lunch"): 1 / 4 * math.log(1 + 5 / 5),
        (1, "lunch"): 4 / 6 * math.log(1 + 5 / 5),
        (1, "score"): 2 / 6 * math.log(1 + 5 / 2),
    }
    assert weight[1, "lunch"] > weight[1, "score"] > 0
    assert weight[1, "lunch"] > weight[0, "lunch"]  # so it is not a word of region 0
    assert first.words == ("prize",)
    assert second.words == ("lunch", "score")


def test_each_region_gets_words_of_its_own() -> None:
    coords, of = blobs(3_000)
    own = ["prize", "football", "recipe", "mortgage", "guitar"]
    rng = np.random.default_rng(0)
    common = ["message", "today", "people"]
    texts = [f"{own[c]} {rng.choice(common)} {rng.choice(common)} and the" for c in of]
    labels, regions = find_regions(coords)
    named = name_regions(labels, regions, lambda i: texts[i])
    first_of_blob = {of[r.index]: r.words[0] for r in reversed(named) if r.words}
    assert first_of_blob == dict(enumerate(own))
    words = [word for region in named for word in region.words]
    assert len(words) == len(set(words))


def test_texts_without_words_name_nothing() -> None:
    labels, regions = np.array([0, 0, 1]), [Region(0, 2), Region(2, 1)]
    for text in ("", "12 345 !", "the and of", None):
        named = name_regions(labels, regions, lambda i, text=text: text)  # type: ignore[misc]
        assert [r.words for r in named] == [(), ()]


def test_of_a_large_region_a_sample_is_read() -> None:
    labels = np.zeros(50_000, dtype=np.int32)
    read: list[int] = []

    def text_of(index: int) -> str:
        read.append(index)
        return "prize"

    (named,) = name_regions(labels, [Region(0, 50_000)], text_of)
    assert named.words == ("prize",)
    assert len(read) == 1_000
    assert read == sorted(read)


def test_the_medoid_is_the_item_nearest_to_all_others() -> None:
    features = np.random.default_rng(0).normal(size=(80, 5)).astype(np.float16)
    members = np.arange(3, 80, 2)
    apart = [
        sum(
            math.dist(features[one].astype(float), features[other].astype(float))
            for other in members
        )
        for one in members
    ]
    assert medoid(members, features) == members[int(np.argmin(apart))]
    assert medoid(members[:1], features) == 3


def test_of_a_large_region_a_sample_tells_the_medoid() -> None:
    """One with rows that can be read only so often, as in a file."""
    read: list[int] = []

    class Rows:
        def __getitem__(self, rows: Any) -> Any:
            read.append(len(rows))
            return np.asarray(rows)[:, None]

    found = medoid(np.arange(10_000), Rows())  # type: ignore[arg-type]
    assert read == [TYPICAL]
    assert abs(found - 5_000) < 1_000  # the median of some of them
    assert medoid(np.arange(10_000), Rows()) == found  # type: ignore[arg-type]
