"""What is to be seen of an item, as messages carry it."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict


class TextContent(TypedDict):
    """A text to show; marks are a start, an end (in code points) and a weight each."""

    kind: Literal["text"]
    text: str
    code: NotRequired[bool]
    language: NotRequired[str]
    marks: NotRequired[list[list[float]]]


class ImageContent(TypedDict):
    """An image to show; its bytes are in the buffer of that number."""

    kind: Literal["image"]
    mime: str
    buffer: int
    width: int
    height: int
    alt: str


class AudioContent(TypedDict):
    """A sound to play; its bytes are in the buffer of that number."""

    kind: Literal["audio"]
    mime: str
    buffer: int
    alt: str


class TableRow(TypedDict):
    """A field of a table and its value."""

    name: str
    value: Any


class TableContent(TypedDict):
    """One row of a table."""

    kind: Literal["table"]
    rows: list[TableRow]


class HtmlContent(TypedDict):
    """Markup, not cleaned yet, and its words."""

    kind: Literal["html"]
    markup: str
    text: str


class PairContent(TypedDict):
    """Two contents side by side."""

    kind: Literal["pair"]
    left: CardContent
    right: CardContent


class Field(TypedDict):
    """A content and its name."""

    name: str
    content: CardContent


class FieldsContent(TypedDict):
    """Several contents, each with its name."""

    kind: Literal["fields"]
    fields: list[Field]


CardContent = (
    TextContent
    | ImageContent
    | AudioContent
    | TableContent
    | HtmlContent
    | PairContent
    | FieldsContent
)
