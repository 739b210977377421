"""What is given to an estimate or a forecast, looked at before it is counted."""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alwidgets.errors import EvaluationError


def truths(given: ArrayLike, what: str) -> NDArray[np.bool_]:
    """Whether each is so, from booleans, or numbers that are 0 or 1.

    Raises
    ------
    EvaluationError
        For anything else, naming the row: NaN and any text would count as true.
    """
    found = np.asarray(given)
    if found.dtype == bool or not found.size:
        return found.astype(bool)
    for row, value in enumerate(found.ravel().tolist()):
        if not (isinstance(value, (bool, Real)) and value in (0, 1)):
            raise EvaluationError(
                f"{what} is {value!r} in row {row}: it must be True or False. Leave out what is "
                "not known, from the other arrays as well."
            )
    return found.astype(bool)


def kind_of(labels: NDArray[Any], what: str) -> Literal["text", "numbers", "other"]:
    """What an array of labels holds.

    Raises
    ------
    EvaluationError
        If one is missing, naming the row: it is like no other, itself included.
    """
    if labels.dtype.kind == "f":
        missing = np.isnan(labels)
    elif labels.dtype == object:
        import pandas as pd

        missing = np.asarray(pd.isna(labels))
    else:
        return "text" if labels.dtype.kind in "US" else "numbers"
    if missing.any():
        row = int(np.argwhere(missing)[0][0])
        raise EvaluationError(
            f"{what} has no label in row {row}: leave out what is not known, from the other arrays "
            "as well."
        )
    if labels.dtype == object and not all(isinstance(x, (bool, Real)) for x in labels.flat):
        return "text" if all(isinstance(x, str) for x in labels.flat) else "other"
    return "numbers"


def is_whole(value: object) -> bool:
    """Whether it is a whole number, of Python or of numpy."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def is_number(value: object) -> bool:
    """Whether it is a finite number, of Python or of numpy."""
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
