"""How the kernel and the layout worker talk: a line of JSON, then raw bytes. Nothing is unpickled.

A frame is ``{"type": …, "shape": [n, d]?}`` and a newline, followed by ``n * d`` little-endian
float32 where a shape is given.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

FLOAT = np.dtype("<f4")
LONGEST_HEADER = 1 << 20


def write_frame(
    stream: BinaryIO,
    header: dict[str, Any],
    shape: tuple[int, int] | None = None,
    rows: Iterable[NDArray[np.float32]] = (),
) -> None:
    """Write one frame and flush it.

    Parameters
    ----------
    stream : binary stream, buffered
    header : dict
        What JSON can hold.
    shape : (int, int), optional
        Shape of the table that follows.
    rows : iterable of ndarray of float32
        The table, some rows at a time.
    """
    if shape is not None:
        header = {**header, "shape": list(shape)}
    stream.write(json.dumps(header).encode() + b"\n")
    for block in rows:
        stream.write(np.ascontiguousarray(block, dtype=FLOAT).view(np.uint8).data)
    stream.flush()


def read_frame(stream: BinaryIO) -> tuple[dict[str, Any], NDArray[np.float32] | None]:
    """Read one frame.

    Returns
    -------
    (header, table) : dict, ndarray of float32 or None

    Raises
    ------
    EOFError
        If the other side is gone, between frames or within one.
    ValueError
        If what comes is not a frame.
    """
    line = stream.readline(LONGEST_HEADER)
    if not line.endswith(b"\n"):
        raise EOFError("the other side has closed the pipe")
    header = json.loads(line)
    if not isinstance(header, dict):
        raise ValueError(f"not a frame: {line[:80]!r}")
    shape = header.get("shape")
    if shape is None:
        return header, None
    table = np.empty(tuple(shape), dtype=FLOAT)
    view = table.reshape(-1).view(np.uint8).data
    done = 0
    while done < len(view):
        got = stream.readinto(view[done:])  # type: ignore[attr-defined]
        if not got:
            raise EOFError("the other side has closed the pipe")
        done += got
    return header, table


class Tail:
    """The last lines of a stream, read on a thread of its own until the stream ends.

    Parameters
    ----------
    stream : binary stream
    keep : int, optional
        How many bytes are remembered.
    """

    def __init__(self, stream: BinaryIO, keep: int = 4_000) -> None:
        self._stream, self._keep = stream, keep
        self._bytes = b""
        self._thread = threading.Thread(target=self._run, name="alwidgets-layout-log", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        for line in iter(self._stream.readline, b""):
            self._bytes = (self._bytes + line)[-self._keep :]
        self._stream.close()

    def text(self, wait: float = 1.0) -> str:
        """What was read last; waits up to `wait` seconds for the end of the stream."""
        self._thread.join(wait)
        return self._bytes.decode("utf-8", "replace").strip()
