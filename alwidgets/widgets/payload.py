"""Items as messages carry them: JSON for what is short, buffers for the bytes of files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..content import Audio, Content, Fields, Html, Image, Pair, Table, Text
from .contents import CardContent, ImageContent, TextContent
from .messages import Card

if TYPE_CHECKING:
    from ..items import Item


# Half of a pair, which UTF-8 cannot hold; file names and badly decoded texts have such.
LONE_SURROGATE = re.compile("[\ud800-\udfff]")
#: JavaScript's numbers hold no larger integer exactly.
MOST_EXACT = 2**53 - 1


def describe(content: Content, name: str, buffers: list[bytes]) -> TextContent | ImageContent:
    """Content of an item in small: an image, whose bytes go to the end of `buffers`, or a text.

    A text is sent whole; of all other kinds the preview is.
    """
    if isinstance(content, Image):
        return _image(content, f"Item {name}", buffers)
    text = content.text if isinstance(content, Text) else content.preview()
    return {"kind": "text", "text": _sendable(text)}


def shown(content: Content, alt: str, buffers: list[bytes]) -> CardContent:
    """Content as a card shows it; the bytes of files go to the end of `buffers`.

    `alt` is what images and sounds in it are called.
    """
    match content:
        case Text():
            return _text(content)
        case Image():
            return _image(content, alt, buffers)
        case Audio():
            buffers.append(content.data)
            buffer = len(buffers) - 1
            return {"kind": "audio", "mime": content.mime, "buffer": buffer, "alt": _sendable(alt)}
        case Table():
            pairs = content.values.items()
            rows = [{"name": _sendable(k), "value": _sendable(v)} for k, v in pairs]
            return {"kind": "table", "rows": rows}  # type: ignore[typeddict-item]
        case Html():
            text = _sendable(content.preview())
            return {"kind": "html", "markup": _sendable(content.markup), "text": text}
        case Pair():
            left = shown(content.left, f"{alt}, left", buffers)
            right = shown(content.right, f"{alt}, right", buffers)
            return {"kind": "pair", "left": left, "right": right}
        case Fields():
            return {
                "kind": "fields",
                "fields": [
                    {"name": _sendable(name), "content": shown(c, f"{alt}, {name}", buffers)}
                    for name, c in content.fields.items()
                ],
            }


def preview(content: Content) -> str:
    """Content in a line of text."""
    line: str = _sendable(content.preview())
    return line


def card_of(
    item: Item, *, flag: str | None, buffers: list[bytes], comment: str | None = None
) -> Card:
    """Return an item as a card, the bytes of its files put at the end of `buffers`.

    `flag` is the id of the event that flagged it, or None; `comment` the remark on it.
    """
    card: Card = {
        "item_id": item.id,
        "draw_id": item.draw_id,
        "stream": item.stream,
        "content": shown(item.content, f"Item {item.id}", buffers),
        "metadata": {_sendable(k): _sendable(v) for k, v in item.metadata.items()},
        "suggestion": None
        if item.suggestion is None or item.confidence is None
        else {"answer": item.suggestion, "confidence": item.confidence},
        "reason": {
            "strategy": item.strategy,
            "score": item.score,
            "model_version": item.model_version,
        },
        "flag": flag,
    }
    if comment is not None:
        card["comment"] = comment
    if item.start is not None:
        card["start"] = _sendable(item.start)
    if item.suggestion_hidden:
        card["suggestion_hidden"] = True
    return card


def _text(content: Text) -> TextContent:
    described: TextContent = {"kind": "text", "text": _sendable(content.text)}
    if content.code or content.language is not None:
        described["code"] = True
    if content.language is not None:
        described["language"] = _sendable(content.language)
    if content.marks:
        described["marks"] = [[int(a), int(b), float(weight)] for a, b, weight in content.marks]
    return described


def _image(content: Image, alt: str, buffers: list[bytes]) -> ImageContent:
    buffers.append(content.data)
    return {
        "kind": "image",
        "mime": content.mime,
        "buffer": len(buffers) - 1,
        "width": content.width,
        "height": content.height,
        "alt": _sendable(alt),
    }


def _sendable(value: Any) -> Any:
    """Put what a message can carry in the place of what it cannot."""
    if isinstance(value, str):
        return LONE_SURROGATE.sub("\ufffd", value)
    if isinstance(value, int) and abs(value) > MOST_EXACT:
        return str(value)
    return value
