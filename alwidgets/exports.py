"""A store's log for other programs: one event a row, with the draw that led to it.

The log is read in parts, each by a query of its own: nothing waits meanwhile, and a file of a
million events takes the memory of some thousands.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from .schema import draws_table, events_table

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "item_id",
    "kind",
    "answer",
    "annotator",
    "shown_at",
    "answered_at",
    "stored_at",
    "stream",
    "strategy",
    "score",
    "q",
    "remaining",
    "model_version",
    "comment",
    "bulk",
    "suggested",
    "suggestion_shown",
    "event_id",
    "target",
    "draw_id",
    "seq",
)
OF_DRAWS = ("stream", "strategy", "score", "q", "remaining", "model_version")
WHOLE = ("remaining", "model_version")
SHOWN = COLUMNS.index("suggestion_shown")
#: Columns of answers.
GIVEN = ("answer", "suggested")
AT_ONCE = 10_000

#: Runs a query and returns all its rows.
Fetch = Callable[[sa.Select[Any]], Sequence[Sequence[Any]]]


def parts(fetch: Fetch, at_once: int = AT_ONCE) -> Iterator[Sequence[Sequence[Any]]]:
    """All events that are stored now, in order, as rows of `COLUMNS`; answers as JSON text."""
    seq = events_table.c.seq
    log = sa.select(*(_column(name) for name in COLUMNS)).select_from(events_table)
    log = log.join(draws_table, events_table.c.draw_id == draws_table.c.draw_id, isouter=True)
    ((end,),) = fetch(sa.select(sa.func.max(seq)))
    done = 0
    while end is not None and done < end:
        rows = fetch(log.where(seq > done, seq <= end).order_by(seq).limit(at_once))
        done = rows[-1][-1]
        yield [_with_truth(row) for row in rows]


def to_frame(fetch: Fetch) -> pd.DataFrame:
    """Return the log as a frame."""
    import pandas as pd

    columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    for rows in parts(fetch):
        for values, more in zip(columns.values(), zip(*rows, strict=True), strict=True):
            values.extend(more)
    whole = {name: pd.array(columns[name], dtype="Int64") for name in WHOLE}
    real = {name: pd.array(columns[name], dtype="float64") for name in ("score", "q")}
    shown = {"suggestion_shown": pd.array(columns["suggestion_shown"], dtype="boolean")}
    given = {name: [_answer(text) for text in columns[name]] for name in GIVEN}
    return pd.DataFrame(columns | whole | real | shown | given)


def json_lines(fetch: Fetch) -> Iterator[str]:
    """The log as JSON lines."""
    for rows in parts(fetch):
        for row in rows:
            line = dict(zip(COLUMNS, row, strict=True))
            line |= {name: _answer(line[name]) for name in GIVEN}
            text = json.dumps(line, ensure_ascii=False)
            # Half of a surrogate pair, as a browser may cut one, is no UTF-8.
            yield (text if text.isascii() or _is_unicode(text) else json.dumps(line)) + "\n"


def write_json_lines(fetch: Fetch, path: str | PathLike[str]) -> None:
    """Write the log as JSON lines, the whole file or none."""
    with _whole(path) as part, part.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(json_lines(fetch))


def write_parquet(fetch: Fetch, path: str | PathLike[str]) -> None:
    """Write the log as a Parquet file, the whole file or none."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    plain = {name: _is_plain(fetch, name) for name in GIVEN}
    kinds = dict.fromkeys(COLUMNS, pa.string())
    kinds |= dict.fromkeys((*WHOLE, "seq"), pa.int64()) | dict.fromkeys(
        ("score", "q"), pa.float64()
    )
    kinds["suggestion_shown"] = pa.bool_()
    schema = pa.schema(
        pa.field(name, kind, metadata={"form": "text" if plain[name] else "JSON"})
        if name in GIVEN
        else pa.field(name, kind)
        for name, kind in kinds.items()
    )
    with _whole(path) as part, pq.ParquetWriter(part, schema, compression="zstd") as file:
        for rows in parts(fetch):
            columns = dict(zip(COLUMNS, zip(*rows, strict=True), strict=True))
            for name in GIVEN:
                if plain[name]:
                    columns[name] = tuple(_plain(text) for text in columns[name])
            file.write_table(pa.table(columns, schema=schema))


def _column(name: str) -> sa.ColumnElement[Any]:
    column = (draws_table if name in OF_DRAWS else events_table).c[name]
    return sa.cast(column, sa.Text) if name in GIVEN else column


def _with_truth(row: Sequence[Any]) -> Sequence[Any]:
    """The row, its truth value one: SQLite keeps a number."""
    known = row[SHOWN] is not None
    return (*row[:SHOWN], bool(row[SHOWN]), *row[SHOWN + 1 :]) if known else row


def _is_plain(fetch: Fetch, name: str) -> bool:
    """Whether the answers of a column are all texts."""
    text = _column(name)
    starts = fetch(sa.select(sa.func.substr(text, 1, 1)).where(text.is_not(None)).distinct())
    return all(start == '"' for (start,) in starts)


def _answer(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def _plain(text: str | None) -> str | None:
    """The text of an answer that is one; what is half of a surrogate pair becomes a mark."""
    answer: str | None = _answer(text)
    if answer is None or answer.isascii() or _is_unicode(answer):
        return answer
    return answer.encode("utf-8", "replace").decode()


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@contextmanager
def _whole(path: str | PathLike[str]) -> Iterator[Path]:
    """A file to write to, which takes the place of the path's when all is written."""
    path = Path(path)
    part = path.with_name(f"{path.name}.part")
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
