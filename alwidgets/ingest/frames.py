"""Reading data frames."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..content import Content
from ..errors import PoolError
from ..pixels import Levels
from .arrays import FeatureSource, as_source
from .values import as_images, as_texts


@dataclass(frozen=True)
class FrameColumns:
    """What a table gives for a pool."""

    contents: Sequence[Content] | None
    features: NDArray[Any] | None
    ids: Sequence[object] | None
    metadata: Mapping[str, Sequence[Any]]
    levels: Levels | None


def as_frame_columns(
    df: Any,
    text: str | None,
    image: str | None,
    features: FeatureSource | None,
    id: str | None,
    metadata: Sequence[str] | None,
) -> FrameColumns:
    """Read the named columns of a pandas, polars or pyarrow table."""
    import narwhals as nw

    given = Counter(getattr(df, "column_names", getattr(df, "columns", ())))
    if twice := [name for name, times in given.items() if times > 1]:
        raise PoolError(f"The frame has more than one column {twice[0]!r}. Rename all but one.")
    try:
        frame = nw.from_native(df, eager_only=True)
    except TypeError as e:
        raise PoolError(
            f"{type(df).__name__} is no data frame: give one of pandas, polars or pyarrow."
        ) from e
    if text is not None and image is not None:
        raise PoolError("Name a text column or an image column, not both.")
    if text is None and image is None and features is None:
        raise PoolError("Name what to label: text='…', image='…' or features=['…'].")

    def column(name: str) -> list[Any]:
        if name not in frame.columns:
            raise PoolError(
                f"The frame has no column {name!r}. It has: {', '.join(map(str, frame.columns))}."
            )
        return list(frame[name].to_list())

    contents: Sequence[Content] | None = None
    levels: Levels | None = None
    if text is not None:
        contents = as_texts(column(text), f"column {text!r}")
    elif image is not None:
        contents, levels = as_images(column(image))
    vectors, names = as_source(features, frame.columns)
    if len(names) == 1:
        vectors = _vectors(column(names[0]), names[0])
    elif names:
        vectors = np.stack([_numbers(column(name), name) for name in names], axis=1)
    return FrameColumns(
        contents,
        vectors,
        column(id) if id is not None else None,
        {name: column(name) for name in metadata or ()},
        levels,
    )


def _vectors(values: list[Any], name: str) -> NDArray[np.float32]:
    try:
        vectors = np.asarray(values, dtype=np.float32)
    except (TypeError, ValueError) as e:
        raise PoolError(f"Column {name!r} must hold vectors of one length, a row each: {e}.") from e
    return vectors[:, None] if vectors.ndim == 1 else vectors


def _numbers(values: list[Any], name: str) -> NDArray[np.float32]:
    try:
        return np.asarray(values, dtype=np.float32)
    except (TypeError, ValueError) as e:
        raise PoolError(f"Feature column {name!r} holds something that is no number: {e}.") from e
