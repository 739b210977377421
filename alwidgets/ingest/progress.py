"""Telling how far something has come that takes a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: Is called with how many are done, and of how many.
Progress = Callable[[int, int], None]

# Seconds before a bar is shown: what is over sooner needs none.
PATIENCE = 1.0


@contextmanager
def progress_bar(title: str) -> Iterator[Progress]:
    """Show a bar, in a notebook or a terminal, once the work has taken a second.

    Set the environment variable ``TQDM_DISABLE=1`` to have none.

    Parameters
    ----------
    title : str
        What is being done.

    Yields
    ------
    callable
        To be told how many are done, and of how many.
    """
    from tqdm.auto import tqdm  # type: ignore[import-untyped]

    bar = None

    def show(done: int, total: int) -> None:
        nonlocal bar
        if bar is None:
            bar = tqdm(total=total, desc=title, delay=PATIENCE, unit_scale=True, leave=False)
        bar.update(done - bar.n)

    try:
        yield show
    finally:
        if bar is not None:
            bar.close()
