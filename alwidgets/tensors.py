"""Numpy arrays as tensors, and back: what goes in decides what comes out."""

from __future__ import annotations

import math
from typing import Any, TypeAlias, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any] | torch.Tensor
ArrayT = TypeVar("ArrayT", NDArray[Any], torch.Tensor)


def shared(array: NDArray[Any]) -> torch.Tensor:
    """``array`` as a tensor, without a copy where that is possible: never write into it."""
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


def bad_row(tensor: torch.Tensor) -> int | None:
    """The first row with NaN or infinity; ``None`` where all is finite.

    Rows are the last axis but one, or the only one.
    """
    # A sum is finite only where every term is; it may overflow all the same, hence the second look.
    if math.isfinite(tensor.sum()):
        return None
    bad = torch.nonzero(~torch.isfinite(tensor))
    return int(bad[:, -2 if tensor.ndim > 1 else -1].min()) if len(bad) else None


class _Unlocked:
    """The memory of a read-only array, which torch would warn about."""

    def __init__(self, array: NDArray[Any]) -> None:
        #: Lives as long as the memory is looked at.
        self.array = array
        about = array.__array_interface__
        self.__array_interface__ = {**about, "data": (about["data"][0], False)}
