"""A layout that is asked for, and what is measured of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ProjectionError
from .quality import Moved, Quality

Coords = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Figures:
    """What was measured of a finished layout.

    Attributes
    ----------
    span : float
        How many of UMAP's own units a unit of the layout is: the next one starts with it.
    quality : Quality or None
        None for fewer than 4 items, and where all are alike.
    moved : Moved or None
        Against the layout that this one went on from.
    local_trust : ndarray of float32, shape (n,), or None
        Of each item, by `quality.local_trust`.
    """

    span: float
    quality: Quality | None = None
    moved: Moved | None = None
    local_trust: NDArray[np.float32] | None = None


def ignore(_: Figures) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, eq=False)
class LayoutJob:
    """One layout that was asked for; `LayoutWorker.cancel` takes it."""

    number: int
    features: NDArray[Any]
    header: dict[str, Any]
    on_progress: Callable[[float | None, str], None]
    on_done: Callable[[Coords], None]
    on_error: Callable[[ProjectionError], None]
    on_figures: Callable[[Figures], None] = ignore
    before: Coords | None = None
