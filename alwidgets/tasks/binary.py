"""Yes or no to one class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from ..errors import AnswerError, TaskError
from .base import Answer, Asked, Fixed, OneClass, checked_keys, keys_in_order


class Binary(Fixed, OneClass):
    """Whether an item is of one class: accept or reject.

    Parameters
    ----------
    name : str
        The class.
    keys : mapping of str to str, optional
        Other keys than ``y`` for ``name`` and ``n`` for ``"not <name>"``.

    Raises
    ------
    TaskError
        If the name is no text or empty, or a key cannot be.

    Examples
    --------
    >>> task = Binary("spam")
    >>> task.classes, task.encode(True), task.decode(0)
    (('not spam', 'spam'), 1, False)
    """

    kind: ClassVar[str] = "binary"

    def __init__(self, name: str, *, keys: Mapping[str, str] | None = None) -> None:
        if not isinstance(name, str) or not name.strip():
            raise TaskError(f"Binary asks about one class: give its name, not {name!r}.")
        self.name = name
        usual = dict(zip(self.classes, "ny", strict=True))
        self._keys = checked_keys(usual | dict(keys or {}), self.classes)

    @property
    def classes(self) -> tuple[str, str]:
        """Names of the answers False and True."""
        return f"not {self.name}", self.name

    def validate(self, answer: object) -> bool:
        """Return the answer as a bool.

        Raises
        ------
        AnswerError
            If it is none.
        """
        if not isinstance(answer, bool | np.bool_):
            raise AnswerError(
                f"{answer!r} is no answer to this task: True for {self.name}, or False."
            )
        return bool(answer)

    def encode(self, answer: Answer) -> int:
        """1 for True and 0 for False."""
        return int(self.validate(answer))

    def decode(self, code: int) -> bool:
        """Answer of a code."""
        return bool(code)

    def to_json(self) -> dict[str, Any]:
        """Describe the task as ``{"kind", "name"}``."""
        return {"kind": self.kind, "name": self.name}

    def asked(self) -> Asked:
        """How the cards ask."""
        keys = keys_in_order(self._keys, self.classes)
        return {
            "kind": self.kind,
            "classes": list(self.classes),
            "answers": [False, True],
            "codes": [0, 1],
            "keys": keys,
        }

    def __repr__(self) -> str:
        return f"Binary({self.name!r})"
