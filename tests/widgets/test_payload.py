"""What a message can carry, whatever the items hold."""

from __future__ import annotations

import json

import pytest

from alwidgets.content import Audio, Content, Fields, Html, Image, Pair, Table, Text
from alwidgets.items import Item
from alwidgets.widgets.payload import card_of, describe, shown


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


IMAGE = Image(b"file", "image/png", 2, 3, b"key")
AS_SENT = {"kind": "image", "mime": "image/png", "width": 2, "height": 3}


def test_files_of_all_parts_are_buffers_in_their_order() -> None:
    sound = Audio(b"OggSsound")
    content = Fields({"photo": IMAGE, "both": Pair(sound, Fields({"again": IMAGE})), "said": "hi"})
    buffers = [b"before"]
    photo = AS_SENT | {"buffer": 1, "alt": "Item 7, photo"}
    played = {"kind": "audio", "mime": "audio/ogg", "buffer": 2, "alt": "Item 7, both, left"}
    again = AS_SENT | {"buffer": 3, "alt": "Item 7, both, right, again"}
    inner = {"kind": "fields", "fields": [{"name": "again", "content": again}]}
    assert shown(content, "Item 7", buffers) == {
        "kind": "fields",
        "fields": [
            {"name": "photo", "content": photo},
            {"name": "both", "content": {"kind": "pair", "left": played, "right": inner}},
            {"name": "said", "content": {"kind": "text", "text": "hi"}},
        ],
    }
    assert buffers == [b"before", b"file", b"OggSsound", b"file"]


def test_code_and_marks_go_along_only_where_there_are_any() -> None:
    assert shown(Text("x"), "", []) == {"kind": "text", "text": "x"}
    assert shown(Text("x", code=True), "", []) == {"kind": "text", "text": "x", "code": True}
    assert shown(Text("x\ud800", language="python", marks=[(0, 1, 1)]), "", []) == {
        "kind": "text",
        "text": "x\ufffd",
        "code": True,
        "language": "python",
        "marks": [[0, 1, 1.0]],
    }


def test_numbers_that_javascript_would_round_are_texts() -> None:
    exact = 2**53 - 1
    content = shown(Table({"a": exact, "b": exact + 2, "c": -(2**60), "d": True}), "", [])
    assert json.loads(json.dumps(content)) == {
        "kind": "table",
        "rows": [
            {"name": "a", "value": exact},
            {"name": "b", "value": "9007199254740993"},
            {"name": "c", "value": "-1152921504606846976"},
            {"name": "d", "value": True},
        ],
    }


def test_markup_goes_with_its_words() -> None:
    assert shown(Html("<p>caf\udce9</p>"), "", []) == {
        "kind": "html",
        "markup": "<p>caf\ufffd</p>",
        "text": "caf\ufffd",
    }


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (Table({"age": 31}), "age: 31"),
        (Html("<p>hi</p>"), "hi"),
        (Pair(IMAGE, "hi"), "Image, 2 by 3 pixels | hi"),
        (Audio(b"OggSsound"), "Audio, OGG, 1 kB"),
        (Text("x" * 1000), "x" * 1000),
    ],
)
def test_in_small_all_but_images_are_texts(content: Content, text: str) -> None:
    buffers: list[bytes] = []
    assert describe(content, "7", buffers) == {"kind": "text", "text": text}
    assert buffers == []
