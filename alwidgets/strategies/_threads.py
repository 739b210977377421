"""One thread for many short steps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import torch
from threadpoolctl import LibController, ThreadpoolController


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute on the calling thread alone.

    Torch hands every step on more than 32,768 numbers to its threads and waits for all of them.
    Where cores are busy with something else that wait is a time slice of the system, some
    milliseconds: a loop of a thousand steps of a tenth of a millisecond takes seconds.

    The limit holds for the calling thread only and is cheap to set, some microseconds. (That of
    ``torch.set_num_threads`` would reach every thread that starts meanwhile.) Also a decorator.
    """
    # Torch sets a thread up when it first asks here; that would undo the limit later.
    torch.get_num_threads()
    libraries = _openmp()
    before = [library.get_num_threads() for library in libraries]
    try:
        for library in libraries:
            library.set_num_threads(1)
        yield
    finally:
        for library, threads in zip(libraries, before, strict=True):
            library.set_num_threads(threads)


@cache
def _openmp() -> list[LibController]:
    """That of torch; libraries loaded later have their own, which nothing here uses."""
    found: list[LibController] = ThreadpoolController().select(user_api="openmp").lib_controllers
    return found
