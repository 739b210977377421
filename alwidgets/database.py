"""Where a label store lies: a file, memory, or a database by its URL."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool

from .errors import StoreError

#: Databases that can insert an event once and ignore it when it comes again.
INSERT_ONCE: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
BUSY_SECONDS = 10
#: Ways to ask for a store in memory.
IN_MEMORY = (":memory:", "sqlite://", "sqlite:///:memory:")


def parse_location(location: str | PathLike[str] | None) -> tuple[sa.URL, Path | None]:
    """Return the database URL of a location, and its path if it is an SQLite file."""
    if location is None or str(location) in IN_MEMORY:
        return sa.URL.create("sqlite"), None
    if isinstance(location, str) and "://" in location:
        try:
            url = sa.make_url(location)
        except SQLAlchemyError as e:
            raise StoreError(f"store={location!r} is no database URL: {e}.") from e
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
        try:
            return sa.create_engine(url)
        except ImportError as e:
            raise StoreError(f"Install the driver for {url.drivername} first: {e}.") from e
    arguments = {"check_same_thread": False, "timeout": BUSY_SECONDS}
    pooling = StaticPool if in_memory else None
    engine = sa.create_engine(url, poolclass=pooling, connect_args=arguments)
    sa.event.listen(engine, "connect", _full_synchronous)
    return engine


def _full_synchronous(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()
