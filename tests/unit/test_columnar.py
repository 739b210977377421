"""Columns as arrays: what a condition finds in one is what it finds value by value."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import alwidgets as al
from alwidgets import columnar
from alwidgets.columnar import Categories, ColumnarPool, Numbers, Texts, shared_columns
from alwidgets.errors import AlwidgetsError
from alwidgets.filters import conditions, meeting, typed

NUMBERS = st.one_of(
    st.none(), st.integers(-5, 5), st.floats(-5, 5), st.integers(), st.floats(allow_nan=True)
)
LETTERS = st.one_of(st.none(), st.text("aAbBßéİ 1", max_size=3))
VALUES = {
    "numbers": NUMBERS,
    "small numbers": st.one_of(st.none(), st.integers(-5, 5)),
    "texts": LETTERS,
    "flags": st.one_of(st.none(), st.booleans()),
    "any": st.one_of(NUMBERS, LETTERS, st.booleans(), st.lists(st.integers(), max_size=1)),
}
WANTED = st.one_of(
    st.integers(-5, 5), st.floats(-5, 5), st.booleans(), st.text("aA1", max_size=2), st.integers()
)


@pytest.mark.parametrize("most", [1, columnar.MOST_DIFFERENT])
@pytest.mark.parametrize("kind", VALUES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_all_at_once_is_one_by_one(kind: str, most: int, data: Any) -> None:
    column = data.draw(st.lists(VALUES[kind], min_size=1, max_size=8))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(columnar, "WORTH_IT", 1)
        patch.setattr(columnar, "ROWS", 3)
        patch.setattr(columnar, "MOST_DIFFERENT", most)
        arrays = ColumnarPool()
        arrays.of("it", column)
    sign = data.draw(st.sampled_from([":", "=", "<", "<=", ">", ">="]))
    by_hand = typed("it", sign, data.draw(st.text("aAbBßéİ1-2.\ud800", max_size=3)))
    by_code = data.draw(st.one_of(WANTED, st.lists(WANTED, max_size=3)))
    (by_code,) = conditions({"it": by_code}, {"it": column})
    every = np.arange(len(column))
    for condition in (by_hand, by_code):
        for among in (every, every[::2]):
            expected = meeting({"it": column}, condition, among)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(columnar, "WORTH_IT", 1)
                found = meeting({"it": column}, condition, among, arrays)
            assert found.tolist() == expected.tolist()


def test_the_forms_that_there_are() -> None:
    n = columnar.MOST_DIFFERENT + 1
    cases: list[tuple[list[Any], type[Any] | None]] = [
        ([1, 2.5, None], Numbers),
        ([2**53 + 1, 1], Categories),  # not all told apart as floats
        ([10**400, 1], Categories),
        ([True, None, False], Categories),
        (["a", None, "A"], Categories),
        ([None, None], Categories),
        ([f"{i}" for i in range(n)], Texts),
        ([f"{i}\ud800" for i in range(n)], None),
        ([2**60 + i for i in range(n)], None),
        ([[1], "a"], None),
    ]
    for column, kind in cases:
        found = columnar.columnar(column)
        assert (None if found is None else type(found)) is kind, column[:2]
    codes = columnar.columnar([1, True, 1.0, None, "1", True])
    assert isinstance(codes, Categories)
    assert codes.codes.tolist() == [0, 1, 2, -1, 3, 1]


def test_a_column_is_read_once_until_it_grows() -> None:
    n = columnar.WORTH_IT
    pool = al.Pool.from_texts([f"text {i}" for i in range(n)], metadata={"size": range(n)})
    arrays = shared_columns(pool)
    first = arrays.of("size", pool.metadata["size"])
    assert isinstance(first, Numbers)
    assert arrays.of("size", pool.metadata["size"]) is first
    session = al.Session(pool, al.Classification(["a", "b"]), executor=al.InlineExecutor())
    assert session.search("size>=1998").positions == [1998, 1999]
    pool.extend(["one more"], metadata={"size": [5_000]})
    assert session.search("size>=1998").positions == [1998, 1999, 2000]
    assert shared_columns(pool) is arrays
    with pytest.raises(AlwidgetsError, match="fails for item 7"):
        session.search(where={"size": lambda v: 1 / (v - 7)})
    # Short ones, and what stays in files, are looked through as they are.
    assert arrays.of("few", [1, 2]) is None
    assert arrays.of("filed", tuple(range(n))) is None
