"""Numbers of any range as the 8-bit levels that a screen shows."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL import Image as Pillow

#: What is shown black, and what is shown white.
Levels = tuple[float, float]
BYTE: Levels = (0.0, 255.0)

# Pillow's modes with more than 8 bits a pixel; all are grey.
DEEP_MODES = ("I", "F")


def level_range(images: Sequence[NDArray[Any]]) -> Levels:
    """Black and white for arrays of finite numbers that belong together.

    Returns
    -------
    black, white : float
        0 and 255 where all are uint8, 0 and 1 where all numbers lie in between; otherwise the
        smallest and the largest number.
    """
    if all(image.dtype == np.uint8 for image in images):
        return BYTE
    low = min(float(image.min()) for image in images)
    high = max(float(image.max()) for image in images)
    return (0.0, 1.0) if low >= 0.0 and high <= 1.0 else _apart(low, high)


def to_levels(numbers: NDArray[Any], levels: Levels) -> NDArray[np.uint8]:
    """Scale numbers so that `levels` become 0 and 255; what lies outside is cut off."""
    if numbers.dtype == np.uint8 and levels == BYTE:
        return np.asarray(numbers, dtype=np.uint8)
    low, high = levels
    scaled = (numbers.astype(np.float64) - low) * (255.0 / ((high - low) or 1.0))
    pixels: NDArray[np.uint8] = np.rint(scaled.clip(0.0, 255.0)).astype(np.uint8)
    return pixels


def array_key(numbers: NDArray[Any]) -> bytes:
    """Bytes by which an array is told apart: the same for equal numbers of any dtype."""
    with np.errstate(over="ignore"):
        data = np.ascontiguousarray(numbers, dtype="<f4").tobytes()
    return hashlib.blake2b(f"{numbers.shape}".encode() + data, digest_size=16).digest()


def is_deep(image: Pillow.Image) -> bool:
    """Whether an image has more than 8 bits a pixel."""
    return image.mode.startswith(DEEP_MODES)


def as_8_bit(image: Pillow.Image) -> Pillow.Image:
    """Turn an image upright, as its camera's tag says, and bring it to mode L, LA, RGB or RGBA.

    16-bit levels 0 to 65,535 become 0 to 255, unless none is above 255: these are taken as they
    are. Of 32-bit integers and floats, each image's smallest is black and its largest white;
    NaN is black.
    """
    from PIL import Image as Pillow
    from PIL import ImageOps

    upright = ImageOps.exif_transpose(image)
    if is_deep(upright):
        return Pillow.fromarray(_deep_levels(np.asarray(upright), upright.mode))
    grey = upright.mode in ("1", "L", "LA", "La")
    if upright.has_transparency_data:
        return upright.convert("LA" if grey else "RGBA")
    return upright.convert("L" if grey else "RGB")


def over_white(image: Pillow.Image) -> Pillow.Image:
    """Lay an image of mode L, LA, RGB or RGBA on white paper; the result is L or RGB."""
    from PIL import Image as Pillow

    if image.mode not in ("LA", "RGBA"):
        return image
    opaque = image.convert(image.mode[:-1])
    paper = Pillow.new(opaque.mode, opaque.size, "white")
    paper.paste(opaque, mask=image.getchannel("A"))
    return paper


def _deep_levels(numbers: NDArray[Any], mode: str) -> NDArray[np.uint8]:
    if mode.startswith("I;16"):
        return to_levels(numbers, (0.0, 65535.0) if numbers.max() > 255 else BYTE)
    numbers = numbers.astype(np.float64)
    finite = numbers[np.isfinite(numbers)]
    low, high = _apart(float(finite.min()), float(finite.max())) if finite.size else BYTE
    return to_levels(np.nan_to_num(numbers, nan=low, posinf=high, neginf=low), (low, high))


def _apart(low: float, high: float) -> Levels:
    # Where there is but one number, zero is the other end: nothing is divided by nothing.
    return (low, high) if low < high else (min(low, 0.0), max(high, 0.0))
