"""Reading what people have in lists: texts, images, metadata."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..content import Content, Image, Text, as_content, plain
from ..content.base import Unencoded
from ..errors import PoolError
from ..pixels import Levels, level_range
from .lazy import Column, ImageFiles


def as_texts(texts: Iterable[object], where: str = "texts") -> list[Content]:
    """Wrap texts; a missing one is an error that names its row."""
    if isinstance(texts, str):
        raise PoolError("texts must be a list of texts, not one text. Put it in a list.")
    contents: list[Content] = []
    for row, value in enumerate(listed(texts, "texts")):
        if isinstance(value, str):
            value = Text(value)
        if not isinstance(value, Text):
            raise PoolError(
                f"Row {row} of {where} holds {value!r}, not a text. Fill it, drop it, or use str()."
            )
        contents.append(value)
    return contents


def as_images(images: Any, levels: Levels | None = None) -> tuple[Sequence[Content], Levels]:
    """Wrap arrays (n, h, w[, 3 or 4]), or a list of paths, encoded bytes, arrays or Pillow images.

    Parameters
    ----------
    images : array or sequence
    levels : (black, white), optional
        Of the numbers in arrays; found from all the arrays together where it is left out.

    Returns
    -------
    contents : sequence of Content
        On disk still, where all are paths.
    levels : (black, white)
    """
    if isinstance(images, np.ndarray) and images.dtype.kind in "fiub" and images.ndim not in (3, 4):
        raise PoolError(
            f"Images must be an array (n, h, w) or (n, h, w, 3); this one is {images.shape}."
        )
    values = listed(images, "images")
    if values and all(isinstance(i, (str, PathLike)) for i in values):
        return ImageFiles([Path(i) for i in values], [str(i) for i in values]), level_range(())
    wrapped = [_image_or_array(value, row) for row, value in enumerate(values)]
    found = levels or level_range([w for w in wrapped if isinstance(w, np.ndarray)])
    contents: list[Content] = [
        w if isinstance(w, Image) else Image.from_array(w, found) for w in wrapped
    ]
    return contents, found


def as_contents(values: Any) -> Sequence[Content]:
    """Wrap texts or images, whichever these are; of mixed or other kinds each must be content."""
    if isinstance(values, np.ndarray):
        first = values.flat[0] if values.ndim == 1 and values.size else None
    else:
        values = listed(values, "texts or images")
        first = values[0] if values else None
    of_texts = isinstance(first, (str, Text))
    others = (Unencoded, Image) if of_texts else Unencoded
    if any(isinstance(value, others) for value in values):
        return [as_content(value, f"Row {row} of content") for row, value in enumerate(values)]
    return as_texts(values, "content") if of_texts else as_images(values)[0]


def as_metadata(
    metadata: Mapping[str, Iterable[object]] | None, length: int
) -> dict[str, Sequence[Any]]:
    """Check the lengths of metadata columns and make their values plain (JSON can hold them)."""
    columns: dict[str, Sequence[Any]] = {}
    if metadata is not None and not hasattr(metadata, "items"):
        raise PoolError("metadata must be a mapping from a column's name to its values.")
    for name, values in ({} if metadata is None else metadata).items():
        column: Sequence[Any] = values if isinstance(values, Column) else _plain_list(values, name)
        if len(column) != length:
            raise PoolError(
                f"Metadata column {name!r} has {len(column):,} values for {length:,} items."
            )
        columns[str(name)] = column
    return columns


def as_names(names: str | Sequence[str] | None) -> list[str]:
    """Names of columns: none, one, or some."""
    return [names] if isinstance(names, str) else list(names or ())


def _plain_list(values: Iterable[object], name: str) -> list[Any]:
    return [plain(value) for value in listed(values, f"values of the metadata {name!r}")]


def listed(values: Any, what: str) -> list[Any]:
    """Make a list of what is one; anything else is an error that says what was wanted."""
    if isinstance(values, Mapping) or hasattr(values, "columns"):
        raise PoolError(
            f"Give a list of {what}, not {type(values).__name__}: "
            "name its columns to Pool.from_frame, or give one of them."
        )
    if not isinstance(values, Iterable):
        raise PoolError(f"Give a list of {what}, not {type(values).__name__}.")
    return list(values)


def _image_or_array(value: Any, row: int) -> Image | NDArray[Any]:
    from PIL import Image as Pillow

    if isinstance(value, Image):
        return value
    if isinstance(value, (str, PathLike)):
        return ImageFiles.read(Path(value))
    if isinstance(value, (bytes, bytearray)):
        return Image.from_bytes(bytes(value), f"The image in row {row}")
    if isinstance(value, Pillow.Image):
        if 0 in value.size:
            raise PoolError(f"The image in row {row} has the size {value.size}: no pixel. Drop it.")
        return Image.from_pillow(value)
    try:
        array = np.asarray(value)
    except ValueError as e:
        raise PoolError(f"Row {row} holds no image: {e}.") from e
    if array.ndim not in (2, 3) or array.dtype.kind not in "fiub":
        kind = type(value).__name__ + (f" of {array.dtype}" if array.ndim else "")
        raise PoolError(
            f"Row {row} holds no image but {kind}. "
            "Give a path, encoded bytes or an array of numbers, (h, w) or (h, w, 3)."
        )
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.size == 0 or (array.ndim == 3 and array.shape[2] not in (3, 4)):
        raise PoolError(
            f"The image in row {row} has the shape {array.shape}. "
            "Give (h, w), (h, w, 3) or (h, w, 4), h and w ≥ 1."
        )
    if not np.isfinite(array).all():
        raise PoolError(f"The image in row {row} holds NaN or infinite levels. Fill them first.")
    return array
