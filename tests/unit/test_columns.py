"""Colours for columns of metadata."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from alwidgets.errors import ProjectionError
from alwidgets.projection.colours import middle_range
from alwidgets.projection.columns import MOST, column_colours


def named(values: list[Any]) -> list[str | None]:
    """The category that each item got."""
    made = column_colours("it", values)
    assert made.categories is not None
    none = 255 if made.codes.dtype == np.uint8 else 65_535
    return [None if code == none else made.categories[code] for code in made.codes.tolist()]


def test_texts_are_categories_the_most_frequent_first() -> None:
    assert named(["b", "a", "b", None]) == ["b", "a", "b", None]
    assert column_colours("it", ["a", "b", "b"]).categories == ["b", "a"]


def test_of_many_texts_the_most_frequent_have_a_colour_of_their_own() -> None:
    values = [f"w{i}" for i in range(100) for _ in range(100 - i)] + [None]
    found = named(values)
    assert found[0] == "w0"
    assert found[-1] is None
    assert found[-2] == f"other ({100 - MOST} values)"
    assert len({*found} - {None}) == MOST + 1
    assert [f for f in found if f == "w19"] == ["w19"] * 81


def test_numbers_lie_on_a_ramp_that_one_far_out_does_not_spoil() -> None:
    values = [*range(1000), 10**9]
    made = column_colours("it", values)
    assert made.categories is None
    assert made.range is not None
    assert made.range[1] < 2_000
    assert made.codes[-1] == 254
    assert (np.diff(made.codes[:1000].astype(int)) >= 0).all()
    assert len(np.unique(made.codes)) > 200


def test_a_few_whole_numbers_are_categories_in_order() -> None:
    assert column_colours("it", [3, 1, 2, 1, None]).categories == ["1", "2", "3"]
    assert column_colours("it", [0.5, 1.0, 0.25]).range == (0.25, 1.0)


def test_times_on_a_ramp_keep_the_seconds() -> None:
    made = column_colours("it", [1_700_000_000 + i for i in range(100)])
    assert len(np.unique(made.codes)) > 90


def test_days_and_times_lie_on_a_ramp() -> None:
    days = [f"2024-{m:02}-{d:02}" for m in range(1, 13) for d in range(1, 28)]
    made = column_colours("sent", [*days, None])
    assert made.categories is None
    assert made.ends is not None
    assert made.ends[0].startswith("2024-01-0")
    assert made.codes[-1] == 255
    assert (np.diff(made.codes[:-1].astype(int)) >= 0).all()
    assert column_colours("sent", [f"{d} 10:00:00" for d in days]).categories is None
    # One that is no day makes texts of them all.
    assert column_colours("sent", ["2024-01-01", "2024-01-01", "2024-13-45"]).categories


def test_truth_is_yes_and_no_and_not_a_number() -> None:
    assert named([True, False, None]) == ["yes", "no", None]
    assert set(named([True, 1, "1"])) == {"yes", "1"}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([None, None], "has no value"),
        ([f"id {i}" for i in range(50)], "no value that occurs twice"),
    ],
)
def test_what_no_colour_can_show_is_told(values: list[Any], words: str) -> None:
    with pytest.raises(ProjectionError, match=words) as error:
        column_colours("sender", values)
    assert "sender" in str(error.value)


@pytest.mark.parametrize(
    "values",
    [
        [1, "one", None, True, 2.5],
        [10**400, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0],
        ["", "", "x" * 1000],
        [5] * 10,
        [0.1] * 10,
        [1],
    ],
)
def test_odd_columns_have_a_byte_an_item(values: list[Any]) -> None:
    made = column_colours("it", values)
    assert made.codes.shape == (len(values),)
    assert made.codes.dtype == np.uint8
    assert all(len(name) <= 61 for name in made.categories or ())


def test_others_get_their_turn_while_a_long_column_is_read() -> None:
    pauses: list[float] = []
    column_colours("it", ["a", "b"] * 50_000, lambda: pauses.append(time.monotonic()))
    assert len(pauses) >= 10


def test_the_middle_of_numbers_that_are_not_finite() -> None:
    assert middle_range(np.array([np.nan, np.inf, 1.0, 2.0])) == pytest.approx((1.0, 2.0), abs=0.01)
    assert middle_range(np.array([np.nan])) == (0.0, 0.0)
