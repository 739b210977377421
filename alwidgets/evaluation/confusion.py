"""The confusion matrix: what is taken for what, counted, and estimated over the pool."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alwidgets.errors import EvaluationError
from alwidgets.evaluation.drawn import Floats
from alwidgets.evaluation.risk import Estimate, lure, unknown

if TYPE_CHECKING:
    import pandas as pd

Of: TypeAlias = Literal["counts", "shares", "rates"]
OF: tuple[Of, ...] = get_args(Of)
#: Of labels that were not drawn at random.
NOT_DRAWN = "these labels were not drawn at random"


@dataclass(frozen=True)
class Interval:
    """Figures of all cells, (R, K), each with its interval; NaN where nothing is known."""

    value: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class Confusion:
    """What is so, in rows, beside what the model says, in columns.

    Attributes
    ----------
    rows, columns : tuple of str
        The classes, both ways. Of several labels there are two rows for each, with it and without,
        and the columns are "said" and "not said".
    counts : (R, K) int64 array
        Labels in each cell.
    right : (R, K) bool array
        Cells where the model is right.
    shares : Interval
        Of the pool; of one class an item they add up to 1.
    rates : Interval
        Of the items of a row: along the diagonal the recall. NaN in a row without a label.
    row, column : (M, L) int64 arrays
        The cells that each label is in: one of them, or one for each of several labels.
    n : int
        Labels that it rests on.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: NDArray[np.int64]
    right: NDArray[np.bool_]
    shares: Interval
    rates: Interval
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    n: int

    def table(self, of: Of = "counts") -> pd.DataFrame:
        """The counts, or the values of shares or rates, as a frame.

        Raises
        ------
        EvaluationError
            If there are no such figures.
        """
        import pandas as pd

        if of not in OF:
            raise EvaluationError(f"There are no {of!r}; use one of {', '.join(map(repr, OF))}.")
        values: Any = self.counts if of == "counts" else getattr(self, of).value
        return pd.DataFrame(
            values, pd.Index(self.rows, name="is"), pd.Index(self.columns, name="predicted")
        )

    def inside(self, row: int, column: int) -> NDArray[np.int64]:
        """Which labels are in a cell, by their places, (k,)."""
        return np.flatnonzero(((self.row == row) & (self.column == column)).any(axis=1))

    def mistakes(self) -> list[tuple[int, int]]:
        """The cells that are wrong and not empty, the largest share of the pool first."""
        rows, columns = np.nonzero(~self.right & (self.counts > 0))
        size = self.shares.value[rows, columns]
        if np.isnan(size).any():
            size = self.counts[rows, columns].astype(np.float64)
        order = np.argsort(-size, kind="stable")
        return list(zip(rows[order].tolist(), columns[order].tolist(), strict=True))


def confusion(
    truth: ArrayLike,
    predicted: ArrayLike,
    q: ArrayLike | None,
    N: int,
    *,
    names: Sequence[str],
    confidence: float = 0.95,
) -> Confusion:
    """The confusion matrix over a pool of N items, from M that were drawn.

    Shares and rates have the weights of LURE, and Wilson's interval at the effective sample size.
    That of an empty cell begins at 0 and ends where so few labels cannot tell it from 0.

    Parameters
    ----------
    truth, predicted : (M,) int arrays, or (M, C) arrays of 0 and 1
        Class codes, or a column for each of several labels; in the order drawn.
    q, N
        As for `lure`. None of labels that were not drawn at random: their rates are of these
        labels and no others, and have no interval; shares are NaN.
    names : sequence of str
        Of the classes, by code.
    confidence : float

    Raises
    ------
    EvaluationError
        For arrays that do not match, codes that are none, and as `lure`.

    Examples
    --------
    >>> q = [1 / (100 - m) for m in range(4)]
    >>> found = confusion([0, 0, 1, 1], [0, 1, 1, 1], q, 100, names=["ham", "spam"])
    >>> found.counts.tolist()
    [[1, 1], [0, 2]]
    >>> found.rates.value.tolist()
    [[0.5, 0.5], [0.0, 1.0]]
    """
    row, column, rows, columns = _cells(np.asarray(truth), np.asarray(predicted), names)
    shape = len(rows), len(columns)
    counts = np.zeros(shape, dtype=np.int64)
    np.add.at(counts, (row, column), 1)
    at_row, at_column = np.arange(shape[0])[:, None], np.arange(shape[1])
    right = at_row == at_column if row.shape[1] == 1 else at_row % 2 == at_column
    shares, rates = _empty(shape), _empty(shape)
    nowhere = np.zeros(len(row), dtype=bool)
    for i in range(shape[0]):
        of_row = (row == i).any(axis=1)
        inside = np.where(row == i, column, -1).max(axis=1)  # in one cell of a row at most
        # Empty cells are all alike: the whole row is filled with what is known of them first.
        cells: list[tuple[int | slice, NDArray[np.bool_]]] = [(slice(None), nowhere)]
        cells += [(j, inside == j) for j in np.flatnonzero(counts[i]).tolist()]
        for j, cell in cells:
            _put(shares, (i, j), _figure(cell, q, N, None, confidence))
            _put(rates, (i, j), _figure(cell, q, N, of_row, confidence))
    if q is None:
        total = counts.sum(axis=1, keepdims=True)
        rates.value[:] = np.where(total > 0, counts / np.maximum(total, 1), np.nan)
    return Confusion(rows, columns, counts, right, shares, rates, row, column, len(row))


def _figure(
    cell: NDArray[np.bool_],
    q: ArrayLike | None,
    N: int,
    within: NDArray[np.bool_] | None,
    confidence: float,
) -> Estimate:
    """How much of the pool, or of a part of it, is in a cell."""
    if q is None:
        return unknown(NOT_DRAWN)
    return lure(cell, q, N, within=within, confidence=confidence)


def _put(into: Interval, at: tuple[int, int | slice], figure: Estimate) -> None:
    if figure.known:
        into.value[at], into.low[at], into.high[at] = figure.value, figure.low, figure.high


def _empty(shape: tuple[int, int]) -> Interval:
    value, low, high = (np.full(shape, np.nan) for _ in range(3))
    return Interval(value, low, high)


def _cells(
    truth: NDArray[np.generic], predicted: NDArray[np.generic], names: Sequence[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64], tuple[str, ...], tuple[str, ...]]:
    """The row and the column of each label, (M, L), and what they are called."""
    if truth.shape != predicted.shape or truth.ndim not in (1, 2):
        raise EvaluationError(
            f"truth and predicted of shapes {truth.shape} and {predicted.shape} do not match: give "
            "a row of each for every draw."
        )
    n = len(names)
    if truth.ndim == 1:
        for what, codes in (("truth", truth), ("predicted", predicted)):
            if len(codes) and (codes.dtype.kind not in "iu" or codes.min() < 0 or codes.max() >= n):
                raise EvaluationError(f"{what} must be whole class codes in 0..{n - 1}.")
        row, column = (x.astype(np.int64)[:, None] for x in (truth, predicted))
        return row, column, tuple(names), tuple(names)
    if truth.shape[1] != n:
        raise EvaluationError(f"There are {truth.shape[1]} columns and {n} names of labels.")
    has, said = (cast("NDArray[np.bool_]", x > 0) for x in (truth, predicted))  # type: ignore[operator]
    rows = tuple(text for name in names for text in (name, f"not {name}"))
    return 2 * np.arange(n) + ~has, (~said).astype(np.int64), rows, ("said", "not said")
