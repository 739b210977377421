"""The next batch: by the strategy, or by another where the model cannot answer it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from . import strategies
from .errors import NoPosteriorError


def pick(
    strategy: str | Callable[..., Any], *, multilabel: bool, **given: Any
) -> strategies.Selection:
    """Choose as `strategies.select` does; without a committee by the probabilities.

    A model that a strategy cannot ask is a good model all the same, and cards go on.

    Parameters
    ----------
    strategy : str or callable
    multilabel : bool
        Whether an item may have several labels.
    **given
        As `strategies.select` takes them.

    Returns
    -------
    strategies.Selection
        Its reason says so where another strategy chose.
    """
    try:
        return strategies.select(strategy, **given)
    except NoPosteriorError as error:
        instead = "mean_binary_entropy" if multilabel else "margin"
        found = strategies.select(instead, **given)
        asked = strategies.get(strategy).name
        return replace(found, reason=f"{instead} in place of {asked}: {error}")
