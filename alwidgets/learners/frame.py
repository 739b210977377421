"""Coordinates: features as they come, scaled ones, and the principal axes of the labelled rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from alwidgets.learners.base import as_block, find_bad_row
from alwidgets.learners.likelihood import probabilities_of
from alwidgets.learners.loss import CHUNK_ELEMENTS, Layers
from alwidgets.tensors import Array

#: Distance of the centre from the origin, in units of the scale, from which subtracting it late
#: would lose digits in single precision.
FAR = 30.0
#: Rows up to which probabilities are worked out in double precision: so few cost nothing, and
#: do not depend on which of them are asked for together.
EXACT = 256


@dataclass(frozen=True)
class Frame:
    """Features are centred and divided by one number: then their mean square norm is 1."""

    mean: torch.Tensor  # (d,)
    scale: float

    @classmethod
    def of(cls, X: torch.Tensor) -> Frame:
        """The frame of rows (n, d)."""
        mean = X.mean(dim=0)
        scale = float((X - mean).square().sum(dim=1).mean().sqrt())
        # One item, or copies of one: any scale does, for all rows are at the centre.
        return cls(mean, scale if scale > 1e-6 * float(mean.norm()) and scale > 0 else 1.0)

    def scaled(self, X: torch.Tensor) -> torch.Tensor:
        """Rows (n, d) in this frame, a new tensor."""
        return (X - self.mean.to(X.device)).div_(self.scale)

    def moved(self, layers: Layers, old: Frame) -> Layers:
        """Heads of another frame, in this one: the same function of the features."""
        first = layers[0].clone()
        shift = (self.mean - old.mean.to(self.mean.device)) / old.scale
        first[:, :, -1] += first[:, :, :-1] @ shift
        first[:, :, :-1] *= self.scale / old.scale
        return (first, *layers[1:])

    def on_features(
        self, layer: torch.Tensor, dtype: torch.dtype
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """A first layer for features as they come: weights, biases, and what to subtract first.

        Scaling the weights instead of a pool spares a copy of the pool.
        """
        weight, bias = layer[:, :, :-1].double() / self.scale, layer[:, :, -1:].double()
        mean = self.mean.to(layer.device).double()
        if float(mean.norm()) > FAR * self.scale:
            return weight.to(dtype), bias.to(dtype), mean.to(dtype)
        bias = bias - (weight @ mean)[:, :, None]
        return weight.to(dtype), bias.to(dtype), torch.zeros_like(mean, dtype=dtype)


def probabilities(
    X: Array,
    frame: Frame,
    layers: Layers,
    temperature: float,
    offset: torch.Tensor | None,
    device: torch.device,
    *,
    raw: bool = False,
) -> torch.Tensor:
    """(H, n, C) probabilities of each head, in blocks of rows; with an offset of each label.

    With ``raw`` the logits that these are of, without the offset.

    Raises
    ------
    LearnerError
        For NaN or infinity in ``X``, naming the first such row.
    """
    heads, outputs, _ = layers[0].shape
    classes = layers[-1].shape[1]
    dtype = torch.float64 if len(X) <= EXACT and device.type == "cpu" else torch.float32
    weight, bias, centre = frame.on_features(layers[0].to(device), dtype)
    if len(layers) == 1:
        weight, bias = weight / temperature, bias / temperature
    wide = weight.reshape(heads * outputs, -1)
    found = torch.empty(heads, len(X), classes, device=device)
    for part, rows in _blocks(X, max(wide.shape), device):
        rows = rows.to(dtype)
        rows = rows - centre if bool(centre.any()) else rows
        out = (wide @ rows.T).view(heads, outputs, -1) + bias
        if len(layers) > 1:
            last = layers[1].to(device, dtype)
            out = last[:, :, :-1] @ torch.nn.functional.gelu(out) + last[:, :, -1:]
            out = out / temperature
        # Classes before rows: a softmax over the last axis is many times slower.
        proba = out if raw else probabilities_of(out, offset)
        # Whatever is not finite in a row makes all its probabilities NaN.
        if not bool(torch.isfinite(proba.sum())):
            find_bad_row(rows, part.start)
        found[:, part] = proba.transpose(1, 2)
    return found


def _blocks(X: Array, width: int, device: torch.device) -> Iterator[tuple[slice, torch.Tensor]]:
    rows = max(1, CHUNK_ELEMENTS // max(width, 1))
    for first in range(0, len(X), rows):
        part = slice(first, min(first + rows, len(X)))
        yield part, as_block(X[part], device)


def principal_axes(X: torch.Tensor) -> torch.Tensor:
    """Orthonormal axes (d, r) of the span of the rows (n, d)."""
    n, d = X.shape
    if n < d:
        # The small side's Gram matrix: n x n, with n below the number of features.
        squares, vectors = torch.linalg.eigh(X @ X.T)
        keep = squares > 1e-5 * squares[-1].clamp(min=1e-12)
        axes: torch.Tensor = X.T @ (vectors[:, keep] / squares[keep].sqrt())
        return axes
    squares, vectors = torch.linalg.eigh(X.T @ X)
    found: torch.Tensor = vectors[:, squares > 1e-6 * squares[-1].clamp(min=1e-12)]
    return found


def turned(layers: Layers, turn: torch.Tensor) -> Layers:
    """The first layer's inputs turned by ``turn`` (inputs, new inputs); the bias stays."""
    first = torch.cat([layers[0][:, :, :-1] @ turn, layers[0][:, :, -1:]], dim=2)
    return (first, *layers[1:])


def widened(layers: Layers, fresh: Layers, columns: NDArray[np.int64]) -> Layers:
    """Heads for more classes: the old ones at ``columns`` of those of ``fresh``."""
    last = fresh[-1].clone()
    last[:, torch.from_numpy(columns).to(last.device)] = layers[-1].to(last.device)
    return (*layers[:-1], last)
