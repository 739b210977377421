"""Reading data frames."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from ..content import Content
from ..errors import PoolError
from ..pixels import Levels
from .arrays import FeatureSource, as_source
from .render import Render, Rendered, rendered_frame
from .values import as_images, as_names, as_texts
from .vectors import as_rows

if TYPE_CHECKING:
    import narwhals as nw
    import pyarrow as pa


@dataclass(frozen=True)
class FrameColumns:
    """What a table gives for a pool."""

    contents: Sequence[Content] | None
    features: NDArray[Any] | None
    ids: Iterable[object] | None
    metadata: Mapping[str, Iterable[Any]] | None
    levels: Levels | None
    shown: Rendered | None = None


def as_frame_columns(
    df: Any,
    text: str | None,
    image: str | None,
    features: FeatureSource | None,
    id: str | None,
    metadata: str | Sequence[str] | None,
    render: Render | None = None,
    levels: Levels | None = None,
) -> FrameColumns:
    """Read the named columns of a pandas, polars or pyarrow table.

    `levels` are the black and white of images that are arrays; they find their own without.
    """
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

    def column(name: str) -> nw.Series[Any]:
        if name not in frame.columns:
            raise PoolError(
                f"The frame has no column {name!r}. It has: {', '.join(map(str, frame.columns))}."
            )
        found: nw.Series[Any] = frame.get_column(name)
        return found

    contents: Sequence[Content] | None = None
    if text is not None:
        contents = as_texts(column(text).to_list(), f"column {text!r}")
    elif image is not None:
        contents, levels = as_images(column(image).to_list(), levels)
    vectors, names = as_source(features, frame.columns)
    if names:
        vectors = as_rows([_arrow(column(name)) for name in names], names)
    return FrameColumns(
        contents,
        vectors,
        column(id).to_list() if id is not None else None,
        {name: column(name).to_list() for name in as_names(metadata)},
        levels,
        rendered_frame(frame, render),
    )


def _arrow(column: nw.Series[Any]) -> pa.Array:
    """A column as Arrow has it: without an object for each of millions of numbers."""
    import pyarrow as pa

    try:
        return column.to_arrow()
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as e:
        raise PoolError(
            f"Column {column.name!r} must hold numbers, or vectors of numbers: {e}."
        ) from e
