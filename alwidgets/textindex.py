"""An index of the words of a pool: SQLite's FTS5, built in the background and kept on disk."""

from __future__ import annotations

import hashlib
import logging
import os
import sqlite3
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .content import Content
from .errors import PoolError
from .ingest import cache_folder
from .pool import Pool
from .search import Matches, words_of
from .terms import Terms, folded

log = logging.getLogger(__name__)

#: Fewer items than this are looked through one after another in a moment.
WORTH_IT = 2_000
#: Fewer items than this are indexed anew each time, in memory.
IN_MEMORY = 50_000
#: Rows written at a time.
ROWS = 2_000
#: Of the files; another one where the same texts make another index.
FORMAT = 1
#: Bytes that are sorted in memory before they are written.
SORTED = 1 << 26

_TABLE = (
    "CREATE VIRTUAL TABLE items USING fts5(words, content='', columnsize=0, prefix='1 2 3', "
    'tokenize="unicode61 remove_diacritics 2")'
)


def in_background(work: Callable[[], None]) -> None:
    """Run `work` on a thread of its own."""
    threading.Thread(target=work, name="alwidgets-words", daemon=True).start()


class TextIndex:
    """Finds the items that hold some words, once it is built.

    The table keeps only the words, not the texts. Of small pools it lies in memory; of others in
    a file of the cache folder, by a hash of all texts in their order: who opens the same pool
    again need not wait. Where the cache cannot be written it is a file of its own that goes with
    the process. What joins a pool later lies in a second table, in memory. What cannot be read any
    more is built again, once.

    Parameters
    ----------
    contents : sequence of Content
    folder : path, optional
        In place of the cache folder.
    run : callable, optional
        Runs the building in the background.

    Attributes
    ----------
    progress : float or None
        How far the building is, 0 to 1; None before and after.
    problem : Exception or None
        Why there is no index.
    """

    def __init__(
        self,
        contents: Sequence[Content],
        *,
        folder: Path | None = None,
        run: Callable[[Callable[[], None]], None] = in_background,
    ) -> None:
        self._contents, self._folder, self._run = contents, folder, run
        self._first: Sequence[Content] = ()
        self._lock = threading.Lock()
        self._asking = threading.Lock()
        self._started = self._closed = False
        #: Whether what was built could not be read any more.
        self._is_broken = False
        self._database: sqlite3.Connection | None = None
        #: Items that the first table is of, and those that joined since.
        self._n_first = self._n_read = 0
        self._joined: sqlite3.Connection | None = None
        self._joining = False
        self._listeners: list[Callable[[], None]] = []
        self.progress: float | None = None
        self.problem: Exception | None = None

    @property
    def ready(self) -> bool:
        """Whether it can be asked."""
        return self._database is not None

    def start(self) -> None:
        """Begin to build it; a second call changes nothing."""
        with self._lock:
            if self._started or self._closed:
                return
            self._started, self.progress = True, 0.0
            self._first = self._contents
            self._n_first = self._n_read = len(self._first)
        self._run(self._make)

    def grow(self, contents: Sequence[Content]) -> None:
        """Take in what joined, in the background; nothing has if there is no more than before.

        Parameters
        ----------
        contents : sequence of Content
            Those that it is of, and more behind them.
        """
        with self._lock:
            if self._closed or len(contents) <= len(self._contents):
                return
            self._contents = contents
            if not self._started or self._joining:
                return
            self._joining = True
        self._run(self._join)

    def on_change(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener`, on any thread, as the building goes on; returns what ends that."""
        with self._lock:
            self._listeners.append(listener)

        def unsubscribe() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return unsubscribe

    def search(self, terms: Terms, most: int | None = None) -> Matches | None:
        """Find the items that hold the phrases of `terms`, in the order of the pool.

        Parameters
        ----------
        terms : Terms
            With one phrase at least.
        most : int, optional
            So many positions; all are counted.

        Returns
        -------
        Matches or None
            None while it is not ready, and if its file cannot be read any more.
        """
        try:
            return self._search(terms.expression(), most)
        except sqlite3.Error as error:
            self._mend(error)
            return None

    def _search(self, expression: str, most: int | None) -> Matches | None:
        with self._asking:
            if self._database is None:
                return None
            first, total = _found(self._database, expression, most)
            if self._joined is not None:
                left = None if most is None else most - len(first)
                more, n = _found(self._joined, expression, left)
                first, total = np.concatenate([first, more]), total + n
            return Matches(first, total, self._n_read)

    def close(self) -> None:
        """Let go of the file; what is being built is given up."""
        with self._lock:
            self._closed = True
            self._listeners.clear()
        with self._asking:
            for database in (self._database, self._joined):
                if database is not None:
                    database.close()
            self._database = self._joined = None

    # ------------------------------------------------------------------ building

    def _mend(self, error: sqlite3.Error) -> None:
        """Build the first table again if it was not yet; texts are looked through until then."""
        log.warning("the index of the words cannot be read any more", exc_info=True)
        with self._asking:
            if self._database is None:
                return  # somebody else found it broken, or it is closed
            self._database.close()
            self._database = None
            self.problem, was_broken, self._is_broken = error, self._is_broken, True
        if not was_broken:
            self.progress = 0.0
            self._run(self._make)

    def _make(self) -> None:
        try:
            database = self._in_memory() if self._n_first < IN_MEMORY else self._on_disk()
        except _GivenUp:
            return
        except Exception as error:  # a file of the person's, or one that cannot be written
            log.warning("the words could not be indexed; texts are looked through", exc_info=True)
            self.problem = error
        else:
            with self._asking:
                self._database, self.problem = database, None
            if self._closed:
                self.close()
        self.progress = None
        self._tell()

    def _in_memory(self) -> sqlite3.Connection:
        database = sqlite3.connect(":memory:", check_same_thread=False)
        try:
            self._fill(database)
        except BaseException:
            database.close()
            raise
        return database

    def _on_disk(self) -> sqlite3.Connection:
        try:
            folder = self._folder or cache_folder()
        except PoolError as error:
            log.warning("%s Until then words are indexed anew each time.", error)
            return self._unnamed()
        path = folder / f"words-{self._digest()}.sqlite"
        if path.is_file() and not self._is_broken:
            try:
                return self._opened(path)
            except sqlite3.Error as error:  # cut short, or no longer what was written
                log.warning("%s cannot be used (%s). It is written again.", path, error)
        handle, part = tempfile.mkstemp(dir=folder, suffix=".part")
        os.close(handle)
        try:
            with closing(sqlite3.connect(part)) as database:
                database.execute("PRAGMA journal_mode = OFF")
                database.execute("PRAGMA synchronous = OFF")
                self._fill(database)
            os.replace(part, path)
        finally:
            Path(part).unlink(missing_ok=True)
        return self._opened(path)

    def _unnamed(self) -> sqlite3.Connection:
        """A file without a name, which SQLite deletes when it is closed."""
        database = sqlite3.connect("", check_same_thread=False)
        try:
            self._fill(database)
        except BaseException:
            database.close()
            raise
        return database

    def _opened(self, path: Path) -> sqlite3.Connection:
        database = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, check_same_thread=False)
        try:
            database.execute("PRAGMA mmap_size = 1073741824")
            n = database.execute("SELECT n FROM about WHERE format = ?", (FORMAT,)).fetchone()
            if n is None or n[0] != self._n_first:
                raise sqlite3.DatabaseError("it is of another pool")
            database.execute("SELECT rowid FROM items WHERE items MATCH '\"a\"' LIMIT 1").fetchone()
        except BaseException:
            database.close()
            raise
        return database

    def _fill(self, database: sqlite3.Connection) -> None:
        n = self._n_first
        database.execute(_TABLE)
        database.execute("INSERT INTO items(items, rank) VALUES ('hashsize', ?)", (SORTED,))
        for start, texts in self._parts():
            rows = enumerate(map(folded, texts), start)
            database.executemany("INSERT INTO items(rowid, words) VALUES (?, ?)", rows)
            self.progress = min(0.99, (start + len(texts)) / n)
            self._tell()
        database.execute("INSERT INTO items(items) VALUES ('optimize')")
        database.execute("CREATE TABLE about (format INTEGER, n INTEGER)")
        database.execute("INSERT INTO about VALUES (?, ?)", (FORMAT, n))
        database.commit()

    def _digest(self) -> str:
        """Hash of all texts, in their order."""
        digest = hashlib.blake2b(repr((FORMAT, self._n_first)).encode(), digest_size=16)
        for _, texts in self._parts():
            lengths = ",".join(str(len(text)) for text in texts)
            digest.update(f"{lengths}\0{''.join(texts)}".encode("utf-8", "surrogatepass"))
        return digest.hexdigest()

    def _join(self) -> None:
        """Write what joined into a table of its own, some rows at a time."""
        with self._asking:
            if self._joined is None and not self._closed:
                self._joined = sqlite3.connect(":memory:", check_same_thread=False)
                self._joined.execute(_TABLE)
        while True:
            with self._lock:
                texts = self._contents[self._n_read : self._n_read + ROWS]
                self._joining = bool(texts) and not self._closed
            if not self._joining:
                break
            words = [folded(words_of(content) or "") for content in texts]
            with self._asking:
                if self._joined is None:
                    return  # closed meanwhile
                rows = enumerate(words, self._n_read)
                self._joined.executemany("INSERT INTO items(rowid, words) VALUES (?, ?)", rows)
                self._n_read += len(words)
        self._tell()

    def _parts(self) -> Iterator[tuple[int, list[str]]]:
        """The texts of the first table, some at a time, each part with where it begins."""
        contents, start = iter(self._first), 0
        while part := [words_of(content) or "" for content in islice(contents, ROWS)]:
            if self._closed:
                raise _GivenUp
            yield start, part
            start += len(part)

    def _tell(self) -> None:
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            try:
                listener()
            except Exception:
                log.exception("a listener of the index failed")


class _GivenUp(Exception):
    """The index is wanted no longer."""


def _found(
    database: sqlite3.Connection, expression: str, most: int | None
) -> tuple[NDArray[np.int64], int]:
    """The first positions that match, at most so many, and how many do."""
    first = _positions(database, expression, most)
    if most is None or len(first) < most:
        return first, len(first)
    query = "SELECT count(*) FROM items WHERE items MATCH ?"
    return first, int(database.execute(query, (expression,)).fetchone()[0])


def _positions(
    database: sqlite3.Connection, expression: str, most: int | None
) -> NDArray[np.int64]:
    # One text that SQLite makes without the interpreter's lock, rather than a row for each.
    query = (
        "SELECT group_concat(place) FROM "
        "(SELECT rowid AS place FROM items WHERE items MATCH ? ORDER BY rowid LIMIT ?)"
    )
    listed = database.execute(query, (expression, -1 if most is None else most)).fetchone()[0]
    if listed is None:
        return np.empty(0, dtype=np.int64)
    return np.fromstring(listed, dtype=np.int64, sep=",")


_indices: weakref.WeakKeyDictionary[Pool, TextIndex] = weakref.WeakKeyDictionary()
_making = threading.Lock()


def shared_index(pool: Pool) -> TextIndex:
    """The index of a pool: the same object for every session, gone with the pool."""
    with _making:
        found = _indices.get(pool)
        if found is None:
            found = _indices[pool] = TextIndex(pool.contents)
            weakref.finalize(pool, found.close).atexit = False
    found.grow(pool.contents)
    return found
