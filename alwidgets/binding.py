"""Whose a store is: the task and the pool that it was made for, and what they may become."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .errors import StoreError, TaskError
from .tasks import Task

if TYPE_CHECKING:
    from .pool import Pool

REMEDY = "Give another store=…, or open this one with what it was made for."


def describe(pool: Pool) -> dict[str, Any]:
    """What a store keeps of a pool, to know it again."""
    return {"fingerprint": pool.fingerprint, "size": len(pool), "probes": pool.probes}


def check_task(store: str, known: dict[str, Any], task: Task) -> None:
    """Let a task take over what a store knows of it, or raise `StoreError` if it is another."""
    try:
        task.reconcile(known)
    except TaskError as e:
        raise StoreError(f"{store} belongs to another task: {e}. {REMEDY}") from e


def check_growth(store: str, theirs: dict[str, Any], pool: Pool, answered: Iterable[str]) -> None:
    """Check that a pool is the store's own, or that with more items.

    Parameters
    ----------
    store : str
        Its name in messages.
    theirs : dict
        What `describe` said of the store's pool.
    pool : Pool
    answered : iterable of str
        Ids of the items with an event; looked at only where all else fits.

    Raises
    ------
    StoreError
    """
    probes = theirs["probes"]
    strangers = [i for i in probes if i not in pool]
    changed = [i for i, d in probes.items() if i in pool and pool.digest(pool.index(i)) != d]
    if not strangers and not changed:
        strangers = [i for i in answered if i not in pool]
    if strangers:
        grown = len(pool) < theirs["size"]
        hint = " If this pool had grown, extend it with the others first." if grown else ""
        raise StoreError(
            f"{store} belongs to another pool, of {theirs['size']:,} items: "
            f"{strangers[0]!r} is not in this one. {REMEDY}{hint}"
        )
    if len(pool) < theirs["size"]:
        raise StoreError(
            f"{store} belongs to a pool of {theirs['size']:,} items, this one has only "
            f"{len(pool):,} of them. A pool may grow, but not lose items. {REMEDY}"
        )
    if changed:
        raise StoreError(
            f"{store} belongs to another pool: item {changed[0]!r} has other content. {REMEDY}"
        )
