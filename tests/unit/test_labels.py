"""What stands after any sequence of events, against a plain restatement."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from alwidgets.audit import Audit
from alwidgets.labels import COLUMNS, NONE, Labels
from alwidgets.pool import Pool
from alwidgets.queueing import CardQueue
from alwidgets.replay import replay
from alwidgets.schema import Event, Kind
from alwidgets.store import LabelStore


def standing_of(events: list[Event]) -> list[Event]:
    """Those that were not taken back; what takes one back is of the same item."""
    retracted = {(e.target, e.item_id) for e in events if e.kind == "retract"}
    return [e for e in events if e.kind != "retract" and (e.event_id, e.item_id) not in retracted]


def restate(events: list[Event]) -> tuple[dict[str, object], set[str], set[str]]:
    """Answers, skipped and flagged items, worked out from scratch."""
    standing = standing_of(events)
    last = {e.item_id: e for e in standing if e.kind in ("answer", "skip")}
    return (
        {i: e.answer for i, e in last.items() if e.kind == "answer"},
        {i for i, e in last.items() if e.kind == "skip"},
        {e.item_id for e in standing if e.kind == "flag"},
    )


@st.composite
def logs(draw: st.DrawFn) -> list[Event]:
    kinds: list[Kind] = draw(
        st.lists(
            st.sampled_from(["answer", "answer", "skip", "flag", "retract", "comment"]), max_size=30
        )
    )
    items = [draw(st.sampled_from(["x", "y", "z"])) for _ in kinds]
    events = []
    for n, (kind, item) in enumerate(zip(kinds, items, strict=True)):
        if kind == "retract":
            # Also of events that are not there (yet), or are those of another item.
            target = draw(st.integers(0, len(kinds)))
            if target < len(kinds) and draw(st.booleans()):
                item = items[target]
            events.append(Event(f"e{n}", item, "retract", target=f"e{target}"))
        else:
            events.append(Event(f"e{n}", item, kind, n if kind == "answer" else None))
    return events


ITEMS = ["x", "y", "z"]


def stored(events: list[Event]) -> tuple[Labels, list[Event]]:
    """Labels to which these were added one by one, and the events with their places."""
    labels, log = Labels(len(ITEMS)), []
    for seq, event in enumerate(events, start=1):
        add(labels, log, replace(event, seq=seq))
    return labels, log


def add(labels: Labels, log: list[Event], event: Event) -> None:
    log.append(event)
    target = next((e for e in log if e.event_id == event.target), None)
    row = NONE if target is None or event.kind != "retract" else labels.row_at(target)
    labels.add(event, ITEMS.index(event.item_id), None, row)


def answers(labels: Labels) -> dict[str, object]:
    items = labels.column("item")
    return {ITEMS[items[row]]: labels.answer(row) for row in labels.answered().tolist()}


@given(logs())
def test_what_stands(events: list[Event]) -> None:
    labels, log = stored(events)
    expected, skipped, flagged = restate(events)
    assert answers(labels) == expected
    assert labels.n_answers == len(expected)
    assert labels.n_skips == len(skipped)
    done = {i for n, i in enumerate(ITEMS) if labels.is_done(n)}
    assert done == {*expected, *skipped}
    assert {ITEMS[n] for n in labels.flagged} == flagged
    standing = standing_of(log)
    assert [e for e in log if labels.stands(e)] == standing
    deeds = [e for e in standing if e.kind != "comment"]
    assert labels.last == (deeds[-1].seq if deeds else None)
    remarks = {ITEMS.index(e.item_id): e.seq for e in standing if e.kind == "comment"}
    assert labels.commented == remarks
    assert [labels.comment_of(n) for n in range(3)] == [remarks.get(n) for n in range(3)]


@settings(deadline=None)  # the first store that is made takes half a second
@given(logs())
def test_all_at_once_is_one_by_one(events: list[Event]) -> None:
    live, _ = stored(events)
    store = LabelStore()
    store.append(events)
    pool = Pool.from_texts(ITEMS, ids=ITEMS)
    read = replay(store, pool, CardQueue(Audit(ITEMS, 0, 0))).labels
    for name in COLUMNS:
        np.testing.assert_array_equal(read.column(name), live.column(name), err_msg=name)
    for name in ("standing", "n_answers", "n_skips", "revision", "early", "last"):
        np.testing.assert_array_equal(getattr(read, name), getattr(live, name), err_msg=name)
    assert sorted(read.flagged) == sorted(live.flagged)
    assert read.commented == live.commented
    assert [read.flag_of(n) for n in range(3)] == [live.flag_of(n) for n in range(3)]
    store.close()


def test_undo_takes_back_the_last_that_stands() -> None:
    labels, log = stored([Event("1", "x", "answer", "a"), Event("2", "y", "skip")])
    assert labels.last == 2
    add(labels, log, Event("3", "y", "retract", target="2", seq=3))
    assert labels.last == 1
    add(labels, log, Event("4", "x", "retract", target="1", seq=4))
    assert labels.last is None


def test_an_answer_taken_back_before_it_arrives_never_counts() -> None:
    labels, _ = stored([Event("2", "x", "retract", target="1"), Event("1", "x", "answer", "a")])
    assert answers(labels) == {}


def test_what_takes_back_an_event_of_another_item_does_nothing() -> None:
    of_other, answer = Event("2", "y", "retract", target="1"), Event("1", "x", "answer", "a")
    for events in ([of_other, answer], [answer, of_other]):
        labels, _ = stored(events)
        assert answers(labels) == {"x": "a"}
        assert not labels.early


def test_taking_back_a_second_answer_brings_back_the_first() -> None:
    labels, log = stored([Event("1", "x", "answer", "a"), Event("2", "x", "answer", "b")])
    add(labels, log, Event("3", "x", "retract", target="2", seq=3))
    assert answers(labels) == {"x": "a"}
