"""Keys of one's own for what is done on the cards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import alwidgets as al
from alwidgets.widgets.keys import KEYS


@pytest.fixture
def session() -> Iterator[al.Session]:
    task = al.Classification(["ham", "spam"], keys={"ham": "h", "spam": "s"})
    session = al.Session(al.Pool.from_texts(["a", "b", "c"]), task)
    yield session
    session.close()


def test_the_page_is_told_what_takes_the_place_of_what(session: al.Session) -> None:
    keys = {"skip": "x", "flag": "Space", "undo": "Delete", "why": "W"}
    cards = session.cards(keys=keys)
    assert cards._keys == {" ": "x", "f": " ", "Backspace": "Delete"}
    assert session.cards()._keys == {}


def test_two_may_change_places(session: al.Session) -> None:
    assert session.cards(keys={"skip": "Enter", "accept": "space"})._keys == {
        "Enter": " ",
        " ": "Enter",
    }


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"burn": "x"}, "keys names 'burn'; it may name accept, skip"),
        ({"skip": "ctrl"}, "one character or one of Enter, Space"),
        ({"skip": ""}, "one character"),
        ({"skip": "\n"}, "one character"),
        ({"skip": None}, "one character"),
        ({"skip": "1"}, "The key '1' answers"),
        ({"skip": "?"}, "shows the keys"),
        ({"skip": "f"}, "The key of 'skip', 'f', is that of 'flag'"),
        ({"skip": "x", "flag": "X"}, "is that of"),
        ({"skip": "s"}, "is that of the class 'spam'"),
    ],
)
def test_keys_that_cannot_be(session: al.Session, keys: Any, says: str) -> None:
    with pytest.raises(al.AlwidgetsError, match=says):
        session.cards(keys=keys)


def test_every_key_can_be_moved(session: al.Session) -> None:
    free = iter("adijklmnoquvxy")
    keys = {name: next(free) for name in KEYS}
    assert session.cards(keys=keys)._keys == {KEYS[name]: key for name, key in keys.items()}
