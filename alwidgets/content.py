"""What an item shows: a text or an image, as data and never as markup."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .errors import PoolError

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Pillow's format names and the media types that every browser decodes.
MIME_BY_FORMAT = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}


@dataclass(frozen=True, slots=True)
class Text:
    """A text.

    Attributes
    ----------
    text : str
        Shown as it is; markup in it is not interpreted.
    """

    text: str

    def to_bytes(self) -> bytes:
        """Bytes that identify the text (UTF-8; lone surrogates kept apart)."""
        return self.text.encode("utf-8", "surrogatepass")


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
    """

    data: bytes
    mime: str
    width: int
    height: int

    def to_bytes(self) -> bytes:
        """Bytes that identify the image."""
        return self.data

    @classmethod
    def from_bytes(cls, data: bytes, name: str) -> Image:
        """Check that `data` is an image that decodes, and wrap it.

        Parameters
        ----------
        data : bytes
            The bytes of a PNG, JPEG or WebP file. Any other format that Pillow reads is
            re-encoded as PNG, so that every browser can show it.
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
                if image.format in MIME_BY_FORMAT:
                    # What the browser shows is upright: a size after the camera's rotation tag.
                    width, height = ImageOps.exif_transpose(image).size
                    return cls(data, MIME_BY_FORMAT[image.format], width, height)
                buffer = io.BytesIO()
                image.convert("RGBA" if "A" in image.getbands() else "RGB").save(buffer, "PNG")
                return cls(buffer.getvalue(), "image/png", *image.size)
        except (OSError, ValueError, SyntaxError, struct.error, Pillow.DecompressionBombError) as e:
            raise PoolError(
                f"{name} is not an image that can be read ({e}). Remove it or repair it."
            ) from e

    @classmethod
    def from_array(cls, pixels: NDArray[np.uint8]) -> Image:
        """Encode one image as PNG.

        Parameters
        ----------
        pixels : ndarray of uint8, shape (h, w), (h, w, 3) or (h, w, 4)
            Grey levels, RGB or RGBA.
        """
        from PIL import Image as Pillow

        buffer = io.BytesIO()
        Pillow.fromarray(pixels).save(buffer, "PNG")
        height, width = pixels.shape[:2]
        return cls(buffer.getvalue(), "image/png", width, height)

    def to_array(self, size: tuple[int, int] | None = None) -> NDArray[np.float32]:
        """Decode to grey or RGB levels in [0, 1].

        Parameters
        ----------
        size : (width, height), optional
            Resize to this many pixels first.

        Returns
        -------
        ndarray of float32, shape (h, w) or (h, w, 3)
        """
        from PIL import Image as Pillow
        from PIL import ImageOps

        with Pillow.open(io.BytesIO(self.data)) as image:
            upright = ImageOps.exif_transpose(image)
            plain = upright if upright.mode == "L" else upright.convert("RGB")
            if size is not None and plain.size != size:
                plain = plain.resize(size, Pillow.Resampling.BILINEAR)
            return np.asarray(plain, dtype=np.float32) / 255.0


Content = Text | Image
