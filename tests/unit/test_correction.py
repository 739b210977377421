"""Free text: what a box is filled with, what comes back, and a session without a model."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import alwidgets as al
from alwidgets.errors import AnswerError, LearnerError, StrategyError, TaskError
from alwidgets.widgets.cards import Cards
from alwidgets.widgets.curves import Curves
from alwidgets.widgets.dashboard import Dashboard
from alwidgets.widgets.projector import Projector
from tests.widgets.test_cards import Page

FRAME = pd.DataFrame(
    {
        "heard": [f"teh cat nubmer {i}" for i in range(40)],
        "draft": [None if i == 3 else f"the cat number {i}" for i in range(40)],
        "n": range(40),
    }
)


def opened(
    task: al.Correction | None = None, place: Path | None = None, **options: Any
) -> al.Session:
    pool = al.Pool.from_frame(FRAME, text="heard", metadata=["draft", "n"])
    options = {"executor": al.InlineExecutor(), "batch_size": 5} | options
    return al.Session(pool, task or al.Correction(), place, **options)


@given(st.text(max_size=200))
def test_a_text_is_kept_as_it_is(text: str) -> None:
    task = al.Correction()
    if "\0" in text:
        with pytest.raises(AnswerError):
            task.validate(text)
    else:
        assert task.validate(text) == text
        assert task.encode(text) == 0


def test_nothing_is_normalised_and_the_longest_fits() -> None:
    task = al.Correction()
    for text in ("", " ", unicodedata.normalize("NFD", "é"), "x" * 10_000, "😀" * 10_000):
        assert task.validate(text) == text
    with pytest.raises(AnswerError, match="10,001 characters; at most 10,000"):
        task.validate("😀" * 10_001)
    with pytest.raises(AnswerError, match="no model answers"):
        task.decode(0)


@pytest.mark.parametrize(
    ("start", "starts"),
    [(None, "teh cat nubmer 7"), ("draft", "the cat number 7"), ("n", "7")],
)
def test_the_box_is_filled_from(start: str | None, starts: str) -> None:
    session = opened(al.Correction(start=start))
    page = Page(session)
    page.send({"type": "hello"})
    cards = {c["item_id"]: c for c in page.of("queue")[0]["cards"]}
    ids = dict(zip(FRAME["heard"], session.pool.ids, strict=True))
    items = {i.id: i for i in session.next(40)}
    assert items[ids["teh cat nubmer 7"]].start == starts
    assert all(card["start"] == items[i].start for i, card in cards.items())
    if start == "draft":
        assert items[ids["teh cat nubmer 3"]].start == ""
    page.cards.close()
    session.close()


def test_what_has_no_text_begins_empty() -> None:
    images = np.random.default_rng(0).integers(0, 255, (6, 8, 8), dtype=np.uint8)
    session = al.Session(al.Pool.from_images(images), al.Correction())
    assert {item.start for item in session.next(6)} == {""}
    session.close()


def test_a_column_that_is_not_there_is_named() -> None:
    with pytest.raises(TaskError, match=r"start='drft' is no metadata column.*'draft'"):
        opened(al.Correction(start="drft"))


@pytest.mark.parametrize("strategy", ["auto", "representative", "random", "k_center"])
def test_a_session_goes_through_all_items_without_a_model(strategy: str, tmp_path: Path) -> None:
    session = opened(place=tmp_path / "labels.db", strategy=strategy)
    views = [Cards(session), Projector(session), Curves(session), Dashboard(session)]
    assert views[0]._task == {
        "kind": "text",
        "classes": [],
        "answers": [],
        "codes": [],
        "keys": None,
        "multiline": False,
    }
    given = {}
    while items := session.next(3):
        for item in items:
            given[item.id] = item.start.replace("teh", "the") + "\n😀"  # type: ignore[union-attr]
            session.record(item.id, given[item.id])
        if len(given) == 12:
            session.undo()
            session.skip(item.id)
            del given[item.id]
            session.close()
            again = al.Correction(start="draft", multiline=True)
            session = opened(again, tmp_path / "labels.db", strategy=strategy)
    assert session.labels()["answer"].to_dict() == given
    assert len(given) == 39
    assert session.version == 0
    assert session.error is None
    assert session.exhausted
    assert session.retrain() is not None
    assert session.rounds == []
    assert {s.strategy for s in session.switches} <= {strategy, "representative", "random"}
    assert np.isnan(session.estimate().value)
    assert session.label_codes().max() == 0
    assert set(session.labels()["stream"]) == {"train"}
    with pytest.raises(LearnerError, match="No model is trained for Correction"):
        session.predict(["teh cat"])
    for view in views:
        view.close()
    session.close()


def test_the_map_shows_what_is_labelled() -> None:
    session = opened()
    item = session.next()[0]
    session.record(item.id, "the cat")
    projector = Projector(session)
    sent: list[tuple[dict[str, Any], list[bytes]]] = []
    projector.send = lambda message, buffers=None: sent.append((message, buffers or []))
    projector._send_colours()
    message, (codes,) = next(s for s in sent if s[0]["type"] == "colours")
    assert message["categories"] == projector._task["classes"] == ["labelled"]
    expected = [255] * 40
    expected[item.index] = 0
    assert list(codes) == expected
    projector._preview({"type": "preview", "index": item.index}, [])
    preview = next(m for m, _ in sent if m["type"] == "preview")
    assert (preview["label"], preview["prediction"]) == ("labelled", None)
    projector.close()
    session.close()


@pytest.mark.parametrize("strategy", ["margin", "bald", "badge", "uncertainty_herding"])
def test_a_strategy_that_asks_a_model_is_named(strategy: str) -> None:
    with pytest.raises(
        StrategyError, match=f"strategy='{strategy}' asks a model.*'representative'"
    ):
        opened(strategy=strategy)


def test_one_of_your_own_gives_way() -> None:
    def unsure(context: Any) -> Any:
        return 1 - context.proba.max(dim=1).values

    session = opened(strategy=unsure)
    assert len(session.next(5)) == 5
    session.close()


def test_answers_from_the_page_and_from_elsewhere() -> None:
    session = opened()
    page = Page(session)
    first, second = session.next(2)
    page.answer(first.id, "e1", answer="the cat\nsat")
    page.answer(second.id, "e2", answer=["the cat"])
    assert page.of("refused")[0]["reason"] == "An answer to this task must be a text, not list."
    page.answer(second.id, "e3", answer="😀" * 10_000)
    assert page.of("ack")
    other = next(i for i in session.pool.ids if i not in (first.id, second.id))
    session.import_labels(pd.DataFrame({"item_id": [other], "answer": ["a cat"]}))
    assert session.labels()["answer"].to_dict() == {
        first.id: "the cat\nsat",
        second.id: "😀" * 10_000,
        other: "a cat",
    }
    why = page.ask({"type": "why", "item_id": session.next()[0].id})
    assert why["type"] == "reasons"
    page.cards.close()
    session.close()
