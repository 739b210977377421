"""Any number of labels out of several."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..errors import AnswerError, TaskError
from .base import Answer, Asked, shown
from .classification import Classification

#: Labels that an error names.
NAMED = 8


class MultiLabel:
    """Any number of labels out of several, also none.

    An answer is a list of label names, in the order of `classes`.

    Parameters
    ----------
    classes : sequence of str
        Between 2 and 1,000 distinct names. Numbers are taken by their text (``7`` is ``"7"``).
    keys : mapping of str to str, optional
        Keys of some labels, or of all. Of the others the first ten have the digits.

    Raises
    ------
    TaskError
        If there are too few or too many names, a name is empty or stands twice, or a key cannot
        be.

    Notes
    -----
    The code of an answer is its place in a list of distinct sets of labels: first each label
    alone, then none of them, then others in the order in which they are first seen.

    Examples
    --------
    >>> task = MultiLabel(["joy", "anger", "fear"])
    >>> task.validate({"fear", "joy"})
    ['joy', 'fear']
    >>> task.encode(["anger"]), task.encode([]), task.encode(["joy", "fear"])
    (1, 3, 4)
    >>> task.targets(np.array([4, 3])).tolist()
    [[1, 0, 1], [0, 0, 0]]
    """

    kind: ClassVar[str] = "multilabel"
    multilabel: ClassVar[bool] = True

    def __init__(self, classes: Iterable[object], *, keys: Mapping[str, str] | None = None) -> None:
        self._choice = Classification(classes, keys=keys)
        self._know(self._choice.classes)

    def _know(self, names: tuple[str, ...]) -> None:
        """Begin anew with these labels."""
        self._names = names
        self._place = {name: place for place, name in enumerate(names)}
        #: The distinct sets, as places of their labels, and the code of each.
        self._sets: list[tuple[int, ...]] = [*((place,) for place in range(len(names))), ()]
        self._code = {marked: code for code, marked in enumerate(self._sets)}
        # Codes are given by the thread that trains, too.
        self._lock = threading.Lock()

    def __copy__(self) -> MultiLabel:
        twin = type(self).__new__(type(self))
        twin._choice = self._choice
        twin._know(self._names)
        return twin

    @property
    def classes(self) -> tuple[str, ...]:
        """Label names, in the order of the columns of `targets`."""
        return self._names

    @property
    def categories(self) -> tuple[str, ...]:
        """Each label alone, none, and several."""
        return (*self._names, "no label", "several labels")

    def validate(self, answer: object) -> list[str]:
        """Return the names of the labels that `answer` means, in the order of `classes`.

        Parameters
        ----------
        answer : list, tuple, set or array of str

        Raises
        ------
        AnswerError
            If it is none, a name is no label of this task, or stands twice.
        """
        return [self._names[place] for place in self._marked(answer)]

    def encode(self, answer: Answer) -> int:
        """Code of an answer; a set of labels that is seen for the first time gets a new one."""
        return self._code_of(self._marked(answer))

    def decode(self, code: int) -> list[str]:
        """Answer of a code."""
        return [self._names[place] for place in self._sets[int(code)]]

    def targets(self, codes: NDArray[Any]) -> NDArray[np.uint8]:
        """Which labels each answer has, (n, C) of 0 and 1."""
        kinds, at = np.unique(codes, return_inverse=True)
        table = np.zeros((len(kinds), len(self._names)), dtype=np.uint8)
        for row, code in enumerate(kinds.tolist()):
            table[row, list(self._sets[code])] = 1
        found: NDArray[np.uint8] = table[at.reshape(-1)]
        return found

    def codes(self, targets: NDArray[Any]) -> NDArray[np.int64]:
        """Codes (n,) of rows of 0 and 1, (n, C)."""
        if not len(targets):
            return np.empty(0, dtype=np.int64)
        # Rows as words, or as texts of bytes: to find the distinct ones is then to sort these.
        packed = np.packbits(np.asarray(targets, dtype=bool), axis=1)
        width = -(-packed.shape[1] // 8) * 8
        padded = np.pad(packed, ((0, 0), (0, width - packed.shape[1])))
        rows = padded.view(np.uint64 if width == 8 else f"V{width}").reshape(-1)
        _, first, at = np.unique(rows, return_index=True, return_inverse=True)
        codes = [self._code_of(tuple(np.flatnonzero(row).tolist())) for row in targets[first]]
        return np.array(codes, dtype=np.int64)[at.reshape(-1)]

    def to_json(self) -> dict[str, Any]:
        """Describe the task as ``{"kind", "classes"}``."""
        return {"kind": self.kind, "classes": list(self._names)}

    def reconcile(self, described: dict[str, Any]) -> None:
        """Accept a description of this task, and its order of the labels.

        Raises
        ------
        TaskError
            If it is of another kind, or of other labels.
        """
        theirs = tuple(described.get("classes", ()))
        if described.get("kind") != self.kind or sorted(theirs) != sorted(self._names):
            raise TaskError(f"the store is for {shown(described)}, this task is {self!r}")
        if theirs != self._names:
            self._choice = Classification(theirs, keys=self._keys)
            self._know(theirs)

    def asked(self) -> Asked:
        """How the cards ask: the answers are the labels, of which any number can be marked."""
        return {**self._choice.asked(), "kind": self.kind}

    @property
    def _keys(self) -> dict[str, str]:
        asked = self._choice.asked()
        pairs = zip(asked["classes"], asked["keys"] or [], strict=False)
        return {name: key for name, key in pairs if key is not None}

    def _marked(self, answer: object) -> tuple[int, ...]:
        """Places of the labels of an answer, ascending."""
        if isinstance(answer, str | bytes | Mapping) or not isinstance(
            answer, Collection | np.ndarray
        ):
            raise AnswerError(
                f"{answer!r} is no answer to this task: give a list of its labels, such as "
                f"{[self._names[0]]!r}, or [] for none. Joined texts are split first: "
                'frame["label"].str.split("|").'
            )
        marked = [self._place_of(name) for name in answer]
        if len(set(marked)) != len(marked):
            raise AnswerError(f"{answer!r} is no answer to this task: a label stands there twice.")
        return tuple(sorted(marked))

    def _place_of(self, name: object) -> int:
        if hasattr(name, "__index__") and not isinstance(name, bool):
            name = str(name)
        place = self._place.get(name) if isinstance(name, str) else None
        if place is None:
            more = ", …" if len(self._names) > NAMED else ""
            raise AnswerError(
                f"{name!r} is no label of this task [{', '.join(self._names[:NAMED])}{more}]. "
                "Answer with a list of some of them."
            )
        return place

    def _code_of(self, marked: tuple[int, ...]) -> int:
        with self._lock:
            code = self._code.setdefault(marked, len(self._sets))
            if code == len(self._sets):
                self._sets.append(marked)
        return code

    def __repr__(self) -> str:
        return repr(self._choice).replace("Classification", "MultiLabel", 1)
