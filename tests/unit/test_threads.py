"""A session is used from several threads at once, and its listeners have locks of their own."""

from __future__ import annotations

import threading

import numpy as np

import alwidgets as al

RNG = np.random.default_rng(0)
TRUTH = RNG.integers(0, 2, 400)
X = TRUTH[:, None] * 3 + RNG.normal(size=(400, 4))


def test_labels_flags_and_rounds_from_many_threads_lose_nothing() -> None:
    session = al.Session(
        al.Pool.from_arrays(X, ids=range(400)), al.Classification(["a", "b"]), batch_size=5
    )
    session.next()  # the first cards are there
    sending = threading.Lock()

    def view(*_: object) -> None:
        # As a view does: something of its own is held while the session is asked.
        with sending:
            session.next(5, wait=False)
            session.progress()

    for name in ("labelled", "queue", "round", "training"):
        session.on(name, view)

    def label(part: range) -> None:
        for i in part:
            session.record(str(i), "ab"[TRUTH[i]])
            if i % 10 == 0:
                session.retract(session.record(str(i), "a").event_id)

    def flag() -> None:
        for _ in range(20):
            session.retract(session.flag("399").event_id)

    threads = [threading.Thread(target=label, args=(range(k, 300, 3),)) for k in range(3)]
    threads.append(threading.Thread(target=flag))
    for thread in threads:
        thread.daemon = True
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "the threads wait for each other"
    session.retrain()
    kept = session.store.events()
    standing = {e.item_id for e in kept if e.kind == "answer"}
    assert standing == {str(i) for i in range(300)}
    assert len(kept) == 300 + 2 * 30 + 2 * 20
    assert session.version >= 2
    session.close()
