"""Numpy in, numpy out; tensors in, tensors out."""

from __future__ import annotations

import math
from typing import Any, TypeAlias, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from alwidgets.errors import StrategyError

Array: TypeAlias = NDArray[Any] | torch.Tensor
ArrayT = TypeVar("ArrayT", NDArray[Any], torch.Tensor)


def checked(values: Array, ndim: int, what: str = "probabilities") -> torch.Tensor:
    """``values`` as a finite tensor of ``ndim`` axes and at least single precision.

    Shares memory with ``values`` where it can: never write into it.

    Raises
    ------
    StrategyError
        For another number of axes, and for NaN or infinity, naming the first row. Rows are the
        last axis but one, or the only one.
    """
    tensor = shaped(values, ndim, what)
    row = bad_row(tensor)
    if row is not None:
        raise not_finite(what, row)
    return tensor


def shaped(values: Array, ndim: int, what: str = "probabilities") -> torch.Tensor:
    """Like :func:`checked`, for a caller that looks for NaN and infinity on the way.

    Raises
    ------
    StrategyError
        For another number of axes.
    """
    tensor = as_tensor(values)
    if tensor.ndim != ndim:
        raise StrategyError(f"Expected {what} with {ndim} axes, got shape {tuple(tensor.shape)}.")
    return wide(tensor)


def wide(tensor: torch.Tensor) -> torch.Tensor:
    """In at least single precision."""
    return tensor if tensor.dtype in (torch.float32, torch.float64) else tensor.float()


def bad_row(tensor: torch.Tensor) -> int | None:
    """The first row with NaN or infinity; ``None`` where all is finite."""
    # A sum is finite only where every term is; it may overflow all the same, hence the second look.
    if math.isfinite(tensor.sum()):
        return None
    bad = torch.nonzero(~torch.isfinite(tensor))
    return int(bad[:, -2 if tensor.ndim > 1 else -1].min()) if len(bad) else None


def not_finite(what: str, row: int) -> StrategyError:
    """The error that names that row."""
    return StrategyError(f"NaN or infinity in the {what}, first in row {row}.")


def as_tensor(values: Array) -> torch.Tensor:
    """``values`` as a tensor, without a copy where that is possible: never write into it."""
    if isinstance(values, torch.Tensor):
        return values.detach()
    array = np.asarray(values)
    # A tensor cannot have negative strides or a foreign byte order.
    if not array.dtype.isnative or min(array.strides, default=0) < 0:
        array = array.astype(array.dtype.newbyteorder("="))
    elif not array.flags.writeable:
        array = np.asarray(_Unlocked(array))
    return torch.from_numpy(array)


def like(result: torch.Tensor, given: ArrayT) -> ArrayT:
    """``result`` as the kind of array that ``given`` is."""
    out: Any = result if isinstance(given, torch.Tensor) else result.cpu().numpy()
    kept: ArrayT = out
    return kept


class _Unlocked:
    """The memory of a read-only array, which torch would warn about."""

    def __init__(self, array: NDArray[Any]) -> None:
        #: Lives as long as the memory is looked at.
        self.array = array
        about = array.__array_interface__
        self.__array_interface__ = {**about, "data": (about["data"][0], False)}
