"""Items as messages carry them: JSON for what is short, buffers for the bytes of images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..content import Content, Image
from .messages import Card, ImageContent, TextContent

if TYPE_CHECKING:
    from ..items import Item


def describe(content: Content, name: str, buffers: list[bytes]) -> TextContent | ImageContent:
    """Content of an item as a message has it; the bytes of an image go to the end of `buffers`."""
    if not isinstance(content, Image):
        return {"kind": "text", "text": content.text}
    buffers.append(content.data)
    return {
        "kind": "image",
        "mime": content.mime,
        "buffer": len(buffers) - 1,
        "width": content.width,
        "height": content.height,
        "alt": f"Item {name}",
    }


def card_of(item: Item, *, flag: str | None, buffers: list[bytes]) -> Card:
    """Return an item as a card, its image's bytes put at the end of `buffers`.

    `flag` is the id of the event that flagged it, or None.
    """
    return {
        "item_id": item.id,
        "draw_id": item.draw_id,
        "stream": item.stream,
        "content": describe(item.content, item.id, buffers),
        "metadata": item.metadata,
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
