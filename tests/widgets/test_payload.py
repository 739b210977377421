"""What a message can carry, whatever the items hold."""

from __future__ import annotations

import json

from alwidgets.content import Image, Text
from alwidgets.items import Item
from alwidgets.widgets.payload import card_of, describe


def test_half_characters_are_replaced() -> None:
    item = Item(
        id="a",
        index=0,
        content=Text("caf\udce9 \ud800 \U0001f600"),
        metadata={"na\udce9me": "va\udfffl", "n": 1.5, "none": None},
        draw_id="d",
        stream="train",
        strategy="margin",
        score=None,
        model_version=0,
        suggestion=None,
        confidence=None,
    )
    card = card_of(item, flag=None, buffers=[])
    json.dumps(card, ensure_ascii=False).encode("utf-8")
    assert card["content"] == {"kind": "text", "text": "caf\ufffd \ufffd \U0001f600"}
    assert card["metadata"] == {"na\ufffdme": "va\ufffdl", "n": 1.5, "none": None}


def test_an_image_is_described_by_a_sendable_name_and_its_file_is_a_buffer() -> None:
    buffers = [b"before"]
    content = describe(Image(b"file", "image/png", 2, 3, b"key"), "caf\udce9", buffers)
    assert content == {
        "kind": "image",
        "mime": "image/png",
        "buffer": 1,
        "width": 2,
        "height": 3,
        "alt": "Item caf\ufffd",
    }
    assert buffers == [b"before", b"file"]
