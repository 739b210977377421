"""How many cores a round takes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

#: Numbers in a pool's features from which more than one core is of use.
WORTH_SHARING = 20_000_000


@contextmanager
def few_threads(numbers: int) -> Iterator[None]:
    """Compute on few cores, in this thread alone.

    The matrices of a round are small: on one core they are quickest, and when every core is busy
    (with the layout of the map, say) threads that wait for each other are many times slower.
    One core is always left for the kernel.

    Parameters
    ----------
    numbers : int
        How many numbers the pool's features are.
    """
    # Torch sets a thread up when it first asks here; that would undo the limit later.
    torch.get_num_threads()
    threads = 1 if numbers < WORTH_SHARING else max(1, (os.cpu_count() or 1) - 1)
    # OpenMP's limit holds for the calling thread; that of BLAS would for the whole process.
    with _controller().limit(limits=threads, user_api="openmp"):
        yield


def warm_up() -> None:
    """Load what a round computes with.

    Loading a library holds the interpreter lock for long: that belongs into the cell that makes
    a session, not into the background while someone labels.
    """
    _controller()


@cache
def _controller() -> ThreadpoolController:
    import sklearn.cluster  # noqa: F401, its OpenMP is another one than torch's
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
