"""Parquet files as one table of rows, of which a few row groups are held at a time."""

from __future__ import annotations

import glob
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import PoolError

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

BATCH_ROWS = 16_384
# Of decoded row groups; the newest stays whatever its size.
HELD_BYTES = 256 * 2**20


class ParquetFiles:
    """The rows of one Parquet file or more, in order of the files' paths.

    Parameters
    ----------
    path : path
        A file, a folder (all its ``*.parquet``, in sub-folders too) or a pattern with ``*``.

    Raises
    ------
    PoolError
        If there is no such file, or one cannot be read.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self.paths = _found(path)
        self._about = [_metadata(p) for p in self.paths]
        self._groups = [
            (file, group) for file, a in enumerate(self._about) for group in range(a.num_row_groups)
        ]
        sizes = [self._about[file].row_group(group).num_rows for file, group in self._groups]
        self._starts = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]).astype(np.int64)
        self.columns: list[str] = self._about[0].schema.to_arrow_schema().names
        self._held: OrderedDict[tuple[int, str], pa.ChunkedArray] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return int(self._starts[-1])

    @property
    def stamp(self) -> list[tuple[str, int, int]]:
        """What tells these files from others, and from what they were: path, size, time."""
        stats = [(p, p.stat()) for p in self.paths]
        return [(str(p.resolve()), s.st_size, s.st_mtime_ns) for p, s in stats]

    def check_columns(self, names: Sequence[str]) -> None:
        """Raise a `PoolError` if a file lacks one of these columns."""
        for path, about in zip(self.paths, self._about, strict=True):
            there = about.schema.to_arrow_schema().names
            for name in names:
                if name not in there:
                    raise PoolError(f"{path} has no column {name!r}. It has: {', '.join(there)}.")

    def types(self, names: Sequence[str]) -> Iterator[pa.DataType]:
        """Types of some columns, in all files that have rows."""
        for about in self._about:
            if about.num_rows:
                schema = about.schema.to_arrow_schema()
                yield from (schema.field(name).type for name in names)

    def batches(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """All rows of some columns, in order, a few thousand at a time."""
        for path, about in zip(self.paths, self._about, strict=True):
            with _opened(path, about) as file:
                for batch in file.iter_batches(BATCH_ROWS, columns=list(names)):
                    if len(batch):
                        yield batch.select(list(names))

    def value(self, name: str, row: int) -> Any:
        """Value of a column in one row; its row group is read and held."""
        group = int(np.searchsorted(self._starts, row, side="right")) - 1
        return self._column(group, name)[row - int(self._starts[group])].as_py()

    def _column(self, group: int, name: str) -> pa.ChunkedArray:
        with self._lock:
            held = self._held
            if (group, name) not in held:
                file, inside = self._groups[group]
                with _opened(self.paths[file], self._about[file]) as opened:
                    held[group, name] = opened.read_row_group(inside, columns=[name]).column(0)
                while len(held) > 1 and sum(c.nbytes for c in held.values()) > HELD_BYTES:
                    held.popitem(last=False)
            held.move_to_end((group, name))
            return held[group, name]


def _found(path: str | PathLike[str]) -> list[Path]:
    if not isinstance(path, (str, PathLike)):
        raise PoolError(f"Give the path of a Parquet file or folder, not {type(path).__name__}.")
    given = Path(path).expanduser()
    if given.is_dir():
        paths = sorted(given.rglob("*.parquet"))
    elif given.exists():
        paths = [given]
    else:
        paths = sorted(Path(p) for p in glob.glob(str(given), recursive=True))
    if not paths:
        raise PoolError(f"There is no Parquet file at {path}. Give a file, a folder or a pattern.")
    return paths


def _metadata(path: Path) -> pq.FileMetaData:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_metadata(path)
    except (OSError, pa.ArrowInvalid) as e:
        raise PoolError(f"{path} cannot be read as a Parquet file ({e}).") from e


def _opened(path: Path, about: pq.FileMetaData) -> pq.ParquetFile:
    import pyarrow.parquet as pq

    return pq.ParquetFile(path, metadata=about, memory_map=True)
