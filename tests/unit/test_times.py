"""Times of the log, one by one and many at once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alwidgets.schema import now
from alwidgets.times import NO_TIME, all_microseconds, microseconds, moment

usual = st.datetimes(timezones=st.just(UTC)).map(lambda t: t.isoformat(timespec="microseconds"))


@st.composite
def nearly_usual(draw: st.DrawFn) -> str:
    """A time as the store writes it, with one character put in another's place."""
    text, place = draw(usual), draw(st.integers(0, 31))
    return text[:place] + draw(st.sampled_from("0123456789:-+T. é\0\ud800")) + text[place + 1 :]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:01.000002Z", 1_000_002),
        ("1970-01-01T00:00:01.000002+00:00", 1_000_002),
        ("1970-01-01T00:00:01.000002+01:00", 1_000_002 - 3_600_000_000),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1969-12-31T23:59:59", -1_000_000),
        ("1970-W01-4", 0),
        ("1970-01-01T00:00:00,5Z", 500_000),
        ("0001-01-01T00:00:00+01:00", NO_TIME),
        ("9999-12-31T23:00:00-02:00", NO_TIME),
        ("0000-01-01T00:00:00.000000+00:00", NO_TIME),
        ("2023-02-29T00:00:00.000000+00:00", NO_TIME),
        ("2024-01-01T00:00:60.000000+00:00", NO_TIME),
        ("yesterday", NO_TIME),
        ("", NO_TIME),
        (None, NO_TIME),
    ],
)
def test_times(text: str | None, expected: int) -> None:
    other = now()
    assert microseconds(text) == expected
    assert all_microseconds([text]).tolist() == [expected]
    assert all_microseconds([other, text]).tolist() == [microseconds(other), expected]


@given(st.lists(usual | nearly_usual() | st.text() | st.none()))
def test_many_at_once_are_those_one_by_one(texts: list[str | None]) -> None:
    assert all_microseconds(texts).tolist() == [microseconds(text) for text in texts]


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_moment_is_what_was_written(time: datetime) -> None:
    (at,) = all_microseconds([time.isoformat(timespec="microseconds")]).tolist()
    assert moment(at) == time


def test_there_is_no_moment_without_a_time() -> None:
    assert moment(NO_TIME) is None
