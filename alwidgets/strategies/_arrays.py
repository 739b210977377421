"""Numpy in, numpy out; tensors in, tensors out."""

from __future__ import annotations

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
    tensor = as_tensor(values)
    if tensor.ndim != ndim:
        raise StrategyError(f"Expected {what} with {ndim} axes, got shape {tuple(tensor.shape)}.")
    if tensor.dtype not in (torch.float32, torch.float64):
        tensor = tensor.float()
    # A sum is finite only where every term is; it may overflow all the same, hence the second look.
    if not bool(torch.isfinite(tensor.sum())):
        finite = torch.isfinite(tensor)
        if not bool(finite.all()):
            bad = torch.nonzero(~finite)
            row = int(bad[:, -2 if ndim > 1 else -1].min())
            raise StrategyError(f"NaN or infinity in the {what}, first in row {row}.")
    return tensor


def as_tensor(values: Array) -> torch.Tensor:
    """``values`` as a tensor, without a copy where that is possible."""
    if isinstance(values, torch.Tensor):
        return values.detach()
    array = np.asarray(values)
    # A tensor cannot be read-only, nor have negative strides or a foreign byte order.
    plain = array.flags.writeable and array.dtype.isnative and min(array.strides, default=0) >= 0
    return torch.from_numpy(array if plain else array.astype(array.dtype.newbyteorder("=")))


def like(result: torch.Tensor, given: ArrayT) -> ArrayT:
    """``result`` as the kind of array that ``given`` is."""
    out: Any = result if isinstance(given, torch.Tensor) else result.cpu().numpy()
    kept: ArrayT = out
    return kept
