"""What the map shows of the item under the pointer."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..content import Audio
from ..errors import MessageError
from ..tasks import Task
from .payload import describe, shown

#: Bytes of a sound that may be heard on the map; a longer one would hold up what comes after it.
LONGEST_SOUND = 8_000_000


def preview(session: Any, index: object) -> tuple[dict[str, Any], list[bytes]]:
    """The message about the item at a position, and the files that go with it.

    Raises
    ------
    MessageError
        If there is none.
    """
    pool, task, current = session.pool, session.task, session.current
    if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < len(pool):
        raise MessageError(f"There is no item at position {index!r}; there are {len(pool):,}.")
    item_id = pool.ids[index]
    files: list[bytes] = []
    item = pool.contents[index]
    is_heard = isinstance(item, Audio) and len(item.data) <= LONGEST_SOUND
    name = f"Item {item_id}"
    content = shown(item, name, files) if is_heard else describe(item, item_id, files)
    label = int(session.label_codes()[index])
    # None for what is kept for the audit: the person is not to know what the model thinks.
    prediction, confidence = session.suggestion(index) or (None, None)
    known = prediction is not None
    return {
        "type": "preview",
        "index": index,
        "item_id": item_id,
        "content": content,
        "label": answer_name(label, task) if label >= 0 else None,
        "prediction": answer_name(task.encode(prediction), task) if known else None,
        "confidence": confidence,
        "uncertainty": _number(current.uncertainty[index]) if known else None,
    }, files


def answer_name(code: int, task: Task) -> str:
    """An answer by the name of its category; several labels by all of theirs."""
    several = task.multilabel and code >= len(task.categories) - 1
    return ", ".join(task.decode(code)) if several else task.categories[code]


def _number(value: Any) -> float | None:
    """A number that JSON can hold."""
    return float(value) if np.isfinite(value) else None
