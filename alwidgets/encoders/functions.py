"""Encoders made of what people have: a function, or a transformer of scikit-learn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..content import Content
from ..ingest.progress import Progress
from .base import Features, as_plain, as_rows, in_blocks


class CallableEncoder:
    """Any function from a list of contents to an array (n, d).

    Parameters
    ----------
    function : callable
        Gets a list of texts (``str``) or of images (arrays of float32 in [0, 1], (h, w) or
        (h, w, 3)), and returns n rows of numbers, one for each.
    batch_size : int or None
        Contents that it gets in one call, so that few images are decoded at once; None for all.
    """

    def __init__(self, function: Callable[[list[Any]], Any], batch_size: int | None = 256) -> None:
        self.function = function
        self.batch_size = batch_size

    def fit_transform(
        self, contents: Sequence[Content], progress: Progress | None = None
    ) -> Features:
        """Features (n, d); nothing is learnt."""
        size = len(contents) if self.batch_size is None else self.batch_size
        return in_blocks(contents, size, self._encode, progress)

    def transform(self, contents: Sequence[Content]) -> Features:
        """Features (n, d) as the function returns them.

        Raises
        ------
        PoolError
            If it does not return n rows of numbers, or another number of them from batch to batch.
        """
        return self.fit_transform(contents)

    def _encode(self, block: list[Content]) -> Features:
        name = getattr(self.function, "__name__", type(self.function).__name__)
        return as_rows(self.function(as_plain(block)), len(block), name)


class TransformerEncoder:
    """A scikit-learn transformer on plain contents.

    Parameters
    ----------
    transformer : object with fit_transform and transform
        Gets what the function of a `CallableEncoder` gets, of the pool all at once; may return a
        sparse matrix.
    """

    def __init__(self, transformer: Any) -> None:
        self.transformer = transformer

    def fit_transform(
        self, contents: Sequence[Content], progress: Progress | None = None
    ) -> Features:
        """Fit the transformer on the pool's contents; return their features (n, d)."""
        return self._features(self.transformer.fit_transform(as_plain(contents)), contents)

    def transform(self, contents: Sequence[Content]) -> Features:
        """Features (n, d) by what the pool taught."""
        return self._features(self.transformer.transform(as_plain(contents)), contents)

    def _features(self, returned: Any, contents: Sequence[Content]) -> Features:
        return as_rows(returned, len(contents), type(self.transformer).__name__)
