"""Typical items against the definition, written out."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from alwidgets.strategies.typiclust import from_clusters, typiclust

# The package has a function of this name.
module = import_module("alwidgets.strategies.typiclust")
Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


def by_definition(
    h: Floats, owner: Indices, labelled: set[int], n: int
) -> tuple[list[int], list[float]]:
    clusters = [c for c in set(owner.tolist()) if (owner == c).sum() > 5]
    clusters.sort(
        key=lambda c: (
            sum(int(i) in labelled for i in np.flatnonzero(owner == c)),
            -(owner == c).sum(),
        )
    )
    picked: list[int] = []
    scores: list[float] = []
    while len(picked) < n:
        for c in clusters:
            members = np.flatnonzero(owner == c)
            k = min(20, len(members) - 1)
            gaps = np.sort(cdist(h[members], h[members]), axis=1)[:, 1 : k + 1]
            typicality = 1 / gaps.mean(1)
            free = [i not in labelled and i not in picked for i in members.tolist()]
            if any(free) and len(picked) < n:
                best = np.where(free, typicality, -1).argmax()
                picked.append(int(members[best]))
                scores.append(float(typicality[best]))
    return picked, scores


@pytest.mark.parametrize("block", [1 << 22, 100])
def test_as_defined(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", block)
    rng = np.random.default_rng(0)
    # Sizes 60, 45, 30, 15, 10 and 4; the labelled items come last.
    owner = rng.permutation(np.repeat(np.arange(6), [45, 60, 4, 30, 10, 15]))
    h = rng.normal(size=(len(owner), 5)) + 100
    labelled = set(range(150, len(owner)))
    expected, typicality = by_definition(h, owner, labelled, 40)
    picks, scores = from_clusters(torch.from_numpy(h), owner, 150, 40, rng)
    assert picks.tolist() == expected
    np.testing.assert_allclose(scores, typicality, rtol=1e-9)


def test_small_clusters_come_last() -> None:
    rng = np.random.default_rng(1)
    owner = np.repeat(np.arange(3), [20, 5, 1])
    h = torch.from_numpy(rng.normal(size=(26, 2)))
    picks, scores = from_clusters(h, owner, 26, 26, rng)
    assert owner[picks].tolist() == [0] * 20 + [1, 2] + [1] * 4
    # Nobody is near who is alone.
    np.testing.assert_array_equal(np.isnan(scores), owner[picks] == 2)


def test_groups_without_a_label_first() -> None:
    rng = np.random.default_rng(1)
    centres = rng.normal(size=(6, 4)) * 20
    sizes = [40, 35, 30, 25, 20, 15]
    h = np.concatenate([c + rng.normal(size=(s, 4)) for c, s in zip(centres, sizes, strict=True)])
    groups = np.repeat(np.arange(6), sizes)
    # The largest first.
    assert groups[typiclust(h, None, 6, 0)].tolist() == list(range(6))
    known = np.isin(groups, [0, 2, 5]) & (np.arange(len(h)) % 10 == 0)
    assert known.sum() > 6
    # More clusters than groups: those that hold labels are not asked again.
    picks = typiclust(h[~known], h[known], 3, 0)
    assert len(set(picks)) == 3


def test_outliers_are_not_typical() -> None:
    rng = np.random.default_rng(2)
    h = np.concatenate([rng.normal(size=(300, 3)), rng.normal(size=(30, 3)) * 12])
    assert np.all(typiclust(h, None, 1, 0) < 300)


def test_large_pools_are_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SAMPLE", 200)
    monkeypatch.setattr(module, "MEMBERS", 10)
    rng = np.random.default_rng(3)
    h = np.concatenate([rng.normal(c, 0.1, (500, 2)) for c in (0, 5, 10)])
    picks = typiclust(h, None, 3, 0)
    assert set(picks // 500) == {0, 1, 2}
    assert len(set(typiclust(h, None, 1500, 0))) == 1500
