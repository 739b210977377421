"""A store that is opened again comes to the state that the session had, whatever was done."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alwidgets.audit import Audit
from alwidgets.ledger import Ledger
from alwidgets.pool import Pool
from alwidgets.readings import audit_sample, label_codes, training_set
from alwidgets.schema import Draw, Event
from alwidgets.store import LabelStore
from alwidgets.tasks import Classification

IDS = [f"i{k}" for k in range(30)]
POOL = Pool.from_texts(IDS, ids=IDS)
TASK = Classification(["a", "b"])
AUDIT = Audit(IDS, 0.3, seed=0)

STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["answer", "skip", "flag"]), st.sampled_from(IDS)),
        st.tuples(st.just("next"), st.sampled_from(["a", "b", "skip"])),
        # Few items, so that much is done with each of them.
        st.tuples(st.sampled_from(["answer", "skip", "flag"]), st.sampled_from(IDS[:5])),
        st.tuples(st.just("choose"), st.lists(st.sampled_from(IDS[:5]), max_size=2, unique=True)),
        st.tuples(st.just("choose"), st.lists(st.sampled_from(IDS), max_size=4, unique=True)),
        st.tuples(st.just("pick"), st.lists(st.sampled_from(IDS), max_size=4, unique=True)),
        st.tuples(st.just("undo"), st.none()),
        st.tuples(st.just("comment"), st.sampled_from(IDS[:5])),
        st.tuples(st.just("together"), st.lists(st.sampled_from(IDS), max_size=6, unique=True)),
        st.tuples(st.just("change"), st.sampled_from(["a", "b"])),
        st.tuples(st.just("look"), st.integers(1, 10)),
        st.tuples(st.just("retract"), st.integers(0, 5)),
        st.tuples(st.just("early"), st.tuples(st.sampled_from(IDS[:5]), st.integers(1, 3))),
        st.tuples(
            st.just("batch"),
            st.tuples(
                st.sampled_from(IDS[:5]), st.lists(st.integers(0, 6), min_size=2, max_size=9)
            ),
        ),
    ),
    max_size=40,
)

FEW = st.sampled_from(IDS[:3])
#: Much with each of a few items, and again and again something is taken back.
DENSE = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["answer", "skip"]), FEW),
        st.tuples(st.sampled_from(["flag", "comment"]), FEW),
        st.tuples(st.just("choose"), st.lists(FEW, min_size=1, max_size=2, unique=True)),
        st.tuples(st.just("retract"), st.integers(0, 3)),
        st.tuples(st.just("early"), st.tuples(FEW, st.integers(1, 3))),
        st.tuples(
            st.just("batch"), st.tuples(FEW, st.lists(st.integers(0, 6), min_size=2, max_size=9))
        ),
    ),
    min_size=6,
    max_size=25,
)


def answers_of(ledger: Ledger) -> dict[str, int]:
    """Row of each answer, by the items in the order in which they were answered."""
    items = ledger.labels.column("item")
    return {IDS[items[row]]: row for row in ledger.labels.answered().tolist()}


def skipped_of(ledger: Ledger) -> set[str]:
    return {i for n, i in enumerate(IDS) if ledger.labels.is_done(n)} - set(answers_of(ledger))


def state(ledger: Ledger) -> dict[str, Any]:
    sample = audit_sample(ledger)
    return {
        "answers": {i: ledger.labels.answer(row) for i, row in answers_of(ledger).items()},
        "skipped": skipped_of(ledger),
        "flagged": {IDS[n] for n in ledger.labels.flagged},
        "revision": ledger.revision,
        "classes": ledger.n_classes_seen,
        "sample": sample.items.tolist(),
        "cards": (ledger.queue.cards_done, ledger.queue.audits_done),
        "waiting": [d.item_id for d in ledger.queue.upcoming()],
        "last": ledger.labels.last,
        "remarks": ledger.remarks(),
        "streams": ledger.labels.column("stream").tolist(),
    }


def check(ledger: Ledger) -> None:
    """What is kept up to date step by step is what the definition says."""
    answers, skipped = answers_of(ledger), skipped_of(ledger)
    done = {*answers, *skipped}
    free = [
        item_id not in done and not reserved and item_id not in ledger.queue.first
        for item_id, reserved in zip(IDS, ledger.audit.reserved, strict=True)
    ]
    assert ledger.candidates().tolist() == free
    assert ledger.n_candidates == sum(free)
    given = {i: ledger.labels.answer(row) for i, row in answers.items()}
    codes = [TASK.encode(given[i]) if i in given else -1 for i in IDS]
    assert label_codes(ledger).tolist() == codes
    trained, origins = [], []
    events = ledger._store.events()
    for item_id, row in answers.items():
        event = events[row]
        index = IDS.index(item_id)
        if not ledger.audit.reserved[index]:
            draw = ledger.draw_of(event)
            by = draw.strategy if draw is not None and draw.stream == "train" else None
            trained.append((index, codes[index]))
            origins.append((by == "random", by not in (None, "random")))
    positions, found, at_random, active = training_set(ledger)
    assert list(zip(positions.tolist(), found.tolist(), strict=True)) == trained
    assert list(zip(at_random.tolist(), active.tolist(), strict=True)) == origins
    drawn = [IDS[k] for k in ledger.audit.order if ledger.audit_drawn[k]]
    in_order = [IDS[k] for k in ledger.audit.order]
    is_open = [i not in drawn or i not in done for i in in_order]
    first = next(np.flatnonzero(is_open).flat, len(in_order))
    sample = audit_sample(ledger)
    assert [IDS[k] for k in sample.items] == [i for i in in_order[:first] if i in answers]
    assert sample.codes.tolist() == [codes[k] for k in sample.items]
    assert sample.skipped == sum(i in skipped for i in in_order[:first])


def keep_all(ledger: Ledger, store: LabelStore, *events: Event) -> None:
    for fresh in store.append([ledger.validate(event, events) for event in events]):
        ledger.apply(fresh)


def batch(n: int, item: str, order: list[int]) -> list[Event]:
    """Events of one message, mixed: an item is answered twice, flagged, and some is taken back."""
    events = [
        Event(f"e{n}-a", item, "answer", "a"),
        Event(f"e{n}-r", item, "retract", target=f"e{n}-a"),
        Event(f"e{n}-b", item, "answer", "b"),
        Event(f"e{n}-f", item, "flag"),
        Event(f"e{n}-s", item, "retract", target=f"e{n}-f"),
        Event(f"e{n}-k", item, "skip"),
        Event(f"e{n}-t", item, "retract", target=f"e{n}-k"),
    ]
    return [events[k] for k in order]


def begun() -> tuple[LabelStore, Ledger]:
    """A store that is bound, and its ledger."""
    store = LabelStore()
    store.bind(TASK, POOL, {})
    return store, Ledger(POOL, TASK, store, AUDIT)


def do(ledger: Ledger, store: LabelStore, n: int, what: str, how: Any) -> None:
    def keep(*events: Event) -> None:
        keep_all(ledger, store, *events)

    if what in ("answer", "skip", "flag"):
        keep(Event(f"e{n}", how, what, "a" if what == "answer" else None))  # type: ignore[arg-type]
    elif what == "next":
        ledger.draw_audits(3)
        for draw in ledger.queue.upcoming()[:1]:
            skip = how == "skip"
            keep(Event(f"e{n}", draw.item_id, "skip" if skip else "answer", None if skip else how))
    elif what == "choose":
        ledger.choose([i for i in how if i not in answers_of(ledger)], 0)
    elif what == "pick":
        free = [i for i in how if ledger.candidates()[POOL.index(i)]]
        # Now and then a new model's batch takes the place of what waits.
        version, instead = n // 10, n // 10 > ledger._train_version and bool(free)
        by = "random" if n % 3 == 0 else "s"
        draws = [Draw(i, "train", by, version, None, None, 1) for i in free]
        ledger.pick(draws, instead=instead)
        ledger._train_version = max(ledger._train_version, version if instead else 0)
    elif what == "undo" and (seq := ledger.labels.last) is not None:
        last = store.event_at(seq)
        assert last.kind != "comment"
        whole = store.events(bulk=last.bulk) if last.bulk else [last]
        standing = [e for e in whole if ledger.labels.stands(e)]
        keep(
            *(
                Event(f"e{n}-{k}", e.item_id, "retract", target=e.event_id)
                for k, e in enumerate(reversed(standing))
            )
        )
    elif what == "comment":
        keep(Event(f"e{n}", how, "comment", comment="" if n % 4 == 0 else f"remark {n}"))
    elif what == "together":
        waiting = [d.item_id for d in ledger.queue.upcoming()]
        draws = ledger.draw_beside([i for i in how if i not in answers_of(ledger)], "chosen", "by")
        assert [d.item_id for d in ledger.queue.upcoming()] == waiting
        keep(
            *(
                Event(f"e{n}-{k}", d.item_id, "answer", "b", draw_id=d.draw_id, bulk=f"b{n}")
                for k, d in enumerate(draws[1:])  # one was unmarked
            )
        )
    elif what == "change" and (found := answers_of(ledger)):
        former = store.events()[list(found.values())[n % len(found)]]
        cards = ledger.queue.cards_done, ledger.queue.audits_done
        keep(Event(f"e{n}", former.item_id, "answer", how, draw_id=former.draw_id))
        assert (ledger.queue.cards_done, ledger.queue.audits_done) == cards
    elif what == "retract" and (log := store.events()):
        # Any event, also one that no longer stands, or takes back another.
        target = log[-1 - how % len(log)]
        keep(Event(f"e{n}", target.item_id, "retract", target=target.event_id))
    elif what == "early":  # what comes at a later step, perhaps, and of another item
        keep(Event(f"e{n}", how[0], "retract", target=f"e{n + how[1]}"))
    elif what == "batch":
        keep(*batch(n, *how))
    elif what == "look":
        ledger.draw_audits(how)


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_replayed_state_is_the_live_state(steps: list[tuple[str, Any]]) -> None:
    store, ledger = begun()
    for n, (what, how) in enumerate(steps):
        do(ledger, store, n, what, how)
        check(ledger)
        positions, *_ = training_set(ledger)
        assert not AUDIT.reserved[positions].any()
    again = Ledger(POOL, TASK, store, AUDIT)
    check(again)
    assert state(again) == state(ledger)
    np.testing.assert_array_equal(again.audit_drawn, ledger.audit_drawn)
    drawn = [d.item_id for d in store.draws() if d.stream == "audit"]
    assert len(drawn) == len(set(drawn))
    assert {IDS[k] for k in np.flatnonzero(ledger.audit_drawn)} == set(drawn)
    assert np.isfinite(audit_sample(ledger).q).all()
    store.close()


@settings(max_examples=100, deadline=None)
@given(DENSE)
def test_replayed_state_is_the_live_state_where_much_is_taken_back(
    steps: list[tuple[str, Any]],
) -> None:
    store, ledger = begun()
    for n, (what, how) in enumerate(steps):
        do(ledger, store, n, what, how)
    check(ledger)
    again = Ledger(POOL, TASK, store, AUDIT)
    check(again)
    assert state(again) == state(ledger)
    store.close()


def test_a_pool_that_grows_is_audited_in_its_new_order() -> None:
    store = LabelStore()
    small = Pool.from_texts(IDS[:15], ids=IDS[:15])
    store.bind(TASK, small, {})
    ledger = Ledger(small, TASK, store, Audit(small.ids, 0.5, seed=0))
    ledger.draw_audits(8)
    first = [d.item_id for d in store.draws()]
    assert first == [IDS[k] for k in ledger.audit.order[: len(first)]]
    grown = Audit(IDS, 0.5, seed=0)
    ledger = Ledger(POOL, TASK, store, grown)
    ledger.draw_audits(10_000)
    rest = [IDS[k] for k in grown.order if IDS[k] not in first]
    assert first
    assert [d.item_id for d in store.draws()] == first + rest
    assert [d.remaining for d in store.draws()] == [
        *range(15, 15 - len(first), -1),
        *range(30 - len(first), 30 - len(first) - len(rest), -1),
    ]
    store.close()


def test_what_was_chosen_last_still_comes_first() -> None:
    store = LabelStore()
    store.bind(TASK, POOL, {})
    nothing_kept = Audit(IDS, 0, seed=0)
    ledger = Ledger(POOL, TASK, store, nothing_kept)
    ledger.choose(["i1", "i2"], 0)
    time.sleep(0.002)
    ledger.choose(["i3"], 0)
    ledger.apply(store.append([ledger.validate(Event("e", "i4", "skip"))])[0])
    time.sleep(0.002)
    ledger.choose(["i4"], 0)
    live = [d.item_id for d in ledger.queue.upcoming()]
    again = Ledger(POOL, TASK, store, nothing_kept)
    assert [d.item_id for d in again.queue.upcoming()] == live == ["i4", "i3", "i1", "i2"]
    store.close()


@pytest.mark.parametrize("kind", ["flag", "comment"])
def test_a_skipped_item_chosen_again_waits_whatever_else_is_taken_back(kind: Any) -> None:
    store = LabelStore()
    store.bind(TASK, POOL, {})
    nothing_kept = Audit(IDS, 0, seed=0)
    ledger = Ledger(POOL, TASK, store, nothing_kept)
    for item in ("i5", "i6"):
        keep_all(ledger, store, Event(f"{item}-1", item, "skip"), Event(f"{item}-2", item, "skip"))
    ledger.choose(["i5", "i6"], 0)
    keep_all(ledger, store, Event("m", "i5", kind, comment="so" if kind == "comment" else None))
    keep_all(ledger, store, Event("r", "i5", "retract", target="m"))
    # Neither changes what stands: an earlier skip, and one taken back before it comes.
    keep_all(ledger, store, Event("s", "i6", "retract", target="i6-1"))
    keep_all(ledger, store, Event("t", "i6", "retract", target="late"), Event("late", "i6", "skip"))
    assert [d.item_id for d in ledger.queue.upcoming()] == ["i5", "i6"]
    again = Ledger(POOL, TASK, store, nothing_kept)
    assert [d.item_id for d in again.queue.upcoming()] == ["i5", "i6"]
    # The last that stands is taken back: the one before it stands, and the item is done with.
    keep_all(ledger, store, Event("a", "i5", "answer", "a"))
    ledger.choose(["i5"], 0)
    keep_all(ledger, store, Event("u", "i5", "retract", target="a"))
    assert [d.item_id for d in ledger.queue.upcoming()] == ["i6"]
    again = Ledger(POOL, TASK, store, nothing_kept)
    assert [d.item_id for d in again.queue.upcoming()] == ["i6"]
    store.close()
