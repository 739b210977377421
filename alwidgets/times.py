"""Times of the log: ISO 8601 text in the store, microseconds since 1970, UTC, in the columns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

#: None that is known.
NO_TIME = np.iinfo(np.int64).min
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: The first and the last time that a `datetime` can hold in UTC.
FIRST_TIME, LAST_TIME = (
    (time.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
    for time in (datetime.min, datetime.max)
)
#: The lowest and the highest character at each place of what `schema.now` writes.
_LOWEST, _HIGHEST = (
    np.frombuffer(text, dtype=np.uint8)
    for text in (b"0000-00-00T00:00:00.000000+00:00", b"9999-99-99T99:99:99.999999+00:00")
)
#: The part of it that numpy reads, and the zone, of which it knows nothing.
_PARTS = np.dtype([("time", "S26"), ("zone", "S6")])


def microseconds(at: str | None) -> int:
    """Time in microseconds since 1970, UTC; `NO_TIME` for what is no ISO 8601 time.

    A script may write any text there, also a time that in UTC is before the year 1 or after 9999.
    """
    try:
        time = datetime.fromisoformat(at or "")
    except (ValueError, TypeError):
        return NO_TIME
    since = (time if time.tzinfo is not None else time.replace(tzinfo=UTC)) - _EPOCH
    at_utc = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    return at_utc if FIRST_TIME <= at_utc <= LAST_TIME else NO_TIME


def all_microseconds(texts: Sequence[str | None]) -> NDArray[np.int64]:
    """Each time as `microseconds` gives it; fast where they are written as `schema.now` does."""
    if None in texts:
        there = np.array([text is not None for text in texts])
        found = np.full(len(texts), NO_TIME, dtype=np.int64)
        found[there] = all_microseconds([text for text in texts if text is not None])
        return found
    try:
        return _read("".join(texts), len(texts))  # type: ignore[arg-type]
    except ValueError:
        return np.array([microseconds(text) for text in texts], dtype=np.int64)


def _read(texts: str, n: int) -> NDArray[np.int64]:
    """So many times, one behind the other; a ValueError if `schema.now` could not write one."""
    written = texts.encode("ascii", "replace")
    signs = np.frombuffer(written, dtype=np.uint8).reshape(n, len(_LOWEST))
    if ((signs < _LOWEST) | (signs > _HIGHEST)).any():
        raise ValueError("They are written in other ways.")
    times = np.frombuffer(written, dtype=_PARTS)["time"]
    # A 30th of February is an error here, too.
    found = times.astype("datetime64[us]").astype(np.int64)
    if found.min(initial=0) < FIRST_TIME:
        raise ValueError("There is no year 0.")
    return found


def moment(at: int) -> datetime | None:
    """The time that is so many microseconds after 1970, UTC; None for one that there is not."""
    if not FIRST_TIME <= at <= LAST_TIME:
        return None
    return _EPOCH + timedelta(microseconds=at)
