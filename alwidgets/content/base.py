"""What several kinds of content share."""

from __future__ import annotations

import re
from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import PoolError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PREVIEW = 200


class Unencoded:
    """Content that is shown but not encoded: what is learnt from must be given beside it."""

    __slots__ = ()

    def to_array(self, size: tuple[int, int] | None = None) -> NDArray[np.float32]:
        """Raise a `PoolError`: only images have pixels.

        Images have this method too, so that an encoder need not ask what it was given.
        """
        raise PoolError(no_encoder(self))


def no_encoder(content: object) -> str:
    """Say that nothing makes features of such a content, and what to do."""
    name = type(content).__name__
    return (
        f"No encoder makes features of {name} content: only texts and images have one. Give the "
        "pool features=…, or name a text or image column to learn from beside render=…."
    )


def framed(kind: str, parts: Iterable[bytes]) -> bytes:
    """Put parts into one piece, such that other parts, or another kind, make another piece."""
    framed = [kind.encode(), *parts]
    return b"".join(len(part).to_bytes(8, "big") + part for part in framed)


def shortened(text: str, longest: int = PREVIEW) -> str:
    """One line of a text, cut where it is long."""
    # What is cut off need not be searched for white space.
    line = re.sub(r"\s+", " ", text[: longest * 4]).strip()
    return line if len(line) <= longest else f"{line[:longest].rstrip()}…"


def read_file(path: str | PathLike[str]) -> bytes:
    """Bytes of a file.

    Raises
    ------
    PoolError
        If it cannot be read.
    """
    try:
        return Path(path).read_bytes()
    except OSError as e:
        raise PoolError(f"{path} cannot be read ({e.strerror}). Check the path.") from e


def kind_of(value: Any) -> str:
    """Name of a value's type, for messages."""
    return f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__
