"""Ids of items: texts, held so that ten million of them need little memory."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from ..content import Content, is_missing
from ..errors import PoolError
from .lazy import Lazy
from .progress import progress_bar
from .values import listed

if TYPE_CHECKING:
    import pyarrow as pa

IDS_AT_ONCE = 65_536
#: Lookups from which all of them together are faster than one after the other, as a share.
MANY = 0.02
NO_ROW = -1


class Ids(Sequence[str]):
    """A sequence of ids that knows where each one stands.

    Reads like a list of str. The ids themselves lie packed in arrays, and are made when they are
    asked for; the index is made when it is first needed.
    """

    @abstractmethod
    def _at(self, row: int) -> str: ...

    @abstractmethod
    def _number_of(self, name: str) -> np.generic | None:
        """Number by which an id is looked up; None where no id can be so."""

    @cached_property
    @abstractmethod
    def _numbers(self) -> NDArray[Any]:
        """Number of each id; equal ids have equal numbers."""

    @abstractmethod
    def in_order(self) -> Iterator[str]:
        """All ids, sorted as texts."""

    @abstractmethod
    def take(self, rows: NDArray[np.int64]) -> Ids:
        """The ids of some rows."""

    @abstractmethod
    def with_more(self, more: Ids) -> Ids:
        """These ids and more of their kind behind them."""

    def find(self, name: object) -> int | None:
        """First row with this id, or None."""
        number = self._number_of(name) if isinstance(name, str) else None
        if number is None:
            return None
        place = int(np.searchsorted(self._numbers, number, sorter=self._order))
        while place < len(self) and self._numbers[row := self._order[place]] == number:
            if self._at(row) == name:
                return int(row)
            place += 1
        return None

    def places(self, names: Sequence[str]) -> NDArray[np.int64]:
        """First row with each of these ids, -1 where there is none."""
        many = len(names) > MANY * len(self) > 0
        found = self._places(names) if many else None
        if found is not None:
            return found
        rows = (self.find(name) for name in names)
        return np.array([NO_ROW if row is None else row for row in rows], dtype=np.int64)

    @abstractmethod
    def _places(self, names: Sequence[str]) -> NDArray[np.int64] | None:
        """As `places`, all in one step; None where that cannot be done."""

    def repeated(self) -> NDArray[np.int64]:
        """Rows whose id stands in an earlier row too, in order."""
        ranked = self._numbers[self._order]
        return np.sort(self._order[1:][ranked[1:] == ranked[:-1]])

    @cached_property
    def _order(self) -> NDArray[np.int64]:
        return np.argsort(self._numbers, kind="stable")

    @overload
    def __getitem__(self, row: int) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> list[str]: ...
    def __getitem__(self, row: int | slice) -> str | list[str]:
        if isinstance(row, slice):
            return [self._at(i) for i in range(*row.indices(len(self)))]
        if not -len(self) <= row < len(self):
            raise IndexError(row)
        return self._at(int(row) % len(self))

    def __contains__(self, name: object) -> bool:
        return self.find(name) is not None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or isinstance(other, str):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        shown = repr(self[:3])
        return shown if len(self) <= 3 else f"{shown[:-1]}, … {len(self):,} in all]"


class HashIds(Ids):
    """Ids that are 16 hexadecimal digits, held as the numbers they are.

    Parameters
    ----------
    numbers : (n,) uint64 array
    """

    def __init__(self, numbers: NDArray[np.uint64]) -> None:
        self.numbers = numbers

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self), IDS_AT_ONCE):
            yield from _as_hex(self.numbers[start : start + IDS_AT_ONCE])

    def in_order(self) -> Iterator[str]:
        """All ids, sorted as texts."""
        for start in range(0, len(self), IDS_AT_ONCE):
            yield from _as_hex(self.numbers[self._order[start : start + IDS_AT_ONCE]])

    def take(self, rows: NDArray[np.int64]) -> HashIds:
        """The ids of some rows."""
        return HashIds(self.numbers[rows])

    def with_more(self, more: Ids) -> HashIds:
        """These ids and more of their kind behind them."""
        assert isinstance(more, HashIds)
        return HashIds(np.concatenate([self.numbers, more.numbers]))

    def _places(self, names: Sequence[str]) -> NDArray[np.int64] | None:
        numbers = _from_hex(names)
        if numbers is None:
            return None
        # In order, so that the search goes through memory once.
        order = np.argsort(numbers)
        wanted, ranked = numbers[order], self.numbers[self._order]
        near = np.minimum(np.searchsorted(ranked, wanted), len(self) - 1)
        found = np.empty(len(names), dtype=np.int64)
        found[order] = np.where(ranked[near] == wanted, self._order[near], NO_ROW)
        return found

    @cached_property
    def _numbers(self) -> NDArray[np.uint64]:
        return self.numbers

    def _at(self, row: int) -> str:
        return f"{int(self.numbers[row]):016x}"

    def _number_of(self, name: str) -> np.generic | None:
        try:
            number = int(name, 16)
        except ValueError:
            return None
        # Other writings of the same number are other texts.
        return np.uint64(number) if f"{number:016x}" == name else None


class GivenIds(Ids):
    """Ids that were given, held as UTF-8 in one piece.

    Parameters
    ----------
    names : pyarrow.LargeStringArray
    """

    def __init__(self, names: pa.LargeStringArray) -> None:
        self.names = names

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self), IDS_AT_ONCE):
            yield from self.names.slice(start, IDS_AT_ONCE).to_pylist()

    def in_order(self) -> Iterator[str]:
        """All ids, sorted as texts."""
        import pyarrow.compute as pc

        # The order of their bytes: for UTF-8 it is the order of the texts.
        order = pc.sort_indices(self.names)
        for start in range(0, len(self), IDS_AT_ONCE):
            yield from self.names.take(order.slice(start, IDS_AT_ONCE)).to_pylist()

    def take(self, rows: NDArray[np.int64]) -> GivenIds:
        """The ids of some rows."""
        return GivenIds(self.names.take(rows))

    def with_more(self, more: Ids) -> GivenIds:
        """These ids and more of their kind behind them."""
        import pyarrow as pa

        assert isinstance(more, GivenIds)
        return GivenIds(pa.concat_arrays([self.names, more.names]))

    def repeated(self) -> NDArray[np.int64]:
        """Rows whose id stands in an earlier row too, in order."""
        # Different texts may have the same number, if rarely.
        maybe = super().repeated().tolist()
        return np.array([row for row in maybe if self.find(self._at(row)) != row], dtype=np.int64)

    def _places(self, names: Sequence[str]) -> NDArray[np.int64]:
        import pyarrow as pa
        import pyarrow.compute as pc

        rows = pc.index_in(pa.array(names, pa.large_string()), value_set=self.names)
        found: NDArray[np.int64] = rows.fill_null(NO_ROW).to_numpy().astype(np.int64)
        return found

    @cached_property
    def _numbers(self) -> NDArray[np.int64]:
        return np.fromiter((hash(name) for name in self), dtype=np.int64, count=len(self))

    def _at(self, row: int) -> str:
        name: str = self.names[int(row)].as_py()
        return name

    def _number_of(self, name: str) -> np.generic | None:
        return np.int64(hash(name))


def as_ids(contents: Sequence[Content], ids: Any) -> Ids:
    """Id of every row: the one given, as text, or a hash of the content.

    Parameters
    ----------
    contents : sequence of Content
    ids : iterable, Ids or None

    Raises
    ------
    PoolError
        If an id is missing or cannot be written as UTF-8, or there is not one a content.
    """
    if ids is None:
        keys = contents.keys() if isinstance(contents, Lazy) else (c.to_bytes() for c in contents)
        return hash_ids(keys, len(contents))
    names: Ids = ids if isinstance(ids, Ids) else given_ids(ids)
    if len(names) != len(contents):
        raise PoolError(f"{len(names):,} ids for {len(contents):,} items. Give one each.")
    return names


def hash_ids(keys: Iterator[bytes], n: int) -> HashIds:
    """Ids by what identifies each content."""
    numbers = np.empty(n, dtype=np.uint64)
    with progress_bar("Hashing contents") as progress:
        for start in range(0, n, IDS_AT_ONCE):
            block = b"".join(_digest(key) for key in islice(keys, IDS_AT_ONCE))
            numbers[start : start + IDS_AT_ONCE] = np.frombuffer(block, dtype=">u8")
            progress(min(start + IDS_AT_ONCE, n), n)
    return HashIds(numbers)


def given_ids(values: Any, first: int = 0) -> GivenIds:
    """Ids as texts; a missing one is an error that names its row, the first one being `first`."""
    import pyarrow as pa

    rest = iter(values if isinstance(values, (np.ndarray, range)) else listed(values, "ids"))
    chunks = []
    row = first
    while block := list(islice(rest, IDS_AT_ONCE)):
        chunks.append(pa.array([_name(v, row + i) for i, v in enumerate(block)], pa.large_string()))
        row += len(block)
    return GivenIds(pa.concat_arrays(chunks) if chunks else pa.array([], pa.large_string()))


def first_of_each(ids: Ids, *, given: bool) -> NDArray[np.int64]:
    """Rows whose id stands in no earlier row, in order.

    Raises
    ------
    PoolError
        Where ids that were given repeat.
    """
    repeated = ids.repeated()
    if given and len(repeated):
        row = int(repeated[0])
        raise PoolError(
            f"The id {ids[row]!r} stands in row {ids.find(ids[row])} and in row {row}. "
            "Ids must be distinct; leave them out and a hash of the content is used."
        )
    return np.delete(np.arange(len(ids)), repeated)


def fingerprint(ids: Ids, probes: Mapping[str, str]) -> str:
    """Hash of all ids, whatever their order, and of some items: id to content hash."""
    digest = hashlib.blake2b(digest_size=16)
    rest = ids.in_order()
    while block := list(islice(rest, IDS_AT_ONCE)):
        digest.update("\0".join([*block, ""]).encode("utf-8", "surrogatepass"))
    for item_id, content in sorted(probes.items()):
        digest.update(f"{item_id}\0{content}\0".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def by_lot(ids: Ids, n: int) -> list[str]:
    """The n ids with the smallest hashes: the same ones in whatever order all of them stand."""
    places = np.empty(len(ids), dtype=np.uint64)
    rest = iter(ids)
    for start in range(0, len(ids), IDS_AT_ONCE):
        names = [name.encode("utf-8", "surrogatepass") for name in islice(rest, IDS_AT_ONCE)]
        block = b"".join([_digest(name) for name in names])
        places[start : start + IDS_AT_ONCE] = np.frombuffer(block, dtype=">u8")
    n = min(n, len(ids))
    first = np.argpartition(places, n - 1)[:n]
    return [ids[row] for row in first[np.argsort(places[first])]]


def content_hash(data: bytes) -> str:
    """Hash of what identifies a content, 16 hexadecimal digits."""
    return _digest(data).hex()


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=8).digest()


def _as_hex(numbers: NDArray[np.uint64]) -> list[str]:
    return numbers.astype(">u8").tobytes().hex(" ", 8).split()


def _from_hex(names: Sequence[str]) -> NDArray[np.uint64] | None:
    """Numbers that are written as 16 hexadecimal digits each; None if one is not."""
    text = "".join(names)
    if set(map(len, names)) - {16}:
        return None
    try:
        numbers = np.frombuffer(bytes.fromhex(text), dtype=">u8").astype(np.uint64)
    except ValueError:
        return None
    # Other writings of the same numbers are other texts.
    same = numbers.astype(">u8").tobytes().hex() == text
    return numbers if same else None


def _name(value: object, row: int) -> str:
    if is_missing(value) or (name := str(value)) == "":
        raise PoolError(f"The id in row {row} is missing. Give every row an id, or none.")
    try:
        name.encode()
    except UnicodeEncodeError as e:
        raise PoolError(
            f"The id in row {row}, {name!r}, is no valid Unicode: it cannot be written as "
            "UTF-8. Give it another id, or leave the ids out."
        ) from e
    return name
