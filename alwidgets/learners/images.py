"""Rows of pixels as the images they are of."""

from __future__ import annotations

import torch
from torch import nn

from alwidgets.errors import LearnerError


class AsImages(nn.Module):
    """A first layer for networks on images: rows of pixels become images again.

    A pool keeps images as rows, line by line, the colours of a pixel side by side. Convolutions
    take channels first.

    Parameters
    ----------
    height, width : int
        In pixels; those of a pool made by `Pool.from_images` are at most 32.
    channels : int
        3 of colour images.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> layers = nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(10)
    >>> nn.Sequential(AsImages(28, 28), *layers)(torch.zeros(5, 28 * 28)).shape
    torch.Size([5, 10])
    """

    def __init__(self, height: int, width: int, channels: int = 1) -> None:
        super().__init__()
        self.height, self.width, self.channels = height, width, channels

    def extra_repr(self) -> str:
        """What it is made with."""
        return f"{self.height}, {self.width}, {self.channels}"

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """(n, height * width * channels) -> (n, channels, height, width)."""
        wanted = self.height * self.width * self.channels
        if rows.ndim != 2 or rows.shape[1] != wanted:
            raise LearnerError(
                f"Images of {self.height} x {self.width} pixels with {self.channels} channels are "
                f"rows of {wanted:,} numbers, not {tuple(rows.shape[1:])}."
            )
        images = rows.reshape(len(rows), self.height, self.width, self.channels)
        return images.permute(0, 3, 1, 2)
