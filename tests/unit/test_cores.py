"""How many cores computations take: never more than they were given."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from alwidgets import threads
from alwidgets.threads import available_cores, few_threads, one_thread

LARGE = threads.WORTH_SHARING


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def within(numbers: int) -> int:
    with few_threads(numbers):
        return torch.get_num_threads()


@pytest.mark.parametrize(
    ("wanted", "cores", "expected"), [(1, 8, 1), (3, 8, 3), (8, 8, 7), (3, 2, 1), (2, 1, 1)]
)
def test_a_large_pool_takes_what_was_given_but_for_one_core(
    monkeypatch: pytest.MonkeyPatch, wanted: int, cores: int, expected: int
) -> None:
    monkeypatch.setattr(threads, "available_cores", lambda: cores)
    torch.set_num_threads(wanted)
    assert within(LARGE) == expected
    assert torch.get_num_threads() == wanted
    # A thread that starts later, as that of a round does, has the limit, too.
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(within, LARGE).result() == expected


def test_a_small_pool_takes_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "available_cores", lambda: 8)
    torch.set_num_threads(4)
    assert within(LARGE - 1) == 1
    with one_thread():
        assert within(LARGE) == 1
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 4


def test_the_limit_is_lifted_after_an_error() -> None:
    torch.set_num_threads(2)
    with pytest.raises(ValueError, match="inside"), few_threads(0):
        raise ValueError("inside")
    assert torch.get_num_threads() == 2


def test_the_environment_is_heeded() -> None:
    code = (
        "import torch\nfrom alwidgets import threads\nthreads.available_cores = lambda: 16\n"
        "with threads.few_threads(10**9): print(torch.get_num_threads())"
    )
    found = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.split() == ["1"]


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system has no affinity")
def test_cores_that_the_process_may_not_use_do_not_count() -> None:
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert available_cores() == 1
    finally:
        os.sched_setaffinity(0, allowed)
    assert available_cores() == len(allowed)
