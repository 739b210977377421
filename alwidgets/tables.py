"""The tables of a store: rows read and written, once more where the connection broke."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from itertools import islice
from os import PathLike
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from .database import INSERT_ONCE, REMEDIES, connect, lock_file, parse_location, writer_of
from .errors import StoreError
from .schema import Draw, Event, meta_table

Record = TypeVar("Record", Event, Draw)
Done = TypeVar("Done")

#: That a query is given at once: databases have a limit on them.
VALUES_AT_ONCE = 500
#: Rows read at once: those of so few, with their texts, stay in the processor's own memory until
#: they are worked up. With 10,000 a million rows take twice as long.
AT_ONCE = 200


class Tables:
    """A database that only this object writes.

    Parameters
    ----------
    location : path, SQLAlchemy URL or None
        None keeps everything in memory.

    Raises
    ------
    StoreInUseError
        If another store object, of this process or another, has it open.
    StoreError
        If it cannot be opened, read or written.
    """

    def __init__(self, location: str | PathLike[str] | None) -> None:
        url, self.path = parse_location(location)
        self.persistent = self.path is not None or url.get_backend_name() != "sqlite"
        named = location if self.path else url.render_as_string()
        self.name = str(named) if self.persistent else ""
        # What a store in memory has goes with it.
        self._gone = False
        self._errors: tuple[type[Exception], ...] = (SQLAlchemyError,)
        self._remedy = REMEDIES.get(url.get_backend_name(), "")
        self._write = threading.RLock()
        self._lock_file = lock_file(self.path) if self.path else None
        try:
            with self._talking("opened"):
                self._engine = connect(url, in_memory=not self.persistent)
                self._errors = (SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error)
                self._writer = writer_of(self._engine, self.name)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the database. Closing twice is fine."""
        self._gone = not self.persistent
        for name in ("_writer", "_engine"):
            engine = getattr(self, name, None)
            if engine is not None:
                engine.dispose()
        if self._lock_file is not None:
            self._lock_file.release()
            self._lock_file = None

    def __str__(self) -> str:
        return f"The label store {self.name}" if self.persistent else "The label store in memory"

    def _read(
        self, kind: type[Any], table: sa.Table, order: sa.Column[Any], *which: Any
    ) -> Iterator[Any]:
        query = sa.select(*(table.c[f.name] for f in fields(kind))).where(*which).order_by(order)
        with self._reading() as connection:
            for row in connection.execute(query):
                yield kind(*row)

    def _one(
        self, kind: type[Record], table: sa.Table, where: sa.ColumnElement[bool]
    ) -> Record | None:
        query = sa.select(*(table.c[f.name] for f in fields(kind))).where(where)
        with self._reading() as connection:
            row = connection.execute(query).first()
        return None if row is None else kind(*row)

    def count(self, table: sa.Table) -> int:
        """Rows of a table."""
        with self._reading() as connection:
            return int(connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0)

    def _among(
        self, query: sa.Select[Any], column: sa.Column[Any], values: Iterable[Any]
    ) -> Iterator[Any]:
        """Rows of a query in which a column has one of many values, in the order of these."""
        rest = iter(values)
        while block := list(islice(rest, VALUES_AT_ONCE)):
            with self._reading() as connection:
                yield from connection.execute(query.where(column.in_(block)))

    def rows(
        self, query: sa.Select[Any], at_once: int = AT_ONCE
    ) -> Iterator[list[tuple[Any, ...]]]:
        """What a query finds, as plain tuples, some at a time.

        By the driver itself: a million rows take SQLAlchemy three times as long.
        """
        with self._reading() as connection:
            found = connection.connection.cursor()
            try:
                text = query.compile(connection, compile_kwargs={"literal_binds": True})
                # With parameters, though none, the doubled % of the text become single ones.
                found.execute(str(text), ())
                while part := found.fetchmany(at_once):
                    yield list(part)
            finally:
                found.close()

    def _fetch(self, query: sa.Select[Any]) -> list[tuple[Any, ...]]:
        return [row for part in self.rows(query) for row in part]

    def _broken(self) -> None:
        """A transaction failed: what it was to write may be there all the same."""

    def _insert(self, table: sa.Table, row: dict[str, Any]) -> None:
        self._commit(lambda c: c.execute(sa.insert(table), row), again=False)

    def _once(self, connection: sa.Connection, table: sa.Table, key: str) -> Any:
        insert = INSERT_ONCE[connection.dialect.name](table)
        return insert.on_conflict_do_nothing(index_elements=[key])

    def _commit(self, work: Callable[[sa.Connection], Done], *, again: bool = True) -> Done:
        """Do some work in a transaction; once more if the connection broke and it may be."""
        with self._write, self._talking("written"):
            try:
                with self._writer.begin() as connection:
                    return work(connection)
            except SQLAlchemyError as e:
                self._broken()
                if not (again and isinstance(e, DBAPIError) and e.connection_invalidated):
                    raise
            with self._writer.begin() as connection:
                return work(connection)

    def _meta(self, key: str) -> Any:
        with self._reading() as connection:
            query = sa.select(meta_table.c.value).where(meta_table.c.key == key)
            return connection.scalar(query)

    def _set_meta(self, key: str, value: Any) -> None:
        self._commit(lambda connection: self._put_meta(connection, key, value))

    @staticmethod
    def _put_meta(connection: sa.Connection, key: str, value: Any) -> None:
        connection.execute(sa.delete(meta_table).where(meta_table.c.key == key))
        connection.execute(sa.insert(meta_table).values(key=key, value=value))

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        # One connection serves a store in memory, so its readers queue up with the writers.
        with self._write, self._talking("read"), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _talking(self, doing: str) -> Iterator[None]:
        try:
            yield
        except self._errors as e:
            if self._gone:
                raise StoreError(
                    "The labels were in memory, and went when the session was closed. Read them "
                    "before, or give the session a file to keep them in: store='labels.db'."
                ) from e
            cause = " ".join(str(getattr(e, "orig", None) or e).split()).rstrip(".?")
            raise StoreError(f"{self} could not be {doing}: {cause}. {self._remedy}") from e
