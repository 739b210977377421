"""One run at a time, the newest request wins, errors are told."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable

import pytest

from alwidgets.trainer import YIELDS, BackgroundExecutor, InlineExecutor, Trainer


class Bench:
    """A trainer whose work waits until it is let go."""

    def __init__(self) -> None:
        self.go = threading.Semaphore(0)
        self.value = 0
        self.seen: list[int] = []
        self.published: list[int] = []
        self.failed: list[Exception] = []
        self.trainer: Trainer[int, int] = Trainer(
            lambda: self.value, self.work, self.published.append, self.failed.append
        )

    def work(self, snapshot: int) -> int:
        assert self.go.acquire(timeout=10)
        self.seen.append(snapshot)
        return -snapshot


def test_ten_requests_while_busy_cause_one_more_run_on_the_newest() -> None:
    bench = Bench()
    bench.trainer.request()
    for value in range(1, 11):
        bench.value = value
        bench.trainer.request()
    assert bench.trainer.busy
    bench.go.release(20)
    assert bench.trainer.wait(10)
    assert len(bench.seen) == 2
    assert bench.seen[-1] == 10
    assert bench.published == [-s for s in bench.seen]


def test_waiting_for_a_part_of_a_run_ends_with_that_part() -> None:
    bench = Bench()
    bench.trainer.request()
    part: list[str] = []

    def reach() -> None:
        part.append("done")
        bench.trainer.look_again()

    threading.Timer(0.05, reach).start()
    assert bench.trainer.wait(10, until=lambda: bool(part))
    assert bench.trainer.busy
    assert not bench.trainer.wait(0.01)
    bench.go.release()
    assert bench.trainer.wait(10)


def test_after_an_error_it_goes_on() -> None:
    failed: list[Exception] = []
    published: list[int] = []
    values = iter([0, 2])
    trainer: Trainer[int, float] = Trainer(
        lambda: next(values), lambda s: 1 / s, published.append, failed.append, InlineExecutor()
    )
    trainer.request()
    assert isinstance(failed[0], ZeroDivisionError)
    assert not trainer.busy
    trainer.request()
    assert published == [0.5]


def test_nothing_to_do_publishes_nothing() -> None:
    published: list[int] = []
    trainer: Trainer[int, int] = Trainer(
        lambda: None, lambda s: s, published.append, lambda e: None, InlineExecutor()
    )
    trainer.request()
    assert published == []


def test_closed_while_busy_it_drops_what_comes_out() -> None:
    bench = Bench()
    bench.trainer.request()
    closer = threading.Thread(target=bench.trainer.close)
    closer.start()
    while not bench.trainer._closed:
        pass
    bench.go.release(5)
    closer.join(10)
    assert bench.published == []
    bench.trainer.request()
    assert not bench.trainer.busy


def test_a_stop_that_comes_too_late_is_not_for_the_next_run() -> None:
    stopped: list[bool] = []

    def publish(value: int) -> None:
        trainer.cancel()
        if value == 1:
            trainer.request()  # one more in the same turn

    values = iter([1, 2, 3])

    def work(value: int) -> int:
        stopped.append(trainer.stop.is_set())
        return value

    trainer: Trainer[int, int] = Trainer(
        lambda: next(values), work, publish, lambda e: None, InlineExecutor()
    )
    trainer.request()
    trainer.request()
    assert stopped == [False, False, False]


def test_a_stop_before_the_run_has_looked_for_work_is_for_that_run() -> None:
    jobs: list[Callable[[], None]] = []

    class Later:
        def submit(self, job: Callable[[], None]) -> None:
            jobs.append(job)

        def join(self) -> None: ...

    stopped: list[bool] = []
    trainer: Trainer[int, None] = Trainer(
        lambda: 1,
        lambda _: stopped.append(trainer.stop.is_set()),
        lambda _: None,
        lambda e: None,
        Later(),
    )
    trainer.cancel()  # with nothing under way
    for cancel in (True, False):
        trainer.request()
        if cancel:
            trainer.cancel()
        jobs.pop()()
    assert stopped == [True, False]
    trainer.close()
    assert trainer.stop.is_set()


def test_a_listener_that_waits_for_its_own_run_does_not_hang() -> None:
    done = threading.Event()

    def publish(_: int) -> None:
        assert trainer.wait(10)
        done.set()

    trainer: Trainer[int, int] = Trainer(lambda: 1, lambda s: s, publish, lambda e: None)
    trainer.request()
    assert done.wait(10)
    assert trainer.wait(10)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread has no priority of its own")
def test_work_in_the_background_lets_others_go_first() -> None:
    def priority() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before, found = priority(), []
    executor = BackgroundExecutor()
    for _ in range(2):  # and the second no more than the first
        executor.submit(lambda: found.append(priority()))
        executor.join()
    assert found == [min(before + YIELDS, 19)] * 2
    assert priority() == before
