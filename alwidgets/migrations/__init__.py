"""The version of a store's tables: made new, brought up to date with alembic, or refused.

A step between two versions is a file in `versions`, as alembic has them; the number of the newest
stands in the store's table ``meta`` and nowhere else.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import uuid
from contextlib import closing
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from ..errors import StoreError
from ..schema import SCHEMA_VERSION, meta_table, metadata

log = logging.getLogger(__name__)


def prepare(engine: sa.Engine, store: str, path: Path | None) -> str:
    """Make the tables of a new store, or bring those of an older one up to date.

    Parameters
    ----------
    engine : Engine
        Nobody else writes there meanwhile.
    store : str
        Name for messages.
    path : Path or None
        Of an SQLite file: before its tables are changed, a copy of it is kept beside it.

    Returns
    -------
    str
        The store's own id.

    Raises
    ------
    StoreError
        If the database is somebody else's or of a newer version; it is left as it was.
    """
    there = set(sa.inspect(engine).get_table_names())
    if there and "meta" not in there:
        raise StoreError(
            f"{store} is no label store: it holds the tables {', '.join(sorted(there)[:5])}. "
            "Give store=… a file, a database or a schema of its own."
        )
    with engine.connect() as connection:
        version = _meta(connection, "schema") if there else None
    if version is None:
        with engine.begin() as connection:
            metadata.create_all(connection)
            values = {"schema": SCHEMA_VERSION, "store_id": uuid.uuid4().hex}
            rows = [{"key": key, "value": value} for key, value in values.items()]
            connection.execute(sa.insert(meta_table), rows)
    elif version > SCHEMA_VERSION:
        raise StoreError(
            f"{store} was made by a newer version of alwidgets (schema {version}; this one knows "
            f"schemas up to {SCHEMA_VERSION}). Open it with that version: pip install --upgrade "
            "alwidgets."
        )
    elif version < SCHEMA_VERSION:
        _migrate(engine, store, path, version)
    with engine.connect() as connection:
        return str(_meta(connection, "store_id"))


def upgrade(connection: sa.Connection, version: int, to: int = SCHEMA_VERSION) -> None:
    """Take the steps from one version of the tables to another, in the transaction at hand.

    Parameters
    ----------
    connection : Connection
    version : int
        0 where there are no tables.
    to : int
    """
    from alembic.config import Config
    from alembic.migration import MigrationContext
    from alembic.operations import Operations
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", "alwidgets:migrations")
    scripts = ScriptDirectory.from_config(config)
    newest_first = scripts.iterate_revisions(f"{to:04}", f"{version:04}" if version else "base")
    with Operations.context(MigrationContext.configure(connection)):
        for step in reversed(list(newest_first)):
            step.module.upgrade()


def _migrate(engine: sa.Engine, store: str, path: Path | None, version: int) -> None:
    kept = _copy(path, f"before-{SCHEMA_VERSION}") if path is not None else None
    try:
        with engine.begin() as connection:
            if connection.dialect.name == "sqlite":
                # By itself the driver begins no transaction before a change of tables.
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            upgrade(connection, version)
            newer = sa.update(meta_table).values(value=SCHEMA_VERSION)
            connection.execute(newer.where(meta_table.c.key == "schema"))
    except BaseException:
        if kept is not None:
            kept.unlink()
        raise
    log.warning(
        "%s was brought from schema %d to %d.%s",
        store,
        version,
        SCHEMA_VERSION,
        f" As it was before it is kept in {kept}." if kept is not None else "",
    )


def _copy(path: Path, what: str) -> Path:
    """Copy an SQLite file with what waits in its write-ahead log; nothing is overwritten."""
    kept, n = path.with_name(f"{path.name}.{what}"), 1
    while kept.exists():
        n += 1
        kept = path.with_name(f"{path.name}.{what}-{n}")
    part = kept.with_name(f"{kept.name}.part")
    try:
        part.unlink(missing_ok=True)
        with closing(sqlite3.connect(path)) as old, closing(sqlite3.connect(part)) as new:
            old.backup(new)
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(part, kept)
    except (OSError, sqlite3.Error) as e:
        part.unlink(missing_ok=True)
        raise StoreError(
            f"{path} is of an older version, and no copy of it could be made before its tables "
            f"are changed ({e}). Make room on the disk, or put it where you may write."
        ) from e
    return kept


def _meta(connection: sa.Connection, key: str) -> Any:
    return connection.scalar(sa.select(meta_table.c.value).where(meta_table.c.key == key))
