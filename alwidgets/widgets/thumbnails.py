"""Small copies of images, for where many of them are shown."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..content import Image
from ..errors import AlwidgetsError
from .contents import ImageContent
from .payload import describe


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
