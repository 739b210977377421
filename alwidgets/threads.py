"""How many cores a computation takes: few, and never more than it was given."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache

import torch
from threadpoolctl import LibController, ThreadpoolController

#: Numbers in a pool's features from which more than one core is of use.
WORTH_SHARING = 20_000_000


@contextmanager
def few_threads(numbers: int) -> Iterator[None]:
    """Compute on few cores, in this thread alone.

    The matrices of a round are small: on one core they are quickest, and when every core is busy
    (with the layout of the map, say) threads that wait for each other are many times slower.
    Of the cores that the process may use one is always left for the kernel. A lower limit stays:
    that of ``OMP_NUM_THREADS``, of ``torch.set_num_threads`` or of a block around this one.

    Parameters
    ----------
    numbers : int
        How many numbers the pool's features are.
    """
    spare = max(1, available_cores() - 1)
    with _at_most(1 if numbers < WORTH_SHARING else spare, _openmp_of_a_round()):
        yield


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute on the calling thread alone.

    Torch hands every step on more than 32,768 numbers to its threads and waits for all of them.
    Where cores are busy with something else that wait is a time slice of the system, some
    milliseconds: a loop of a thousand steps of a tenth of a millisecond takes seconds.

    The limit holds for the calling thread only and is cheap to set, some microseconds. (That of
    ``torch.set_num_threads`` would reach every thread that starts meanwhile.) Also a decorator.
    """
    with _at_most(1, _openmp_of_torch()):
        yield


def available_cores() -> int:
    """How many cores the process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on every system
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def warm_up() -> None:
    """Load what a round computes with.

    Loading a library holds the interpreter lock for long: that belongs into the cell that makes
    a session, not into the background while someone labels.
    """
    _openmp_of_a_round()


@contextmanager
def _at_most(threads: int, libraries: Sequence[LibController]) -> Iterator[None]:
    """Lower OpenMP's limit for the calling thread; that of BLAS would be the whole process's."""
    # Torch sets a thread up when it first asks here; that would undo the limit later.
    threads = min(threads, torch.get_num_threads())
    before = [library.get_num_threads() for library in libraries]
    try:
        for library, limit in zip(libraries, before, strict=True):
            library.set_num_threads(min(threads, limit))
        yield
    finally:
        for library, limit in zip(libraries, before, strict=True):
            library.set_num_threads(limit)


@cache
def _openmp_of_torch() -> list[LibController]:
    """What is loaded with torch; libraries loaded later have their own, of no use to a strategy."""
    return _loaded_openmp()


@cache
def _openmp_of_a_round() -> list[LibController]:
    """That of scikit-learn, too, which is another one than torch's."""
    import sklearn.cluster  # noqa: F401

    return _loaded_openmp()


def _loaded_openmp() -> list[LibController]:
    found: list[LibController] = ThreadpoolController().select(user_api="openmp").lib_controllers
    return found
