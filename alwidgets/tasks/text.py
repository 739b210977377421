"""Free text: a correction of what is there, or a text of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ..content import Content, Text
from ..errors import AnswerError, TaskError
from .base import Answer, Asked

MAX_TEXT = 10_000


class Correction:
    """A text, to be corrected or written.

    No model is trained on it, for a text is of no class: items come by how typical they are, or
    at random, without suggestions, and no audit is set apart, for there is nothing to estimate.

    Parameters
    ----------
    start : str, optional
        Metadata column with what the box is filled with; by default the item's own text, and
        nothing where it has none.
    multiline : bool
        Whether the box on the cards takes several lines.

    Raises
    ------
    TaskError
        If `start` is no name of a column.

    Examples
    --------
    >>> task = Correction()
    >>> task.validate("The cat sat on the mat.")
    'The cat sat on the mat.'
    >>> task.classes
    ()
    """

    kind: ClassVar[str] = "text"

    def __init__(self, *, start: str | None = None, multiline: bool = False) -> None:
        if start is not None and not (isinstance(start, str) and start):
            raise TaskError(f"start names the metadata column to begin with; {start!r} is none.")
        if not isinstance(multiline, bool):
            raise TaskError(f"multiline must be True or False, not {multiline!r}.")
        self.start = start
        self.multiline = multiline

    @property
    def classes(self) -> tuple[str, ...]:
        """None."""
        return ()

    def validate(self, answer: object) -> str:
        """Return the text, as it is.

        Raises
        ------
        AnswerError
            If it is none, longer than 10,000 characters, or holds what no database can keep.
        """
        return checked_text(answer, "An answer to this task")

    def encode(self, answer: Answer) -> int:
        """0: all texts are alike to a learner."""
        self.validate(answer)
        return 0

    def decode(self, code: int) -> str:
        """Raise an `AnswerError`: no code says which text it was."""
        raise AnswerError("A text cannot be told from a code: no model answers this task.")

    def starting_text(self, content: Content, metadata: Mapping[str, Any]) -> str:
        """What the box of an item is filled with.

        Raises
        ------
        TaskError
            If the item has no such metadata.
        """
        if self.start is None:
            return content.text if isinstance(content, Text) else ""
        if self.start not in metadata:
            raise TaskError(
                f"start={self.start!r} is no metadata column of the pool; it has "
                f"{', '.join(map(repr, metadata)) or 'none'}. Name one of them, or keep the column "
                "when the pool is made: metadata=[…]."
            )
        value = metadata[self.start]
        return "" if value is None or value != value else str(value)

    def to_json(self) -> dict[str, Any]:
        """Describe the task as ``{"kind"}``: how the box looks may change at any time."""
        return {"kind": self.kind}

    def reconcile(self, described: dict[str, Any]) -> None:
        """Accept a description of this task.

        Raises
        ------
        TaskError
            If it is of another one.
        """
        if described != self.to_json():
            raise TaskError(f"the store is for {described.get('kind')}, this task is {self!r}")

    def asked(self) -> Asked:
        """How the cards ask."""
        return {
            "kind": self.kind,
            "classes": [],
            "answers": [],
            "codes": [],
            "keys": None,
            "multiline": self.multiline,
        }

    def __repr__(self) -> str:
        start = f"start={self.start!r}" if self.start is not None else ""
        several = "multiline=True" if self.multiline else ""
        return f"Correction({', '.join(filter(None, (start, several)))})"


def checked_text(value: object, what: str) -> str:
    """Return a text that can be kept: of at most 10,000 characters, all of them characters.

    Raises
    ------
    AnswerError
        Naming `what` it is to be.
    """
    if not isinstance(value, str):
        raise AnswerError(f"{what} must be a text, not {type(value).__name__}.")
    if len(value) > MAX_TEXT:
        raise AnswerError(f"{what} has {len(value):,} characters; at most {MAX_TEXT:,} are kept.")
    if "\0" in value or any("\ud800" <= c <= "\udfff" for c in value):
        raise AnswerError(
            f"{what} holds a character that no database can keep: U+0000, or half of a pair."
        )
    return value
