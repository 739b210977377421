"""A number on a short scale."""

from __future__ import annotations

from typing import Any, ClassVar

from ..errors import AnswerError, TaskError
from .base import Answer, Asked, Fixed, OneClass

MAX_STEPS = 11


class Rating(Fixed, OneClass):
    """A whole number on a scale, such as 1 to 5.

    Parameters
    ----------
    low, high : int
        Ends of the scale, both included; 2 to 11 steps.

    Raises
    ------
    TaskError
        If an end is not whole, or the scale has too few or too many steps.

    Examples
    --------
    >>> task = Rating(1, 5)
    >>> task.encode(4), task.decode(0)
    (3, 1)
    """

    kind: ClassVar[str] = "rating"

    def __init__(self, low: int = 1, high: int = 5) -> None:
        for end in (low, high):
            if not _is_whole(end):
                raise TaskError(f"The ends of a scale must be whole numbers, not {end!r}.")
        if not 2 <= high - low + 1 <= MAX_STEPS:
            raise TaskError(
                f"A scale has 2 to {MAX_STEPS} steps; {low} to {high} has {high - low + 1}. Choose "
                "other ends, or use a Classification."
            )
        self.low, self.high = int(low), int(high)

    @property
    def classes(self) -> tuple[str, ...]:
        """The steps, as texts."""
        return tuple(str(step) for step in range(self.low, self.high + 1))

    def validate(self, answer: object) -> int:
        """Return the answer as an int.

        Raises
        ------
        AnswerError
            If it is no step of the scale.
        """
        if _is_whole(answer):
            number: int = answer.__index__()  # type: ignore[attr-defined]
            if self.low <= number <= self.high:
                return number
        raise AnswerError(
            f"{answer!r} is no step of this scale: a whole number from {self.low} to {self.high}."
        )

    def encode(self, answer: Answer) -> int:
        """Steps above the lowest."""
        return self.validate(answer) - self.low

    def decode(self, code: int) -> int:
        """Answer of a code."""
        return self.low + int(code)

    def to_json(self) -> dict[str, Any]:
        """Describe the task as ``{"kind", "low", "high"}``."""
        return {"kind": self.kind, "low": self.low, "high": self.high}

    def asked(self) -> Asked:
        """How the cards ask; a step of one digit has that as its key."""
        answers = list(range(self.low, self.high + 1))
        keys = [str(step) if 0 <= step <= 9 else None for step in answers]
        return {
            "kind": self.kind,
            "classes": list(self.classes),
            "answers": answers,
            "codes": list(range(len(answers))),
            "keys": keys,
        }

    def __repr__(self) -> str:
        return f"Rating({self.low}, {self.high})"


def _is_whole(value: object) -> bool:
    return hasattr(value, "__index__") and not isinstance(value, bool)
