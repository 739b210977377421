"""What the rest of the toolkit asks of a learner."""

from __future__ import annotations

import os
from typing import Any, Protocol, Self, TypeAlias, TypeVar, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray

from alwidgets.errors import LearnerError

#: A numpy array or a torch tensor: what goes in decides what comes out.
Array: TypeAlias = NDArray[Any] | torch.Tensor

ArrayT = TypeVar("ArrayT", NDArray[Any], torch.Tensor)


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
        """Class probabilities, (n, C) float32: the mean of the posterior samples."""
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


def as_features(X: Array, device: torch.device) -> torch.Tensor:
    """``X`` as a finite (n, d) float32 tensor on ``device``.

    Raises
    ------
    LearnerError
        If ``X`` is not two-dimensional, not numeric, or holds NaN or infinity; the message names
        the first such row.
    """
    if isinstance(X, torch.Tensor):
        tensor = X.detach().to(device=device, dtype=torch.float32)
    else:
        array = np.asarray(X)
        if array.dtype.kind not in "fiub":
            raise LearnerError(f"Features must be numbers, not {array.dtype}: encode the pool.")
        # Always a copy: memory-mapped and read-only arrays cannot back a tensor safely.
        tensor = torch.from_numpy(array.astype(np.float32)).to(device)
    if tensor.ndim != 2:
        raise LearnerError(f"Features must have shape (n, d), not {tuple(tensor.shape)}.")
    finite = torch.isfinite(tensor).all(dim=1)
    if not bool(finite.all()):
        row = int(torch.nonzero(~finite)[0, 0])
        raise LearnerError(
            f"Features hold NaN or infinity, first in row {row}: replace or drop that row."
        )
    return tensor


def like(result: torch.Tensor, given: Array) -> Any:
    """``result`` as the kind of array that ``given`` is."""
    return result if isinstance(given, torch.Tensor) else result.cpu().numpy()


def resolve_device(device: str | torch.device) -> torch.device:
    """The device that a name stands for; ``"auto"`` is CUDA's or Apple's GPU where there is one."""
    if device != "auto":
        return torch.device(device)
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
