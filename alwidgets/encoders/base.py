"""What every encoder is, and what they share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..content import Content, Image, Text
from ..errors import PoolError
from ..ingest.progress import Progress

Features = NDArray[np.float32]


class Encoder(Protocol):
    """Turns contents into features; fitted once on the pool, then applied to anything new."""

    def fit_transform(
        self, contents: Sequence[Content], progress: Progress | None = None
    ) -> Features:
        """Learn what is needed from the pool's contents and return their features (n, d).

        `progress` is told how many are done, and of how many.
        """
        ...

    def transform(self, contents: Sequence[Content]) -> Features:
        """Return the features (n, d) of contents that need not be in the pool."""
        ...


def in_blocks(
    contents: Sequence[Content],
    size: int,
    encode: Callable[[list[Content]], Features],
    progress: Progress | None = None,
) -> Features:
    """Encode some contents after the other, so that few are held or decoded at once.

    Parameters
    ----------
    contents : sequence of n contents
    size : int
        Contents in a block.
    encode : callable
        From a block of m contents to features (m, d).
    progress : callable, optional

    Returns
    -------
    ndarray of float32, shape (n, d)

    Raises
    ------
    PoolError
        If a block gets another number of features than those before it, or the size is none.
    """
    if size < 1:
        raise PoolError(f"batch_size must be at least 1, not {size}.")
    n, done = len(contents), 0
    features: Features | None = None
    rest = iter(contents)
    while block := list(islice(rest, size)):
        rows = encode(block)
        if features is None:
            features = np.empty((n, rows.shape[1]), dtype=np.float32)
        elif rows.shape[1] != features.shape[1]:
            raise PoolError(
                f"The encoder returned {features.shape[1]:,} features an item up to item "
                f"{done - 1:,} and {rows.shape[1]:,} from item {done:,} on. It must treat each "
                "item by itself; one that must see all at once needs batch_size=None."
            )
        features[done : done + len(block)] = rows
        done += len(block)
        if progress is not None:
            progress(done, n)
    return np.empty((0, 0), dtype=np.float32) if features is None else features


def texts_of(contents: Sequence[Content], progress: Progress | None = None) -> Iterator[str]:
    """One text after the other: those of a file need not all be in memory."""
    for done, content in enumerate(contents, start=1):
        if not isinstance(content, Text):
            raise PoolError("This pool holds texts; give texts, not images.")
        yield content.text
        if progress is not None and (done % 1024 == 0 or done == len(contents)):
            progress(done, len(contents))


def images_of(contents: Sequence[Content]) -> Iterator[Image]:
    """One image after the other: those of a folder need not all be in memory."""
    for content in contents:
        if not isinstance(content, Image):
            raise PoolError("This pool holds images; give images, not texts.")
        yield content


def as_plain(contents: Sequence[Content]) -> list[Any]:
    """Texts as str, images as arrays of float32 in [0, 1]."""
    return [c.text if isinstance(c, Text) else c.to_array() for c in contents]


def as_rows(returned: Any, n: int, name: str) -> Features:
    """Check that the encoder of this name returned n rows of numbers."""
    try:
        features = as_dense(returned)
    except (TypeError, ValueError) as e:
        raise PoolError(
            f"The encoder {name} must return an array of numbers, one row an item: {e}."
        ) from e
    if features.ndim != 2 or len(features) != n:
        raise PoolError(
            f"The encoder {name} must return one row an item, (n, d) = ({n}, d); "
            f"it returned the shape {features.shape}."
        )
    return features


def as_dense(rows: Any) -> Features:
    """Make an array of float32 of what may be a sparse matrix."""
    dense = rows.toarray() if hasattr(rows, "toarray") else rows
    return np.asarray(dense, dtype=np.float32)
