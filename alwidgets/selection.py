"""What is selected: one for a session, which every view of it reads and writes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from . import exchange, readings
from .errors import AlwidgetsError, UnknownItemError
from .gathering import Gathering, positions_of
from .items import Gathered, QueueReport
from .search import Found

if TYPE_CHECKING:
    import pandas as pd

#: So few positions are sent one by one whatever that takes: a mask forgets their order.
ORDERED = 10_000

Positions: TypeAlias = NDArray[np.int64]
#: Ids, positions in the pool, a boolean for every item of it, or what a search found.
Chosen: TypeAlias = "Iterable[str] | Iterable[int] | NDArray[Any] | Found"


class Selection:
    """The items that are selected, in the order in which they were.

    The same object for all views of a session: what is lassoed on the map can be read here, and
    what is set here stands out on the map. It may be used from any thread.

    Parameters
    ----------
    session : Session

    Examples
    --------
    >>> import alwidgets as al
    >>> pool = al.Pool.from_texts(["win a prize", "see you", "a prize!"], ids=["a", "b", "c"])
    >>> session = al.Session(pool, al.Classification(["ham", "spam"]), audit=0)
    >>> session.selection.set(["c", "a"])
    >>> session.selection.ids
    ['c', 'a']
    >>> print(session.selection.label_next())
    2 cards come next
    """

    def __init__(self, session: Selecting) -> None:
        self._session = session
        self._lock = threading.Lock()
        self._positions: Positions = np.empty(0, dtype=np.int64)
        self._positions.flags.writeable = False
        self._source = ""

    @property
    def positions(self) -> Positions:
        """Positions in the pool, int64, each once; not to be written to."""
        with self._lock:
            return self._positions

    @property
    def ids(self) -> list[str]:
        """Ids of the items."""
        return list(self._session.pool.ids.take(self.positions))

    @property
    def source(self) -> str:
        """Where the selection comes from, in a word, such as ``map`` or ``search``."""
        with self._lock:
            return self._source

    def set(self, items: Chosen, *, source: str = "Python", origin: object = None) -> None:
        """Select these items and no others.

        Parameters
        ----------
        items : iterable of str or of int, (n,) bool array, or Found
            Ids, positions in the pool, or a mask over all of it; a column of a frame, too, and
            what `Session.search` found.
        source : str, optional
            Where they come from, in a word.
        origin : object, optional
            Who selects; handed to the listeners, so that nobody answers themselves.

        Raises
        ------
        UnknownItemError
            If one of them is not in the pool, or these are no items.
        """
        positions = self._found(items)
        self._change(lambda _: positions, source, origin)

    def add(self, items: Chosen) -> None:
        """Select these items, too."""
        more, pool = self._found(items), self._session.pool
        self._change(lambda before: _once(np.concatenate([before, more]), len(pool)))

    def remove(self, items: Chosen) -> None:
        """Select these items no longer."""
        less = self._found(items)
        self._change(lambda before: before[~np.isin(before, less)])

    def clear(self, *, origin: object = None) -> None:
        """Select nothing."""
        self.set((), source="", origin=origin)

    def label_next(self) -> QueueReport:
        """Put the items on the next cards: `Session.queue`."""
        self._check()
        return self._session.queue(self.ids)

    def label_together(self, title: str | None = None) -> Gathered:
        """Put the items into one grid, to be labelled in one go: `Session.label_together`."""
        self._check()
        return self._session.label_together(self.ids, title=title)

    def save(self, name: str) -> None:
        """Keep the items as a slice of that name: `Session.slices`."""
        self._session.slices[name] = self.ids

    def to_frame(self) -> pd.DataFrame:
        """The items as a table, in their order.

        Returns
        -------
        pandas.DataFrame
            ``item_id``; ``content``, the text of items that have one; their metadata; the columns
            of `Session.labels` as `Session.join` adds them; and what the model says:
            ``prediction`` and ``confidence``, empty without a model and for items that are kept
            for the audit. Of two columns with one name the later one's has its kind behind it, as
            ``item_id_metadata``.
        """
        session, positions = self._session, self.positions
        with session._lock:
            labels = readings.to_frame(session._ledger)
            reserved = session._ledger.audit.reserved[positions]
            current = session._loop.current
        answers = np.full(len(positions), None, dtype=object)
        sure = np.full(len(positions), np.nan)
        if current is not None and current.predictions is not None:
            assert current.confidence is not None
            codes = current.predictions[positions]
            told = np.flatnonzero(~reserved & (codes >= 0))
            for at in told.tolist():
                answers[at] = session.task.decode(int(codes[at]))
            sure[told] = current.confidence[positions[told]]
        said = {"prediction": answers, "confidence": sure}
        return exchange.table_of(session.pool, positions, labels, said)

    def __len__(self) -> int:
        return len(self.positions)

    def __contains__(self, item_id: object) -> bool:
        try:
            position = self._session.pool.index(item_id)
        except UnknownItemError:
            return False
        return bool((self.positions == position).any())

    def __iter__(self) -> Iterator[str]:
        return iter(self.ids)

    def __repr__(self) -> str:
        source = f", from {self.source}" if self.source else ""
        return f"<Selection of {len(self):,} items{source}>"

    def _change(
        self,
        change: Callable[[Positions], Positions],
        source: str | None = None,
        origin: object = None,
    ) -> None:
        with self._lock:
            positions = change(self._positions).copy()
            positions.flags.writeable = False
            self._positions = positions
            self._source = self._source if source is None else source
        self._session._signals.emit("selection", self, origin)

    def _check(self) -> None:
        if not len(self):
            raise AlwidgetsError(
                "Nothing is selected: lasso some points on the map, or session.selection.set(ids)."
            )

    def _found(self, items: Chosen) -> Positions:
        """Positions, each once, in the order in which they were given."""
        pool = self._session.pool
        n = len(pool)
        if isinstance(items, str):
            raise UnknownItemError(
                f"A selection is of several items, not a text: give a list, [{items!r}]."
            )
        if isinstance(items, Found):
            items = items.positions
        if not isinstance(items, Iterable):
            raise UnknownItemError(
                f"A selection is of several items, not {items!r}: give a list of ids, or ()."
            )
        given = np.asarray(items if hasattr(items, "__array__") else list(items))
        if given.ndim == 1 and given.size and isinstance(given[0], str):
            given = positions_of([str(item_id) for item_id in given], pool)
        else:
            if given.dtype == bool:
                if given.shape != (n,):
                    raise UnknownItemError(
                        f"A mask needs one value for each of the {n:,} items, not the shape "
                        f"{given.shape}. Of a column by ids give the ids: column[column].index."
                    )
                return np.flatnonzero(given)
            if given.size and (given.ndim != 1 or given.dtype.kind not in "iu"):
                raise UnknownItemError(
                    "A selection is made of ids, of whole positions, or of a mask; not of "
                    f"{given.dtype} in the shape {given.shape}."
                )
            given = given.reshape(-1).astype(np.int64)
            wrong = (given < 0) | (given >= n)
            if wrong.any():
                raise UnknownItemError(
                    f"There is no item at position {int(given[wrong][0]):,}; there are {n:,}."
                )
        return _once(given, n)


def _once(positions: Positions, n: int) -> Positions:
    """Each position once, where it came first."""
    seen = np.zeros(n, dtype=bool)
    seen[positions] = True
    if np.count_nonzero(seen) == len(positions):
        return positions
    first = np.unique(positions, return_index=True)[1]
    return positions[np.sort(first)]


class Slices(MutableMapping[str, list[str]]):
    """Selections that were kept: the ids of each by its name; they outlive the session.

    Parameters
    ----------
    session : Session

    Examples
    --------
    >>> import alwidgets as al
    >>> pool = al.Pool.from_texts(["win a prize", "see you", "a prize!"], ids=["a", "b", "c"])
    >>> session = al.Session(pool, al.Classification(["ham", "spam"]), audit=0)
    >>> session.slices["prizes"] = ["a", "c"]
    >>> session.selection.set(session.slices["prizes"], source="slice")
    >>> list(session.slices), len(session.selection)
    (['prizes'], 2)
    """

    def __init__(self, session: Selecting) -> None:
        self._session = session

    def __getitem__(self, name: str) -> list[str]:
        kept = self._session.store.slices()
        if name not in kept:
            names = ", ".join(map(repr, kept)) or "none"
            raise KeyError(f"There is no slice {name!r}; there are: {names}.")
        return kept[name]

    def __setitem__(self, name: str, ids: Iterable[str]) -> None:
        if not isinstance(name, str) or not name.strip():
            raise AlwidgetsError(f"A slice needs a name, not {name!r}.")
        if isinstance(ids, str):
            raise UnknownItemError(f"A slice is a list of ids, not a text: [{ids!r}].")
        if not isinstance(ids, Iterable):
            raise UnknownItemError(f"A slice is a list of ids, not {ids!r}.")
        given = list(ids)  # read once: they may come one by one
        for item_id in given:
            self._session.pool.index(item_id)
        self._session.store.keep_slice(name, list(dict.fromkeys(given)))
        self._session._signals.emit("slices")

    def __delitem__(self, name: str) -> None:
        self[name]
        self._session.store.keep_slice(name, None)
        self._session._signals.emit("slices")

    def __iter__(self) -> Iterator[str]:
        return iter(self._session.store.slices())

    def __len__(self) -> int:
        return len(self._session.store.slices())

    def __repr__(self) -> str:
        return f"Slices({', '.join(map(repr, self))})"


class Selecting(Gathering):
    """The selection of a session.

    Attributes
    ----------
    selection : Selection
        What is selected, for all views and for you.
    slices : Slices
        Selections that were kept.
    """

    selection: Selection
    slices: Slices


def packed(positions: Positions, n: int) -> tuple[str, bytes]:
    """Positions as they are sent: many of them in the shorter of two ways.

    Returns
    -------
    encoding : "positions" or "mask"
        uint32 each, or one bit for each of the `n` items, the lowest bit first.
    data : bytes
    """
    if len(positions) <= ORDERED or 4 * len(positions) <= (n + 7) // 8:
        return "positions", positions.astype("<u4").tobytes()
    mask = np.zeros(n, dtype=bool)
    mask[positions] = True
    return "mask", np.packbits(mask, bitorder="little").tobytes()


def unpacked(encoding: str, data: bytes, n: int) -> Positions:
    """Positions that were sent, each once: of a mask ascending, otherwise in their order.

    Raises
    ------
    UnknownItemError
        If these are none, or of items that are not there.
    """
    if encoding == "mask":
        if len(data) != (n + 7) // 8:
            raise UnknownItemError(
                f"A mask of {n:,} items has {(n + 7) // 8:,} bytes; {len(data):,} came."
            )
        bits = np.unpackbits(np.frombuffer(data, dtype=np.uint8), bitorder="little")
        if bits[n:].any():
            raise UnknownItemError(f"The mask has bits beyond the {n:,} items.")
        return cast("Positions", np.flatnonzero(bits[:n]))
    if encoding != "positions":
        raise UnknownItemError(f"Positions come as a mask or one by one, not as {encoding!r}.")
    if len(data) % 4:
        raise UnknownItemError(f"Positions are 4 bytes each; {len(data):,} bytes came.")
    positions = np.frombuffer(data, dtype="<u4").astype(np.int64)
    if len(positions) and int(positions.max()) >= n:
        raise UnknownItemError(
            f"There is no item at position {int(positions.max()):,}; there are {n:,}."
        )
    return _once(positions, n)
