"""Sizes and opacities of the map's points as messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from alwidgets.projection import Map
from alwidgets.widgets.background import Background
from tests.widgets.test_projector import (
    FEATURES,
    MEASURED,
    FakeSession,
    FakeWorker,
    Heard,
    a_round,
)

NOTHING = dict.fromkeys(("by", "name", "range", "ends", "none"))


class Page:
    """A map with a page that shows it."""

    def __init__(self, session: FakeSession, **options: Any) -> None:
        self.session, self.worker = session, FakeWorker()
        run = options.get("run", lambda work: work())
        self.map = Map(lambda: FEATURES, worker=self.worker, run=run)
        self.view = Heard(session, map=self.map)
        self.view._slow = Background(lambda _: self.view._show_slow(), run=run)

    def tell(self, **message: Any) -> list[tuple[dict[str, Any], list[bytes]]]:
        """Send a message as the page does; what comes back, without the progress."""
        self.view.take()
        self.view._handle_custom_msg(message, [])
        return [sent for sent in self.view.take() if sent[0]["type"] != "progress"]

    def vary(self, what: str, by: object) -> list[tuple[dict[str, Any], list[bytes]]]:
        return self.tell(type="vary", what=what, by=by)


@pytest.fixture
def page() -> Iterator[Page]:
    session = FakeSession()
    session.pool.metadata = {
        "length": [2, 90, 5, 7, 8, None],
        "sender": ["ann", "bob", "ann", "ann", "bob", "bob"],
        "name": [f"name {i}" for i in range(6)],
        "empty": [None] * 6,
        "share": [0.0, 0.25, 0.5, 0.75, 1.0, 0.5],
    }
    session.current = a_round(3)
    page = Page(session)
    yield page
    page.view.close()


def test_a_quantity_travels_as_a_byte_a_point(page: Page) -> None:
    ((message, (steps,)),) = page.vary("size", "uncertainty")
    assert message == {
        "type": "varied",
        "n": 6,
        "what": "size",
        "by": "uncertainty",
        "name": "Uncertainty",
        "range": [0.0, 1.0],
        "ends": ["sure", "unsure"],
        "none": "for audit",
        "version": 3,
    }
    assert list(steps) == [254, 203, 152, 102, 51, 0]


def test_nothing_to_follow_is_the_same_for_all(page: Page) -> None:
    page.vary("size", "uncertainty")
    ((message, buffers),) = page.vary("size", None)
    assert message == {"type": "varied", "n": 0, "what": "size", "version": 0, **NOTHING}
    assert buffers == []
    page.session.emit("round", page.session.current)
    assert "varied" not in {sent["type"] for sent, _ in page.view.take()}


def test_size_and_opacity_follow_each_its_own(page: Page) -> None:
    page.vary("size", "confidence")
    page.vary("opacity", "meta:share")
    shown = {m["what"]: (m["by"], list(b[0])) for m, b in page.tell(type="hello") if "what" in m}
    assert shown == {
        "size": ("confidence", [0, 51, 102, 152, 203, 254]),
        "opacity": ("meta:share", [0, 64, 127, 190, 254, 127]),
    }


def test_a_new_model_changes_what_depends_on_it_and_nothing_else(page: Page) -> None:
    page.vary("size", "score:margin")
    page.vary("opacity", "meta:share")
    page.session.current = a_round(4)
    page.view.take()
    page.session.emit("round", page.session.current)
    varied = [message for message, _ in page.view.take() if message["type"] == "varied"]
    assert [(m["what"], m["version"]) for m in varied] == [("size", 4)]
    assert page.session.scored == ["margin", "margin"]


def test_colour_and_size_by_the_same_score_work_it_out_once(page: Page) -> None:
    page.tell(type="colour_by", by="score:margin")
    ((message, (steps,)),) = page.vary("size", "score:margin")
    assert message["by"] == "score:margin"
    assert list(steps) == [255, 0, 255, 127, 254, 64]
    assert page.session.scored == ["margin"]


def test_scores_of_two_strategies_that_wait_for_each_other_both_come(page: Page) -> None:
    later: list[Any] = []
    page.view._slow = Background(lambda _: page.view._show_slow(), run=later.append)
    page.tell(type="colour_by", by="score:entropy")
    page.vary("size", "score:margin")
    page.vary("opacity", "meta:share")
    while later:
        later.pop(0)()
    sent = [message for message, _ in page.view.take() if "by" in message]
    shown = {message.get("what", "colour"): message["by"] for message in sent}
    assert shown["colour"] == "score:entropy"
    assert (shown["size"], shown["opacity"]) == ("score:margin", "meta:share")


def test_outliers_are_sent_when_they_are_measured() -> None:
    later: list[Any] = []
    page = Page(FakeSession(), run=later.append)
    assert page.vary("size", "outlier") == []
    while later:
        later.pop(0)()
    varied = [(m, b) for m, b in page.view.take() if m["type"] == "varied"]
    assert [(m["by"], len(b[0])) for m, b in varied] == [("outlier", 6)]
    page.view.close()


def test_trust_is_refused_before_it_is_measured_and_follows_then(page: Page) -> None:
    page.tell(type="hello")
    (kept, _), (problem, _) = page.vary("opacity", "trust")
    assert (kept["type"], kept["by"]) == ("varied", None)
    assert "not measured yet" in problem["text"]
    page.worker.jobs[0].on_done(np.ones((6, 2), dtype=np.float32))
    page.worker.jobs[0].on_figures(MEASURED)
    ((message, _),) = page.vary("opacity", "trust")
    assert message["by"] == "trust"
    page.view.take()
    page.worker.jobs[0].on_figures(MEASURED)
    assert "varied" in {sent["type"] for sent, _ in page.view.take()}


def test_without_a_model_what_is_shown_stays(page: Page) -> None:
    page.session.current = None
    page.vary("size", "meta:share")
    (kept, _), (problem, _) = page.vary("size", "confidence")
    assert kept["by"] == "meta:share"
    assert "no model" in problem["text"]
    assert "Label" in problem["remedy"]


@pytest.mark.parametrize(
    ("by", "says"),
    [
        ("prediction", "“Prediction” has categories, and size shows a quantity"),
        ("meta:sender", "“sender” has categories"),
        ("meta:empty", "no value"),
    ],
)
def test_what_is_no_quantity_is_told_and_leaves_points_the_same(
    page: Page, by: str, says: str
) -> None:
    sent = page.vary("size", by)
    assert [message["type"] for message, _ in sent] == ["varied", "problem"]
    assert (sent[0][0]["by"], sent[0][1]) == (None, [])
    assert says in sent[1][0]["text"]


@pytest.mark.parametrize(
    "message",
    [
        {"what": "colour", "by": None},
        {"by": "confidence"},
        {"what": ["size"], "by": None},
        {"what": "size", "by": "mood"},
        {"what": "size", "by": 7},
        {"what": "size", "by": "meta:mood"},
    ],
)
def test_what_is_malformed_is_refused(page: Page, message: dict[str, Any]) -> None:
    ((refused, _),) = page.tell(type="vary", **message)
    assert refused["type"] == "refused"
