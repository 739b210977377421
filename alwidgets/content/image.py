"""Images, as the files that a browser decodes."""

from __future__ import annotations

import hashlib
import io
import struct
from dataclasses import dataclass, field
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import PoolError
from ..pixels import BYTE, Levels, array_key, as_8_bit, is_deep, over_white, to_levels
from .base import read_file

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image as Pillow

#: Pillow's format names and the media types that every browser decodes. MPO is a phone's JPEG
#: with more pictures after the first.
MIME_BY_FORMAT = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "MPO": "image/jpeg",
    "WEBP": "image/webp",
}


@dataclass(frozen=True, slots=True)
class Image:
    """An encoded image.

    Attributes
    ----------
    data : bytes
        The file's bytes, as the browser will decode them.
    mime : str
        ``image/png``, ``image/jpeg`` or ``image/webp``.
    width, height : int
        Size in pixels.
    key : bytes
        What the image is told apart by, where that is not `data`: what was given, before it was
        scaled or encoded for the screen.
    """

    data: bytes = field(repr=False)
    mime: str
    width: int
    height: int
    key: bytes = field(default=b"", repr=False, compare=False)

    def to_bytes(self) -> bytes:
        """Bytes that identify the image."""
        return self.key or self.data

    def preview(self) -> str:
        """Say in a few words what it is."""
        return f"Image, {self.width:,} by {self.height:,} pixels"

    @classmethod
    def from_file(cls, path: str | PathLike[str]) -> Image:
        """Read an image file; see `from_bytes`.

        Raises
        ------
        PoolError
            If it cannot be read, or is no image.
        """
        return cls.from_bytes(read_file(path), str(path))

    @classmethod
    def from_bytes(cls, data: bytes, name: str = "The image") -> Image:
        """Check that `data` is an image that decodes, and wrap it.

        Parameters
        ----------
        data : bytes
            The bytes of a PNG, JPEG or WebP file. Any other format that Pillow reads is
            re-encoded as PNG, so that every browser can show it; so are grey images of more
            than 8 bits. 16-bit levels 0 to 65,535 become 0 to 255, unless none is above 255:
            these are taken as they are. 32-bit integers and floats are shown from the image's
            smallest number (black) to its largest (white).
        name : str
            What to call the image in an error.

        Raises
        ------
        PoolError
            If the bytes do not decode.
        """
        from PIL import Image as Pillow
        from PIL import ImageOps

        try:
            with Pillow.open(io.BytesIO(data)) as image:
                image.load()
                if image.format in MIME_BY_FORMAT and not is_deep(image):
                    # What the browser shows is upright: a size after the camera's rotation tag.
                    width, height = ImageOps.exif_transpose(image).size
                    return cls(data, MIME_BY_FORMAT[image.format], width, height)
                return cls._as_png(as_8_bit(image), hashlib.blake2b(data, digest_size=16).digest())
        except (OSError, ValueError, SyntaxError, struct.error, Pillow.DecompressionBombError) as e:
            raise PoolError(
                f"{name} is not an image that can be read ({e}). Remove it or repair it."
            ) from e

    @classmethod
    def from_array(cls, pixels: NDArray[Any], levels: Levels = BYTE) -> Image:
        """Encode one image as PNG.

        Parameters
        ----------
        pixels : ndarray, shape (h, w), (h, w, 3) or (h, w, 4)
            Grey levels, RGB or RGBA; finite numbers.
        levels : (black, white)
            The numbers that are shown black and white.
        """
        from PIL import Image as Pillow

        return cls._as_png(Pillow.fromarray(to_levels(pixels, levels)), array_key(pixels))

    @classmethod
    def from_pillow(cls, image: Pillow.Image) -> Image:
        """Encode an image that Pillow holds as PNG."""
        plain = as_8_bit(image)
        return cls._as_png(plain, array_key(np.asarray(plain)))

    def to_array(self, size: tuple[int, int] | None = None) -> NDArray[np.float32]:
        """Decode to grey or RGB levels in [0, 1]; what is transparent lies on white.

        Parameters
        ----------
        size : (width, height), optional
            Resize to this many pixels first.

        Returns
        -------
        ndarray of float32, shape (h, w) or (h, w, 3)
        """
        from PIL import Image as Pillow

        with Pillow.open(io.BytesIO(self.data)) as image:
            plain = over_white(as_8_bit(image))
            if size is not None and plain.size != size:
                plain = plain.resize(size, Pillow.Resampling.BILINEAR)
            return np.asarray(plain, dtype=np.float32) / 255.0

    @classmethod
    def _as_png(cls, image: Pillow.Image, key: bytes) -> Image:
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        return cls(buffer.getvalue(), "image/png", *image.size, key)
