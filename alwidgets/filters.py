"""Conditions on the metadata of items."""

from __future__ import annotations

import difflib
import operator
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress, islice
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .columnar import TOO_LARGE, Categories, Columnar, ColumnarPool, Numbers, Texts
from .errors import AlwidgetsError

if TYPE_CHECKING:
    import pyarrow as pa

#: Rows looked at before others get their turn.
ROWS = 20_000
#: Of a column only single values are looked at where it has so many times more.
FEW = 8
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
    of_numbers, of_texts : callable or None
        The same of a whole column of numbers, (n,) float64, or of folded texts; who has no value
        does not meet it. None where a column is to be tested value by value.
    """

    column: str
    test: Callable[[Any], bool]
    of_numbers: Callable[[NDArray[np.float64]], NDArray[np.bool_]] | None = None
    of_texts: Callable[[pa.LargeStringArray], NDArray[np.bool_]] | None = None


def typed(column: str, sign: str, value: str) -> Condition:
    """A condition as it is typed: ``:`` holds, ``=`` is, ``!=`` is not, ``<`` and so on.

    Numbers are compared as numbers and texts as texts, upper and lower case alike, so that days
    as ``2024-05-01`` are in order.
    """
    if sign == "!=":
        return _negated(typed(column, "=", value))
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

    def of_numbers(values: NDArray[np.float64]) -> NDArray[np.bool_]:
        if number is None:
            return np.zeros(len(values), dtype=bool)
        met = np.equal(values, number) if sign in ":=" else _SIGNS[sign](values, number)
        return np.asarray(met, dtype=bool)

    def of_texts(values: pa.LargeStringArray) -> NDArray[np.bool_]:
        import pyarrow.compute as pc

        if sign == ":":
            met = pc.match_substring(values, wanted)
        else:
            # Bytes of UTF-8 are in the order of the texts.
            name = {"=": "equal", "<": "less", "<=": "less_equal", ">": "greater"}
            met = pc.call_function(name.get(sign, "greater_equal"), [values, wanted])
        found: NDArray[np.bool_] = met.fill_null(False).to_numpy(zero_copy_only=False)
        return found

    # Half a pair of surrogates, which a browser can send, is no text that Arrow can hold.
    is_text = not any("\ud800" <= letter <= "\udfff" for letter in wanted)
    return Condition(column, test, of_numbers, of_texts if is_text else None)


def _negated(wanted: Condition) -> Condition:
    """What has a value, and does not meet a condition."""
    of_numbers, of_texts = wanted.of_numbers, wanted.of_texts

    def other_numbers(values: NDArray[np.float64]) -> NDArray[np.bool_]:
        assert of_numbers is not None
        return ~(of_numbers(values) | np.isnan(values))

    def other_texts(values: pa.LargeStringArray) -> NDArray[np.bool_]:
        assert of_texts is not None
        there: NDArray[np.bool_] = values.is_valid().to_numpy(zero_copy_only=False)
        return ~of_texts(values) & there

    return Condition(
        wanted.column,
        lambda value: not wanted.test(value),
        None if of_numbers is None else other_numbers,
        None if of_texts is None else other_texts,
    )


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
        found.append(Condition(column, _test(wanted), _test_of_numbers(wanted)))
    return found


def meeting(
    columns: Mapping[str, Sequence[Any]],
    wanted: Condition,
    among: NDArray[np.int64],
    arrays: ColumnarPool | None = None,
) -> NDArray[np.int64]:
    """Those of some positions whose items meet a condition; who has no value does not.

    Parameters
    ----------
    columns : mapping of str to sequence
    wanted : Condition
    among : ndarray of int64
        Ascending.
    arrays : ColumnarPool, optional
        The same columns as arrays: where one has such a form, all rows are looked up at once.

    Raises
    ------
    AlwidgetsError
        If the test fails on a value, naming the item's position.
    """
    column = columns[wanted.column]
    met = None if arrays is None else _met(arrays.of(wanted.column, column), wanted, among)
    if met is not None:
        return met
    if isinstance(column, list) and FEW * len(among) < len(column):
        values: Iterator[Any] = (column[at] for at in among.tolist())
    else:  # what lies in files is read once, from the beginning to the end
        chosen = np.zeros(len(column), dtype=bool)
        chosen[among] = True
        values = compress(column, chosen.tolist())
    kept = np.zeros(len(among), dtype=bool)
    start = 0
    while part := list(islice(values, ROWS)):
        try:
            kept[start : start + len(part)] = [_meets(wanted, v) for v in part]
        except Exception as error:
            row = next(i for i, v in enumerate(part) if _fails(wanted, v))
            raise AlwidgetsError(
                f"The condition on {wanted.column!r} fails for item {among[start + row]:,}, whose "
                f"value is {part[row]!r}: {type(error).__name__}: {error}"
            ) from error
        start += len(part)
        time.sleep(0)
    return among[kept]


def _met(
    column: Columnar | None, wanted: Condition, among: NDArray[np.int64]
) -> NDArray[np.int64] | None:
    """Those of some positions that meet a condition; None where each value is to be tested."""
    match column:
        case Numbers() if wanted.of_numbers is not None:
            return among[wanted.of_numbers(column.values)[among]]
        case Texts() if wanted.of_texts is not None:
            return among[wanted.of_texts(column.values)[among]]
        case Categories():
            try:
                verdicts = [bool(wanted.test(value)) for value in column.values]
            except Exception:  # noqa: BLE001 - on a value that may not be among these
                return None
            # What has no value has the code -1: the last.
            met: NDArray[np.bool_] = np.array([*verdicts, False])[column.codes[among]]
            return among[met]
    return None


def _meets(wanted: Condition, value: Any) -> bool:
    return value is not None and bool(wanted.test(value))


def _test(wanted: Any) -> Callable[[Any], bool]:
    if callable(wanted):
        test: Callable[[Any], bool] = wanted
        return test
    if isinstance(wanted, (list, tuple, set, frozenset, np.ndarray)):
        values = list(wanted)
        return lambda value: value in values
    return lambda value: bool(value == wanted)


def _test_of_numbers(
    wanted: Any,
) -> Callable[[NDArray[np.float64]], NDArray[np.bool_]] | None:
    """The same of a column of numbers, where the values wanted are numbers, too."""
    several = isinstance(wanted, (list, tuple, set, frozenset))
    values = list(wanted) if several else [wanted]
    if any(type(value) not in (int, float) or not abs(value) < TOO_LARGE for value in values):
        return None
    return lambda column: np.isin(column, np.array(values, dtype=np.float64))


def _fails(wanted: Condition, value: Any) -> bool:
    try:
        _meets(wanted, value)
    except Exception:  # noqa: BLE001 - only whether it fails is asked
        return True
    return False


def no_such_column(name: str, columns: Mapping[str, Any]) -> str:
    """What to say of a column that was typed and is not there; its words were looked for."""
    near = difflib.get_close_matches(name, list(columns)[:10_000], 1)
    said = f"there is no column “{name}”, so its words are looked for"
    return f"{said}; did you mean {_as_typed(near[0])}?" if near else said


def _as_typed(column: str) -> str:
    """The name of a column as it is to be typed, with a sign behind it."""
    if column and not set(column) & set('":<>=!') and not any(map(str.isspace, column)):
        return f"{column}:"
    doubled = column.replace('"', '""')
    return f'"{doubled}":'


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
