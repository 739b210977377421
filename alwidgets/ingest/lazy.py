"""Contents that are made when they are asked for."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from ..content import Content, Image, Text
from ..errors import PoolError
from .arrays import ROWS_AT_ONCE, take_rows

IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp"}
SHOWN_FEATURES = 12


class Lazy(Sequence[Content]):
    """A sequence that makes its contents when they are asked for."""

    @abstractmethod
    def _at(self, index: int) -> Content: ...

    @abstractmethod
    def take(self, positions: NDArray[np.int64]) -> Lazy:
        """Some of these, as lazy as all."""

    def keys(self) -> Iterator[bytes]:
        """Bytes that identify each content, in order."""
        return (content.to_bytes() for content in self)

    @overload
    def __getitem__(self, index: int) -> Content: ...
    @overload
    def __getitem__(self, index: slice) -> list[Content]: ...
    def __getitem__(self, index: int | slice) -> Content | list[Content]:
        if isinstance(index, slice):
            return [self._at(i) for i in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        return self._at(int(index) % len(self))


class Column(Sequence[Any]):
    """Values of a metadata column that are read when they are asked for."""

    @abstractmethod
    def take(self, positions: NDArray[np.int64]) -> Column:
        """Some of these, as lazy as all."""


def take(values: Sequence[Any], rows: NDArray[np.int64]) -> Sequence[Any]:
    """Those in some rows; what is lazy stays so."""
    return values.take(rows) if isinstance(values, (Column, Lazy)) else [values[i] for i in rows]


class FeatureRows(Lazy):
    """Stands in for content where there are only features: a row is shown as its numbers."""

    def __init__(self, features: NDArray[Any]) -> None:
        self.features = features

    def __len__(self) -> int:
        return len(self.features)

    def take(self, positions: NDArray[np.int64]) -> FeatureRows:
        """Rows at some positions."""
        return FeatureRows(take_rows(self.features, positions))

    def keys(self) -> Iterator[bytes]:
        """Bytes that identify each row, in order; nothing is made to be shown."""
        for start in range(0, len(self), ROWS_AT_ONCE):
            for row in _as_keys(self.features[start : start + ROWS_AT_ONCE]):
                yield row.tobytes()

    def _at(self, index: int) -> Content:
        row = self.features[index]
        shown = ", ".join(f"{value:.4g}" for value in row[:SHOWN_FEATURES])
        shown += ", …" if len(row) > SHOWN_FEATURES else ""
        return _Row(shown, row=_as_keys(row).tobytes())


def _as_keys(features: NDArray[Any]) -> NDArray[np.float32]:
    # One width for all, so that an id does not depend on how the numbers were kept.
    with np.errstate(over="ignore"):
        return np.asarray(features, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class _Row(Text):
    """A row shown by its first numbers, and told apart by all of them."""

    row: bytes = field(default=b"", repr=False)

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
            self.read(path)

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

    def take(self, positions: NDArray[np.int64]) -> ImageFiles:
        """Files at some positions, still on disk."""
        paths = [self.paths[i] for i in positions]
        return ImageFiles(paths, [self.names[i] for i in positions], checked=True)

    def _at(self, index: int) -> Content:
        return self.read(self.paths[index])

    @staticmethod
    def read(path: Path) -> Image:
        """Read one file.

        Raises
        ------
        PoolError
            If it cannot be read, or is no image.
        """
        return Image.from_file(path)
