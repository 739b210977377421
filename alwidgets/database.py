"""Where a label store lies: a file, memory, or a database by its URL; and whose it is meanwhile."""

from __future__ import annotations

from contextlib import suppress
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool

from .errors import StoreError, StoreInUseError

if TYPE_CHECKING:
    from filelock import FileLock

#: Databases that can insert an event once and ignore it when it comes again.
INSERT_ONCE: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
BUSY_SECONDS = 10
CONNECT_SECONDS = 10
#: Ways to ask for a store in memory.
IN_MEMORY = (":memory:", "sqlite://", "sqlite:///:memory:")
#: First half of the key of the lock on a PostgreSQL schema: "alwi" in ASCII.
LOCK = 0x616C7769
#: A client that has vanished from the network holds its lock for a minute, not for hours.
KEEPALIVE = {"tcp_keepalives_idle": 30, "tcp_keepalives_interval": 10, "tcp_keepalives_count": 3}

REMEDIES = {
    "sqlite": "Check that it is a label store, that no other program has it, that the disk has "
    "room and that you may write there.",
    "postgresql": "Check that the server runs, that its disk has room and that you may write "
    "there; then try again, the store connects anew by itself.",
}


def parse_location(location: str | PathLike[str] | None) -> tuple[sa.URL, Path | None]:
    """Return the database URL of a location, and its path if it is an SQLite file."""
    if location is None or str(location) in IN_MEMORY:
        return sa.URL.create("sqlite"), None
    if isinstance(location, str) and "://" in location:
        try:
            url = sa.make_url(location)
        except SQLAlchemyError as e:
            raise StoreError(f"store={location!r} is no database URL: {e}.") from e
        if url.drivername == "postgresql":
            # Which driver that means changes with the version of SQLAlchemy.
            url = url.set(drivername="postgresql+psycopg")
        if url.get_backend_name() != "sqlite" or not url.database:
            return url, None
        location = url.database
    # Resolved, so that a link and the file it leads to are one store.
    path = Path(location).expanduser().resolve()
    return sa.URL.create("sqlite", database=str(path)), path


def connect(url: sa.URL, *, in_memory: bool) -> sa.Engine:
    """Make an engine that commits to disk and serves several threads."""
    backend = url.get_backend_name()
    if backend not in INSERT_ONCE:
        raise StoreError(f"Labels are kept in SQLite or PostgreSQL, not in {backend}.")
    if backend != "sqlite":
        return _connect_to_server(url)
    arguments = {"check_same_thread": False, "timeout": BUSY_SECONDS}
    pooling = StaticPool if in_memory else None
    engine = sa.create_engine(url, poolclass=pooling, connect_args=arguments)
    sa.event.listen(engine, "connect", _full_synchronous)
    return engine


def writer_of(engine: sa.Engine, store: str) -> sa.Engine:
    """Return the engine to write with.

    On PostgreSQL that has one connection only, and a lock that lasts as long as the connection:
    whoever can write is the only one who can. A file is locked as a file, by `lock_file`.
    """
    if engine.dialect.name == "sqlite":
        return engine

    def claim(connection: Any, _record: Any) -> None:
        with connection.cursor() as cursor:
            for name, value in KEEPALIVE.items():
                cursor.execute(f"SET {name} = {value}")
            cursor.execute(f"SELECT pg_try_advisory_lock({LOCK}, hashtext(current_schema()))")
            (is_ours,) = cursor.fetchone()
        connection.commit()
        if not is_ours:
            connection.close()
            raise in_use(store)

    def release(connection: Any, _record: Any) -> None:
        # The server lets go by itself, but only a moment after the connection is closed.
        with suppress(engine.dialect.loaded_dbapi.Error), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock_all()")

    writer = _connect_to_server(engine.url, pool_size=1, max_overflow=0)
    sa.event.listen(writer, "connect", claim)
    sa.event.listen(writer, "close", release)
    return writer


def lock_file(path: Path) -> FileLock:
    """Lock an SQLite file for this store alone.

    Raises
    ------
    StoreInUseError
        If another store object, of this process or another, has the file open.
    StoreError
        If the file cannot be made or written.
    """
    from filelock import FileLock, Timeout

    if not path.parent.is_dir():
        raise StoreError(
            f"The folder {path.parent} for the label store is not there. Make it first, "
            "or give another store=…."
        )
    lock = FileLock(f"{path}.lock", timeout=0, is_singleton=False)
    try:
        # The lock itself would wait for a file that can never be made.
        Path(lock.lock_file).open("ab").close()
        if path.exists():
            path.open("ab").close()
        lock.acquire()
    except Timeout:
        raise in_use(str(path)) from None
    except OSError as e:
        raise StoreError(
            f"{path} cannot be written ({e.strerror or e}). "
            "Give store=… a path in a folder that you can write to."
        ) from e
    return lock


def in_use(store: str) -> StoreInUseError:
    """Return the error that says that another session has the store."""
    return StoreInUseError(
        f"{store} is open in another session, here or in another notebook or process. "
        "Close that one first (session.close(), or shut its kernel down)."
    )


def _connect_to_server(url: sa.URL, **pooling: int) -> sa.Engine:
    arguments = {} if "connect_timeout" in url.query else {"connect_timeout": CONNECT_SECONDS}
    try:
        # Asked before each use whether it still lives, a connection outlasts a restart.
        return sa.create_engine(url, pool_pre_ping=True, connect_args=arguments, **pooling)
    except ImportError as e:
        raise StoreError(
            f"The driver for {url.drivername} is not there ({e}): "
            "pip install 'alwidgets[postgres]'."
        ) from e


def _full_synchronous(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()
