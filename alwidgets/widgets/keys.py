"""Keys of what is done on the cards, as a person likes them."""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import AlwidgetsError
from ..tasks.base import Asked

#: What is done with which key, as the browser calls it.
KEYS = {
    "accept": "Enter",
    "skip": " ",
    "undo": "Backspace",
    "flag": "f",
    "comment": "c",
    "guidelines": "g",
    "earlier": "b",
    "together": "t",
    "classes": "e",
    "why": "w",
    "pause": "p",
    "zoom": "z",
}
#: Keys that are no character.
NAMED = {"Enter": "Enter", "Space": " ", "Backspace": "Backspace", "Delete": "Delete"}
#: Characters that mean something else on the cards.
FIXED = "0123456789?/"


def moved_keys(keys: Mapping[str, str] | None, asked: Asked) -> dict[str, str]:
    """The keys that take the place of others.

    Parameters
    ----------
    keys : mapping of str to str, or None
        What is done, and its key: one character, or the name of a key.
    asked : Asked
        How the cards ask, with the keys of the classes.

    Returns
    -------
    dict
        The key that takes its place, by the usual one; both as the browser calls them.

    Raises
    ------
    AlwidgetsError
        For what is not done by a key, what is no key, and a key that means something else.
    """
    now = dict(KEYS)
    for name, key in (keys or {}).items():
        if name not in KEYS:
            raise AlwidgetsError(f"keys names {name!r}; it may name {', '.join(KEYS)}.")
        now[name] = _key(name, key)
    of_classes = dict(zip(asked["keys"] or [], asked["classes"], strict=False))
    for name in keys or {}:
        other = next((n for n, key in now.items() if key == now[name] and n != name), None)
        if other is not None:
            raise AlwidgetsError(
                f"The key of {name!r}, {_named(now[name])}, is that of {other!r}: give one of them "
                "another."
            )
        if now[name] in of_classes:
            raise AlwidgetsError(
                f"The key of {name!r}, {_named(now[name])}, is that of the class "
                f"{of_classes[now[name]]!r}: give one of them another."
            )
    return {usual: now[name] for name, usual in KEYS.items() if now[name] != usual}


def _key(name: str, key: object) -> str:
    if isinstance(key, str) and key.capitalize() in NAMED:
        return NAMED[key.capitalize()]
    if not isinstance(key, str) or len(key) != 1 or not key.isprintable():
        raise AlwidgetsError(
            f"The key of {name!r} must be one character or one of {', '.join(NAMED)}, not {key!r}."
        )
    if key in FIXED:
        raise AlwidgetsError(
            f"The key {key!r} answers, shows the keys or finds a class: give {name!r} another."
        )
    return key.lower()


def _named(key: str) -> str:
    return next((repr(name) for name, k in NAMED.items() if k == key), repr(key))
