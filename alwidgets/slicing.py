"""Parts of a pool to look at by themselves: a slice that was kept, or the values of a column."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import AlwidgetsError

#: Values of a column beyond which numbers are cut into ranges, and others are too many.
MOST_VALUES = 30
#: Ranges that numbers are cut into, with as many items in each.
RANGES = 4
MISSING = "(missing)"
OTHERS = "others"


def parts_of(
    by: str,
    items: NDArray[np.int64],
    ids: Sequence[str],
    slices: Mapping[str, Sequence[str]],
    columns: Mapping[str, Sequence[Any]],
) -> dict[str, NDArray[np.bool_]]:
    """Share out some items of a pool.

    Parameters
    ----------
    by : str
        Name of a slice, or else of a column: a slice and what is not in it, or a part for each
        value, the most frequent first; numbers with more than 30 values in four ranges.
    items : (m,) int64 array
        Positions in the pool.
    ids : sequence of str
        Of the pool.
    slices : mapping of str to sequence of str
        Ids by the name of the slice.
    columns : mapping of str to sequence
        Values of all items of the pool by the name of the column.

    Returns
    -------
    dict of str to (m,) bool array
        Which of the items are in each part, by its name.

    Raises
    ------
    AlwidgetsError
        If there is neither slice nor column of that name, or the column has too many values.
    """
    if by in slices:
        chosen = set(slices[by])
        inside = np.array([ids[item] in chosen for item in items.tolist()], dtype=bool)
        return {by: inside, OTHERS: ~inside}
    values, tests = _tests(by, items, slices, columns)
    return {name: np.array([test(v) for v in values], dtype=bool) for name, test in tests.items()}


def members_of(
    by: str,
    part: str,
    items: NDArray[np.int64],
    ids: Sequence[str],
    slices: Mapping[str, Sequence[str]],
    columns: Mapping[str, Sequence[Any]],
) -> NDArray[np.int64]:
    """All items of a pool that are in a part of it, as `parts_of` makes it from some of them.

    Returns
    -------
    (k,) int64 array
        Positions, rising.

    Raises
    ------
    AlwidgetsError
        As `parts_of`, and if there is no such part.
    """
    everything = np.arange(len(ids), dtype=np.int64)
    if by in slices:
        inside = parts_of(by, everything, ids, slices, columns).get(part)
    else:
        test = _tests(by, items, slices, columns)[1].get(part)
        values = (_plain(value) for value in columns[by])
        inside = None if test is None else np.fromiter(map(test, values), bool, len(ids))
    if inside is None:
        raise AlwidgetsError(f"There is no part {part!r} of {by!r}.")
    return everything[inside]


def _tests(
    by: str,
    items: NDArray[np.int64],
    slices: Mapping[str, Sequence[str]],
    columns: Mapping[str, Sequence[Any]],
) -> tuple[list[Any], dict[str, Callable[[Any], bool]]]:
    """The values of some items in a column, and what tells of a value whether it is in a part."""
    if by not in columns:
        known = ", ".join(map(repr, ("class", *slices, *columns)))
        raise AlwidgetsError(
            f"There is no slice and no column {by!r}; by= takes {known}. "
            "session.selection.save(name) makes a slice."
        )
    column = columns[by]
    values = [_plain(column[item]) for item in items.tolist()]
    counts = Counter(values)
    if len(counts) <= MOST_VALUES:
        return values, {str(v): partial(operator.eq, v) for v, _ in counts.most_common()}
    known_values = [value for value in counts if value != MISSING]
    if not all(isinstance(value, Real) for value in known_values):
        raise AlwidgetsError(
            f"Column {by!r} has {len(counts):,} different values among {len(items):,} audit items: "
            f"more than {MOST_VALUES} are too many. Make slices of what you are after: "
            "session.slices[name] = ids."
        )
    return values, _ranges(values)


def _ranges(values: list[Any]) -> dict[str, Callable[[Any], bool]]:
    """Numbers in ranges with as many items in each, and those that are missing."""
    numbers = np.array([np.nan if value == MISSING else value for value in values], dtype=float)
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
    found: dict[str, Callable[[Any], bool]] = {
        name: partial(_between, ends[place], ends[place + 1])
        for name, place in zip(names, parts, strict=True)
    }
    if not there.all():
        found[MISSING] = partial(operator.eq, MISSING)
    return found


def _between(above: float, to: float, value: Any) -> bool:
    return value != MISSING and bool(above < value <= to)


def _plain(value: Any) -> Any:
    """A value of a column; one that is missing by its name."""
    if value is None or (isinstance(value, Real) and np.isnan(float(value))):
        return MISSING
    return value.item() if isinstance(value, np.generic) else value
