"""Rows of a large matrix, a bounded number at a time."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from alwidgets.errors import StrategyError
from alwidgets.strategies._arrays import Array, as_tensor, checked

#: Elements of one block of rows: 8 MB in single precision.
BLOCK = 1 << 21
#: Columns of one product with such a block.
COLUMNS = 1024


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
        If it does not have two axes; from :meth:`blocks` and :meth:`check`, for NaN or infinity,
        naming the row.
    """

    def __init__(self, values: Array, what: str, offset: torch.Tensor | None = None) -> None:
        self.values = as_tensor(values)
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
        step = max(1, BLOCK // max(1, self.width, columns))
        for start in range(0, len(self), step):
            where = slice(start, min(start + step, len(self)))
            try:
                part = checked(self.values[where], 2, self.what)
            except StrategyError:
                bad = ~torch.isfinite(self.values[where]).all(dim=1)
                row = start + int(torch.nonzero(bad)[0, 0])
                raise StrategyError(
                    f"NaN or infinity in the {self.what}, first in row {row}."
                ) from None
            yield where, part if self.offset is None else part - self.offset

    def check(self) -> None:
        """Raise for NaN or infinity."""
        for _ in self.blocks():
            pass


def labelled_rows(values: Array | None, pool: Rows) -> torch.Tensor:
    """(l, d) labelled items like the candidates of ``pool``, their offset included; l may be 0.

    Raises
    ------
    StrategyError
        For NaN or infinity, naming the row, and for another number of columns.
    """
    if values is None or not len(values):
        return torch.empty(0, pool.width, dtype=pool.dtype, device=pool.device)
    known = checked(values, 2, "labelled embedding").to(pool.device, pool.dtype)
    if known.shape[1] != pool.width:
        raise StrategyError(
            f"Candidates have {pool.width} columns but labelled items {known.shape[1]}."
        )
    return known if pool.offset is None else known - pool.offset


def no_rows(pool: Rows) -> torch.Tensor:
    """An empty batch."""
    return torch.empty(0, dtype=torch.int64, device=pool.device)


def norms(X: torch.Tensor) -> torch.Tensor:
    """Squared length of each row."""
    lengths: torch.Tensor = torch.linalg.vector_norm(X, dim=1)
    return lengths.square()


def squared(X: torch.Tensor, to: torch.Tensor) -> torch.Tensor:
    """(r, c) squared distances, by one matrix product."""
    return torch.addmm(norms(to), X, to.T, alpha=-2.0).add_(norms(X)[:, None]).clamp_(min=0.0)


def nearest_gap(X: torch.Tensor, to: torch.Tensor) -> torch.Tensor:
    """Squared distance of each row of a block to the nearest of ``to``."""
    least = torch.full((len(X),), torch.inf, dtype=X.dtype, device=X.device)
    for part in to.split(COLUMNS):
        found = torch.addmm(norms(part), X, part.T, alpha=-2.0).amin(dim=1)
        torch.minimum(least, found, out=least)
    return least.add_(norms(X)).clamp_(min=0.0)
