"""Labels in and out: beside the rows that they are of, and those that were made elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .errors import AnswerError, PoolError, UnknownItemError
from .ingest import take
from .pool import Pool
from .search import has_words, words_of
from .tasks import Answer, Task

if TYPE_CHECKING:
    from collections.abc import Iterable

    import narwhals as nw
    import pandas as pd

#: Name of the column of ids in what the package writes itself.
ID = "item_id"
#: And of the texts that the items hold.
CONTENT = "content"


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of labels that were made elsewhere.

    Attributes
    ----------
    imported : int
        New labels.
    kept : int
        Left out, for the item has an answer already.
    missing : int
        Rows without a label.
    """

    imported: int
    kept: int
    missing: int

    def __str__(self) -> str:
        text = f"{self.imported:,} {'label' if self.imported == 1 else 'labels'} imported"
        if self.kept:
            text += f"; {self.kept:,} already labelled here, which stay"
        if self.missing:
            text += f"; {self.missing:,} rows without a label"
        return text


def join(df: Any, pool: Pool, labels: pd.DataFrame, id: str | None) -> Any:
    """The rows of a frame with their labels; see `Session.join`."""
    import narwhals as nw

    frame = _frame(df)
    items = _items(frame, pool, id)
    if joined := _joined(frame.columns, list(labels.columns)):
        frame = frame.drop(joined)
        df = frame.to_native()
    beside = labels.reindex(items).reset_index()
    clash = [name for name in beside.columns if name in frame.columns and name != ID]
    beside = beside.rename(columns={name: f"{name}_label" for name in clash})
    if ID in frame.columns:
        beside = beside.drop(columns=ID)
    if frame.implementation.is_pandas():
        import pandas as pd

        return pd.concat([df, beside.set_axis(df.index)], axis="columns")
    missing = beside.isna()
    columns = {c: beside[c].astype(object).mask(missing[c], None).tolist() for c in beside.columns}
    added = nw.from_dict(columns, backend=frame.implementation)
    return nw.concat([frame, added], how="horizontal").to_native()


def table_of(
    pool: Pool,
    positions: NDArray[np.int64],
    labels: pd.DataFrame,
    said: dict[str, NDArray[Any]] | None = None,
) -> pd.DataFrame:
    """Some items of a pool, a row each, with their labels; see `Selection.to_frame`.

    Parameters
    ----------
    pool : Pool
    positions : ndarray of int64
    labels : pandas.DataFrame
        As of `Session.labels`.
    said : dict of str to ndarray, optional
        What the model says of these items, by the name of the column.
    """
    import pandas as pd

    columns: dict[str, Any] = {ID: list(pool.ids.take(positions))}
    # In the order of the pool: what lies in files is read once, from the beginning to the end.
    order = np.argsort(positions)
    rows = positions[order]

    def placed(values: Iterable[Any]) -> NDArray[Any]:
        found = np.empty(len(rows), dtype=object)
        found[order] = np.fromiter(map(_whole_text, values), dtype=object, count=len(rows))
        return found

    if has_words(pool):
        columns[CONTENT] = placed(map(words_of, take(pool.contents, rows)))
    for name, column in pool.metadata.items():
        columns[_free(name, columns, "metadata")] = placed(take(column, rows))
    frame: pd.DataFrame = join(pd.DataFrame(columns).infer_objects(), pool, labels, ID)
    for name, values in (said or {}).items():
        frame[_free(name, frame.columns, "model")] = values
    return frame


def _whole_text(value: Any) -> Any:
    """A value; half of a surrogate pair, which no frame holds, becomes a mark."""
    if not isinstance(value, str) or value.isascii():
        return value
    return value.encode("utf-8", "replace").decode()


def _free(name: str, taken: Iterable[str], kind: str) -> str:
    """The name of a column, with its kind behind it where there is one of that name."""
    while name in taken:
        name += f"_{kind}"
    return name


def _joined(columns: list[str], added: list[str]) -> list[str]:
    """The columns that an earlier join added: those of the labels, side by side, in order.

    None of a frame that has these alone: it is one of labels, and they are to be compared.
    """
    names = [f"{name}_label" if f"{name}_label" in columns else name for name in added]
    if names[0] not in columns or set(columns) <= {ID, *names}:
        return []
    start = columns.index(names[0])
    return names if columns[start : start + len(names)] == names else []


def answers(
    df: Any, pool: Pool, task: Task, answer: str, id: str | None
) -> tuple[list[tuple[str, Answer]], int]:
    """Item and answer of every row of a frame that has one, and how many rows have none.

    Raises
    ------
    PoolError, UnknownItemError, AnswerError
        For a column that is missing, an item that is not in the pool and an answer that is none
        of the task's; the row is named.
    """
    frame = _frame(df)
    if answer not in frame.columns:
        raise PoolError(
            f"The frame has no column {answer!r}; its columns are {', '.join(frame.columns)}. Name "
            "that of the labels: answer=…."
        )
    found: dict[str, Answer] = {}
    missing = 0
    items = _items(frame, pool, id)
    column = frame[answer]
    rows = zip(items, column.to_list(), column.is_null().to_list(), strict=True)
    for row, (item_id, value, empty) in enumerate(rows):
        # Not a number is no null to polars and pyarrow.
        if empty or (np.ndim(value) == 0 and value != value):
            missing += 1
            continue
        # pandas makes floats of whole numbers among which one is missing.
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if item_id not in pool:
            raise UnknownItemError(f"Row {row}: the pool has no item {item_id!r}.")
        try:
            stored = task.validate(value)
        except AnswerError as error:
            raise AnswerError(f"Row {row}: {error}") from error
        if found.setdefault(item_id, stored) != stored:
            raise AnswerError(
                f"Row {row}: item {item_id!r} has two labels, {found[item_id]!r} and {stored!r}. "
                "Keep one of them."
            )
    return list(found.items()), missing


def _frame(df: Any) -> nw.DataFrame[Any]:
    import narwhals as nw

    try:
        return nw.from_native(df, eager_only=True)
    except TypeError as error:
        raise PoolError(
            f"{type(df).__name__} is no data frame: give one of pandas, polars or pyarrow."
        ) from error


def _items(frame: nw.DataFrame[Any], pool: Pool, id: str | None) -> list[str]:
    """The item of every row."""
    name = id if id is not None else ID if ID in frame.columns else None
    if name is not None:
        if name not in frame.columns:
            raise PoolError(f"The frame has no column {name!r} of ids.")
        return [str(value) for value in frame[name].to_list()]
    if len(frame) not in pool.made_of:
        raise PoolError(
            f"The frame has {len(frame):,} rows, but the pool was made of {len(pool.row_ids):,}: "
            "give the frame it was made of, or name the column of ids with id=…."
        )
    return list(pool.row_ids[: len(frame)])
