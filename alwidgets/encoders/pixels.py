"""Images by their pixels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from ..content import Content
from ..errors import PoolError
from ..ingest.progress import Progress
from .base import Features, images_of


class PixelEncoder:
    """Flattened, standardised pixels: enough for small images.

    Every image is brought to one size, flattened, and shifted and scaled by the mean and the
    standard deviation of all the pool's pixels (one number each, so that flat corners stay flat).

    Parameters
    ----------
    max_side : int
        Images larger than this are shrunk to `max_side` × `max_side` pixels.
    """

    def __init__(self, max_side: int = 32) -> None:
        self.max_side = max_side

    def fit_transform(
        self, contents: Sequence[Content], progress: Progress | None = None
    ) -> Features:
        """Learn size, colour, mean and spread from the pool; return features (n, h·w·channels)."""
        self.size_ = self._common_size(contents)
        arrays = []
        for image in images_of(contents):
            arrays.append(image.to_array(self.size_))
            if progress is not None:
                progress(len(arrays), len(contents))
        self.grey_ = all(a.ndim == 2 for a in arrays)
        pixels = self._flatten(arrays)
        self.mean_ = float(pixels.mean())
        self.scale_ = float(pixels.std()) or 1.0
        return self._standardise(pixels)

    def transform(self, contents: Sequence[Content]) -> Features:
        """Features (n, d) by what the pool taught."""
        if not hasattr(self, "size_"):
            raise PoolError("The encoder knows no size yet: call fit_transform(contents) first.")
        arrays = (image.to_array(self.size_) for image in images_of(contents))
        return self._standardise(self._flatten(arrays))

    def _common_size(self, contents: Sequence[Content]) -> tuple[int, int]:
        sizes: set[tuple[int, int]] = set()
        for image in images_of(contents):
            sizes.add((image.width, image.height))
            if len(sizes) > 1 or max(image.width, image.height) > self.max_side:
                return self.max_side, self.max_side
        return sizes.pop()

    def _flatten(self, arrays: Iterable[Features]) -> Features:
        flat = []
        for a in arrays:
            if self.grey_:
                a = a if a.ndim == 2 else a.mean(axis=2)
            elif a.ndim == 2:
                a = np.repeat(a[:, :, None], 3, axis=2)
            flat.append(a.ravel())
        return np.stack(flat).astype(np.float32, copy=False)

    def _standardise(self, pixels: Features) -> Features:
        # In place: a large pool is not held twice.
        pixels -= self.mean_
        pixels /= self.scale_
        return pixels
