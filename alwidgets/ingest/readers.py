"""How the items of a pool are read from what a person gives, at first and when the pool grows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from os import PathLike
from typing import Any

from ..content import Content
from ..errors import PoolError
from ..pixels import BYTE, Levels
from .arrays import FeatureSource, as_table
from .frames import FrameColumns, as_frame_columns
from .lazy import FeatureRows, ImageFiles
from .render import Render
from .values import as_contents, as_images, as_texts

Metadata = Mapping[str, Iterable[object]]


def reader_of_texts(
    texts: Any,
    *,
    content: Any = None,
    ids: Iterable[object] | None = None,
    metadata: Metadata | None = None,
    features: Any = None,
) -> FrameColumns:
    """Read texts."""
    _refuse(content=content)
    return FrameColumns(as_texts(texts), features, ids, metadata, None)


def reader_of_images() -> Callable[..., FrameColumns]:
    """Return what reads images; the black and white of the first arrays stay those of all."""
    levels: Levels | None = None

    def read(
        images: Any,
        *,
        content: Any = None,
        ids: Iterable[object] | None = None,
        metadata: Metadata | None = None,
        features: Any = None,
    ) -> FrameColumns:
        nonlocal levels
        _refuse(content=content)
        contents: Sequence[Content]
        if isinstance(images, (str, PathLike)):
            files = ImageFiles.of_folder(images)
            named = {"file": files.names, **({} if metadata is None else metadata)}
            return FrameColumns(files, features, ids, named, BYTE)
        contents, levels = as_images(images, levels)
        return FrameColumns(contents, features, ids, metadata, levels)

    return read


def reader_of_arrays(has_content: bool) -> Callable[..., FrameColumns]:
    """Return what reads ready features, with or without what the cards show."""

    def read(
        X: Any,
        *,
        content: Any = None,
        ids: Iterable[object] | None = None,
        metadata: Metadata | None = None,
        features: Any = None,
    ) -> FrameColumns:
        _refuse(features=features)
        if (content is not None) != has_content:
            raise PoolError(
                "The items of this pool have content: give that of the new ones, content=…."
                if has_content
                else "This pool shows the features themselves: leave content=… out."
            )
        table = as_table(X)
        contents = as_contents(content) if has_content else FeatureRows(table)
        if len(contents) != len(table):
            raise PoolError(
                f"content has {len(contents):,} items and X has {len(table):,} rows. "
                "Give one item a row."
            )
        return FrameColumns(contents, table, ids, metadata, None)

    return read


def reader_of_frames(
    text: str | None,
    image: str | None,
    source: FeatureSource | None,
    id: str | None,
    columns: str | Sequence[str] | None,
    render: Render | None,
) -> Callable[..., FrameColumns]:
    """Return what reads the rows of frames with the same columns.

    Features that are no columns, but an array or a file, are those of one frame: of another one
    they are given with it. Arrays of images keep the black and white of the first frame.
    """
    levels: Levels | None = None
    named = source if _is_named(source) else None

    def read(
        df: Any,
        *,
        content: Any = None,
        ids: Iterable[object] | None = None,
        metadata: Metadata | None = None,
        features: FeatureSource | None = None,
    ) -> FrameColumns:
        nonlocal levels
        _refuse(content=content, ids=ids, metadata=metadata)
        vectors = named if features is None else features
        table = as_frame_columns(df, text, image, vectors, id, columns, render, levels)
        levels = table.levels
        return table

    return read


def _is_named(source: FeatureSource | None) -> bool:
    """Whether features are columns of the frame."""
    if isinstance(source, str):
        return not source.lower().endswith(".npy")
    return isinstance(source, (list, tuple)) and all(isinstance(name, str) for name in source)


def _refuse(**given: object) -> None:
    """Raise `PoolError` for what new items of this kind do not have beside them."""
    for name, value in given.items():
        if value is not None:
            raise PoolError(
                f"{name}=… is not for a pool of this kind: give what it was made of, alone."
            )
