"""Reading what people have (frames, files, folders, arrays, lists) into contents and features."""

from __future__ import annotations

from .arrays import FeatureSource, as_new_rows, as_table, check_features, take_rows
from .folders import cache_folder
from .frames import FrameColumns, as_frame_columns
from .ids import Ids, as_ids, by_lot, content_hash, fingerprint, first_of_each
from .joining import appended, check_columns, joined
from .lazy import Column, FeatureRows, ImageFiles, Lazy, take
from .parquet import as_parquet_columns
from .progress import Progress, progress_bar
from .readers import reader_of_arrays, reader_of_frames, reader_of_images, reader_of_texts
from .render import Render, Rendered
from .values import as_contents, as_images, as_metadata, as_texts

__all__ = [
    "Column",
    "FeatureRows",
    "FeatureSource",
    "FrameColumns",
    "Ids",
    "ImageFiles",
    "Lazy",
    "Progress",
    "Render",
    "Rendered",
    "appended",
    "as_contents",
    "as_frame_columns",
    "as_ids",
    "as_images",
    "as_metadata",
    "as_new_rows",
    "as_parquet_columns",
    "as_table",
    "as_texts",
    "by_lot",
    "cache_folder",
    "check_columns",
    "check_features",
    "content_hash",
    "fingerprint",
    "first_of_each",
    "joined",
    "progress_bar",
    "reader_of_arrays",
    "reader_of_frames",
    "reader_of_images",
    "reader_of_texts",
    "take",
    "take_rows",
]
