"""What was answered: an append-only log of events, draws and rounds in a database.

Nothing is ever changed or deleted: an undo is one more event, and the current labels are what a
replay of the events gives. An event is on disk when `LabelStore.append` returns.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from .database import INSERT_ONCE, connect, parse_location
from .errors import AnswerError, StoreError, StoreInUseError, TaskError
from .schema import (
    ClassChange,
    Draw,
    Event,
    Kind,
    RoundRecord,
    Switch,
    class_changes_table,
    draws_table,
    events_table,
    meta_table,
    metadata,
    now,
    rounds_table,
    switches_table,
)
from .tasks import Task

if TYPE_CHECKING:
    import pandas as pd
    from filelock import FileLock

    from .pool import Pool

SCHEMA_VERSION = 1

Record = TypeVar("Record", Event, Draw)


class LabelStore:
    """An append-only log of labels.

    Parameters
    ----------
    location : path, SQLAlchemy URL or None
        A path is an SQLite file (write-ahead log, full synchronous writes: a label is on disk
        when it is acknowledged), made if it is not there. None keeps everything in memory.

    Raises
    ------
    StoreInUseError
        If another store object, of this process or another, has the file open.
    StoreError
        If the file cannot be made, read or written, or is no label store.
    """

    def __init__(self, location: str | PathLike[str] | None = None) -> None:
        url, self.path = parse_location(location)
        self.persistent = self.path is not None or url.database is not None
        named = location if self.path else url.render_as_string()
        self.name = str(named) if self.persistent else ""
        self._lock_file = self._lock() if self.path else None
        self._write = threading.RLock()
        try:
            with self._talking("opened"):
                self._engine = connect(url, in_memory=not self.persistent)
                self._check_whose()
                with self._engine.begin() as connection:
                    metadata.create_all(connection)
            self.store_id = self._identity()
        except BaseException:
            self.close()
            raise

    # ------------------------------------------------------------------ opening

    def _check_whose(self) -> None:
        there = set(sa.inspect(self._engine).get_table_names())
        if there and "meta" not in there:
            raise StoreError(
                f"{self} is no label store: it holds the tables {', '.join(sorted(there)[:5])}. "
                "Give store=… a file of its own."
            )

    def bind(self, task: Task, pool: Pool, settings: dict[str, Any]) -> dict[str, Any]:
        """Claim the store for a task and a pool, or check that it is theirs.

        Parameters
        ----------
        task : Task
            Takes over the classes that were added while labelling.
        pool : Pool
            May have grown since, by items only.
        settings : dict
            What a session wants kept with its labels (seed, audit share).

        Returns
        -------
        dict
            The settings that were kept when the store was made: they win over those given.

        Raises
        ------
        StoreError
            If the store belongs to another task or pool.
        """
        remedy = "Give another store=…, or open this one with what it was made for."
        with self._write:
            known = self._meta("task")
            if known is None:
                self._set_meta("task", task.to_json())
                self._set_meta("pool", _describe(pool))
                self._set_meta("settings", settings)
                return settings
            try:
                task.reconcile(known)
            except TaskError as e:
                raise StoreError(f"{self} belongs to another task: {e}. {remedy}") from e
            theirs = self._meta("pool")
            assert theirs is not None
            if theirs["fingerprint"] != pool.fingerprint:
                self._check_growth(theirs, pool, remedy)
                self._set_meta("pool", _describe(pool))
            self._set_meta("task", task.to_json())
            return settings | (self._meta("settings") or {})

    def _check_growth(self, theirs: dict[str, Any], pool: Pool, remedy: str) -> None:
        strangers = [i for i in theirs["probes"] if i not in pool]
        changed = [
            i for i, d in theirs["probes"].items() if i in pool and pool.digest(pool.index(i)) != d
        ]
        if not strangers and not changed:
            query = sa.select(events_table.c.item_id).distinct()
            with self._reading() as connection:
                strangers = [i for i in connection.scalars(query) if i not in pool]
        if strangers:
            raise StoreError(
                f"{self} belongs to another pool, of {theirs['size']:,} items: "
                f"{strangers[0]!r} is not in this one. {remedy}"
            )
        if len(pool) < theirs["size"]:
            raise StoreError(
                f"{self} belongs to a pool of {theirs['size']:,} items, this one has only "
                f"{len(pool):,} of them. A pool may grow, but not lose items. {remedy}"
            )
        if changed:
            raise StoreError(
                f"{self} belongs to another pool: item {changed[0]!r} has other content. {remedy}"
            )

    def update_task(self, task: Task) -> None:
        """Keep the task's present classes."""
        with self._write:
            self._set_meta("task", task.to_json())

    def append_class_change(self, change: ClassChange) -> None:
        """Commit a change of the classes to disk."""
        self._insert(class_changes_table, [asdict(change)])

    def close(self) -> None:
        """Let go of the file. Closing twice is fine."""
        engine = getattr(self, "_engine", None)
        if engine is not None:
            engine.dispose()
        if self._lock_file is not None:
            self._lock_file.release()
            self._lock_file = None

    def _lock(self) -> FileLock:
        from filelock import FileLock, Timeout

        assert self.path is not None
        if not self.path.parent.is_dir():
            raise StoreError(
                f"The folder {self.path.parent} for the label store is not there. Make it first, "
                "or give another store=…."
            )
        lock = FileLock(f"{self.path}.lock", timeout=0, is_singleton=False)
        try:
            # The lock itself would wait for a file that can never be made.
            Path(lock.lock_file).open("ab").close()
            if self.path.exists():
                self.path.open("ab").close()
            lock.acquire()
        except Timeout:
            raise StoreInUseError(
                f"{self.path} is open in another session, here or in another notebook or process. "
                "Close that one first (session.close(), or shut its kernel down)."
            ) from None
        except OSError as e:
            raise StoreError(
                f"{self.path} cannot be written ({e.strerror or e}). "
                "Give store=… a path in a folder that you can write to."
            ) from e
        return lock

    def _identity(self) -> str:
        with self._write:
            version = self._meta("schema")
            if version is None:
                self._set_meta("schema", SCHEMA_VERSION)
                self._set_meta("store_id", uuid.uuid4().hex)
            elif version != SCHEMA_VERSION:
                raise StoreError(
                    f"{self} was made by another version of alwidgets (schema {version}, this is "
                    f"{SCHEMA_VERSION}). Install the version that made it, or a newer one."
                )
            return str(self._meta("store_id"))

    # ------------------------------------------------------------------ writing

    def append(self, events: Iterable[Event]) -> list[Event]:
        """Commit events to disk.

        Parameters
        ----------
        events : iterable of Event

        Returns
        -------
        list of Event
            Those that are new, with their places; one whose id is there already changes nothing.

        Raises
        ------
        AnswerError
            If a kind is unknown or a retract has no target.
        StoreError
            If the database refuses; then none of them is stored.
        """
        rows = list(events)
        for event in rows:
            if event.kind not in get_args(Kind):
                raise AnswerError(
                    f"{event.kind!r} is no kind of event; use one of {get_args(Kind)}."
                )
            if event.kind == "retract" and not event.target:
                raise AnswerError("A retract must name the event that it takes back.")
        stored = now()
        fresh: list[Event] = []
        with self._write, self._talking("written"), self._engine.begin() as connection:
            insert = INSERT_ONCE[connection.dialect.name](events_table)
            once = insert.on_conflict_do_nothing(index_elements=["event_id"])
            once = once.returning(events_table.c.seq)
            for event in rows:
                values = asdict(event) | {"stored_at": stored}
                del values["seq"]
                seq = connection.scalar(once, values)
                if seq is not None:
                    fresh.append(replace(event, seq=seq))
        return fresh

    def append_draws(self, draws: Sequence[Draw]) -> None:
        """Commit draws to disk."""
        self._insert(draws_table, [asdict(d) for d in draws])

    def append_round(self, record: RoundRecord) -> None:
        """Commit a round to disk."""
        self._insert(rounds_table, [asdict(record)])

    def append_switch(self, switch: Switch) -> None:
        """Commit a change of strategy to disk."""
        self._insert(switches_table, [asdict(switch)])

    # ------------------------------------------------------------------ reading

    def events(self) -> list[Event]:
        """All events, in the order in which they were stored."""
        return list(self._read(Event, events_table, events_table.c.seq))

    def event(self, event_id: str) -> Event | None:
        """The event with this id, or None."""
        return self._one(Event, events_table, events_table.c.event_id == event_id)

    def event_at(self, seq: int) -> Event:
        """The event at a place in the log."""
        found = self._one(Event, events_table, events_table.c.seq == seq)
        assert found is not None
        return found

    def draw(self, draw_id: str) -> Draw | None:
        """The draw with this id, or None."""
        return self._one(Draw, draws_table, draws_table.c.draw_id == draw_id)

    def scores(self, strategy: str, model_version: int) -> list[float]:
        """Scores of what a strategy drew by a model."""
        draw = draws_table.c
        query = sa.select(draw.score).where(
            draw.model_version == model_version, draw.strategy == strategy, draw.score.is_not(None)
        )
        with self._reading() as connection:
            return list(connection.scalars(query))

    def draws(self) -> list[Draw]:
        """All draws, in order."""
        return list(self._read(Draw, draws_table, draws_table.c.seq))

    def rounds(self) -> list[RoundRecord]:
        """All rounds, in order."""
        return list(self._read(RoundRecord, rounds_table, rounds_table.c.version))

    def class_changes(self) -> list[ClassChange]:
        """All changes of the classes, in order."""
        return list(self._read(ClassChange, class_changes_table, class_changes_table.c.seq))

    def switches(self) -> list[Switch]:
        """All changes of strategy, in order."""
        return list(self._read(Switch, switches_table, switches_table.c.seq))

    def to_frame(self) -> pd.DataFrame:
        """All events, one a row, with the draw that led to each.

        Returns
        -------
        pandas.DataFrame
            Columns as in `Event`, then ``stream``, ``strategy``, ``model_version``, ``score``,
            ``q`` and ``remaining`` of the draw where there was one.
        """
        import pandas as pd

        drawn = ("stream", "strategy", "model_version", "score", "q", "remaining")
        columns = [events_table.c[f.name] for f in fields(Event)]
        query = (
            sa.select(*columns, *(draws_table.c[name] for name in drawn))
            .join(draws_table, events_table.c.draw_id == draws_table.c.draw_id, isouter=True)
            .order_by(events_table.c.seq)
        )
        with self._reading() as connection:
            rows = [dict(row) for row in connection.execute(query).mappings()]
        return pd.DataFrame(rows, columns=[f.name for f in fields(Event)] + list(drawn))

    def to_jsonl(self, path: str | PathLike[str] | None = None) -> str:
        """All events as JSON lines, one a line.

        Parameters
        ----------
        path : path, optional
            Also write them to this file (UTF-8).
        """
        lines = "".join(json.dumps(asdict(e), ensure_ascii=False) + "\n" for e in self.events())
        if path is not None:
            Path(path).write_text(lines, encoding="utf-8")
        return lines

    def __str__(self) -> str:
        return f"The label store {self.name}" if self.persistent else "The label store in memory"

    def __repr__(self) -> str:
        return f"LabelStore({self.name!r})" if self.persistent else "LabelStore()"

    # ------------------------------------------------------------------ the database

    def _read(self, kind: type[Any], table: sa.Table, order: sa.Column[Any]) -> Iterator[Any]:
        query = sa.select(*(table.c[f.name] for f in fields(kind))).order_by(order)
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

    def rows(self, query: sa.Select[Any], at_once: int = 50_000) -> Iterator[list[tuple[Any, ...]]]:
        """What a query finds, as plain tuples, some at a time.

        By the driver itself: a million rows take SQLAlchemy three times as long.
        """
        with self._reading() as connection:
            found = connection.connection.cursor()
            try:
                text = query.compile(connection, compile_kwargs={"literal_binds": True})
                found.execute(str(text))
                while part := found.fetchmany(at_once):
                    yield list(part)
            finally:
                found.close()

    def _insert(self, table: sa.Table, rows: list[dict[str, Any]]) -> None:
        if rows:
            with self._write, self._talking("written"), self._engine.begin() as connection:
                connection.execute(sa.insert(table), rows)

    def _meta(self, key: str) -> Any:
        with self._reading() as connection:
            query = sa.select(meta_table.c.value).where(meta_table.c.key == key)
            return connection.scalar(query)

    def _set_meta(self, key: str, value: Any) -> None:
        with self._talking("written"), self._engine.begin() as connection:
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
        except SQLAlchemyError as e:
            cause = getattr(e, "orig", None) or e
            raise StoreError(
                f"{self} could not be {doing}: {cause}. Check that it is a label store, that no "
                "other program has it, that the disk has room and that you may write there."
            ) from e


def _describe(pool: Pool) -> dict[str, Any]:
    return {"fingerprint": pool.fingerprint, "size": len(pool), "probes": pool.probes}
