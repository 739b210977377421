"""Colours for a column of metadata: numbers and days on a ramp, everything else as categories."""

from __future__ import annotations

import math
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ProjectionError
from .colours import Colours, category_codes, middle_range, ramp_codes

#: Rows read at a time; between two such parts others get their turn.
ROWS = 20_000
#: Numbers with at most so many different values are categories.
FEW = 8
#: Of more different texts than this only the most frequent have a colour of their own.
MOST = 20
#: Different texts that are counted; a column with more is one of names, not of categories.
COUNTED = 100_000
#: Characters of a category's name.
LONGEST = 60
DAY = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d)?|$)")


def column_colours(
    name: str, column: Sequence[Any], pause: Callable[[], None] = lambda: time.sleep(0)
) -> Colours:
    """Colours for a column of metadata.

    Numbers with more than 8 different values lie on a ramp over the range of the middle 99 % of
    them; so do days and times. Everything else is categories: of texts the 20 most frequent ones,
    and "other".

    Parameters
    ----------
    name : str
        Of the column.
    column : sequence, length n
        Texts, numbers, bools and None, in any mixture; read once, in order.
    pause : callable, optional
        Called between two parts of the column.

    Raises
    ------
    ProjectionError
        If the column has no value, or only such as occur once each.
    """
    n = len(column)
    counts, numbers = _counted(column, pause)
    if not counts:
        raise ProjectionError(f"The column “{name}” has no value: there is nothing to colour by.")
    if numbers is not None and (len(counts) > FEW or not _are_whole(counts)):
        return _ramp(numbers)
    if all(isinstance(value, str) and DAY.match(value) for value in islice(counts, 100)):
        times = _times(column, n, pause)
        if times is not None:
            return _days(times)
    if len(counts) > MOST and max(counts.values()) == 1:
        raise ProjectionError(
            f"The column “{name}” has no value that occurs twice: there is nothing to colour by."
        )
    if numbers is not None or len(counts) <= MOST:
        chosen = sorted(counts, key=lambda v: v if numbers is not None else -counts[v])
        rest = 0
    else:
        chosen = [value for value, _ in counts.most_common(MOST)]
        rest = 1
    code_of = {value: code for code, value in enumerate(chosen)}
    codes = np.empty(n, dtype=np.int32)
    for start, values in _parts(column, pause):
        other = len(chosen) if rest else -1
        codes[start : start + len(values)] = [
            -1 if value is None else code_of.get(_keyed(value), other) for value in values
        ]
    names = [named(value) for value in chosen]
    if rest:
        names.append(f"other ({_more(len(counts), len(chosen))})")
    return Colours(category_codes(codes, n, len(names)), categories=names)


def _parts(column: Iterable[Any], pause: Callable[[], None]) -> Iterable[tuple[int, list[Any]]]:
    """The values, some at a time, each part with where it begins."""
    values, start = iter(column), 0
    while part := list(islice(values, ROWS)):
        yield start, part
        start += len(part)
        pause()


def _counted(
    column: Sequence[Any], pause: Callable[[], None]
) -> tuple[Counter[Any], NDArray[np.float64] | None]:
    """How often each value occurs, and all of them as numbers if that is what they are."""
    counts: Counter[Any] = Counter()
    numbers: NDArray[np.float64] | None = np.empty(len(column))
    for start, values in _parts(column, pause):
        given = [value for value in values if value is not None]
        if numbers is not None and all(type(value) in (int, float) for value in given):
            numbers[start : start + len(values)] = [
                math.nan if value is None else _float(value) for value in values
            ]
        else:
            numbers = None
        if len(counts) <= COUNTED:
            counts.update(map(_keyed, given))
        elif numbers is None:
            # Names that are new so late are not among the most frequent: they are "other".
            counts.update(value for value in map(_keyed, given) if value in counts)
    return counts, numbers


def _keyed(value: Any) -> Any:
    """True is not 1, and what cannot be looked up is known by its text."""
    return value if type(value) in (int, float, str) else str(value)


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _are_whole(values: Iterable[float]) -> bool:
    return all(_float(value).is_integer() for value in values)


def _ramp(numbers: NDArray[np.float64]) -> Colours:
    low, high = middle_range(numbers)
    return Colours(
        _steps(numbers, low, high),
        range=(low, high),
        notable=("high", "with the highest value"),
        values=numbers,
    )


def _steps(numbers: NDArray[np.float64], low: float, high: float) -> NDArray[np.uint8]:
    # The share is taken in double precision: times in seconds differ in the tenth digit.
    return ramp_codes((numbers - low) / ((high - low) or 1.0), 0.0, 1.0)


def _times(column: Sequence[Any], n: int, pause: Callable[[], None]) -> NDArray[np.float64] | None:
    """Seconds since 1970, or None if not all texts are days or times."""
    seconds = np.full(n, np.nan)
    for start, values in _parts(column, pause):
        texts = ["NaT" if v is None else str(v)[:19].replace(" ", "T") for v in values]
        try:
            times = np.array(texts, dtype="datetime64[s]")
        except ValueError:
            return None
        known = ~np.isnat(times)
        part = seconds[start : start + len(values)]
        part[known] = times[known].astype(np.int64)
    return seconds


def _days(seconds: NDArray[np.float64]) -> Colours:
    low, high = middle_range(seconds)
    first, last = (str(np.datetime64(int(t), "s").astype("datetime64[D]")) for t in (low, high))
    return Colours(
        _steps(seconds, low, high),
        range=(low, high),
        ends=(first, last),
        notable=("high", "that are newest"),
        values=seconds,
    )


def named(value: Any) -> str:
    """A value of a column in words; what is long is cut off."""
    text = {"True": "yes", "False": "no", "": "(empty)"}.get(str(value), str(value))
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _more(different: int, named: int) -> str:
    at_least = "more than " if different > COUNTED else ""
    return f"{at_least}{different - named:,} values"
