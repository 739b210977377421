"""Reading Parquet files of any size: row group by row group, never a whole table at once."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from ..content import Content, Image, Text, plain
from ..errors import PoolError
from .arrays import FeatureSource, as_source, open_npy
from .folders import cache_folder, check_room
from .frames import FrameColumns
from .ids import GivenIds, given_ids
from .lazy import Column, ImageFiles, Lazy
from .progress import progress_bar
from .render import Render, rendered_files
from .rowgroups import ParquetFiles
from .values import as_names
from .vectors import as_rows, dtype_of

if TYPE_CHECKING:
    import pyarrow as pa


log = logging.getLogger(__name__)

#: Of the files in the cache; another one where the same columns make another table.
FORMAT = 2


class ParquetColumn(Column):
    """A column that is read where its rows are asked for.

    Parameters
    ----------
    files : ParquetFiles
    name : str
    rows : (m,) int64 array, optional
        The rows of the files that it holds; all by default.
    """

    def __init__(
        self, files: ParquetFiles, name: str, rows: NDArray[np.int64] | None = None
    ) -> None:
        self.files = files
        self.name = name
        self.rows = rows

    def __len__(self) -> int:
        return len(self.files) if self.rows is None else len(self.rows)

    def take(self, positions: NDArray[np.int64]) -> ParquetColumn:
        """Rows at some positions, still on disk."""
        rows = positions if self.rows is None else self.rows[positions]
        return ParquetColumn(self.files, self.name, rows)

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> list[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return [plain(self.at(i)) for i in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        return plain(self.at(int(index) % len(self)))

    def __iter__(self) -> Iterator[Any]:
        return (plain(value) for value in self.values())

    def row(self, index: int) -> int:
        """Row of the files at a position."""
        return index if self.rows is None else int(self.rows[index])

    def at(self, index: int) -> Any:
        """Value at a position, as Arrow gives it."""
        return self.files.value(self.name, self.row(index))

    def values(self) -> Iterator[Any]:
        """All values, in order, as Arrow gives them."""
        if self.rows is not None:
            return (self.at(i) for i in range(len(self)))
        return (v for batch in self.files.batches([self.name]) for v in batch.column(0).to_pylist())


class _ParquetContents(Lazy):
    """Contents that stay in their Parquet files until they are shown."""

    def __init__(self, column: ParquetColumn) -> None:
        self.column = column

    def __len__(self) -> int:
        return len(self.column)

    def take(self, positions: NDArray[np.int64]) -> _ParquetContents:
        """Those at some positions, still on disk."""
        return type(self)(self.column.take(positions))

    def __iter__(self) -> Iterator[Content]:
        return (self._wrap(value, i) for i, value in enumerate(self.column.values()))

    def check(self) -> None:
        """Read all once, so that a bad one is named now and not in the middle of the work."""
        done = 0
        with progress_bar(f"Checking {self.column.name!r}") as progress:
            for batch in self.column.files.batches([self.column.name]):
                self._check(batch.column(0), done)
                done += len(batch)
                progress(done, len(self))

    def _check(self, values: pa.Array, first: int) -> None:
        for i, value in enumerate(values.to_pylist(), start=first):
            self._wrap(value, i)

    def _at(self, index: int) -> Content:
        return self._wrap(self.column.at(index), index)

    @abstractmethod
    def _wrap(self, value: Any, index: int) -> Content: ...

    def _where(self, index: int) -> str:
        return f"Row {self.column.row(index)} of column {self.column.name!r}"


class ParquetTexts(_ParquetContents):
    """Texts that stay in their Parquet files until they are shown."""

    def _wrap(self, value: Any, index: int) -> Content:
        if not isinstance(value, str):
            raise PoolError(
                f"{self._where(index)} holds {value!r}, not a text. Fill it, drop it, or cast it."
            )
        return Text(value)

    def keys(self) -> Iterator[bytes]:
        """Bytes that identify each text, in order."""
        return (value.encode("utf-8", "surrogatepass") for value in self.column.values())

    def _check(self, values: pa.Array, first: int) -> None:
        import pyarrow as pa

        # Of a column of strings none is bad that is there.
        if values.null_count or values.type not in (pa.string(), pa.large_string()):
            super()._check(values, first)


class ParquetImages(_ParquetContents):
    """Images that stay in their Parquet files until they are shown: bytes, or paths of files."""

    def _wrap(self, value: Any, index: int) -> Content:
        if isinstance(value, dict):  # as the data sets of Hugging Face have them
            value = value.get("bytes") or value.get("path")
        if isinstance(value, bytes):
            return Image.from_bytes(value, self._where(index))
        if isinstance(value, str):
            return ImageFiles.read(Path(value))
        raise PoolError(
            f"{self._where(index)} holds no image but {type(value).__name__}. "
            "Give encoded bytes or paths."
        )


def as_parquet_columns(
    path: str | PathLike[str],
    text: str | None,
    image: str | None,
    features: FeatureSource | None,
    id: str | None,
    metadata: str | Sequence[str] | None,
    cache: str | PathLike[str] | None,
    render: Render | None = None,
) -> FrameColumns:
    """Open the named columns of Parquet files; the parameters are those of `Pool.from_parquet`."""
    if text is not None and image is not None:
        raise PoolError("Name a text column or an image column, not both.")
    if text is None and image is None and features is None:
        raise PoolError("Name what to label: text='…', image='…' or features=['…'].")
    files = ParquetFiles(path)
    table, names = as_source(features, files.columns)
    if names:
        table = _written_once(files, names, cache_folder(cache))
    contents: _ParquetContents | None = None
    if text is not None:
        contents = ParquetTexts(_column(files, text))
    elif image is not None:
        contents = ParquetImages(_column(files, image))
    if contents is not None:
        contents.check()
    return FrameColumns(
        contents,
        table,
        _ids(files, id) if id is not None else None,
        {name: _column(files, name) for name in as_names(metadata)},
        None,
        rendered_files(files, render),
    )


def _column(files: ParquetFiles, name: str) -> ParquetColumn:
    files.check_columns([name])
    return ParquetColumn(files, name)


def _ids(files: ParquetFiles, name: str) -> GivenIds:
    import pyarrow as pa

    files.check_columns([name])
    chunks = []
    row = 0
    for batch in files.batches([name]):
        chunks.append(given_ids(batch.column(0).to_pylist(), row).names)
        row += len(batch)
    return GivenIds(pa.concat_arrays(chunks) if chunks else pa.array([], pa.large_string()))


def _written_once(files: ParquetFiles, names: list[str], folder: Path) -> NDArray[Any]:
    """Write columns to a .npy file in the cache, unless it is there, and map it into memory."""
    files.check_columns(names)
    about = repr((files.stamp, names, FORMAT)).encode()
    path = folder / f"features-{hashlib.blake2b(about, digest_size=16).hexdigest()}.npy"
    if path.is_file():
        try:
            return open_npy(path)
        except PoolError as e:  # cut short, or no longer what was written
            log.warning("%s It is written again.", e)
    handle, part = tempfile.mkstemp(dir=folder, suffix=".part")
    os.close(handle)
    try:
        _write(files, names, part)
        os.replace(part, path)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
    return open_npy(path)


def _write(files: ParquetFiles, names: list[str], part: str) -> None:
    n = len(files)
    # Of all files: one of half precision does not round what the others hold.
    dtype = dtype_of(files.types(names))
    out: NDArray[Any] | None = None
    row = 0
    with progress_bar("Reading features") as progress:
        for batch in files.batches(names):
            rows = as_rows(batch.columns, names, row, None if out is None else out.shape[1])
            if out is None:
                shape = (n, rows.shape[1])
                check_room(Path(part).parent, n * rows.shape[1] * np.dtype(dtype).itemsize)
                out = np.lib.format.open_memmap(part, mode="w+", dtype=dtype, shape=shape)
            out[row : row + len(rows)] = rows
            row += len(rows)
            progress(row, n)
    if out is None:
        raise PoolError("The pool is empty: there is nothing to label. Give at least one item.")
    out.flush()  # type: ignore[attr-defined]
