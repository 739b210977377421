"""The items that a message from the map is about."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import MessageError, UnknownItemError
from ..pool import Pool
from ..selection import unpacked

#: More items than this are not put on the cards at once.
MOST_QUEUED = 10_000
#: Where on the map a selection may come from, in a word.
SOURCES = ("map", "list", "edge cases")


def source_of(message: dict[str, Any]) -> str:
    """Where a selection comes from; a lasso and the legend say nothing.

    Raises
    ------
    MessageError
    """
    source = message.get("source", SOURCES[0])
    if source not in SOURCES:
        raise MessageError(f"Nothing is selected from {str(source)[:40]!r}; use one of {SOURCES}.")
    return str(source)


def positions_of(message: dict[str, Any], buffers: list[Any], n: int) -> NDArray[np.int64]:
    """Positions in a message's one buffer, each once.

    Raises
    ------
    MessageError
        If there are other buffers, or positions that are none of `n` items.
    """
    if len(buffers) != 1:
        raise MessageError(f"One buffer of positions is expected, not {len(buffers)}.")
    shown = message.get("n", n)  # items may have joined that the map does not show yet
    if not isinstance(shown, int) or isinstance(shown, bool) or not 0 <= shown <= n:
        raise MessageError(f"The map shows {shown!r} items; there are {n:,}.")
    n = shown
    try:
        return unpacked(str(message.get("encoding")), bytes(buffers[0]), n)
    except UnknownItemError as error:
        raise MessageError(str(error)) from None


def chosen_ids(
    message: dict[str, Any], buffers: list[Any], pool: Pool, most: int = MOST_QUEUED
) -> list[str]:
    """Ids of the items that are to be labelled, at most so many.

    Raises
    ------
    MessageError
        As `positions_of`, and for none or too many.
    """
    positions = positions_of(message, buffers, len(pool))
    if not len(positions):
        raise MessageError("Nothing is selected: lasso some points first.")
    if len(positions) > most:
        raise MessageError(
            f"{len(positions):,} items are too many to label next; select at most {most:,}."
        )
    return list(pool.ids.take(positions))
