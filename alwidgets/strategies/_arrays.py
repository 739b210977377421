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

    Raises
    ------
    StrategyError
        For another number of axes, and for NaN or infinity, naming the first row. Rows are the
        last axis but one.
    """
    tensor = values if isinstance(values, torch.Tensor) else torch.from_numpy(np.array(values))
    if tensor.dtype not in (torch.float32, torch.float64):
        tensor = tensor.float()
    if tensor.ndim != ndim:
        raise StrategyError(f"Expected {what} with {ndim} axes, got shape {tuple(tensor.shape)}.")
    finite = torch.isfinite(tensor)
    if not bool(finite.all()):
        row = int(torch.nonzero(~finite)[:, -2].min())
        raise StrategyError(f"NaN or infinity in the {what}, first in row {row}.")
    return tensor


def like(result: torch.Tensor, given: ArrayT) -> ArrayT:
    """``result`` as the kind of array that ``given`` is."""
    out: Any = result if isinstance(given, torch.Tensor) else result.cpu().numpy()
    kept: ArrayT = out
    return kept
