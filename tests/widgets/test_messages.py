"""The examples that the front end's tests read hold here too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from alwidgets.widgets import messages
from alwidgets.widgets.messages import (
    FROM_CARDS,
    event_id_of,
    message_type,
    parse_before,
    parse_class_change,
    parse_event,
    parse_events,
    parse_search,
    parse_show,
)
from tests.widgets.shapes import fits

EXAMPLES = sorted((Path(__file__).parents[2] / "js/fixtures/messages").glob("cards_*.json"))
TO_CARDS = {get_args(get_type_hints(m)["type"])[0]: m for m in get_args(messages.ToCards)}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_example(path: Path) -> None:
    example = json.loads(path.read_text(encoding="utf-8"))
    message = example["message"]
    if example["direction"] == "to_browser":
        assert fits(message, TO_CARDS[message["type"]])
        return
    assert message_type(message, FROM_CARDS) == message["type"]
    if message["type"] == "classes":
        assert parse_class_change(message) == (message["what"], message["name"], message["to"])
    if message["type"] == "together":
        assert parse_search(message) == message["search"]
    if message["type"] == "earlier":
        assert parse_before(message) == message["before"]
    if message["type"] == "show":
        assert parse_show(message) == message["item_id"]
    if message["type"] == "events":
        for raw in parse_events(message):
            assert fits(raw, messages.LabelEvent)
            event = parse_event(raw, "someone")
            assert event.event_id == event_id_of(raw) == raw["event_id"]
            assert (event.kind, event.answer, event.target) == (
                raw["kind"],
                raw["answer"],
                raw["target"],
            )
            assert (event.comment, event.bulk) == (raw.get("comment"), raw.get("bulk"))


def test_every_message_has_an_example() -> None:
    seen = {json.loads(p.read_text(encoding="utf-8"))["message"]["type"] for p in EXAMPLES}
    assert seen == {*TO_CARDS, *FROM_CARDS}
