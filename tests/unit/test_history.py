"""Earlier cards: what was done, and doing it anew."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

import alwidgets as al
from alwidgets import reviewing
from alwidgets.errors import AnswerError, UnknownItemError

IDS = [str(i) for i in range(60)]


def opened(place: Path | None = None, **options: Any) -> al.Session:
    pool = al.Pool.from_texts([f"text {i}" for i in range(60)], ids=IDS)
    options = {"executor": al.InlineExecutor(), "batch_size": 1_000} | options
    return al.Session(pool, al.Classification(["a", "b"]), place, **options)


def test_what_stands_newest_first() -> None:
    session = opened()
    at = "2026-03-01T09:30:00.250+00:00"
    session.record("1", "a", answered_at=at)
    session.record("2", "a", answered_at="some time")
    session.skip("3")
    session.flag("1")
    session.record("2", "b", answered_at=at)
    session.record("4", "b")
    session.comment("2", "hm")
    session.undo()
    two, three, one = session.history()
    assert (two.id, two.kind, two.answer, two.flagged, two.comment) == (
        "2",
        "answer",
        "b",
        False,
        "hm",
    )
    assert (three.id, three.kind, three.answer) == ("3", "skip", None)
    assert (one.id, one.answer, one.flagged, one.comment) == ("1", "a", True, None)
    assert one.answered_at == dt.datetime.fromisoformat(at)
    session.rename_class("a", "c")
    assert session.history()[-1].answer == "c"
    session.close()


def test_an_unknown_time_is_none() -> None:
    session = opened()
    session.record("2", "a", answered_at="some time")
    assert session.history()[0].answered_at is None
    session.close()


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+01:00", "9999-12-31T23:00:00-02:00"])
def test_a_time_that_utc_cannot_hold_is_none(at: str, tmp_path: Path) -> None:
    session = opened(tmp_path / "labels.db")
    session.record("1", "a", shown_at=at, answered_at=at)
    for _ in range(2):
        assert [past.answered_at for past in session.history()] == [None]
        assert session.labels()["answered_at"].isna().all()
        session.close()
        session = opened(tmp_path / "labels.db")
    session.close()


def test_page_by_page_it_is_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    session = opened()
    for n, item_id in enumerate([*IDS[:40], *IDS[5:15]]):
        session.record(item_id, "ab"[n % 2])
        if n % 7 == 0:
            session.flag(item_id)
    whole = session.history(1_000)
    assert len(whole) == 40
    assert [p.seq for p in whole] == sorted((p.seq for p in whole), reverse=True)
    assert {p.id: p.answer for p in whole} == session.labels()["answer"].to_dict()
    monkeypatch.setattr(reviewing, "AT_ONCE", 3)
    for size in (1, 7, 40):
        pages, before = [], None
        while page := session.history(size, before):
            assert len(page) <= size
            pages += page
            before = page[-1].seq
        assert pages == whole
    assert session.history(0) == session.history(-1) == session.history(5, before=0) == []
    session.close()


def test_another_answer_takes_the_place_of_the_first_and_keeps_its_draw(tmp_path: Path) -> None:
    session = opened(tmp_path / "labels.db", audit=0.3)
    for _ in range(20):
        session.record(session.next()[0].id, "a")
    queue = session._ledger.queue
    for stream in ("audit", "train"):
        labels = session.labels()
        first = labels.index[labels["stream"] == stream][0]
        counts, waiting = (queue.cards_done, queue.audits_done), session.upcoming()
        item, former = session.revisit(first)
        assert (item.id, item.stream, former) == (first, stream, "a")
        session.record(first, "b", draw_id=item.draw_id)
        changed = session.labels()
        assert changed.loc[first, "answer"] == "b"
        kept = ["stream", "use", "strategy", "q", "model_version"]
        assert changed.loc[first, kept].equals(labels.loc[first, kept])
        assert (queue.cards_done, queue.audits_done) == counts
        assert session.upcoming() == waiting
        assert len(changed) == 20
    state = session.labels(), session.upcoming()
    session.close()
    again = opened(tmp_path / "labels.db", audit=0.3)
    assert again.labels().equals(state[0])
    assert again.upcoming() == state[1]
    counts = again._ledger.queue.cards_done, again._ledger.queue.audits_done
    assert counts == (queue.cards_done, queue.audits_done)
    again.undo()
    assert again.labels().loc[first, "answer"] == "a"
    again.close()


def test_a_label_made_elsewhere_stays_marked_so_and_the_new_one_is_not(tmp_path: Path) -> None:
    import pandas as pd

    session = opened(tmp_path / "labels.db")
    session.import_labels(pd.DataFrame({"item_id": ["1"], "answer": ["a"]}))
    item, former = session.revisit("1")
    assert (item.stream, former) == ("chosen", "a")
    waiting = session.upcoming()
    session.close()
    session = opened(tmp_path / "labels.db")
    assert session.upcoming() == waiting  # its card does not wait
    session.record("1", "b", draw_id=item.draw_id)
    label = session.labels().loc["1"]
    assert (label["answer"], label["stream"]) == ("b", "chosen")
    session.undo()
    label = session.labels().loc["1"]
    assert (label["answer"], label["stream"]) == ("a", "imported")
    session.close()


def test_a_skipped_card_comes_again_without_a_former_answer() -> None:
    session = opened()
    session.skip("3")
    item, former = session.revisit("3")
    assert former is None
    session.record("3", "a", draw_id=item.draw_id)
    assert session.progress()["skipped"] == 0
    assert session.labels().index.tolist() == ["3"]
    session.close()


def test_what_has_no_answer_is_named() -> None:
    session = opened()
    with pytest.raises(AnswerError, match=r"'3' has no answer yet; queue\(\['3'\]\)"):
        session.revisit("3")
    with pytest.raises(UnknownItemError):
        session.revisit("nobody")
    session.close()
