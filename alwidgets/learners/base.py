"""What the rest of the toolkit asks of a learner."""

from __future__ import annotations

import os
from numbers import Integral
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
import torch
from sklearn.exceptions import NotFittedError

from alwidgets.errors import LearnerError
from alwidgets.tensors import Array, ArrayT, bad_row, shared


@runtime_checkable
class Learner(Protocol):
    """A classifier on features, after the conventions of scikit-learn.

    The constructor only stores its parameters, ``fit`` returns the learner, and what a fit found
    carries a trailing underscore. Numpy arrays in give numpy arrays out; tensors in give tensors
    on the learner's device.
    """

    @property
    def device(self) -> torch.device:
        """Where the learner computes."""
        ...

    def fit(self, X: Array, y: Array, *, classes: int | None = None) -> Self:
        """Fit on ``X`` (n, d) float and ``y`` (n,) class codes 0..C-1.

        ``classes`` is C, and some codes may have no label yet; without it C is ``max(y) + 1``.
        A fit on a fitted learner is a warm start.
        """
        ...

    def predict_proba(self, X: ArrayT) -> ArrayT:
        """Class probabilities, (n, C) float32, calibrated: the best single answer.

        Cheap enough for a whole pool; not necessarily the mean of the posterior samples.
        """
        ...

    def posterior(self, X: ArrayT) -> ArrayT:
        """Class probabilities of each posterior sample, (K, n, C) float32."""
        ...

    def embed(self, X: ArrayT) -> ArrayT:
        """What the last layer sees, (n, h) float32."""
        ...

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted state to a safetensors file."""
        ...

    def load(self, path: str | os.PathLike[str]) -> Self:
        """Read a state that :meth:`save` wrote; returns the learner."""
        ...


class UnfittedError(LearnerError, NotFittedError):  # type: ignore[misc]
    """The learner has not been fitted yet; scikit-learn's own error as well."""


def as_table(X: Any) -> Array:
    """``X`` as a numeric array or tensor (n, d), as it is where it is one.

    Raises
    ------
    LearnerError
        If ``X`` is not two-dimensional, not numeric, or sparse.
    """
    if hasattr(X, "toarray"):
        raise LearnerError("Features must be dense, not sparse: pass X.toarray().")
    table = X.detach() if isinstance(X, torch.Tensor) else np.asarray(X)
    if isinstance(table, torch.Tensor):
        kind = "c" if table.is_complex() else "f"
    else:
        table = table.astype(np.float64) if table.dtype.kind == "O" else table
        kind = table.dtype.kind
    if kind == "c":
        raise LearnerError("Complex data not supported: features must be real numbers.")
    if kind not in "fiub":
        raise LearnerError(f"Features must be numbers, not {table.dtype}: encode the pool.")
    if table.ndim != 2:
        raise LearnerError(
            f"Features must have shape (n, d), not {tuple(table.shape)}. "
            "Reshape your data: X.reshape(-1, 1) for one feature, X.reshape(1, -1) for one item."
        )
    if table.shape[1] == 0:
        raise LearnerError(
            f"Found array with 0 feature(s) (shape={tuple(table.shape)}) while a minimum of 1 is "
            "required."
        )
    return table


def as_block(table: Array, device: torch.device) -> torch.Tensor:
    """Some rows as float32 on ``device``, without a copy where that is possible: do not write."""
    if isinstance(table, torch.Tensor):
        return table.to(device=device, dtype=torch.float32)
    # What overflows is found as infinity.
    with np.errstate(over="ignore"):
        return shared(table.astype(np.float32, copy=False)).to(device)


def find_bad_row(rows: torch.Tensor, first: int = 0) -> None:
    """Raise a `LearnerError` that names the first row with NaN or infinity, if there is one.

    ``first`` is the number of the first of the rows.
    """
    row = bad_row(rows)
    if row is not None:
        raise LearnerError(
            f"Features hold NaN or infinity, first in row {first + row}: replace or drop that row."
        )


def as_features(X: Any, device: torch.device) -> torch.Tensor:
    """``X`` as a finite (n, d) float32 tensor on ``device``; shares memory where it can.

    Raises
    ------
    LearnerError
        If ``X`` is not two-dimensional, not numeric, or holds NaN or infinity; the message names
        the first such row.
    """
    tensor = as_block(as_table(X), device)
    find_bad_row(tensor)
    return tensor


def check_whole(learner: object, **least: int) -> None:
    """Raise a `LearnerError` for a parameter that is no whole number, or less than it may be.

    Parameters
    ----------
    learner : object
        Has the parameters as attributes.
    **least : int
        The smallest value that each may have.
    """
    for name, smallest in least.items():
        value = getattr(learner, name)
        if not isinstance(value, Integral) or isinstance(value, bool) or value < smallest:
            raise LearnerError(
                f"{name} must be at least {smallest}, a whole number; it is {value!r}."
            )
