"""Parts of a pool to look at by themselves: a slice that was kept, or the values of a column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
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
        names = [value for value, _ in counts.most_common()]
        return {str(name): np.array([v == name for v in values], dtype=bool) for name in names}
    known_values = [value for value in counts if value != MISSING]
    if not all(isinstance(value, Real) for value in known_values):
        raise AlwidgetsError(
            f"Column {by!r} has {len(counts):,} different values among {len(items):,} audit items: "
            f"more than {MOST_VALUES} are too many. Make slices of what you are after: "
            "session.slices[name] = ids."
        )
    return _ranges(values)


def _ranges(values: list[Any]) -> dict[str, NDArray[np.bool_]]:
    """Numbers in ranges with as many items in each, and those that are missing."""
    numbers = np.array([np.nan if value == MISSING else value for value in values], dtype=float)
    there = ~np.isnan(numbers)
    cuts = np.unique(np.quantile(numbers[there], np.linspace(0, 1, RANGES + 1)[1:-1]))
    at = np.searchsorted(cuts, numbers, side="left")
    found = {}
    for place in range(len(cuts) + 1):
        inside = there & (at == place)
        if inside.any():
            low, high = numbers[inside].min(), numbers[inside].max()
            found[f"{low:g} to {high:g}"] = inside
    if not there.all():
        found[MISSING] = ~there
    return found


def _plain(value: Any) -> Any:
    """A value of a column; one that is missing by its name."""
    if value is None or (isinstance(value, Real) and np.isnan(float(value))):
        return MISSING
    return value.item() if isinstance(value, np.generic) else value
