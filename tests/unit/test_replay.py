"""A store that is opened again comes to the state that the session had, whatever was done."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from alwidgets.audit import Audit
from alwidgets.ledger import Ledger
from alwidgets.pool import Pool
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
        st.tuples(st.just("choose"), st.lists(st.sampled_from(IDS), max_size=4, unique=True)),
        st.tuples(st.just("pick"), st.lists(st.sampled_from(IDS), max_size=4, unique=True)),
        st.tuples(st.just("undo"), st.none()),
        st.tuples(st.just("look"), st.integers(1, 10)),
    ),
    max_size=40,
)


def state(ledger: Ledger) -> dict[str, Any]:
    sample = ledger.audit_sample()
    return {
        "answers": {i: e.answer for i, e in ledger.labels.answers.items()},
        "skipped": set(ledger.labels.skipped),
        "flagged": {i for i in IDS if ledger.labels.is_flagged(i)},
        "revision": ledger.revision,
        "classes": ledger.n_classes_seen,
        "sample": sample.items.tolist(),
        "cards": (ledger.queue.cards_done, ledger.queue.audits_done),
        "waiting": [d.item_id for d in ledger.queue.upcoming()],
        "last": ledger.labels.last,
    }


def do(ledger: Ledger, store: LabelStore, n: int, what: str, how: Any) -> None:
    def keep(event: Event) -> None:
        for fresh in store.append([ledger.validate(event)]):
            ledger.apply(fresh)

    if what in ("answer", "skip", "flag"):
        keep(Event(f"e{n}", how, what, "a" if what == "answer" else None))  # type: ignore[arg-type]
    elif what == "next":
        ledger.draw_audits(3)
        for draw in ledger.queue.upcoming()[:1]:
            skip = how == "skip"
            keep(Event(f"e{n}", draw.item_id, "skip" if skip else "answer", None if skip else how))
    elif what == "choose":
        ledger.choose([i for i in how if i not in ledger.labels.answers], 0)
    elif what == "pick":
        free = [i for i in how if ledger.candidates()[POOL.index(i)]]
        # Now and then a new model's batch takes the place of what waits.
        version, instead = n // 10, n // 10 > ledger._train_version and bool(free)
        draws = [Draw(i, "train", "s", version, None, None, 1) for i in free]
        ledger.pick(draws, instead=instead)
        ledger._train_version = max(ledger._train_version, version if instead else 0)
    elif what == "undo" and (last := ledger.labels.last) is not None:
        keep(Event(f"e{n}", last.item_id, "retract", target=last.event_id))
    elif what == "look":
        ledger.draw_audits(how)


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_replayed_state_is_the_live_state(steps: list[tuple[str, Any]]) -> None:
    store = LabelStore()
    store.bind(TASK, POOL, {})
    ledger = Ledger(POOL, TASK, store, AUDIT)
    for n, (what, how) in enumerate(steps):
        do(ledger, store, n, what, how)
        positions, *_ = ledger.training_set()
        assert not AUDIT.reserved[positions].any()
    assert state(Ledger(POOL, TASK, store, AUDIT)) == state(ledger)
    assert np.isfinite(ledger.audit_sample().q).all()
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
