"""Whatever a page sends, nothing wrong is stored, the person is told, and the session goes on."""

from __future__ import annotations

import re
from typing import Any

import pytest
from conftest import Open
from page import Notebook
from samples import TEXTS, answers

EVENT = {
    "event_id": "0b7d4a52-58c9-4f4e-9a43-6b5f0f2f7c11",
    "item_id": "m5",
    "kind": "answer",
    "answer": "ham",
    "target": None,
    "draw_id": None,
    "shown_at": None,
    "answered_at": "2026-01-01T12:00:00.000Z",
}


def events(**changes: Any) -> dict[str, Any]:
    return {"type": "events", "events": [EVENT | changes]}


#: What is sent, and what the notice says about it.
BAD_FOR_CARDS = {
    "no type": ({}, "type"),
    "a type that is no text": ({"type": {"$ne": 1}}, "type"),
    "an unknown type": ({"type": "drop"}, "drop"),
    "no list": ({"type": "events", "events": 7}, "list"),
    "a list of other things": ({"type": "events", "events": [None]}, "list"),
    "a list in place of the message": (["events"], "type"),
    "an unknown item": (events(item_id="nobody"), "nobody"),
    "an unknown class": (events(answer="eggs"), "eggs"),
    "an answer that is no text": (events(answer={"a": [1]}), "class"),
    "no answer": (events(answer=None), "answer"),
    "an unknown kind": (events(kind="delete"), "delete"),
    "a long id": (events(event_id="e" * 999), "event_id"),
    "an id that is no text": (events(event_id=5), "event_id"),
    "no time": (events(answered_at="yesterday"), "yesterday"),
    "a retract that names nothing": (events(kind="retract", answer=None), "target"),
}

BAD_FOR_MAP = {
    "an unknown type": ({"type": "drop"}, "drop"),
    "an unknown colour": ({"type": "colour_by", "by": "mood"}, "mood"),
    "a position beyond the pool": ({"type": "preview", "index": 10**9}, "position"),
    "a position that is no number": ({"type": "preview", "index": "5"}, "position"),
    "no buffer": ({"type": "label_next"}, "buffer"),
}


@pytest.fixture(scope="module")
def notebook(opened_once: Open) -> Notebook:
    notebook = opened_once(
        [TEXTS, "cards, map = session.cards(), session.projector()", "cards", "map"]
    )
    notebook.run_all()
    notebook.cards.wait_card()
    notebook.view("projector").wait_for()
    return notebook


def send(notebook: Notebook, widget: str, message: Any) -> None:
    """Send a custom message as the page of this widget would."""
    comm = notebook.value(f"{widget}.comm.comm_id")
    notebook.js(
        "kernel._comms.get(value[0]).send({method: 'custom', content: value[1]})", [comm, message]
    )


def test_bad_messages(notebook: Notebook) -> None:
    root, database = notebook.cards.root, notebook.folder / "texts.db"
    for name, (message, word) in BAD_FOR_CARDS.items():
        send(notebook, "cards", message)
        notice = root.locator(".alw-notice", has_text=re.compile(re.escape(word), re.IGNORECASE))
        notice.first.wait_for(timeout=10_000)
        assert notice.count() == 1, name
        notice.get_by_role("button").click()
        notice.wait_for(state="detached")
        assert answers(database) == [], name
    for name, (message, word) in BAD_FOR_MAP.items():
        send(notebook, "map", message)
        shown = notebook.view("projector").get_by_text(word, exact=False).locator("visible=true")
        shown.first.wait_for(timeout=10_000)
        assert notebook.value("session.progress()")["labelled"] == 0, name

    # A good one among bad ones is kept, and the session goes on.
    good = EVENT | {"event_id": "good"}
    send(notebook, "cards", {"type": "events", "events": [EVENT | {"item_id": "x"}, good]})
    notebook.wait_value("session.labels().answer.to_dict()", lambda got: got == {"m5": "ham"})
    assert [row[1:] for row in answers(database)] == [("m5", "ham")]
    send(notebook, "cards", {"type": "events", "events": [good]})  # and once only
    notebook.cards.focus()
    item = notebook.cards.item
    notebook.cards.press("2")
    notebook.cards.wait_saved()
    assert [row[1:] for row in answers(database)] == [("m5", "ham"), (item, "spam")]
    assert notebook.errors == []


def test_card_comes_back_when_its_answer_is_refused(notebook: Notebook) -> None:
    """A label that Python will not take: the card comes back, and the person is told why."""
    notebook.execute(
        "from alwidgets.errors import AnswerError\n"
        "validate = session.validate\n"
        "def refuse(event, beside=()):\n"
        "    raise AnswerError('Not today. Try again tomorrow.')\n"
        "session.validate = refuse"
    )
    notebook.cards.focus()
    item = notebook.cards.item
    notebook.cards.press("1")
    assert notebook.cards.item != item
    notebook.cards.root.get_by_text("Not today.", exact=False).first.wait_for()
    notebook.cards.wait_saved()  # it is not waiting any more
    notebook.execute("session.validate = validate")
    notebook.cards.press("1")
    assert notebook.cards.item == item
    notebook.cards.press("2")
    notebook.cards.wait_saved()
    assert (item, "spam") in [row[1:] for row in answers(notebook.folder / "texts.db")]
