"""Items as messages carry them: JSON for what is short, buffers for the bytes of images."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ..content import Content, Image
from .messages import Card, ImageContent, TextContent

if TYPE_CHECKING:
    from ..items import Item


# Half of a pair, which UTF-8 cannot hold; file names and badly decoded texts have such.
LONE_SURROGATE = re.compile("[\ud800-\udfff]")
#: Characters of a preview.
LONGEST = 160


def describe(content: Content, name: str, buffers: list[bytes]) -> TextContent | ImageContent:
    """Content of an item as a message has it; the bytes of an image go to the end of `buffers`."""
    if not isinstance(content, Image):
        return {"kind": "text", "text": _sendable(content.text)}
    buffers.append(content.data)
    return {
        "kind": "image",
        "mime": content.mime,
        "buffer": len(buffers) - 1,
        "width": content.width,
        "height": content.height,
        "alt": _sendable(f"Item {name}"),
    }


def preview(content: Content) -> str:
    """Content in a line of text."""
    text = "Image" if isinstance(content, Image) else " ".join(content.text.split())
    shown: str = _sendable(text[:LONGEST])
    return shown


def card_of(item: Item, *, flag: str | None, buffers: list[bytes]) -> Card:
    """Return an item as a card, its image's bytes put at the end of `buffers`.

    `flag` is the id of the event that flagged it, or None.
    """
    return {
        "item_id": item.id,
        "draw_id": item.draw_id,
        "stream": item.stream,
        "content": describe(item.content, item.id, buffers),
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


def _sendable(value: Any) -> Any:
    """Put U+FFFD in the place of what a message cannot carry."""
    return LONE_SURROGATE.sub("\ufffd", value) if isinstance(value, str) else value
