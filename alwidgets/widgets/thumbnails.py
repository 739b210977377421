"""Items in small, for where many of them are shown: copies of images, or a line of text."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np

from ..content import Image
from ..errors import AlwidgetsError
from .contents import ImageContent, TextContent
from .payload import describe, preview

log = logging.getLogger(__name__)


def thumbnail(image: Image, name: str, buffers: list[bytes], longest: int) -> ImageContent | None:
    """A copy of an image, whose bytes go to the end of `buffers`; None of one that is unreadable.

    Parameters
    ----------
    image : Image
    name : str
        Id of its item.
    buffers : list of bytes
    longest : int
        Pixels, the longer way; a smaller image stays as it is.
    """
    try:
        scale = longest / max(image.width, image.height, 1)
        if scale < 1:
            size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
            image = Image.from_array(np.rint(image.to_array(size) * 255).astype(np.uint8))
        described: Any = describe(image, name, buffers)
    except (AlwidgetsError, OSError, ValueError, AttributeError):
        return None
    return described if described["kind"] == "image" else None


def in_a_row(
    pool: Any, index: int, buffers: list[bytes], longest: int
) -> TextContent | ImageContent:
    """What a row of a list shows of an item: a line of text, or a small image.

    Of one that cannot be shown a word, and the other rows stay.

    Parameters
    ----------
    pool : Pool
    index : int
        Position in it.
    buffers : list of bytes
        The bytes of an image go to their end.
    longest : int
        Pixels of an image, the longer way.
    """
    name = pool.ids[index]
    try:
        content = pool.contents[index]
        if not isinstance(content, Image):
            return {"kind": "text", "text": preview(content)}
        small = thumbnail(content, name, buffers, longest)
    except Exception:  # a person's own function may have made it
        log.info("item %s could not be shown", name, exc_info=True)
        small = None
    return small or {"kind": "text", "text": f"{name} (cannot be shown)"}
