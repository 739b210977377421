"""What the map shows of the item under the pointer."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import MessageError
from ..tasks import Task
from .payload import describe


def preview(session: Any, index: object) -> tuple[dict[str, Any], list[bytes]]:
    """The message about the item at a position, and the images that go with it.

    Raises
    ------
    MessageError
        If there is none.
    """
    pool, task, current = session.pool, session.task, session.current
    if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < len(pool):
        raise MessageError(f"There is no item at position {index!r}; there are {len(pool):,}.")
    item_id = pool.ids[index]
    images: list[bytes] = []
    content = describe(pool.contents[index], item_id, images)
    label = int(session.label_codes()[index])
    # None for what is kept for the audit: the person is not to know what the model thinks.
    prediction, confidence = session.suggestion(index) or (None, None)
    known = prediction is not None
    return {
        "type": "preview",
        "index": index,
        "item_id": item_id,
        "content": content,
        "label": _named(label, task) if label >= 0 else None,
        "prediction": _named(task.encode(prediction), task) if known else None,
        "confidence": confidence,
        "uncertainty": _number(current.uncertainty[index]) if known else None,
    }, images


def _named(code: int, task: Task) -> str:
    """An answer by the name of its category; several labels by all of theirs."""
    several = task.multilabel and code >= len(task.categories) - 1
    return ", ".join(task.decode(code)) if several else task.categories[code]


def _number(value: Any) -> float | None:
    """A number that JSON can hold."""
    return float(value) if np.isfinite(value) else None
