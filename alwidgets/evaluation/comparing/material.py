"""What a comparison is made on: features, truth and the split into pool and test."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from alwidgets.errors import ComparisonError
from alwidgets.pool import Pool

#: Rows that the principal axes are found on; the learner comes to the same with any.
SAMPLE = 5_000
#: Share of the pool that is kept for the test, where no test is given.
SHARE = 0.25


@dataclass(frozen=True)
class Split:
    """One seed's pool and its test split, as separate arrays: nothing leads from one to the other.

    Attributes
    ----------
    features : (N, d) float32 tensor
        Of the training pool.
    codes : (N,) int64 array
    test_features : (M, d) float32 tensor
    test_codes : (M,) int64 array
    """

    features: torch.Tensor
    codes: NDArray[np.int64]
    test_features: torch.Tensor
    test_codes: NDArray[np.int64]


@dataclass(frozen=True)
class Material:
    """Features and truth.

    Attributes
    ----------
    features : (N, d) float32 array
    codes : (N,) int64 array
        Into `classes`.
    classes : tuple of str
    test_features, test_codes : arrays or None
        Of a test split that was given; else each seed draws its own.
    share : float
        Of the items that a seed draws for its test.
    collapsed : int
        Rows that the pool had more than once.
    """

    features: NDArray[np.float32]
    codes: NDArray[np.int64]
    classes: tuple[str, ...]
    test_features: NDArray[np.float32] | None
    test_codes: NDArray[np.int64] | None
    share: float
    collapsed: int = 0

    @property
    def n_test(self) -> int:
        """Items of a test split."""
        if self.test_codes is not None:
            return len(self.test_codes)
        return max(1, round(self.share * len(self.codes)))

    @property
    def n_pool(self) -> int:
        """Items of a training pool."""
        return len(self.codes) - (0 if self.test_codes is not None else self.n_test)

    @property
    def drawn(self) -> bool:
        """Whether each seed draws a test split of its own."""
        return self.test_codes is None

    def split(self, seed: int) -> Split:
        """The pool and the test of a seed, the same for every arm."""
        if self.test_features is not None and self.test_codes is not None:
            pool, test = self.features, self.test_features
            return Split(_tensor(pool), self.codes, _tensor(test), self.test_codes)
        rows, held = self._rows(seed)
        return Split(
            _tensor(self.features[rows]),
            self.codes[rows],
            _tensor(self.features[held]),
            self.codes[held],
        )

    def _rows(self, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The rows of a seed's pool and of its test."""
        order = np.random.default_rng([seed, 0]).permutation(len(self.codes))
        return np.sort(order[self.n_test :]), np.sort(order[: self.n_test])

    @cached_property
    def fingerprint(self) -> str:
        """Hash of all features and of the truth, 32 hexadecimal digits."""
        digest = hashlib.blake2b(digest_size=16)
        digest.update(repr((self.features.shape, self.classes, self.share)).encode())
        for array in (self.features, self.codes, self.test_features, self.test_codes):
            if array is not None:
                digest.update(np.ascontiguousarray(array).view(np.uint8).data)
        return digest.hexdigest()

    @cached_property
    def _hashes(self) -> NDArray[np.int64]:
        return _row_hashes(self.features)

    @cached_property
    def duplicates(self) -> int:
        """Items whose features an earlier item of the pool has, too."""
        return len(self.features) - len(np.unique(self._hashes))

    def leaked(self, seeds: Sequence[int]) -> int:
        """Items of a test split whose features an item of the pool has; of drawn ones the mean."""
        if self.test_features is not None:
            return int(np.isin(_row_hashes(self.test_features), self._hashes).sum())
        if not self.duplicates:
            return 0
        hashes, splits = self._hashes, [self._rows(seed) for seed in seeds]
        found = [np.isin(hashes[held], hashes[rows]).sum() for rows, held in splits]
        return round(float(np.mean(found)))

    @property
    def unknown(self) -> dict[str, int]:
        """Classes of a given test that the pool lacks, and how many items have them."""
        if self.test_codes is None:
            return {}
        codes, counts = np.unique(self.test_codes, return_counts=True)
        new = ~np.isin(codes, self.codes)
        return {self.classes[c]: int(n) for c, n in zip(codes[new], counts[new], strict=True)}

    @cached_property
    def axes(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Centre (d,) and principal axes (d, d) of the features."""
        step = max(1, len(self.features) // SAMPLE)
        some = torch.from_numpy(np.ascontiguousarray(self.features[::step])).double()
        mean = some.mean(dim=0)
        away = some - mean
        _, vectors = torch.linalg.eigh(away.T @ away)
        return mean.float(), vectors.float()

    def about(self, seeds: Sequence[int]) -> dict[str, Any]:
        """What a file says of it, and of the splits of these seeds."""
        return {
            "pool": self.n_pool,
            "test": self.n_test,
            "features": self.features.shape[1],
            "classes": list(self.classes),
            "duplicates": self.collapsed + self.duplicates,
            "drawn": self.drawn,
            "leaked": self.leaked(seeds),
            "unknown": self.unknown,
            "fingerprint": self.fingerprint,
        }


def material_of(pool: Any, truth: Any, test: Any = None) -> Material:
    """Read what was given.

    Parameters
    ----------
    pool : Pool
    truth : sequence of n classes, or mapping of ids to classes
        In the order of the pool, or of the rows that it was made of.
    test : float, or (Pool or features, truth), optional
        The share of the items that each seed draws for its test, or a test split of its own.

    Raises
    ------
    ComparisonError
        That says what is wrong with the truth or the test.
    """
    if not isinstance(pool, Pool):
        raise ComparisonError(
            f"compare needs a Pool, not {type(pool).__name__}: Pool.from_frame(df, text=…), "
            "from_texts, from_images or from_arrays makes one."
        )
    # Equal numbers are one class, 1 and 1.0: whichever came first is its name.
    known: dict[Any, str] = {}
    names = _names(_in_order(truth, pool, "truth"), "truth", known)
    share, test_features, test_names = SHARE, None, None
    if test is not None:
        if isinstance(test, Real) and not isinstance(test, bool):
            share = float(test)
            if not 0 < share < 1:
                raise ComparisonError(f"test={test!r} is no share: give one between 0 and 1.")
        else:
            test_features, test_names = _given_test(pool, test, known)
            if not set(test_names) & set(names):
                raise ComparisonError(
                    f"The pool has none of the test's classes: it has {_some(names)}, the test "
                    f"{_some(test_names)}. Write them alike."
                )
    classes = tuple(sorted({*names, *(test_names or ())}))
    if len(set(names)) < 2:
        raise ComparisonError(
            f"truth has one class only, {names[0]!r}: there is nothing to learn from it."
        )
    if test_names is None and len(names) - max(1, round(share * len(names))) < 2:
        raise ComparisonError(
            f"test={share:g} leaves next to nothing of {len(names):,} items to choose from: give "
            "a smaller share."
        )
    code = {name: number for number, name in enumerate(classes)}

    def codes(told: list[str]) -> NDArray[np.int64]:
        return np.fromiter((code[name] for name in told), np.int64, len(told))

    return Material(
        np.ascontiguousarray(pool.features, dtype=np.float32),
        codes(names),
        classes,
        test_features,
        None if test_names is None else codes(test_names),
        share,
        pool.duplicates,
    )


def _given_test(
    pool: Pool, test: Any, known: dict[Any, str]
) -> tuple[NDArray[np.float32], list[str]]:
    try:
        items, told = test
    except (TypeError, ValueError) as error:
        raise ComparisonError(
            "test must be a share such as 0.25, or a pair (pool or features, truth)."
        ) from error
    if isinstance(items, Pool):
        features = items.features
        names = _names(_in_order(told, items, "the test's truth"), "the test's truth", known)
    else:
        features = pool.encode(items)
        names = _names(_listed(told, "the test's truth"), "the test's truth", known)
    if features.shape[1] != pool.features.shape[1]:
        raise ComparisonError(
            f"The pool has {pool.features.shape[1]} features an item, the test "
            f"{features.shape[1]}: encode both with the same encoder."
        )
    if len(names) != len(features) or not len(names):
        raise ComparisonError(
            f"The test has {len(features):,} items and its truth {len(names):,} classes: give one "
            "for each."
        )
    return np.ascontiguousarray(features, dtype=np.float32), names


def _in_order(truth: Any, pool: Pool, what: str) -> list[Any]:
    """The truth of every item of the pool."""
    if isinstance(truth, Mapping):
        missing = next((item for item in pool.ids if item not in truth), None)
        if missing is not None:
            raise ComparisonError(f"{what} says nothing of item {missing!r}: give all {len(pool)}.")
        return [truth[item] for item in pool.ids]
    told = _listed(truth, what)
    if len(told) == len(pool):
        return told
    if len(told) == len(pool.row_ids):
        # Of rows that the pool has collapsed the first counts, as it does there.
        return [told[pool.row_ids.find(item) or 0] for item in pool.ids]
    raise ComparisonError(
        f"{what} has {len(told):,} classes and the pool {len(pool):,} items: give one for each."
    )


def _listed(truth: Any, what: str) -> list[Any]:
    if isinstance(truth, str) or not hasattr(truth, "__len__"):
        raise ComparisonError(f"{what} must be a list of classes, one an item, not {truth!r}.")
    if getattr(truth, "ndim", 1) != 1:
        raise ComparisonError(
            f"{what} has the shape {truth.shape}: compare is for one class an item."
        )
    return list(truth.tolist() if hasattr(truth, "tolist") else truth)


def _names(told: list[Any], what: str, known: dict[Any, str]) -> list[str]:
    """Classes by their text, or as `known` calls them; a missing one is an error with its row."""
    found = []
    for row, value in enumerate(told):
        if _missing(value):
            raise ComparisonError(
                f"{what} has no class in row {row}, {value!r}: drop that item or label it."
            )
        if not isinstance(value, Hashable) or isinstance(value, (tuple, frozenset)):
            raise ComparisonError(
                f"{what} has {value!r} in row {row}: compare is for one class an item."
            )
        found.append(known.setdefault(value, str(value)))
    return found


def _missing(value: Any) -> bool:
    """Whether it is None, NaN, one of pandas' missing values or no text."""
    if value is None or (isinstance(value, str) and not value):
        return True
    return bool(pd.api.types.is_scalar(value) and pd.isna(value))


def _some(names: list[str]) -> str:
    found = [repr(name) for name in dict.fromkeys(names)]
    return ", ".join(found[:3]) + (", …" if len(found) > 3 else "")


def _row_hashes(features: NDArray[np.float32]) -> NDArray[np.int64]:
    return np.fromiter((hash(row.tobytes()) for row in features), np.int64, len(features))


def _tensor(features: NDArray[np.float32]) -> torch.Tensor:
    # A copy: what was given to a comparison stays as it is, whatever a strategy does.
    return torch.from_numpy(np.array(features, dtype=np.float32))
