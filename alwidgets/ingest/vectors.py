"""Features from columns of Arrow: vectors, or numbers side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import PoolError

if TYPE_CHECKING:
    import pyarrow as pa


def dtype_of(types: Iterable[pa.DataType]) -> type[np.floating[Any]]:
    """float16 where all columns have numbers of half precision, else float32."""
    import pyarrow as pa

    inner = [t.value_type if _is_list(t) else t for t in types]
    return np.float16 if all(pa.types.is_float16(t) for t in inner) else np.float32


def as_rows(
    columns: Sequence[pa.Array], names: Sequence[str], first: int = 0, width: int | None = None
) -> NDArray[Any]:
    """Features (n, d) of one column of vectors, or of columns of numbers.

    Parameters
    ----------
    columns : sequence of (n,) Arrow arrays
    names : sequence of str
        Theirs.
    first : int
        Number of the first row, for messages.
    width : int, optional
        Features that every row must have.

    Returns
    -------
    ndarray of float16 or float32

    Raises
    ------
    PoolError
        Naming the column, and the row that holds something else.
    """
    if len(names) == 1 and _is_list(columns[0].type):
        return _vectors(columns[0], names[0], first, width)
    pairs = zip(columns, names, strict=True)
    rows = np.stack([_numbers(column, name, first) for column, name in pairs], axis=1)
    if width not in (None, rows.shape[1]):
        raise PoolError(
            f"Column {names[0]!r} must hold vectors of one length, a row each: row {first} holds "
            f"one number, the first {width}."
        )
    return rows


def _is_list(type: pa.DataType) -> bool:
    import pyarrow as pa

    lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return any(is_list(type) for is_list in lists)


def _vectors(column: pa.Array, name: str, first: int, width: int | None) -> NDArray[Any]:
    import pyarrow.compute as pc

    lengths = pc.list_value_length(column).to_numpy(zero_copy_only=False)
    expected = int(lengths[0]) if width is None and lengths[0] == lengths[0] else width
    if expected == 0:
        raise PoolError(f"Column {name!r} holds no number in row {first}. Give vectors, d ≥ 1.")
    wrong = np.flatnonzero(lengths != expected)  # a missing one is NaN
    if len(wrong):
        found = lengths[wrong[0]]
        what = f"a vector of {found:.0f} numbers" if found == found else "no vector"
        raise PoolError(
            f"Column {name!r} must hold vectors of one length, a row each: row {first + wrong[0]} "
            f"holds {what}" + (f", the first {expected}." if expected is not None else ".")
        )
    return _numbers(column.flatten(), name, first, per_row=expected or 1).reshape(len(column), -1)


def _numbers(column: pa.Array, name: str, first: int, per_row: int = 1) -> NDArray[Any]:
    import pyarrow as pa

    if column.null_count:
        row = int(np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False))[0]) // per_row
        raise PoolError(f"Row {first + row} of column {name!r} is missing. Fill or drop it first.")
    if not pa.types.is_float16(column.type):
        try:
            column = column.cast(pa.float32(), safe=False)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as e:
            raise PoolError(
                f"Feature column {name!r} holds something that is no number: {e}."
            ) from e
    numbers: NDArray[Any] = column.to_numpy(zero_copy_only=False)
    return numbers
