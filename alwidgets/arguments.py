"""What a session is made of, checked before anything is opened."""

from __future__ import annotations

import getpass

from .audit import check_share
from .errors import AlwidgetsError, PoolError, StrategyError, TaskError
from .evaluation.given import is_whole
from .pool import Pool
from .strategies.registry import Strategy
from .tasks import Correction, Task

#: Cards that may wait in a browser.
MOST_READY = 1_000


def check_arguments(
    pool: Pool, task: Task, batch_size: int, ready: int, audit: float, seed: int
) -> None:
    """Raise an `AlwidgetsError` that names what is wrong with the arguments of a session."""
    if not isinstance(pool, Pool):
        raise PoolError(
            f"A session needs a Pool, not {type(pool).__name__}: "
            "Pool.from_frame(df, text=…), from_texts, from_images or from_arrays makes one."
        )
    if not isinstance(task, Task):
        raise TaskError(
            f"A session needs a task, not {type(task).__name__}: Classification(['ham', 'spam'])."
        )
    if not is_whole(batch_size) or batch_size < 1:
        raise AlwidgetsError(f"batch_size={batch_size!r} must be a whole number, at least 1.")
    if not is_whole(ready) or not 1 <= ready <= MOST_READY:
        raise AlwidgetsError(
            f"ready={ready!r} must be a whole number of cards, from 1 to {MOST_READY:,}."
        )
    if not is_whole(seed) or seed < 0:
        raise AlwidgetsError(f"seed={seed!r} must be a whole number, at least 0.")
    check_share(audit)
    if isinstance(task, Correction) and task.start is not None:
        task.starting_text(pool.contents[0], pool.metadata_of(0))


def check_strategy(strategy: Strategy, task: Task) -> None:
    """Raise a `StrategyError` if a strategy asks a model, and the task has no classes to learn.

    One of your own that asks for it in its function gives way, as it does before the first fit.
    """
    if strategy.needs_model and not task.classes:
        raise StrategyError(
            f"strategy={strategy.name!r} asks a model, and none is trained for {task!r}. Use "
            "'auto', 'representative' or 'random'."
        )


def login_name() -> str:
    """Return who is logged in, to sign labels with."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "annotator"
