"""The names of the map's regions, as messages: words, or the image of a typical item."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypedDict

import numpy as np
from numpy.typing import NDArray

from ..content import Image
from ..projection.regions import Region, find_regions, medoid, name_regions
from ..search import has_words, words_of
from .contents import ImageContent
from .thumbnails import thumbnail

#: Pixels of a thumbnail, the longer way.
THUMBNAIL = 40


class Landmark(TypedDict):
    """A region's name, at one of its items: words, or a typical image whose bytes follow."""

    index: int
    size: int
    words: str
    image: ImageContent | None


class RegionsMessage(TypedDict):
    """The names of the regions of a layout, the largest first."""

    type: Literal["regions"]
    revision: int
    regions: list[Landmark]


def landmarks(
    pool: Any, coords: NDArray[np.float32], revision: int, between: Callable[[], None]
) -> tuple[dict[str, Any], list[bytes]]:
    """The message with the names of a layout's regions, and its buffers.

    Parameters
    ----------
    pool : Pool
    coords : ndarray of float32, shape (n, 2)
    revision : int
        Of the layout.
    between : callable
        Called now and then; what it raises ends it.
    """
    labels, regions = find_regions(coords)
    contents = pool.contents
    buffers: list[bytes] = []
    found: list[Landmark] = []
    if regions and has_words(pool):
        named = name_regions(labels, regions, lambda i: words_of(contents[i]), between=between)
        found = [_landmark(region) for region in named if region.words]
    elif regions and isinstance(contents[0], Image):
        for label, region in enumerate(regions):
            between()
            # Where items crowd most need not be the most typical of them: a layout bends.
            typical = medoid(np.flatnonzero(labels == label), pool.features)
            image = thumbnail(contents[typical], pool.ids[typical], buffers, THUMBNAIL)
            if image is not None:
                found.append(_landmark(region, image))
    message: RegionsMessage = {"type": "regions", "revision": revision, "regions": found}
    return dict(message), buffers


def _landmark(region: Region, image: ImageContent | None = None) -> Landmark:
    return {
        "index": region.index,
        "size": region.size,
        "words": " · ".join(region.words),
        "image": image,
    }
