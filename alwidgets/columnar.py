"""Columns of metadata as arrays, so that a condition is looked up in a million rows at once."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa

    from .pool import Pool

#: Rows read before others get their turn.
ROWS = 20_000
#: Different values that are kept once each; a column of more is one of numbers, or of names.
MOST_DIFFERENT = 10_000
#: Shorter columns are looked through as they are, in a moment.
WORTH_IT = 2_000
#: From here on whole numbers are not all told apart in float64.
TOO_LARGE = 2.0**53


@dataclass(frozen=True, eq=False)
class Numbers:
    """A column of numbers.

    Attributes
    ----------
    values : ndarray of float64, shape (n,)
        NaN where there is none.
    """

    values: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Categories:
    """A column of few different values.

    Attributes
    ----------
    values : list
        Each once; 1, 1.0 and True are three.
    codes : ndarray of int32, shape (n,)
        Places in `values`; -1 where there is none.
    """

    values: list[Any]
    codes: NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Texts:
    """A column of texts, without regard to upper and lower case.

    Attributes
    ----------
    values : pyarrow.LargeStringArray, length n
        Folded by `str.casefold`; null where there is none.
    """

    values: pa.LargeStringArray


Columnar: TypeAlias = Numbers | Categories | Texts


def columnar(
    column: Sequence[Any], pause: Callable[[], None] = lambda: time.sleep(0)
) -> Columnar | None:
    """A column as an array; None for one that has no such form.

    Parameters
    ----------
    column : sequence
        Read once, or twice, in order.
    pause : callable, optional
        Called between two parts of it.
    """
    kinds: set[type[Any]] = set()
    for part in _parts(column, pause):
        kinds.update(map(type, part))
    kinds.discard(type(None))
    if kinds and kinds <= {int, float}:
        numbers = _numbers(column, pause)
        if numbers is not None:
            return Numbers(numbers)
    found = _categories(column, pause)
    if found is None and kinds == {str}:
        return _texts(column, pause)
    return found


def _parts(column: Sequence[Any], pause: Callable[[], None]) -> Iterator[list[Any]]:
    rest = iter(column)
    while part := list(islice(rest, ROWS)):
        yield part
        pause()


def _numbers(column: Sequence[Any], pause: Callable[[], None]) -> NDArray[np.float64] | None:
    """The numbers, or None where some whole ones are too large."""
    found = np.empty(len(column), dtype=np.float64)
    start = 0
    for part in _parts(column, pause):
        try:
            found[start : start + len(part)] = part
        except OverflowError:
            return None
        start += len(part)
    large = np.abs(found) >= TOO_LARGE
    return None if (large & np.isfinite(found)).any() else found


def _categories(column: Sequence[Any], pause: Callable[[], None]) -> Categories | None:
    """The values and their codes, or None where there are many or some cannot be looked up."""
    codes = np.empty(len(column), dtype=np.int32)
    known: dict[Hashable, int] = {(type(None), None): -1}
    start = 0
    for part in _parts(column, pause):
        try:
            keys = [(type(value), value) for value in part]
            codes[start : start + len(part)] = [known.setdefault(k, len(known) - 1) for k in keys]
        except TypeError:
            return None
        if len(known) > MOST_DIFFERENT:
            return None
        start += len(part)
    values = [key[1] for key in known]  # type: ignore[index]
    return Categories(values[1:], codes)


def _texts(column: Sequence[Any], pause: Callable[[], None]) -> Texts | None:
    import pyarrow as pa

    try:
        folded = [
            pa.array([None if v is None else v.casefold() for v in part], pa.large_string())
            for part in _parts(column, pause)
        ]
    except UnicodeEncodeError:  # half of a surrogate pair
        return None
    return Texts(pa.concat_arrays(folded))


class ColumnarPool:
    """The columns of a pool as arrays, each made when it is first asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, tuple[Sequence[Any], Columnar | None]] = {}

    def of(self, name: str, column: Sequence[Any]) -> Columnar | None:
        """A column as an array, or None for one that has no such form or is short.

        Only lists: what stays in files is not brought into memory.
        """
        if not isinstance(column, list) or len(column) < WORTH_IT:
            return None
        with self._lock:
            known = self._known.get(name)
            if known is None or known[0] is not column:  # the pool may have grown
                known = self._known[name] = (column, columnar(column))
            return known[1]


_pools: weakref.WeakKeyDictionary[Pool, ColumnarPool] = weakref.WeakKeyDictionary()
_making = threading.Lock()


def shared_columns(pool: Pool) -> ColumnarPool:
    """The columns of a pool: the same object for every session, gone with the pool."""
    with _making:
        return _pools.setdefault(pool, ColumnarPool())
