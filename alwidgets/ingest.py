"""Reading what people have (frames, folders, arrays, lists) into contents and features."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from .content import Content, Image, Text
from .errors import PoolError

IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp"}
CHECK_ROWS = 65_536
SHOWN_FEATURES = 12


class _Lazy(Sequence[Content]):
    """A sequence that makes its contents when they are asked for."""

    def _at(self, index: int) -> Content:
        raise IndexError(index)

    @overload
    def __getitem__(self, index: int) -> Content: ...
    @overload
    def __getitem__(self, index: slice) -> list[Content]: ...
    def __getitem__(self, index: int | slice) -> Content | list[Content]:
        if isinstance(index, slice):
            return [self._at(i) for i in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        return self._at(index % len(self))


class FeatureRows(_Lazy):
    """Stands in for content where there are only features: a row is shown as its numbers."""

    def __init__(self, features: NDArray[Any]) -> None:
        self.features = features

    def __len__(self) -> int:
        return len(self.features)

    def _at(self, index: int) -> Content:
        row = self.features[index]
        shown = ", ".join(f"{value:.4g}" for value in row[:SHOWN_FEATURES])
        shown += ", …" if len(row) > SHOWN_FEATURES else ""
        # One width for all, so that an id does not depend on how the numbers were kept.
        return _Row(shown, np.asarray(row, dtype=np.float32).tobytes())


@dataclass(frozen=True, slots=True)
class _Row(Text):
    """A row shown by its first numbers, and told apart by all of them."""

    row: bytes = field(repr=False)

    def to_bytes(self) -> bytes:
        return self.row


class ImageFiles(_Lazy):
    """Images that stay on disk until they are shown; each was checked once."""

    def __init__(self, paths: Sequence[Path], names: Sequence[str]) -> None:
        self.paths = list(paths)
        self.names = list(names)
        for path in self.paths:
            self._read(path)

    @classmethod
    def of_folder(cls, folder: str | PathLike[str]) -> ImageFiles:
        """All PNG, JPEG and WebP files below a folder, in order of their paths."""
        root = Path(folder)
        if not root.is_dir():
            raise PoolError(f"{root} is no folder. Give a folder of PNG, JPEG or WebP files.")
        paths = sorted(p for p in root.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES)
        if not paths:
            raise PoolError(f"{root} holds no PNG, JPEG or WebP file: there is nothing to label.")
        return cls(paths, [p.relative_to(root).as_posix() for p in paths])

    def __len__(self) -> int:
        return len(self.paths)

    def _at(self, index: int) -> Content:
        return self._read(self.paths[index])

    @staticmethod
    def _read(path: Path) -> Image:
        try:
            data = path.read_bytes()
        except OSError as e:
            raise PoolError(f"{path} cannot be read ({e.strerror}).") from e
        return Image.from_bytes(data, str(path))


@dataclass(frozen=True)
class FrameColumns:
    """What a data frame gives for a pool."""

    contents: Sequence[Content] | None
    features: NDArray[Any] | None
    ids: list[object] | None
    metadata: dict[str, list[Any]]


def as_frame_columns(
    df: Any,
    text: str | None,
    image: str | None,
    features: str | Sequence[str] | NDArray[Any] | None,
    id: str | None,
    metadata: Sequence[str] | None,
) -> FrameColumns:
    """Read the named columns of a pandas, polars or pyarrow table."""
    import narwhals as nw

    try:
        frame = nw.from_native(df, eager_only=True)
    except TypeError as e:
        raise PoolError(
            f"{type(df).__name__} is no data frame: give one of pandas, polars or pyarrow."
        ) from e
    if text is not None and image is not None:
        raise PoolError("Name a text column or an image column, not both.")
    if text is None and image is None and features is None:
        raise PoolError("Name what to label: text='…', image='…' or features=['…'].")

    def column(name: str) -> list[Any]:
        if name not in frame.columns:
            raise PoolError(
                f"The frame has no column {name!r}. It has: {', '.join(map(str, frame.columns))}."
            )
        return list(frame[name].to_list())

    contents: Sequence[Content] | None = None
    if text is not None:
        contents = as_texts(column(text), f"column {text!r}")
    elif image is not None:
        contents = as_images(column(image))
    vectors: NDArray[Any] | None = None
    if isinstance(features, np.ndarray):
        vectors = features
    elif isinstance(features, str):
        try:
            vectors = np.asarray(column(features), dtype=np.float32)
        except (TypeError, ValueError) as e:
            raise PoolError(
                f"Column {features!r} must hold vectors of one length, a row each: {e}."
            ) from e
        vectors = vectors[:, None] if vectors.ndim == 1 else vectors
    elif features is not None:
        vectors = np.stack([_numbers(column(name), name) for name in features], axis=1)
    return FrameColumns(
        contents,
        vectors,
        column(id) if id is not None else None,
        {name: column(name) for name in metadata or ()},
    )


def as_texts(texts: Iterable[object], where: str = "texts") -> list[Content]:
    """Wrap texts; a missing one is an error that names its row."""
    if isinstance(texts, str):
        raise PoolError("texts must be a list of texts, not one text. Put it in a list.")
    contents: list[Content] = []
    for row, value in enumerate(texts):
        if not isinstance(value, str):
            raise PoolError(
                f"Row {row} of {where} holds {value!r}, not a text. Fill it, drop it, or use str()."
            )
        contents.append(Text(value))
    return contents


def level_range(images: Any) -> tuple[float, float] | None:
    """Range that maps to black and white, for arrays that do not hold uint8 levels."""
    if not isinstance(images, np.ndarray) or images.dtype == np.uint8 or not images.size:
        return None
    return float(images.min()), float(images.max())


def as_images(images: Any, levels: tuple[float, float] | None = None) -> Sequence[Content]:
    """Wrap arrays (n, h, w[, 3]), or a list of paths, encoded bytes or arrays.

    Parameters
    ----------
    images : array or sequence
    levels : (black, white), optional
        Range of the numbers in arrays that are not uint8; each array's own where it is left out.
    """
    if isinstance(images, np.ndarray) and images.ndim not in (3, 4):
        raise PoolError(
            f"Images must be an array (n, h, w) or (n, h, w, 3); this one is {images.shape}."
        )
    if len(images) and all(isinstance(i, (str, PathLike)) for i in images):
        return ImageFiles([Path(i) for i in images], [str(i) for i in images])
    if isinstance(images, np.ndarray):
        return [Image.from_array(pixels) for pixels in _levels(images, levels)]
    contents: list[Content] = []
    for row, value in enumerate(images):
        if isinstance(value, (str, PathLike)):
            contents.append(ImageFiles._read(Path(value)))
        elif isinstance(value, (bytes, bytearray)):
            contents.append(Image.from_bytes(bytes(value), f"The image in row {row}"))
        elif isinstance(value, Image):
            contents.append(value)
        else:
            array = np.asarray(value)
            if array.ndim not in (2, 3) or array.dtype.kind not in "fiub":
                raise PoolError(
                    f"Row {row} holds no image but {type(value).__name__}. "
                    "Give a path, encoded bytes or an array (h, w) or (h, w, 3)."
                )
            contents.append(Image.from_array(_levels(array[None], levels)[0]))
    return contents


def as_contents(values: Any, levels: tuple[float, float] | None = None) -> Sequence[Content]:
    """Wrap texts or images, whichever these are; `levels` as in `as_images`."""
    if isinstance(values, Sequence) and values and isinstance(values[0], (Text, Image)):
        return values
    if isinstance(values, np.ndarray) and values.dtype.kind in "fiub":
        return as_images(values, levels)
    listed = list(values)
    if listed and isinstance(listed[0], str):
        return as_texts(listed, "content")
    return as_images(listed, levels)


def as_metadata(
    metadata: Mapping[str, Iterable[object]] | None, length: int
) -> dict[str, list[Any]]:
    """Check the lengths of metadata columns and make their values plain (JSON can hold them)."""
    columns: dict[str, list[Any]] = {}
    for name, values in (metadata or {}).items():
        column = [_plain(v) for v in values]
        if len(column) != length:
            raise PoolError(
                f"Metadata column {name!r} has {len(column):,} values for {length:,} items."
            )
        columns[str(name)] = column
    return columns


def check_features(features: NDArray[Any], ids: Sequence[str] | None) -> NDArray[Any]:
    """Return features (n, d) as float32 or float16, every number finite.

    Raises
    ------
    PoolError
        Naming the first row (and its item) that holds anything else.
    """
    if features.dtype.kind not in "fiub":
        raise PoolError(f"Features must be numbers, not {features.dtype}.")
    if features.ndim != 2 or features.shape[1] == 0:
        raise PoolError(f"Features must have the shape (n, d), d ≥ 1; this is {features.shape}.")
    if ids is not None and len(features) != len(ids):
        raise PoolError(f"{len(features):,} rows of features for {len(ids):,} items.")
    if features.dtype not in (np.float32, np.float16):
        with np.errstate(over="ignore"):
            features = features.astype(np.float32)
    for start in range(0, len(features), CHECK_ROWS):
        bad = ~np.isfinite(features[start : start + CHECK_ROWS])
        if bad.any():
            row, col = (int(i) for i in np.argwhere(bad)[0])
            item = f" (item {ids[start + row]!r})" if ids is not None else ""
            value = features[start + row, col]
            raise PoolError(
                f"Features hold {value} in row {start + row}{item}, column {col}. "
                "Fill or drop such rows first."
            )
    return features


def _levels(images: NDArray[Any], levels: tuple[float, float] | None) -> NDArray[np.uint8]:
    if images.ndim == 4 and images.shape[-1] == 1:
        images = images[..., 0]
    if images.ndim == 4 and images.shape[-1] not in (3, 4):
        raise PoolError(f"Colour images must be (n, h, w, 3) or (n, h, w, 4), not {images.shape}.")
    if images.dtype == np.uint8:
        return np.asarray(images, dtype=np.uint8)
    numbers = images.astype(np.float64)
    bad = ~np.isfinite(numbers).reshape(len(numbers), -1).all(axis=1)
    if bad.any():
        raise PoolError(f"The image in row {int(np.argmax(bad))} holds NaN or infinite levels.")
    low, high = levels or level_range(images) or (0.0, 255.0)
    scaled = (numbers - low) * (255.0 / ((high - low) or 1.0))
    pixels: NDArray[np.uint8] = np.rint(scaled.clip(0, 255)).astype(np.uint8)
    return pixels


def _numbers(values: list[Any], name: str) -> NDArray[np.float32]:
    try:
        return np.asarray(values, dtype=np.float32)
    except (TypeError, ValueError) as e:
        raise PoolError(f"Feature column {name!r} holds something that is no number: {e}.") from e


def _plain(value: Any) -> Any:
    if hasattr(value, "item") and not isinstance(value, (str, bytes)):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)
