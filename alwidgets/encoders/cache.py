"""Features kept on disk, so that nothing is encoded twice."""

from __future__ import annotations

import hashlib
import logging
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from os import PathLike
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ..content import Content
from ..ingest.folders import VARIABLE, cache_place
from .base import Features

if TYPE_CHECKING:
    from torch.nn import Module

log = logging.getLogger(__name__)

#: True is the user's cache folder, a path another one; False and None keep nothing.
Cache: TypeAlias = str | PathLike[str] | bool | None

# Seconds that one process waits for another to have written.
PATIENCE = 60.0
KEYS_AT_ONCE = 500


class FeatureCache:
    """Features of one encoder in an SQLite file, by a hash of the content.

    Any number of processes may use it at once. A cache that cannot be read or written is none:
    one warning is logged, and contents are encoded again. One that can only be read is read.

    Parameters
    ----------
    name : str
        Of the encoder, for the eye.
    about : str
        All that its features depend on, apart from the content.
    where : True or path
    """

    def __init__(self, name: str, about: str, where: str | PathLike[str] | bool) -> None:
        readable = re.sub(r"[^\w.-]+", "-", name)[-60:].strip("-.")
        digest = hashlib.blake2b(about.encode(), digest_size=8).hexdigest()
        folder = cache_place(None if isinstance(where, bool) else where)
        self.path = folder / f"{readable}-{digest}.sqlite"
        self._warned = False

    def encode(
        self, contents: list[Content], encode: Callable[[list[Content]], Features]
    ) -> Features:
        """Features (n, d) of contents, of which `encode` is asked for those that are not here."""
        keys = [hashlib.blake2b(c.to_bytes(), digest_size=16).digest() for c in contents]
        rows = self._read(keys)
        new = {key: content for key, content in zip(keys, contents, strict=True) if key not in rows}
        if new:
            fresh = dict(zip(new, encode(list(new.values())), strict=True))
            self._write(fresh)
            rows |= fresh
        if len({row.shape for row in rows.values()}) > 1:
            self._warn("used", "its rows are of several widths")
            return encode(contents)
        return np.stack([rows[key] for key in keys])

    def _read(self, keys: list[bytes]) -> dict[bytes, Features]:
        rows: dict[bytes, Features] = {}
        try:
            with closing(self._open()) as database:
                for some in _parts(list(dict.fromkeys(keys))):
                    marks = ",".join("?" * len(some))
                    query = f"SELECT key, row FROM features WHERE key IN ({marks})"
                    for key, row in database.execute(query, some):
                        rows[key] = np.frombuffer(row, dtype="<f4").astype(np.float32)
        except (sqlite3.Error, OSError, TypeError, ValueError) as e:
            self._warn("read", e)
            return {}
        return rows

    def _write(self, rows: dict[bytes, Features]) -> None:
        values = [(key, row.astype("<f4").tobytes()) for key, row in rows.items()]
        try:
            with closing(self._open()) as database, database:  # all of them or none
                database.executemany("INSERT OR REPLACE INTO features VALUES (?, ?)", values)
        except (sqlite3.Error, OSError) as e:
            self._warn("written", e)

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(self.path, timeout=PATIENCE)
        try:
            database.execute(
                "CREATE TABLE IF NOT EXISTS features (key BLOB PRIMARY KEY, row BLOB NOT NULL)"
            )
        except sqlite3.Error:
            database.close()
            raise
        return database

    def _warn(self, doing: str, error: object) -> None:
        if self._warned:
            return
        self._warned = True
        log.warning(
            "The cache %s could not be %s (%s): nothing is lost, but contents are encoded again. "
            "Delete the file if it is damaged; the environment variable %s names another folder.",
            self.path,
            doing,
            error,
            VARIABLE,
        )


def module_digest(module: Module) -> str:
    """Hash of a torch module: its architecture, as it is printed, and all parameters and buffers.

    Returns
    -------
    str
        32 hexadecimal digits.
    """
    import torch

    digest = hashlib.blake2b(str(module).encode(), digest_size=16)
    state: dict[str, Any] = module.state_dict()
    for name, value in sorted(state.items()):
        digest.update(f"{name}\0".encode())
        if isinstance(value, torch.Tensor):
            flat = value.detach().cpu().contiguous().reshape(-1)
            digest.update(f"{value.dtype}{tuple(value.shape)}".encode())
            digest.update(flat.view(torch.uint8).numpy().data)
        else:
            digest.update(repr(value).encode())
    return digest.hexdigest()


def _parts(keys: list[bytes]) -> Iterator[list[bytes]]:
    for start in range(0, len(keys), KEYS_AT_ONCE):
        yield keys[start : start + KEYS_AT_ONCE]
