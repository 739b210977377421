"""Conditions on the metadata of items."""

from __future__ import annotations

import difflib
import operator
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import AlwidgetsError

#: Rows looked at before others get their turn.
ROWS = 20_000
_SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_TRUTH = {"yes": True, "true": True, "no": False, "false": False}


@dataclass(frozen=True)
class Condition:
    """What a value of a column has to be.

    Attributes
    ----------
    column : str
    test : callable
        Value -> bool; never asked about a missing value.
    """

    column: str
    test: Callable[[Any], bool]


def typed(column: str, sign: str, value: str) -> Condition:
    """A condition as it is typed: ``:`` holds, ``=`` is, ``<``, ``<=``, ``>``, ``>=``.

    Numbers are compared as numbers and texts as texts, upper and lower case alike, so that days
    as ``2024-05-01`` are in order.
    """
    wanted = value.casefold()
    number = _number(value)

    def test(given: Any) -> bool:
        if isinstance(given, bool):
            return sign in ":=" and given is _TRUTH.get(wanted)
        if isinstance(given, (int, float)):
            if number is None:
                return False
            return given == number if sign in ":=" else _SIGNS[sign](given, number)
        text = str(given).casefold()
        if sign == ":":
            return wanted in text
        return text == wanted if sign == "=" else _SIGNS[sign](text, wanted)

    return Condition(column, test)


def conditions(where: Mapping[str, Any] | None, columns: Mapping[str, Any]) -> list[Condition]:
    """Conditions as they are given from Python.

    Parameters
    ----------
    where : mapping of str to value, list of values or callable, or None
        By column: the value, any of several, or ``f(value) -> bool``.
    columns : mapping
        The columns that there are.

    Raises
    ------
    AlwidgetsError
        If there is no such column, or `where` is no mapping.
    """
    if where is None:
        return []
    if not isinstance(where, Mapping):
        raise AlwidgetsError(
            f"where names columns and values, where={{'sender': 'alice'}}; {where!r} does not."
        )
    found = []
    for column, wanted in where.items():
        if column not in columns:
            raise AlwidgetsError(_no_column(str(column), columns))
        found.append(Condition(column, _test(wanted)))
    return found


def matching(columns: Mapping[str, Sequence[Any]], wanted: Condition) -> NDArray[np.bool_]:
    """Which items meet a condition, shape (n,); those without a value do not.

    Raises
    ------
    AlwidgetsError
        If the test fails on a value, naming the item's position.
    """
    column, test = columns[wanted.column], wanted.test
    values, found = iter(column), np.zeros(len(column), dtype=bool)
    start = 0
    while part := list(islice(values, ROWS)):
        try:
            found[start : start + len(part)] = [v is not None and bool(test(v)) for v in part]
        except Exception as error:
            at = next((i for i, v in enumerate(part) if v is not None and _fails(test, v)), 0)
            raise AlwidgetsError(
                f"The condition on {wanted.column!r} fails for item {start + at:,}, whose value is "
                f"{part[at]!r}: {type(error).__name__}: {error}"
            ) from error
        start += len(part)
        time.sleep(0)
    return found


def _test(wanted: Any) -> Callable[[Any], bool]:
    if callable(wanted):
        test: Callable[[Any], bool] = wanted
        return test
    if isinstance(wanted, (list, tuple, set, frozenset, np.ndarray)):
        values = list(wanted)
        return lambda value: value in values
    return lambda value: bool(value == wanted)


def _fails(test: Callable[[Any], bool], value: Any) -> bool:
    try:
        test(value)
    except Exception:  # noqa: BLE001 - only whether it fails is asked
        return True
    return False


def _no_column(name: str, columns: Mapping[str, Any]) -> str:
    if not columns:
        return f"There is no column {name!r}: the items of this pool have no metadata."
    near = difflib.get_close_matches(name, list(columns)[:10_000], 3) or list(columns)[:10]
    return f"There is no column {name!r} in the metadata; there is {', '.join(map(repr, near))}."


def _number(text: str) -> float | None:
    try:
        return float(text.replace(",", "")) if text[:1].lower() not in ("i", "n") else None
    except ValueError:
        return None
