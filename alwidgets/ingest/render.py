"""Cards by a person's own function: a row is turned into content when it is shown."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..content import Content, Text, as_content, is_missing
from ..errors import PoolError
from .lazy import Lazy

if TYPE_CHECKING:
    import narwhals as nw

    from .rowgroups import ParquetFiles

log = logging.getLogger(__name__)

Render: TypeAlias = Callable[[dict[str, Any]], "Content | str"]
#: One row of a table, by its number: names of columns, and values.
RowOf: TypeAlias = Callable[[int], dict[str, Any]]


class Rendered(Lazy):
    """Contents that a function makes of the rows of a table, each when it is asked for.

    A row that it fails on is shown as a text that says so: one bad row does not end the work.

    Parameters
    ----------
    row_of : callable
        From the number of a row to the row.
    render : callable
        From a row, a dict of its values by column, to content, or to a str.
    rows : (n,) int64 array
        Numbers of the rows.
    """

    def __init__(self, row_of: RowOf, render: Render, rows: NDArray[np.int64]) -> None:
        self._row_of = row_of
        self._render = render
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def take(self, positions: NDArray[np.int64]) -> Rendered:
        """Those at some positions, not made yet."""
        return Rendered(self._row_of, self._render, self._rows[positions])

    def _at(self, index: int) -> Content:
        try:
            return self.made(int(self._rows[index]))
        except PoolError as e:
            log.warning("%s", e)
            return Text(str(e))

    def made(self, row: int) -> Content:
        """Content of a row; a `PoolError` that names it where there is none."""
        values = self._row_of(row)
        try:
            return as_content(self._render(values), "What it returned")
        except Exception as e:
            why = str(e) if isinstance(e, PoolError) else f"{type(e).__name__}: {e}"
            raise PoolError(
                f"render failed on row {row}: {why} Mend the function or the row, and make the "
                "pool again."
            ) from e


def rendered_frame(frame: nw.DataFrame[Any], render: Render | None) -> Rendered | None:
    """Contents of the rows of a frame, which is read when they are shown."""
    if render is None:
        return None
    columns = {name: frame.get_column(name) for name in frame.columns}

    def row_of(row: int) -> dict[str, Any]:
        return {name: _value(column[row]) for name, column in columns.items()}

    return _tried(row_of, render, len(frame))


def rendered_files(files: ParquetFiles, render: Render | None) -> Rendered | None:
    """Contents of the rows of Parquet files, which are read when they are shown."""
    if render is None:
        return None

    def row_of(row: int) -> dict[str, Any]:
        return {name: _value(files.value(name, row)) for name in files.columns}

    return _tried(row_of, render, len(files))


def _tried(row_of: RowOf, render: Any, n: int) -> Rendered:
    """Contents of n rows; the first is made now, to see that it can be."""
    if not callable(render):
        raise PoolError(
            "render must be a function from a row (a dict) to content, such as "
            f"lambda row: al.Table(row); got {type(render).__name__}."
        )
    contents = Rendered(row_of, render, np.arange(n))
    if n:
        contents.made(0)
    return contents


def _value(value: Any) -> Any:
    """A plain number in the place of NumPy's, None of what is missing; all else as it is."""
    if isinstance(value, np.generic):
        value = value.item()
    return None if is_missing(value) else value
