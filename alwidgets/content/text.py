"""Texts, and code."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import PoolError
from .base import kind_of, shortened


@dataclass(frozen=True, slots=True)
class Text:
    r"""A text.

    Attributes
    ----------
    text : str
        Shown as it is; markup in it is not interpreted.
    language : str, optional
        Of the code in it, such as ``"python"``. Makes it code.
    code : bool
        Shown in a fixed width, its white space kept; long lines scroll.
    marks : sequence of (start, end, weight)
        Parts to highlight: from a character up to another one, as Python counts them, and how
        much each weighs, below 0 where it speaks against.

    Raises
    ------
    PoolError
        If it is no text, or a mark lies outside of it.

    Examples
    --------
    >>> Text("def f(x):\n    return x", language="python").preview()
    'def f(x): return x'
    """

    text: str
    language: str | None = None
    code: bool = False
    marks: Sequence[tuple[int, int, float]] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.text, str):
            raise PoolError(f"Text needs a str, not {kind_of(self.text)}. Use str() on it.")
        if self.language is not None and not isinstance(self.language, str):
            raise PoolError(f"The language of a text is a name, not {kind_of(self.language)}.")
        for mark in self.marks:
            start, end, weight = mark
            if not (0 <= start < end <= len(self.text) and math.isfinite(weight)):
                raise PoolError(
                    f"The mark {tuple(mark)} does not lie in a text of {len(self.text):,} "
                    "characters. Give (start, end, weight), start < end, the weight finite."
                )

    def to_bytes(self) -> bytes:
        """Bytes that identify the text (UTF-8; lone surrogates kept apart)."""
        return self.text.encode("utf-8", "surrogatepass")

    def preview(self) -> str:
        """Its beginning, on one line."""
        return shortened(self.text)
