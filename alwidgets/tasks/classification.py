"""One class out of several."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from ..errors import AnswerError, TaskError
from .base import Answer, Asked, checked_keys, keys_in_order

MAX_CLASSES = 1_000


class Classification:
    """One class out of several.

    Parameters
    ----------
    classes : sequence of str
        Between 2 and 1,000 distinct names. Numbers are taken by their text (``7`` is ``"7"``).
    keys : mapping of str to str, optional
        Keys of some classes, or of all. Of the others the first ten have the digits.

    Raises
    ------
    TaskError
        If there are too few or too many names, a name is empty or stands twice, or a key cannot
        be.

    Examples
    --------
    >>> task = Classification(["ham", "spam"])
    >>> task.encode("spam"), task.decode(0)
    (1, 'ham')
    """

    kind: ClassVar[str] = "classification"

    def __init__(self, classes: Iterable[object], *, keys: Mapping[str, str] | None = None) -> None:
        if isinstance(classes, str):
            raise TaskError(f"Classes must be a list of names, not the text {classes!r}.")
        names = [self._name(c) for c in classes]
        self._check(names)
        self._classes: tuple[str, ...] = tuple(names)
        self._keys = checked_keys(keys, names)

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names, in the order of their codes."""
        return self._classes

    def add(self, name: object) -> None:
        """Add a class; codes of the others stay.

        Raises
        ------
        TaskError
            If the name is there already, or there would be more than 1,000.
        """
        names = [*self._classes, self._name(name)]
        self._check(names)
        self._classes = tuple(names)

    def validate(self, answer: object) -> str:
        """Return the class name that `answer` means.

        Raises
        ------
        AnswerError
            If it is no class of this task.
        """
        if self._is_integer(answer):
            answer = str(answer)
        if not isinstance(answer, str) or answer not in self._classes:
            shown = ", ".join(self._classes[:8]) + (", …" if len(self._classes) > 8 else "")
            raise AnswerError(
                f"{answer!r} is no class of this task ({shown}). "
                "Answer with one of them, or add it first: session.add_class(name)."
            )
        return answer

    def encode(self, answer: Answer) -> int:
        """Code of a class, 0 to C-1."""
        return self._classes.index(self.validate(answer))

    def decode(self, code: int) -> str:
        """Class of a code."""
        return self._classes[code]

    def to_json(self) -> dict[str, Any]:
        """Describe the task as ``{"kind", "classes"}``."""
        return {"kind": self.kind, "classes": list(self._classes)}

    def asked(self) -> Asked:
        """How the cards ask."""
        names = list(self._classes)
        keys = keys_in_order(self._keys, names)
        return {"kind": self.kind, "classes": names, "answers": names, "keys": keys}

    def reconcile(self, described: dict[str, Any]) -> None:
        """Accept a description of this task: its order of the classes, and those added since.

        Raises
        ------
        TaskError
            If the description is of another kind, or each has classes that the other has not.
        """
        theirs = tuple(described.get("classes", ()))
        known, mine = set(theirs), set(self._classes)
        if described.get("kind") == self.kind and (mine <= known or known <= mine):
            # The codes stay those of the store: what it adds comes along, what is new comes last.
            self._classes = theirs + tuple(c for c in self._classes if c not in known)
            return
        raise TaskError(
            f"the store is for {described.get('kind')} of {self._shown(theirs)}, "
            f"this task is {self.kind} of {self._shown(self._classes)}"
        )

    def __repr__(self) -> str:
        return f"Classification({self._shown(self._classes)})"

    @staticmethod
    def _is_integer(value: object) -> bool:
        # True is an int to Python, and never a class name that somebody meant.
        return hasattr(value, "__index__") and not isinstance(value, bool)

    @classmethod
    def _name(cls, value: object) -> str:
        if cls._is_integer(value):
            return str(value)
        if not isinstance(value, str):
            raise TaskError(f"A class name must be a text, not {type(value).__name__}: {value!r}.")
        if not value.strip():
            raise TaskError("A class name is empty. Give each class a name.")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise TaskError(f"The class name {value!r} is no text that can be kept.") from None
        return value

    @staticmethod
    def _shown(names: Sequence[str]) -> str:
        return f"[{', '.join(names[:8])}{', …' if len(names) > 8 else ''}]"

    @staticmethod
    def _check(names: Sequence[str]) -> None:
        if len(names) < 2:
            raise TaskError(
                f"A classification needs at least 2 classes, got {len(names)}. Name the others."
            )
        if len(names) > MAX_CLASSES:
            raise TaskError(
                f"A classification has at most {MAX_CLASSES:,} classes, got {len(names):,}. "
                "Merge some, or label in two steps."
            )
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise TaskError(f"Class names must differ; these stand twice: {', '.join(twice)}.")
