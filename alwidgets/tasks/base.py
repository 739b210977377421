"""What every kind of answer has in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NotRequired, Protocol, TypedDict, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ..errors import TaskError

#: An answer as it is stored: anything that JSON can hold.
Answer = Any

#: Keys that the cards use themselves; letters in either case.
TAKEN = {
    "b": "goes back to earlier cards",
    "c": "comments",
    "e": "edits the classes",
    "f": "flags",
    "g": "shows the guidelines",
    "p": "pauses",
    "t": "labels several together",
    "w": "tells why the card is there",
    "z": "zooms",
    "?": "shows the keys",
    "/": "finds a class",
    " ": "skips",
}


class Asked(TypedDict):
    """How the cards ask: names, answers, codes and keys, one each for a class."""

    kind: str
    classes: list[str]
    answers: list[Answer]
    codes: list[int]
    keys: list[str | None] | None
    #: Of free text only: whether it may have several lines.
    multiline: NotRequired[bool]


@runtime_checkable
class Task(Protocol):
    """The kind of answer that is asked for.

    A kind has a name, a JSON description of itself (for the store), says how the cards ask, and
    turns answers into codes for the learner and back.
    """

    kind: ClassVar[str]
    #: Whether an item may have several of the classes, or none.
    multilabel: ClassVar[bool]

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names, in the order of their codes."""
        ...

    @property
    def categories(self) -> tuple[str, ...]:
        """What the map tells apart, in the order of the codes; later codes are like the last."""
        ...

    def validate(self, answer: object) -> Answer:
        """Return the answer in its stored form, or raise `AnswerError`."""
        ...

    def encode(self, answer: Answer) -> int:
        """Code of a valid answer."""
        ...

    def decode(self, code: int) -> Answer:
        """Answer of a code."""
        ...

    def targets(self, codes: NDArray[Any]) -> NDArray[Any]:
        """What a learner is fitted on: codes (n,), or 0 and 1 (n, C) for each class."""
        ...

    def codes(self, targets: NDArray[Any]) -> NDArray[np.int64]:
        """Codes (n,) of what `targets` gives."""
        ...

    def to_json(self) -> dict[str, Any]:
        """Describe the task, so that a store can tell whose it is."""
        ...

    def reconcile(self, described: dict[str, Any]) -> None:
        """Take over what a store's description adds, or raise `TaskError` if it is another task."""
        ...

    def asked(self) -> Asked:
        """How the cards ask."""
        ...


def codes_of_today(task: Task, codes: NDArray[Any]) -> NDArray[Any]:
    """The codes that answers have now that classes may have been merged; negative ones stay."""
    there = np.flatnonzero(np.bincount(codes[codes >= 0].ravel()))
    table = np.arange(there[-1] + 1 if len(there) else 1, dtype=codes.dtype)
    for code in there.tolist():
        table[code] = task.encode(task.decode(code))
    return np.where(codes < 0, codes, table[np.maximum(codes, 0)])


class OneClass:
    """What the kinds have in common that give an item one class: its code is what is learnt."""

    multilabel: ClassVar[bool] = False

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names; a kind says which."""
        raise NotImplementedError

    @property
    def categories(self) -> tuple[str, ...]:
        """The classes."""
        return self.classes

    def targets(self, codes: NDArray[Any]) -> NDArray[Any]:
        """The codes themselves, (n,)."""
        return codes

    def codes(self, targets: NDArray[Any]) -> NDArray[np.int64]:
        """The codes themselves, (n,)."""
        return targets


class Fixed:
    """What the kinds have in common whose classes cannot change."""

    def to_json(self) -> dict[str, Any]:
        """Describe the task; a kind says how."""
        raise NotImplementedError

    def reconcile(self, described: dict[str, Any]) -> None:
        """Accept a description of this task.

        Raises
        ------
        TaskError
            If it is of another one.
        """
        if described != self.to_json():
            raise TaskError(f"the store is for {shown(described)}, this task is {self!r}")


def shown(described: dict[str, Any]) -> str:
    """A store's description of its task, in words."""
    about = [value for key, value in described.items() if key != "kind"]
    return f"{described.get('kind')} of {', '.join(map(str, about))}"


def checked_keys(keys: Mapping[str, str] | None, classes: Sequence[str]) -> dict[str, str]:
    """Keys by class, in lower case.

    Raises
    ------
    TaskError
        For a class that is not there, for what is no single character, for a key that the cards
        use themselves, and for one that two classes have.
    """
    found: dict[str, str] = {}
    for name, key in (keys or {}).items():
        if name not in classes:
            raise TaskError(f"keys names {name!r}, which is no class of this task.")
        if not isinstance(key, str) or len(key) != 1 or not key.isprintable():
            raise TaskError(f"The key of {name!r} must be one character, not {key!r}.")
        key = key.lower()
        if key in TAKEN:
            raise TaskError(f"The key {key!r} {TAKEN[key]} on the cards: give {name!r} another.")
        if key in found.values():
            raise TaskError(f"Two classes have the key {key!r}: give {name!r} another.")
        found[name] = key
    return found


def keys_in_order(keys: Mapping[str, str], classes: Sequence[str]) -> list[str | None] | None:
    """The key of each class; None where the cards are to choose them all."""
    return [keys.get(name) for name in classes] if keys else None
