"""Reading what people have (frames, folders, arrays, lists) into contents and features."""

from __future__ import annotations

import hashlib
import math
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from .content import Content, Image, Text
from .errors import PoolError
from .pixels import Levels, level_range

IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp"}
CHECK_ROWS = 65_536
SHOWN_FEATURES = 12


class Lazy(Sequence[Content]):
    """A sequence that makes its contents when they are asked for."""

    @abstractmethod
    def _at(self, index: int) -> Content: ...

    @abstractmethod
    def take(self, positions: Sequence[int]) -> Sequence[Content]:
        """Some of these, as lazy as all."""

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


class FeatureRows(Lazy):
    """Stands in for content where there are only features: a row is shown as its numbers."""

    def __init__(self, features: NDArray[Any]) -> None:
        self.features = features

    def __len__(self) -> int:
        return len(self.features)

    def take(self, positions: Sequence[int]) -> FeatureRows:
        """Rows at some positions."""
        return FeatureRows(self.features[list(positions)])

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


class ImageFiles(Lazy):
    """Images that stay on disk until they are shown; each was checked once."""

    def __init__(
        self, paths: Sequence[Path], names: Sequence[str], *, checked: bool = False
    ) -> None:
        self.paths = list(paths)
        self.names = list(names)
        for path in () if checked else self.paths:
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

    def take(self, positions: Sequence[int]) -> ImageFiles:
        """Files at some positions, still on disk."""
        paths = [self.paths[i] for i in positions]
        return ImageFiles(paths, [self.names[i] for i in positions], checked=True)

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
    levels: Levels | None


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

    names = Counter(getattr(df, "column_names", getattr(df, "columns", ())))
    if twice := [name for name, times in names.items() if times > 1]:
        raise PoolError(f"The frame has more than one column {twice[0]!r}. Rename all but one.")
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
    levels: Levels | None = None
    if text is not None:
        contents = as_texts(column(text), f"column {text!r}")
    elif image is not None:
        contents, levels = as_images(column(image))
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
    elif features is not None and len(features) == 0:
        raise PoolError("features=[] names no column. Name at least one, or leave it out.")
    elif features is not None:
        vectors = np.stack([_numbers(column(name), name) for name in features], axis=1)
    return FrameColumns(
        contents,
        vectors,
        column(id) if id is not None else None,
        {name: column(name) for name in metadata or ()},
        levels,
    )


def as_texts(texts: Iterable[object], where: str = "texts") -> list[Content]:
    """Wrap texts; a missing one is an error that names its row."""
    if isinstance(texts, str):
        raise PoolError("texts must be a list of texts, not one text. Put it in a list.")
    contents: list[Content] = []
    for row, value in enumerate(_listed(texts, "texts")):
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
    listed = _listed(images, "images")
    if listed and all(isinstance(i, (str, PathLike)) for i in listed):
        return ImageFiles([Path(i) for i in listed], [str(i) for i in listed]), level_range(())
    wrapped = [_image_or_array(value, row) for row, value in enumerate(listed)]
    found = levels or level_range([w for w in wrapped if isinstance(w, np.ndarray)])
    contents: list[Content] = [
        w if isinstance(w, Image) else Image.from_array(w, found) for w in wrapped
    ]
    return contents, found


def as_contents(values: Any) -> Sequence[Content]:
    """Wrap texts or images, whichever these are."""
    if isinstance(values, np.ndarray):
        first = values.flat[0] if values.ndim == 1 and values.size else None
    else:
        values = _listed(values, "texts or images")
        first = values[0] if values else None
    if isinstance(first, (str, Text)):
        return as_texts(values, "content")
    return as_images(values)[0]


def as_ids(contents: Sequence[Content], ids: Iterable[object] | None) -> list[str]:
    """Id of every row: the one given, as text, or a hash of the content."""
    if ids is None:
        return [content_hash(content.to_bytes()) for content in contents]
    names = []
    for row, value in enumerate(_listed(ids, "ids")):
        if _is_missing(value) or (name := str(value)) == "":
            raise PoolError(f"The id in row {row} is missing. Give every row an id, or none.")
        try:
            name.encode()
        except UnicodeEncodeError as e:
            raise PoolError(
                f"The id in row {row}, {name!r}, is no valid Unicode: it cannot be written as "
                "UTF-8. Give it another id, or leave the ids out."
            ) from e
        names.append(name)
    if len(names) != len(contents):
        raise PoolError(f"{len(names):,} ids for {len(contents):,} items. Give one each.")
    return names


def content_hash(data: bytes) -> str:
    """Hash of what identifies a content, 16 hexadecimal digits."""
    return hashlib.blake2b(data, digest_size=8).hexdigest()


def as_metadata(
    metadata: Mapping[str, Iterable[object]] | None, length: int
) -> dict[str, list[Any]]:
    """Check the lengths of metadata columns and make their values plain (JSON can hold them)."""
    columns: dict[str, list[Any]] = {}
    if metadata is not None and not hasattr(metadata, "items"):
        raise PoolError("metadata must be a mapping from a column's name to its values.")
    for name, values in ({} if metadata is None else metadata).items():
        column = [_plain(v) for v in _listed(values, f"values of the metadata {name!r}")]
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


def _listed(values: Any, what: str) -> list[Any]:
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
        return ImageFiles._read(Path(value))
    if isinstance(value, (bytes, bytearray)):
        return Image.from_bytes(bytes(value), f"The image in row {row}")
    if isinstance(value, Pillow.Image):
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


def _numbers(values: list[Any], name: str) -> NDArray[np.float32]:
    try:
        return np.asarray(values, dtype=np.float32)
    except (TypeError, ValueError) as e:
        raise PoolError(f"Feature column {name!r} holds something that is no number: {e}.") from e


def _is_missing(value: Any) -> bool:
    """Whether this is None, NaN, NaT or pandas' NA."""
    if value is None:
        return True
    try:
        return bool(value != value)  # NaN and NaT alone differ from themselves
    except TypeError:  # NA is neither true nor false
        return True
    except ValueError:  # an array
        return False


def _plain(value: Any) -> Any:
    if isinstance(value, (np.datetime64, np.timedelta64)):
        return None if np.isnat(value) else str(value)
    if getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
        value = value.item()
    if _is_missing(value) or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value if isinstance(value, (str, int, float, bool)) else str(value)
