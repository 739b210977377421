"""Several contents on one card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..errors import PoolError
from .base import Unencoded, framed, kind_of, shortened
from .image import Image
from .text import Text

if TYPE_CHECKING:
    from . import Content


@dataclass(frozen=True, slots=True)
class Pair(Unencoded):
    """Two contents side by side, or one below the other where the card is narrow.

    Attributes
    ----------
    left, right : Content, or str for a text

    Raises
    ------
    PoolError
        If one of them is something else.

    Examples
    --------
    >>> Pair("a cat", "a dog").preview()
    'a cat | a dog'
    """

    left: Any
    right: Any

    def __post_init__(self) -> None:
        for side in ("left", "right"):
            value = as_content(getattr(self, side), f"The {side} of a Pair")
            object.__setattr__(self, side, value)

    def to_bytes(self) -> bytes:
        """Bytes that identify the pair, in this order."""
        return framed("pair", [tagged(self.left), tagged(self.right)])

    def preview(self) -> str:
        """Both, on one line."""
        return shortened(f"{self.left.preview()} | {self.right.preview()}")


@dataclass(frozen=True, slots=True)
class Fields(Unencoded):
    """Several contents on one card, each with its name above.

    Attributes
    ----------
    fields : mapping of str to Content, or to str for a text

    Raises
    ------
    PoolError
        If it is no mapping, is empty, or a field holds something else.

    Examples
    --------
    >>> Fields({"title": "A cat", "seen": "in Bern"}).preview()
    'title: A cat · seen: in Bern'
    """

    fields: Mapping[str, Any]

    def __post_init__(self) -> None:
        if not isinstance(self.fields, Mapping):
            raise PoolError(
                f"Fields needs a mapping of names to contents, not {kind_of(self.fields)}."
            )
        if not self.fields:
            raise PoolError("Fields has no field to show. Give at least one.")
        named = {
            str(name): as_content(value, f"The field {str(name)!r}")
            for name, value in self.fields.items()
        }
        object.__setattr__(self, "fields", named)

    def to_bytes(self) -> bytes:
        """Bytes that identify the fields, in this order."""
        pairs = ((name.encode("utf-8", "surrogatepass"), c) for name, c in self.fields.items())
        return framed("fields", [part for name, c in pairs for part in (name, tagged(c))])

    def preview(self) -> str:
        """Its first fields, on one line."""
        return shortened(" · ".join(f"{name}: {c.preview()}" for name, c in self.fields.items()))


def tagged(content: Content) -> bytes:
    """Bytes that identify a content among those of all kinds."""
    return framed(type(content).__name__, [content.to_bytes()])


def as_content(value: Any, what: str) -> Content:
    """Return a content as it is, and a str as a text.

    Raises
    ------
    PoolError
        If it is something else; the error calls it `what`.
    """
    if isinstance(value, str):
        return Text(value)
    if isinstance(value, (Text, Image, Unencoded)):
        return value  # type: ignore[return-value]
    raise PoolError(
        f"{what} holds {kind_of(value)}, which is no content. Give a Text, Image, Audio, Table, "
        "Html, Pair or Fields; Image.from_file(path) and Audio.from_file(path) read files."
    )
