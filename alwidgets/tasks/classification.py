"""One class out of several."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from ..errors import AnswerError, TaskError
from .base import Answer, Asked, OneClass, checked_keys, keys_in_order

MAX_CLASSES = 1_000


class Classification(OneClass):
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
        # A code is never given to another class: merged classes and former names stay known.
        # Changed by taking another's place, so that a copy of the task is a task of its own.
        self._names: tuple[str, ...] = tuple(names)
        self._merged: dict[int, int] = {}
        self._former: dict[str, int] = {}
        self._keys = checked_keys(keys, names)

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names, in the order of their codes; one that was merged says into which."""
        return tuple(
            f"{name} (now {self._names[self._now(code)]})" if code in self._merged else name
            for code, name in enumerate(self._names)
        )

    @property
    def choices(self) -> tuple[str, ...]:
        """Names of the classes that can be given."""
        return tuple(self._names[code] for code in self._codes)

    def add(self, name: object) -> None:
        """Add a class; codes of the others stay.

        Raises
        ------
        TaskError
            If the name is or was that of another class, or there would be more than 1,000.
        """
        self._check_new(name := self._name(name))
        self._check([*self._names, name])
        self._names = (*self._names, name)

    def rename(self, name: str, to: object) -> None:
        """Give a class another name; its answers, those to come under the old one too, follow.

        Raises
        ------
        TaskError
            If there is no such class, or the new name is or was that of another one. One that it
            had itself it can have again.
        """
        code = self._code_of_choice(name)
        to = self._name(to)
        if self._former.get(to) != code:
            self._check_new(to)
        self._names = (*self._names[:code], to, *self._names[code + 1 :])
        former = self._former | {name: code}
        self._former = {known: at for known, at in former.items() if known != to}
        if name in self._keys:
            self._keys = {to if key == name else key: at for key, at in self._keys.items()}

    def merge(self, name: str, into: str) -> None:
        """Make a class part of another; its answers are that class's from now on.

        Raises
        ------
        TaskError
            If one of them is not there, both are the same, or one class alone would be left.
        """
        code, target = self._code_of_choice(name), self._code_of_choice(into)
        if code == target:
            raise TaskError(f"{name!r} cannot be merged into itself.")
        if len(self._codes) <= 2:
            raise TaskError("One class alone would be left: add another first.")
        self._merged = self._merged | {code: target}

    def validate(self, answer: object) -> str:
        """Return the class name that `answer` means.

        Raises
        ------
        AnswerError
            If it is no class of this task.
        """
        if self._is_integer(answer):
            answer = str(answer)
        code = self._find(answer) if isinstance(answer, str) else None
        if code is None:
            raise AnswerError(
                f"{answer!r} is no class of this task {self._shown(self.choices)}. "
                "Answer with one of them, or add it first: session.add_class(name)."
            )
        return self._names[code]

    def encode(self, answer: Answer) -> int:
        """Code of a class, 0 to C-1."""
        return self._names.index(self.validate(answer))

    def decode(self, code: int) -> str:
        """Class of a code."""
        return self._names[self._now(int(code))]

    def to_json(self) -> dict[str, Any]:
        """Describe the task as ``{"kind", "classes"}``, with what was merged and renamed."""
        about: dict[str, Any] = {"kind": self.kind, "classes": list(self._names)}
        if self._merged:
            about["merged"] = [list(pair) for pair in self._merged.items()]
        if self._former:
            about["former"] = self._former
        return about

    def asked(self) -> Asked:
        """How the cards ask."""
        names = list(self.choices)
        return {
            "kind": self.kind,
            "classes": names,
            "answers": names,
            "codes": self._codes,
            "keys": keys_in_order(self._keys, names),
        }

    def reconcile(self, described: dict[str, Any]) -> None:
        """Accept a description of this task: its order of the classes, and what became of them.

        Raises
        ------
        TaskError
            If the description is of another kind, or each has classes that the other has not.
        """
        theirs = tuple(described.get("classes", ()))
        former = dict(described.get("former", {}))
        mine = self.choices
        new = [name for name in mine if name not in theirs and name not in former]
        merged = dict(described.get("merged", ()))
        mine_now = {theirs[former[name]] if name in former else name for name in mine}
        present = {name for code, name in enumerate(theirs) if code not in merged}
        if described.get("kind") != self.kind or (new and not mine_now >= present):
            raise TaskError(
                f"the store is for {described.get('kind')} of {self._shown(theirs)}, "
                f"this task is {self.kind} of {self._shown(mine)}"
            )
        # The codes stay those of the store: what it adds comes along, what is new comes last.
        self._names = (*theirs, *new)
        self._former = former
        self._merged = merged
        keys = {theirs[former[n]] if n in former else n: key for n, key in self._keys.items()}
        self._keys = {name: key for name, key in keys.items() if name in self.choices}

    @property
    def _codes(self) -> list[int]:
        """Codes of the classes that can be given."""
        return [code for code in range(len(self._names)) if code not in self._merged]

    def _now(self, code: int) -> int:
        """The code that a class has now, or that of the one it was merged into."""
        while code in self._merged:
            code = self._merged[code]
        return code

    def _find(self, name: str) -> int | None:
        """Code that a name means, present or former."""
        if name in self._names:
            return self._now(self._names.index(name))
        return self._now(self._former[name]) if name in self._former else None

    def _code_of_choice(self, name: str) -> int:
        if name not in self.choices:
            raise TaskError(
                f"{name!r} is no class of this task {self._shown(self.choices)}: name one of them."
            )
        return self._names.index(name)

    def _check_new(self, name: str) -> None:
        """Raise for a name that is or was a class's: earlier answers of that name mean that one."""
        if name in self._former or name in {self._names[code] for code in self._merged}:
            raise TaskError(
                f"{name!r} was the name of what is {self.validate(name)!r} now: choose another."
            )
        if name in self._names:
            raise TaskError(f"There is a class {name!r} already: choose another name, or merge.")

    def __repr__(self) -> str:
        return f"Classification({self._shown(self.choices)})"

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
        return str(value)

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
