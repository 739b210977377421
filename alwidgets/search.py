"""Finding items by a word of theirs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .content import Audio, Content, Fields, Html, Image, Pair, Table, Text
from .errors import AlwidgetsError
from .ingest import FeatureRows
from .pool import Pool

MOST_FOUND = 500
#: A person waits for it.
SECONDS = 2.0
#: Items between two looks at the clock.
LOOK = 64


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to.

    Attributes
    ----------
    positions : list of int
        Of items in the pool.
    done : int
        Items left out, for they are done.
    read : int
        Items that were looked at, from the first.
    """

    positions: list[int]
    done: int
    read: int


def words_of(content: Content) -> str | None:
    """All text of a content, or None if it is of a kind that has none."""
    match content:
        case Text():
            return content.text
        case Table():
            return " ".join(f"{name} {value}" for name, value in content.values.items())
        case Html():
            return content.preview()
        case Pair():
            parts = [words_of(content.left), words_of(content.right)]
        case Fields():
            parts = [words_of(part) for part in content.fields.values()]
        case Image() | Audio():
            return None
    known = [words for words in parts if words is not None]
    return " ".join(known) if known else None


def find(
    pool: Pool,
    search: str,
    done: NDArray[np.bool_],
    *,
    most: int = MOST_FOUND,
    seconds: float = SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> Found:
    """Items whose text holds another one, upper and lower case alike.

    Parameters
    ----------
    pool : Pool
    search : str
    done : (n,) bool array
        Items to leave out, and count.
    most : int
        It ends with so many.
    seconds : float
        It ends then, with what it has.
    clock : callable

    Raises
    ------
    AlwidgetsError
        If there is nothing to look for, or no text to look through.
    """
    wanted = search.casefold().strip()
    if not wanted:
        raise AlwidgetsError("There is nothing to search for: give a word, search='prize'.")
    contents = pool.contents
    if isinstance(contents, FeatureRows) or words_of(contents[0]) is None:
        raise AlwidgetsError(
            "The items of this pool have no text to search through: give their ids."
        )
    until = clock() + seconds
    found: list[int] = []
    n_done = read = 0
    for read, content in enumerate(contents, 1):
        if wanted in (words_of(content) or "").casefold():
            if done[read - 1]:
                n_done += 1
            else:
                found.append(read - 1)
        if len(found) >= most or (read % LOOK == 0 and clock() > until):
            break
    return Found(found, n_done, read)
