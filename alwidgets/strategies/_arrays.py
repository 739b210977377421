"""What the strategies are given: checked, and as tensors."""

from __future__ import annotations

import inspect
import operator
import warnings

import numpy as np
import torch

from alwidgets.errors import FewerItemsWarning, StrategyError
from alwidgets.tensors import Array, bad_row, shared

#: Rows that are looked at to see whether they are probabilities, and numbers in them at most.
ROWS, NUMBERS = 1024, (1 << 15) - 1
#: How far from 1 a row may sum, and how far below 0 a number may lie. Half precision is off by
#: 0.4 % at most, however many classes there are; two decimals are off by more.
OFF, BELOW = 0.05, 1e-3
#: Modules between a strategy and the line that called it.
INSIDE = ("alwidgets.", "contextlib")


def checked(values: Array, ndim: int, what: str = "probabilities") -> torch.Tensor:
    """``values`` as a finite tensor of ``ndim`` axes and at least single precision.

    Shares memory with ``values`` where it can: never write into it.

    Raises
    ------
    StrategyError
        For what is no array of numbers, for another number of axes, and for NaN or infinity, naming
        the first row. Rows are the last axis but one, or the only one.
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
        For what is no array of numbers, and for another number of axes.
    """
    tensor = as_tensor(values, what)
    if tensor.ndim != ndim:
        raise StrategyError(f"Expected {what} with {ndim} axes, got shape {tuple(tensor.shape)}.")
    return wide(tensor)


def probabilities(
    values: Array, ndim: int, what: str = "probabilities", *, finite: bool = True
) -> torch.Tensor:
    """Like :func:`checked`, for probabilities of classes along the last axis.

    That they are some is seen from the first rows, up to 1,024 of them: logits in their place are
    the commonest mistake, and give scores all the same.

    Parameters
    ----------
    values : (..., n, C) array or tensor
    ndim : int
    what : str
        Names them in errors.
    finite : bool
        Without, the caller looks for NaN and infinity on the way.

    Raises
    ------
    StrategyError
        As :func:`checked`, without a class, and for a row among the first that does not sum to 1
        or has a negative number, naming it.
    """
    p = checked(values, ndim, what) if finite else shaped(values, ndim, what)
    classes = p.shape[-1]
    if not classes:
        raise StrategyError(f"The {what} have no column, of shape {tuple(p.shape)}: one per class.")
    start = p[..., : max(1, min(ROWS, NUMBERS * p.shape[-2] // max(1, p.numel()))), :]
    if not start.numel():
        return p
    # A product is the quickest sum along short rows.
    low, sums = start.amin(), start @ start.new_ones(classes)
    least, most = sums.aminmax()
    if float(low) >= -BELOW and float(least) >= 1.0 - OFF and float(most) <= 1.0 + OFF:
        return p
    bad = bad_row(start)
    if bad is not None:
        raise not_finite(what, bad)
    lowest = start.amin(dim=-1).reshape(-1)
    sums = sums.reshape(-1)
    wrong = torch.nonzero((lowest < -BELOW) | ((sums - 1.0).abs() > OFF))[:, 0]
    # Of several posterior samples, the first row of any.
    at = int(wrong[(wrong % start.shape[-2]).argmin()])
    raise StrategyError(
        f"Row {at % start.shape[-2]} of the {what} is no probability distribution (sum "
        f"{float(sums[at]):.3g}, lowest {float(lowest[at]):.3g}): apply softmax to logits first."
    )


def independent(values: Array, ndim: int, what: str = "probabilities") -> torch.Tensor:
    """Like :func:`checked`, for probabilities of labels, each by itself.

    Raises
    ------
    StrategyError
        As :func:`checked`, without a label, and for a row with what is no probability, naming it.
    """
    p = checked(values, ndim, what)
    if not p.shape[-1]:
        raise StrategyError(f"The {what} have no column, of shape {tuple(p.shape)}: one per label.")
    if not p.numel():
        return p
    low, high = (float(end) for end in p.aminmax())
    if low < -BELOW or high > 1.0 + BELOW:
        wrong = torch.nonzero((p < -BELOW) | (p > 1.0 + BELOW))[:, -2]
        raise StrategyError(
            f"Row {int(wrong.min())} of the {what} has numbers outside 0 to 1 ({low:.3g} to "
            f"{high:.3g} in all): apply a sigmoid to logits first."
        )
    return p


def clipped(n: int, m: int) -> int:
    """How many to pick of ``m`` where ``n`` are asked for; warns where these are fewer.

    Raises
    ------
    StrategyError
        For an ``n`` that is negative or not whole.
    """
    n = _whole(n, "n")
    if n > m:
        # At the line that asked, however many functions lie between.
        frame, level = inspect.currentframe(), 1
        while frame is not None and frame.f_globals.get("__name__", "").startswith(INSIDE):
            frame, level = frame.f_back, level + 1
        warnings.warn(
            f"{n} items were asked for and {m} are left.", FewerItemsWarning, stacklevel=level
        )
    return min(n, m)


def generator(seed: int) -> np.random.Generator:
    """The generator of a seed.

    Raises
    ------
    StrategyError
        For a seed that is negative or not whole.
    """
    return np.random.default_rng(_whole(seed, "seed"))


def _whole(number: int, name: str) -> int:
    try:
        found = operator.index(number)
    except TypeError:
        found = -1
    if found < 0:
        raise StrategyError(f"{name} must be a whole number of at least 0, not {number!r}.")
    return found


def wide(tensor: torch.Tensor) -> torch.Tensor:
    """In at least single precision."""
    return tensor if tensor.dtype in (torch.float32, torch.float64) else tensor.float()


def not_finite(what: str, row: int) -> StrategyError:
    """The error that names that row."""
    return StrategyError(f"NaN or infinity in the {what}, first in row {row}.")


def given(values: Array, what: str = "values") -> Array:
    """``values`` as they are, or as an array of numbers where they are a list or a data frame.

    Raises
    ------
    StrategyError
        For what is no array of real numbers.
    """
    if isinstance(values, torch.Tensor):
        if values.is_complex():
            raise _no_numbers(what, values.dtype)
        return values
    try:
        array = np.asarray(values)
    except (TypeError, ValueError):
        raise _no_numbers(what, "rows of different lengths") from None
    if array.dtype.kind not in "biuf":
        raise _no_numbers(what, array.dtype)
    # Torch knows no longer numbers.
    return array.astype(np.float64) if array.dtype.itemsize > 8 else array


def _no_numbers(what: str, found: object) -> StrategyError:
    return StrategyError(
        f"The {what} must be an array of real numbers, not {found}: convert it first."
    )


def as_tensor(values: Array, what: str = "values") -> torch.Tensor:
    """``values`` as a tensor, without a copy where that is possible: never write into it.

    Raises
    ------
    StrategyError
        For what is no array of real numbers.
    """
    array = given(values, what)
    if isinstance(array, torch.Tensor):
        return array.detach()
    return shared(array)
