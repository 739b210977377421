"""How far a layout can be trusted, how far points moved, and turning one layout onto another."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes
from sklearn.manifold import trustworthiness
from sklearn.neighbors import NearestNeighbors

from alwidgets.errors import ProjectionError
from alwidgets.projection import quality as figures
from alwidgets.projection.linear import pca
from alwidgets.projection.nearest import nearest
from alwidgets.projection.procrustes import align

Array = np.ndarray[Any, Any]


def blobs(n: int, d: int = 8, seed: int = 0) -> Array:
    rng = np.random.default_rng(seed)
    centres = rng.normal(scale=4, size=(3, d))
    return (centres[rng.integers(0, 3, n)] + rng.normal(size=(n, d))).astype(np.float32)


# ---------------------------------------------------------------------- trust and continuity


@pytest.mark.parametrize(("n", "k"), [(60, 5), (400, 15), (900, 10)])
def test_trustworthiness_and_continuity_agree_with_scikit_learn(n: int, k: int) -> None:
    features = blobs(n) + 50  # far from zero: differences of large squares lose digits
    coords = pca(features)
    found = figures.quality(features, coords, k)
    assert found is not None
    theirs = trustworthiness(features, coords, n_neighbors=k)
    assert found.trustworthiness == pytest.approx(theirs, abs=1e-4)
    # Continuity is trustworthiness with the two spaces exchanged.
    back = trustworthiness(coords, features, n_neighbors=k)
    assert found.continuity == pytest.approx(back, abs=1e-4)
    assert found.sampled == n


def test_blocks_give_the_same_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    features, coords = blobs(300), pca(blobs(300))
    whole = figures.quality(features, coords)
    monkeypatch.setattr(figures, "CELLS", 300 * 7)
    assert figures.quality(features, coords) == whole


def test_of_many_items_a_sample_is_measured() -> None:
    features = blobs(2_000)
    coords = pca(features)
    found = figures.quality(features, coords, sample=500, seed=3)
    assert found is not None
    assert found.sampled == 500
    rows = np.sort(np.random.default_rng(3).choice(2_000, 500, replace=False))
    theirs = trustworthiness(features[rows], coords[rows], n_neighbors=15)
    assert found.trustworthiness == pytest.approx(theirs, abs=1e-4)
    assert figures.quality(features, coords, sample=500, seed=3) == found


def test_the_features_themselves_are_kept_whole_and_noise_is_not() -> None:
    flat = blobs(200, 2)
    assert figures.quality(flat, flat)[:2] == (1.0, 1.0)  # type: ignore[index]
    noise = figures.quality(flat, np.random.default_rng(9).normal(size=(200, 2)))
    assert noise is not None
    assert noise.trustworthiness < 0.6
    assert noise.continuity < 0.6


def test_few_and_equal_items() -> None:
    assert figures.quality(np.eye(3), np.eye(3)[:, :2]) is None
    small = figures.quality(blobs(6), pca(blobs(6)))
    assert small is not None
    assert 0 <= small.trustworthiness <= 1
    equal = figures.quality(np.ones((30, 3)), np.zeros((30, 2)))
    assert equal is not None
    assert np.isfinite(equal).all()
    with pytest.raises(ProjectionError, match="shape"):
        figures.quality(np.ones(3), np.ones((3, 2)))


# ---------------------------------------------------------------------- of each item


def by_scikit_learn(rows: Array, k: int) -> Array:
    return NearestNeighbors(n_neighbors=k).fit(rows).kneighbors(return_distance=False)


def test_local_trust_is_the_share_of_true_neighbours_on_the_map() -> None:
    features = blobs(400)
    coords = pca(features)
    true, shown = by_scikit_learn(features, 15), by_scikit_learn(coords, 15)
    kept = [len(set(a) & set(b)) / 15 for a, b in zip(true, shown, strict=True)]
    assert figures.local_trust(true, coords) == pytest.approx(kept)


def test_local_trust_in_blocks_and_on_one_point(monkeypatch: pytest.MonkeyPatch) -> None:
    features = blobs(200)
    true, coords = by_scikit_learn(features, 10), pca(features)
    whole = figures.local_trust(true, coords)
    monkeypatch.setattr(figures, "CELLS", 700)
    assert np.array_equal(figures.local_trust(true, coords), whole)
    equal = figures.local_trust(true, np.zeros((200, 2)))
    assert equal.shape == (200,)
    assert ((equal >= 0) & (equal <= 1)).all()


# ---------------------------------------------------------------------- displacement


def test_displacement_is_a_share_of_the_width() -> None:
    before = np.array([[0, 0], [4, 0], [4, 2], [0, 2]], dtype=np.float32)
    after = before + np.array([[0, 0.4], [0, 0], [0, 0], [0, 0.8]], dtype=np.float32)
    moved = figures.displacement(before, after)
    assert moved.mean == pytest.approx((0.1 + 0.2) / 4)
    assert moved.median == pytest.approx(0.05)
    assert figures.displacement(before, before) == (0, 0)
    assert figures.displacement(np.zeros((5, 2)), before[[0, 1, 2, 3, 0]]) == (0, 0)


# ---------------------------------------------------------------------- turning


@pytest.mark.parametrize("mirror", [1, -1])
def test_a_turned_and_scaled_layout_comes_back(mirror: int) -> None:
    target = pca(blobs(150))
    turn = np.array([[np.cos(2), -np.sin(2)], [np.sin(2), np.cos(2)]]) * [1, mirror]
    moving = (3.5 * target @ turn + [7, -2]).astype(np.float32)
    found = align(moving, target)
    assert found.coords == pytest.approx(target, abs=1e-5)
    assert found.coords.dtype == np.float32
    assert found.scale == pytest.approx(1 / 3.5, rel=1e-5)


def test_the_rotation_is_that_of_least_squares() -> None:
    rng = np.random.default_rng(0)
    target = rng.normal(size=(80, 2)).astype(np.float32)
    moving = (target[:, ::-1] + rng.normal(scale=0.3, size=(80, 2))).astype(np.float32)
    a, b = moving - moving.mean(axis=0), target - target.mean(axis=0)
    turn, _ = orthogonal_procrustes(a, b)
    expected = a @ turn * (np.linalg.norm(b) / np.linalg.norm(a)) + target.mean(axis=0)
    assert align(moving, target).coords == pytest.approx(expected, abs=1e-5)


def test_the_map_does_not_shrink_where_layouts_do_not_fit() -> None:
    rng = np.random.default_rng(1)
    target = rng.normal(size=(500, 2)).astype(np.float32)
    found = align(target + rng.normal(size=(500, 2)).astype(np.float32), target)
    assert np.linalg.norm(found.coords - found.coords.mean(axis=0)) == pytest.approx(
        np.linalg.norm(target - target.mean(axis=0)), rel=1e-5
    )


def test_a_layout_without_extent_stays_one_point() -> None:
    target = pca(blobs(20))
    found = align(np.zeros((20, 2), dtype=np.float32), target)
    assert found.scale == 1
    assert np.ptp(found.coords, axis=0) == pytest.approx([0, 0])


# ---------------------------------------------------------------------- the graph


def test_nearest_items_agree_with_scikit_learn() -> None:
    features = blobs(300) + 100
    indices, distances = nearest(features, 12, 0)
    theirs, _ = NearestNeighbors(n_neighbors=11).fit(features).kneighbors()
    assert np.array_equal(indices[:, 0], np.arange(300))
    assert (distances[:, 0] == 0).all()
    assert distances[:, 1:] == pytest.approx(theirs, rel=1e-3)
    assert (np.diff(distances, axis=1) >= 0).all()
    exact = np.linalg.norm(features[indices[:, 3]] - features, axis=1)
    assert distances[:, 3] == pytest.approx(exact, rel=1e-4)


def test_nearest_in_blocks_and_of_equal_items(monkeypatch: pytest.MonkeyPatch) -> None:
    features = blobs(200)
    whole = nearest(features, 8, 0)
    monkeypatch.setattr("alwidgets.projection.nearest.CELLS", 200 * 9)
    parts = nearest(features, 8, 0)
    assert np.array_equal(parts[0], whole[0])
    indices, distances = nearest(np.ones((9, 3), dtype=np.float32), 9, 0)
    assert np.array_equal(indices[:, 0], np.arange(9))
    assert not distances.any()
    assert all(len(set(row)) == 9 for row in indices.tolist())
