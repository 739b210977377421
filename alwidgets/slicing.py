"""Parts of a pool to look at by themselves: a slice that was kept, or the values of a column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .errors import AlwidgetsError
from .ingest import Ids

#: Values of a column beyond which numbers are cut into ranges, and others are too many.
MOST_VALUES = 30
#: Ranges that numbers are cut into, with as many items in each.
RANGES = 4
#: Rows of a column that are looked at in one step: others get their turn between two.
ROWS = 20_000
MISSING = "(missing)"
OTHERS = "others"
LARGEST = float(np.finfo(np.float64).max)

#: Values of a column, None where one is missing.
Values: TypeAlias = NDArray[np.object_]
#: Tells of values which of them are in a part.
Test: TypeAlias = Callable[[Values], NDArray[np.bool_]]


@dataclass(frozen=True, eq=False)
class Part:
    """A part of a pool, as it was cut by some of its items.

    Attributes
    ----------
    inside : (m,) bool array
        Which of these items are in it.
    members : callable returning a (k,) int64 array
        Positions of all items of the pool that are in it, rising. It may read a whole column.
    """

    inside: NDArray[np.bool_]
    members: Callable[[], NDArray[np.int64]]


def parts_of(
    by: str,
    items: NDArray[np.int64],
    ids: Ids,
    slices: Mapping[str, Sequence[str]],
    columns: Mapping[str, Sequence[Any]],
) -> dict[str, Part]:
    """Share out a pool, by some of its items.

    Parameters
    ----------
    by : str
        Name of a slice, or else of a column: a slice and what is not in it, or a part for each
        value, the most frequent first; numbers with more than 30 values in four ranges.
    items : (m,) int64 array
        Positions in the pool.
    ids : Ids
        Of the pool.
    slices : mapping of str to sequence of str
        Ids by the name of the slice.
    columns : mapping of str to sequence
        Values of all items of the pool by the name of the column.

    Returns
    -------
    dict of str to Part
        By their names; these are told apart as the values are, the text '1' and the number 1.

    Raises
    ------
    AlwidgetsError
        If there is neither slice nor column of that name, or the column has too many values.
    """
    if by in slices:
        kept = slices[by]
        chosen = set(kept)
        inside = np.array([ids[item] in chosen for item in items.tolist()], dtype=bool)
        others = OTHERS if by != OTHERS else f"not {by}"
        return {
            by: Part(inside, lambda: np.flatnonzero(_in_slice(ids, kept))),
            others: Part(~inside, lambda: np.flatnonzero(~_in_slice(ids, kept))),
        }
    if by not in columns:
        known = ", ".join(map(repr, ("class", *slices, *columns)))
        raise AlwidgetsError(
            f"There is no slice and no column {by!r}; by= takes {known}. "
            "session.selection.save(name) makes a slice."
        )
    column = columns[by]
    values = np.fromiter((column[item] for item in items.tolist()), dtype=object)
    return {
        name: Part(test(values), partial(_of_column, column, test))
        for name, test in _tests(by, values).items()
    }


def _in_slice(ids: Ids, kept: Sequence[str]) -> NDArray[np.bool_]:
    """Which items of the pool are in a slice, (n,)."""
    places = ids.places(kept)
    found = np.zeros(len(ids), dtype=bool)
    found[places[places >= 0]] = True
    return found


def _of_column(column: Sequence[Any], test: Test) -> NDArray[np.int64]:
    """Positions of the values that pass a test, rising."""
    rest, start = iter(column), 0
    found = []
    while len(values := np.fromiter(islice(rest, ROWS), dtype=object)):
        found.append(start + np.flatnonzero(test(values)))
        start += len(values)
    return np.concatenate(found)


def _tests(by: str, values: Values) -> dict[str, Test]:
    """What tells of values whether they are in each part, by its name."""
    counts = Counter(values.tolist())
    if len(counts) <= MOST_VALUES:
        kinds = [value for value, _ in counts.most_common()]
        for write in (str, repr):  # the number 1 and the text "1" are two
            names = [MISSING if value is None else write(value) for value in kinds]
            if len(set(names)) == len(names):
                break
        return {name: partial(_equal, value) for name, value in zip(names, kinds, strict=True)}
    if not all(value is None or isinstance(value, (int, float)) for value in counts):
        raise AlwidgetsError(
            f"Column {by!r} has {len(counts):,} different values among {len(values):,} audit "
            f"items: more than {MOST_VALUES} are too many. Make slices of what you are after: "
            "session.slices[name] = ids."
        )
    return _ranges(values)


def _ranges(values: Values) -> dict[str, Test]:
    """Numbers in ranges with as many items in each, and those that are missing."""
    numbers = _numbers(values)
    there = ~np.isnan(numbers)
    cuts = np.unique(np.quantile(numbers[there], np.linspace(0, 1, RANGES + 1)[1:-1]))
    at = np.searchsorted(cuts, numbers, side="left")
    ends = [-np.inf, *cuts.tolist(), np.inf]
    parts = [place for place in range(len(cuts) + 1) if (there & (at == place)).any()]
    ranges = [numbers[there & (at == place)] for place in parts]
    for digits in (6, 10, 17):  # as few as keep them apart
        names = [f"{r.min():.{digits}g} to {r.max():.{digits}g}" for r in ranges]
        if len(set(names)) == len(names):
            break
    found: dict[str, Test] = {
        name: partial(_between, ends[place], ends[place + 1])
        for name, place in zip(names, parts, strict=True)
    }
    if not there.all():
        found[MISSING] = partial(_equal, None)
    return found


def _equal(wanted: Any, values: Values) -> NDArray[np.bool_]:
    return np.asarray(values == wanted, dtype=bool)


def _between(above: float, to: float, values: Values) -> NDArray[np.bool_]:
    numbers = _numbers(values)
    return (above < numbers) & (numbers <= to)


def _numbers(values: Values) -> NDArray[np.float64]:
    """Values as numbers, NaN for what is none."""
    return np.array([_number(value) for value in values.tolist()], dtype=np.float64)


def _number(value: Any) -> float:
    if not isinstance(value, (int, float)):
        return np.nan
    try:
        return float(value)
    except OverflowError:  # a whole number beyond all others
        return LARGEST if value > 0 else -LARGEST
