"""Finding items by their words: what they hold, and looking through them one after another."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .content import Audio, Content, Fields, Html, Image, Pair, Table, Text
from .errors import AlwidgetsError
from .ingest import FeatureRows
from .pool import Pool
from .terms import Terms, folded

MOST_FOUND = 500
#: A person waits for it.
SECONDS = 2.0
#: Items between two looks at the clock.
LOOK = 64


@dataclass(frozen=True, slots=True)
class Matches:
    """What was found among the items that were looked through.

    Attributes
    ----------
    positions : ndarray of int64
        Of items in the pool, in its order; the first of them where there are many.
    total : int
        How many there are.
    read : int
        Items that were looked through, from the first.
    hint : str
        What may have been meant otherwise, in words; empty where nothing was.
    """

    positions: NDArray[np.int64]
    total: int
    read: int
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to.

    Attributes
    ----------
    ids : list of str
        Of the first items that match, in the order of the pool.
    positions : list of int
        Of the same items, in the pool.
    total : int
        How many items match, of those that were looked through.
    read : int
        Items that were looked through: all, but for large pools whose index is not ready yet.
    hint : str
        What may have been meant otherwise, in words: of a column that there is not.
    """

    ids: list[str]
    positions: list[int]
    total: int
    read: int
    hint: str = ""

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[str]:
        return iter(self.ids)

    def __str__(self) -> str:
        more = f", {len(self.ids):,} of them here" if len(self.ids) < self.total else ""
        hint = f"; {self.hint}" if self.hint else ""
        return f"{self.total:,} item{'s' if self.total != 1 else ''} found{more}{hint}"


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


def has_words(pool: Pool) -> bool:
    """Whether the items of a pool have text."""
    contents = pool.contents
    return not isinstance(contents, FeatureRows) and words_of(contents[0]) is not None


def check_words(pool: Pool) -> None:
    """Raise `AlwidgetsError` if the items of a pool have no text."""
    if not has_words(pool):
        raise AlwidgetsError(
            "The items of this pool have no text to search through: give their ids."
        )


def scan(
    pool: Pool,
    terms: Terms,
    *,
    seconds: float = SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> Matches:
    """Look through the items of a pool, one after another.

    Parameters
    ----------
    pool : Pool
    terms : Terms
        Of which the phrases count here.
    seconds : float
        It ends then, with what it has.
    clock : callable
    """
    patterns = terms.patterns()
    until = clock() + seconds
    found: list[int] = []
    read = 0
    for read, content in enumerate(pool.contents, 1):
        text = folded(words_of(content) or "")
        if all(pattern.search(text) for pattern in patterns):
            found.append(read - 1)
        if read % LOOK == 0 and clock() > until:
            break
    return Matches(np.array(found, dtype=np.int64), len(found), read)
