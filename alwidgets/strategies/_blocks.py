"""Rows of a large matrix, a bounded number at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from numpy.typing import NDArray

from alwidgets.errors import StrategyError
from alwidgets.strategies._arrays import as_tensor, given, not_finite, shaped, wide
from alwidgets.tensors import Array, ArrayT, bad_row, like

#: Numbers of one block of rows: 4 MB in single precision.
BLOCK = 1 << 20


def blocks(
    values: Array,
    what: str,
    *,
    columns: int = 0,
    numbers: NDArray[Any] | torch.Tensor | None = None,
    check: bool = True,
) -> Iterator[tuple[slice, torch.Tensor]]:
    """The rows of a matrix in order, as (where, block), in at least single precision.

    Each is finite, and so is its squared distance to any other (:func:`check_sizes`). Half
    precision and files mapped into memory are never converted or read as a whole.

    Parameters
    ----------
    values : (n, d) array or tensor
    what : str
        Names the matrix in errors.
    columns : int
        How wide the result for a row is, if wider than the row.
    numbers : (n,) integers, optional
        What its rows are called in errors.
    check : bool
        Without, the rows are known to be fine.

    Raises
    ------
    StrategyError
        For another number of axes, and for NaN, infinity and what is too large to square, naming
        the first row.
    """
    values = given(values, what)
    if values.ndim != 2:
        raise StrategyError(f"Expected {what} with 2 axes, got shape {tuple(values.shape)}.")
    step = max(1, BLOCK // max(1, values.shape[1], columns))
    for start in range(0, len(values), step):
        where = slice(start, min(start + step, len(values)))
        part = block(values, where, what, numbers) if check else wide(as_tensor(values[where]))
        yield where, part


def block(
    values: Array, where: slice, what: str, numbers: NDArray[Any] | torch.Tensor | None = None
) -> torch.Tensor:
    """One block of :func:`blocks`."""
    part = wide(as_tensor(values[where]))
    check_sizes(part, what, where.start, numbers)
    return part


def check_rows(values: Array, what: str) -> None:
    """Raise for another number of axes than two, and as :func:`check_sizes` does."""
    whole = as_tensor(values, what)
    # At once where nothing is to be converted: one step for all threads.
    if whole.ndim == 2 and wide(whole[:0]).dtype == whole.dtype and _all_small(whole):
        return
    for _ in blocks(values, what):
        pass


def check_sizes(
    part: torch.Tensor,
    what: str,
    start: int = 0,
    numbers: NDArray[Any] | torch.Tensor | None = None,
) -> None:
    """Raise for NaN, infinity and rows too large to square, naming the first.

    Of rows that pass, no squared distance overflows, nor does what it is computed from by a matrix
    product, with or without their mean taken off.

    Parameters
    ----------
    part : (r, d) tensor
        In at least single precision.
    what : str
        Names the matrix.
    start : int
        Rows before this part.
    numbers : (n,) integers, optional
        What the rows of the whole are called.
    """
    if _all_small(part):
        return

    def name(row: int) -> int:
        return start + row if numbers is None else int(numbers[start + row])

    bad = bad_row(part)
    if bad is not None:
        raise not_finite(what, name(bad))
    # All together they may be too large where none is.
    large = torch.nonzero(~(torch.linalg.vector_norm(part, dim=1) <= _longest(part)))
    if len(large):
        raise StrategyError(
            f"Row {name(int(large[0]))} of the {what} is too large to square: scale the features "
            "down."
        )


def _all_small(part: torch.Tensor) -> bool:
    """Whether one look tells that all is finite and can be squared: as cheap as a sum."""
    return float(torch.linalg.vector_norm(part, dim=(0, 1))) <= _longest(part)


def _longest(part: torch.Tensor) -> float:
    """Of a row: sixteen times its square is finite."""
    return math.sqrt(torch.finfo(part.dtype).max) / 4


class Rows:
    """A matrix as it was given, read in at least single precision, a block or some rows at a time.

    Half precision is widened block by block: a second copy of the whole is never held.

    Parameters
    ----------
    values : (m, d) array or tensor
    what : str
        Its name in messages.
    offset : (d,) tensor, optional
        Taken off every row that is read, which keeps squared distances precise.

    Raises
    ------
    StrategyError
        If it does not have two axes; from :meth:`blocks` and :meth:`check`, for NaN, infinity and
        what is too large to square, naming the row.
    """

    def __init__(self, values: Array, what: str, offset: torch.Tensor | None = None) -> None:
        self.values = as_tensor(values, what)
        self.what = what
        self.offset = offset
        if self.values.ndim != 2:
            raise StrategyError(
                f"Expected {what} with 2 axes, got shape {tuple(self.values.shape)}."
            )

    def __len__(self) -> int:
        return len(self.values)

    @property
    def device(self) -> torch.device:
        """Where the rows are."""
        return self.values.device

    @property
    def dtype(self) -> torch.dtype:
        """Single precision, or double where the rows are."""
        return torch.float64 if self.values.dtype == torch.float64 else torch.float32

    @property
    def width(self) -> int:
        """Number of columns."""
        return self.values.shape[1]

    def __getitem__(self, rows: torch.Tensor) -> torch.Tensor:
        """(r, d) copy of some rows."""
        part = self.values.index_select(0, rows).to(self.dtype)
        return part if self.offset is None else part.sub_(self.offset)

    def blocks(self, columns: int = 0) -> Iterator[tuple[slice, torch.Tensor]]:
        """All rows in order, as (where, block); ``columns`` is how wide the result of each is."""
        for where, part in blocks(self.values, self.what, columns=columns):
            yield where, part if self.offset is None else part - self.offset

    def check(self) -> None:
        """Raise for NaN, infinity and what is too large to square."""
        check_rows(self.values, self.what)


def labelled_rows(values: Array | None, pool: Rows) -> torch.Tensor:
    """(l, d) labelled items like the candidates of ``pool``, their offset included; l may be 0.

    Raises
    ------
    StrategyError
        For NaN, infinity and what is too large to square, naming the row, and for another number
        of columns.
    """
    if values is None or not len(values):
        return torch.empty(0, pool.width, dtype=pool.dtype, device=pool.device)
    known = shaped(values, 2, "labelled embedding").to(pool.device, pool.dtype)
    check_sizes(known, "labelled embedding")
    if known.shape[1] != pool.width:
        raise StrategyError(
            f"Candidates have {pool.width} columns but labelled items {known.shape[1]}."
        )
    return known if pool.offset is None else known - pool.offset


def no_rows(pool: Rows) -> torch.Tensor:
    """An empty batch."""
    return torch.empty(0, dtype=torch.int64, device=pool.device)


def no_scores(pool: Rows) -> torch.Tensor:
    """The scores of an empty batch."""
    return torch.empty(0, dtype=pool.dtype, device=pool.device)


def answer(
    picked: torch.Tensor, scores: torch.Tensor, like_this: ArrayT, return_scores: bool
) -> ArrayT | tuple[ArrayT, ArrayT]:
    """The picks, with their scores if asked for, as the kind of array that was given."""
    indices = like(picked, like_this)
    return (indices, like(scores, like_this)) if return_scores else indices


def norms(X: torch.Tensor) -> torch.Tensor:
    """Squared length of each row."""
    lengths: torch.Tensor = torch.linalg.vector_norm(X, dim=1)
    return lengths.square_()


def squared(X: torch.Tensor, to: torch.Tensor) -> torch.Tensor:
    """(r, c) squared distances, by one matrix product."""
    return torch.addmm(norms(to), X, to.T, alpha=-2.0).add_(norms(X)[:, None]).clamp_(min=0.0)
