"""What stands after any sequence of events, against a plain restatement."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from alwidgets.labels import Labels
from alwidgets.schema import Event, Kind


def restate(events: list[Event]) -> tuple[dict[str, object], set[str], set[str]]:
    """Answers, skipped and flagged items, worked out from scratch."""
    retracted = {e.target for e in events if e.kind == "retract"}
    standing = [e for e in events if e.kind != "retract" and e.event_id not in retracted]
    last = {e.item_id: e for e in standing if e.kind != "flag"}
    return (
        {i: e.answer for i, e in last.items() if e.kind == "answer"},
        {i for i, e in last.items() if e.kind == "skip"},
        {e.item_id for e in standing if e.kind == "flag"},
    )


@st.composite
def logs(draw: st.DrawFn) -> list[Event]:
    kinds: list[Kind] = draw(
        st.lists(st.sampled_from(["answer", "answer", "skip", "flag", "retract"]), max_size=30)
    )
    events = []
    for n, kind in enumerate(kinds):
        if kind == "retract":
            # Also of events that are not there (yet).
            target = f"e{draw(st.integers(0, len(kinds)))}"
            events.append(Event(f"e{n}", "any", "retract", target=target))
        else:
            item = draw(st.sampled_from(["x", "y", "z"]))
            events.append(Event(f"e{n}", item, kind, n if kind == "answer" else None))
    return events


@given(logs())
def test_what_stands(events: list[Event]) -> None:
    labels = Labels(events)
    answers, skipped, flagged = restate(events)
    assert {i: e.answer for i, e in labels.answers.items()} == answers
    assert set(labels.skipped) == skipped
    assert {i for i in "xyz" if labels.is_flagged(i)} == flagged
    assert labels.n_flagged == len(flagged)


def test_undo_takes_back_the_last_that_stands() -> None:
    labels = Labels([Event("1", "x", "answer", "a"), Event("2", "y", "skip")])
    assert labels.last is not None
    assert labels.last.event_id == "2"
    labels.apply(Event("3", "y", "retract", target="2"))
    assert labels.last.event_id == "1"
    labels.apply(Event("4", "x", "retract", target="1"))
    assert labels.last is None


def test_an_answer_taken_back_before_it_arrives_never_counts() -> None:
    labels = Labels([Event("2", "x", "retract", target="1"), Event("1", "x", "answer", "a")])
    assert labels.answers == {}


def test_taking_back_a_second_answer_brings_back_the_first() -> None:
    labels = Labels([Event("1", "x", "answer", "a"), Event("2", "x", "answer", "b")])
    labels.apply(Event("3", "x", "retract", target="2"))
    assert labels.answers["x"].answer == "a"
