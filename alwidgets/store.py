"""What was answered: an append-only log of events, draws and rounds in a database.

Nothing is ever changed or deleted: an undo is one more event, and the current labels are what a
replay of the events gives. An event is on disk when `LabelStore.append` returns.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields, replace
from os import PathLike
from typing import TYPE_CHECKING, Any, overload

import sqlalchemy as sa

from . import binding, exports
from .migrations import prepare
from .schema import (
    ClassChange,
    Draw,
    Event,
    RoundRecord,
    Switch,
    check_events,
    class_changes_table,
    draws_table,
    events_table,
    meta_table,
    now,
    predictions_table,
    rounds_table,
    switches_table,
)
from .tables import Tables
from .tasks import Task

if TYPE_CHECKING:
    import pandas as pd

    from .pool import Pool

#: What the keys of slices in the table ``meta`` begin with, and those of models of arms.
SLICE, ARMS = "slice:", "arms:"
#: The key under which all slices were kept together; those that are there still stay.
ALL_SLICES = "slices"


class LabelStore(Tables):
    """An append-only log of labels.

    Parameters
    ----------
    location : path, SQLAlchemy URL or None
        A path is an SQLite file (write-ahead log, full synchronous writes: a label is on disk
        when it is acknowledged), made if it is not there. ``postgresql://…`` is a database with
        a server, whose restarts the store outlasts. None keeps everything in memory.

    Raises
    ------
    StoreInUseError
        If another store object, of this process or another, has the store open.
    StoreError
        If the store cannot be made, read or written, is none, or is of a newer version. One of an
        older version is brought up to date; a copy of its file stays beside it.
    """

    def __init__(self, location: str | PathLike[str] | None = None) -> None:
        super().__init__(location)
        try:
            with self._talking("opened"):
                self.store_id = prepare(self._writer, str(self), self.path)
                with self._writer.connect() as connection:
                    self._end = connection.scalar(sa.select(sa.func.max(events_table.c.seq))) or 0
            # Whether events may be stored that `append` has not returned.
            self._unsure = False
            sa.event.listen(self._writer, "connect", self._doubt)
        except BaseException:
            self.close()
            raise

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
        with self._write:
            known = self._meta("task")
            if known is None:
                self._set_meta("task", task.to_json())
                self._set_meta("pool", binding.describe(pool))
                self._set_meta("settings", settings)
                return settings
            binding.check_task(str(self), known, task)
            theirs = self._meta("pool")
            assert theirs is not None
            if theirs["fingerprint"] != pool.fingerprint:
                items = sa.select(events_table.c.item_id).distinct()
                answered = (item_id for rows in self.rows(items) for (item_id,) in rows)
                binding.check_growth(str(self), theirs, pool, answered)
                self._set_meta("pool", binding.describe(pool))
            self._set_meta("task", task.to_json())
            return settings | (self._meta("settings") or {})

    def keep_pool(self, pool: Pool) -> None:
        """Keep what the pool is now that it has grown."""
        self._set_meta("pool", binding.describe(pool))

    def slices(self) -> dict[str, list[str]]:
        """Ids of the items of every slice that was kept, by its name."""
        query = sa.select(meta_table.c.value).where(meta_table.c.key.startswith(SLICE))
        kept: dict[str, list[str]] = self._meta(ALL_SLICES) or {}
        with self._reading() as connection:
            rows = sorted(connection.scalars(query), key=lambda row: row["at"])
        return kept | {row["name"]: row["ids"] for row in rows}

    def keep_slice(self, name: str, ids: list[str] | None) -> None:
        """Keep a slice, in the place of one of that name; with None, forget it."""
        # Each has a row of its own, so that no two that write can lose one another's.
        digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16)
        key = SLICE + digest.hexdigest()
        row = {"name": name, "ids": ids, "at": now()}

        def work(connection: sa.Connection) -> None:
            connection.execute(sa.delete(meta_table).where(meta_table.c.key == key))
            if ids is not None:
                connection.execute(sa.insert(meta_table).values(key=key, value=row))
            if name in former:
                others = {other: kept for other, kept in former.items() if other != name}
                self._put_meta(connection, ALL_SLICES, others)

        with self._write:
            former: dict[str, list[str]] = self._meta(ALL_SLICES) or {}
            self._commit(work)

    def stop_set(self) -> list[str] | None:
        """Ids of the items that models are compared on; None before they are drawn."""
        ids: list[str] | None = self._meta("stop_set")
        return ids

    def keep_stop_set(self, ids: list[str]) -> None:
        """Keep which items models are compared on."""
        self._set_meta("stop_set", ids)

    def readings(self) -> list[dict[str, Any]]:
        """What the newest models said of these, as it was kept."""
        kept: list[dict[str, Any]] | None = self._meta("readings")
        return kept or []

    def keep_readings(self, readings: list[dict[str, Any]]) -> None:
        """Keep what the newest models said of these, in the place of what earlier ones did."""
        self._set_meta("readings", readings)

    def shared_spans(self) -> list[list[int | None]]:
        """Places in the log between which cards were shared out between two arms."""
        kept: list[list[int | None]] | None = self._meta("shared")
        return kept or []

    def keep_shared_spans(self, spans: list[list[int | None]]) -> None:
        """Keep these; of the last, the end may be open."""
        self._set_meta("shared", spans)

    def arms(self) -> list[dict[str, Any]]:
        """What the models of both arms said, a row a round, in order."""
        query = sa.select(meta_table.c.value).where(meta_table.c.key.startswith(ARMS))
        with self._reading() as connection:
            return sorted(connection.scalars(query), key=lambda row: row["version"])

    def keep_arms(self, version: int, row: dict[str, Any]) -> None:
        """Keep what the models of both arms said after a round."""
        self._set_meta(f"{ARMS}{version}", row)

    def append_class_change(self, change: ClassChange, task: Task) -> None:
        """Commit a change of the classes to disk, with the task as it is after it."""
        row, column = asdict(change), class_changes_table.c
        same = sa.select(column.seq).where(*(column[name] == value for name, value in row.items()))

        def work(connection: sa.Connection) -> None:
            # It is there where the connection broke after all was written.
            if connection.execute(same).first() is None:
                connection.execute(sa.insert(class_changes_table), row)
            self._put_meta(connection, "task", task.to_json())

        self._commit(work)

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
            After a failure also, first, those that were stored all the same.

        Raises
        ------
        AnswerError
            If a kind is unknown or a retract has no target.
        StoreError
            If the database refuses; then none of them is stored.
        """
        rows = list(events)
        check_events(rows)
        stored, names = now(), [f.name for f in fields(Event) if f.name != "seq"]

        def work(connection: sa.Connection) -> list[Event]:
            fresh = self._since(connection) if self._unsure else []
            once = self._once(connection, events_table, "event_id").returning(events_table.c.seq)
            for event in rows:
                # Not `asdict`, which copies every value deeply: as long again as the insert.
                values = {name: getattr(event, name) for name in names} | {"stored_at": stored}
                seq = connection.scalar(once, values)
                if seq is not None:
                    fresh.append(replace(event, seq=seq))
            return fresh

        with self._write:
            fresh = self._commit(work)
            self._unsure = False
            if fresh:
                assert fresh[-1].seq is not None
                self._end = fresh[-1].seq
        return fresh

    def _since(self, connection: sa.Connection) -> list[Event]:
        """Events that were stored and not returned: the connection broke as they were."""
        query = sa.select(*(events_table.c[f.name] for f in fields(Event)))
        query = query.where(events_table.c.seq > self._end).order_by(events_table.c.seq)
        return [Event(*row) for row in connection.execute(query)]

    def _doubt(self, _connection: Any, _record: Any) -> None:
        # While there was no connection, another session could have the store.
        self._unsure = True

    def _broken(self) -> None:
        self._unsure = True

    def append_draws(self, draws: Sequence[Draw]) -> None:
        """Commit draws to disk."""
        rows = [asdict(d) for d in draws]
        if rows:
            self._commit(lambda c: c.execute(self._once(c, draws_table, "draw_id"), rows))

    def append_round(self, record: RoundRecord) -> None:
        """Commit a round to disk."""
        self._insert(rounds_table, asdict(record))

    def append_predictions(self, row: dict[str, Any]) -> None:
        """Commit to disk what a model says of the pool, in the columns of the table."""
        once = self._once
        self._commit(lambda c: c.execute(once(c, predictions_table, "version"), row))

    def append_switch(self, switch: Switch) -> None:
        """Commit a change of strategy to disk."""
        self._insert(switches_table, asdict(switch))

    # ------------------------------------------------------------------ reading

    def events(self, *, bulk: str | None = None) -> list[Event]:
        """All events, or those of one bulk answer, in the order in which they were stored."""
        which = () if bulk is None else (events_table.c.bulk == bulk,)
        return list(self._read(Event, events_table, events_table.c.seq, *which))

    def event(self, event_id: str) -> Event | None:
        """The event with this id, or None."""
        return self._one(Event, events_table, events_table.c.event_id == event_id)

    def event_at(self, seq: int) -> Event:
        """The event at a place in the log."""
        found = self._one(Event, events_table, events_table.c.seq == seq)
        assert found is not None
        return found

    def comments(self) -> dict[int, str]:
        """The remarks that were made, by the places of their events."""
        event = events_table.c
        return self._column(event.comment, event.kind == "comment")

    def bulks(self, *, after: int = 0) -> dict[int, str]:
        """The bulk answers that events after a place are part of, by the places of the events."""
        event = events_table.c
        # SQLite uses the index of the few that have one only where it is asked for nothing else.
        since = (event.seq > after,) if after else ()
        return self._column(event.bulk, event.bulk.is_not(None), *since)

    def _column(self, column: sa.Column[Any], *which: sa.ColumnElement[bool]) -> dict[int, Any]:
        """A column of some events, by their places."""
        query = sa.select(events_table.c.seq, column).where(*which)
        return {seq: value for rows in self.rows(query) for seq, value in rows}

    def draw(self, draw_id: str) -> Draw | None:
        """The draw with this id, or None."""
        return self._one(Draw, draws_table, draws_table.c.draw_id == draw_id)

    def places(self, event_ids: Iterable[str]) -> dict[str, int]:
        """Places in the log of those of these events that are in it."""
        event = events_table.c
        query = sa.select(event.event_id, event.seq)
        return dict(self._among(query, event.event_id, event_ids))

    def events_among(self, event_ids: Iterable[str]) -> list[Event]:
        """Those of these events that are in the log."""
        query = sa.select(*(events_table.c[f.name] for f in fields(Event)))
        rows = self._among(query, events_table.c.event_id, event_ids)
        return [Event(*row) for row in rows]

    def draws_at(self, seqs: Iterable[int]) -> list[Draw]:
        """The draws at some places among the draws, in order."""
        columns = (draws_table.c[f.name] for f in fields(Draw))
        query = sa.select(*columns).order_by(draws_table.c.seq)
        return [Draw(*row) for row in self._among(query, draws_table.c.seq, sorted(seqs))]

    def draws_of(self, seqs: Iterable[int]) -> dict[int, Draw]:
        """The draws of those of the events at some places that answer one, by these places."""
        event, columns = events_table.c, (draws_table.c[f.name] for f in fields(Draw))
        query = sa.select(event.seq, *columns)
        query = query.join(draws_table, event.draw_id == draws_table.c.draw_id)
        return {seq: Draw(*row) for seq, *row in self._among(query, event.seq, seqs)}

    def draw_at(self, seq: int) -> str:
        """Id of the draw at a place among the draws; nothing where there is none."""
        query = sa.select(draws_table.c.draw_id).where(draws_table.c.seq == seq)
        with self._reading() as connection:
            return connection.scalar(query) or ""

    def last_draw(self) -> tuple[int, str]:
        """Place and id of the last draw; 0 and nothing where there is none."""
        draw = draws_table.c
        query = sa.select(draw.seq, draw.draw_id).order_by(draw.seq.desc()).limit(1)
        with self._reading() as connection:
            row = connection.execute(query).first()
        return (0, "") if row is None else (row[0], row[1])

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

    def predictions(self) -> list[dict[str, Any]]:
        """What the models said of the pool, row by row as it was kept."""
        query = sa.select(predictions_table).order_by(predictions_table.c.version)
        with self._reading() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

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
            ``item_id``, ``kind``, ``answer``, ``annotator``, ``shown_at``, ``answered_at``,
            ``stored_at``; of the draw, where there was one, ``stream``, ``strategy``, ``score``,
            ``q``, ``remaining`` and ``model_version``; ``comment``, ``bulk``, ``suggested``,
            ``suggestion_shown``, ``event_id``, ``target``, ``draw_id``, ``seq``.
        """
        return exports.to_frame(self._fetch)

    @overload
    def to_jsonl(self, path: None = None) -> str: ...

    @overload
    def to_jsonl(self, path: str | PathLike[str]) -> None: ...

    def to_jsonl(self, path: str | PathLike[str] | None = None) -> str | None:
        """All events as JSON lines with the columns of `to_frame`, one a line.

        Parameters
        ----------
        path : path, optional
            A file to write them to (UTF-8), little by little; without it they are returned.
        """
        if path is None:
            return "".join(exports.json_lines(self._fetch))
        exports.write_json_lines(self._fetch, path)
        return None

    def to_parquet(self, path: str | PathLike[str]) -> None:
        """Write all events to a Parquet file with the columns of `to_frame`.

        Answers and suggestions are text. Where all of a column are text they stand as they are,
        else as JSON; the metadata of the column says which, under ``form``.
        """
        exports.write_parquet(self._fetch, path)

    def __repr__(self) -> str:
        return f"LabelStore({self.name!r})" if self.persistent else "LabelStore()"
