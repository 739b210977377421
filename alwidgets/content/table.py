"""One row of a table, as fields and values."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import PoolError
from .base import Unencoded, framed, kind_of, shortened


@dataclass(frozen=True, slots=True)
class Table(Unencoded):
    """A row of a table: each field with its value.

    Attributes
    ----------
    values : mapping of str to value
        Numbers, texts, truth values, dates; None, NaN and NaT are shown as missing. What is of
        another kind is shown as ``str`` writes it.

    Raises
    ------
    PoolError
        If it is no mapping, or empty.

    Examples
    --------
    >>> Table({"age": 31, "city": "Bern"}).preview()
    'age: 31 · city: Bern'
    """

    values: Mapping[str, Any]

    def __post_init__(self) -> None:
        if not isinstance(self.values, Mapping):
            raise PoolError(
                f'Table needs a mapping, such as {{"age": 31}}, not {kind_of(self.values)}. '
                "Use dict() on it."
            )
        if not self.values:
            raise PoolError("Table has no field to show. Give at least one.")
        named = {str(name): plain(value) for name, value in self.values.items()}
        object.__setattr__(self, "values", named)

    def to_bytes(self) -> bytes:
        """Bytes that identify the row: names and values, in their order."""
        return framed("table", [json.dumps(list(self.values.items())).encode()])

    def preview(self) -> str:
        """Its first fields, on one line."""
        shown = ("none" if value is None else str(value) for value in self.values.values())
        return shortened(" · ".join(f"{n}: {v}" for n, v in zip(self.values, shown, strict=True)))


def is_missing(value: Any) -> bool:
    """Tell whether this is None, NaN, NaT or pandas' NA."""
    if value is None:
        return True
    try:
        return bool(value != value)  # NaN and NaT alone differ from themselves
    except TypeError:  # NA is neither true nor false
        return True
    except ValueError:  # an array
        return False


def plain(value: Any) -> Any:
    """Make a value one that JSON can hold; None where it is missing or not finite."""
    if isinstance(value, (np.datetime64, np.timedelta64)):
        return None if np.isnat(value) else str(value)
    if getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
        value = value.item()
    if is_missing(value) or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value if isinstance(value, (str, int, float, bool)) else str(value)
