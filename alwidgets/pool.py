"""What can be labelled: items with stable ids, content, metadata and features."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import ingest
from .content import Content, Image, Text, no_encoder
from .encoders import Encoder, encoder_for
from .errors import PoolError, UnknownItemError
from .growth import Growable, Reader
from .ingest import FeatureRows, FeatureSource, FrameColumns, Ids, Render
from .pixels import BYTE, Levels

log = logging.getLogger(__name__)

PROBES = 64


class Pool(Growable):
    """Items to label.

    Made by one of the ``from_*`` constructors. Rows keep their order; an item is known by its
    id, a text that stays the same from run to run: the one given, or a hash of the content. Rows
    with the same content then collapse into one item, and `duplicates` says how many did. New
    items join by `extend`.

    Attributes
    ----------
    ids : sequence of str
        One an item, in order. Reads like a list; ten million of them need little memory.
    contents : sequence of Content
        What the cards show.
    metadata : dict of str to sequence
        Columns that go with the items.
    row_ids : sequence of str
        The item id of every row that was given, duplicates included.
    duplicates : int
        How many rows were collapsed into an earlier one.
    made_of : list of int
        How many rows were given at first, and with each `extend` so far.
    """

    def __init__(
        self,
        contents: Sequence[Content],
        *,
        ids: Iterable[object] | None = None,
        metadata: Mapping[str, Iterable[object]] | None = None,
        features: NDArray[Any] | None = None,
        encoder: Any = None,
        shown: Sequence[Content] | None = None,
    ) -> None:
        if len(contents) == 0:
            raise PoolError("The pool is empty: there is nothing to label. Give at least one item.")
        columns = ingest.as_metadata(metadata, len(contents))
        self.row_ids: Ids = ingest.as_ids(contents, ids)
        if features is not None:
            features = ingest.as_table(features, "features")
            features = ingest.check_features(features, self.row_ids)
        bare = isinstance(contents, FeatureRows)
        self.ids: Ids = self.row_ids
        kept = ingest.first_of_each(self.row_ids, given=ids is not None)
        self.duplicates = len(contents) - len(kept)
        if self.duplicates:
            log.info("%d duplicate rows collapsed, %d items kept", self.duplicates, len(kept))
            self.ids = self.row_ids.take(kept)
            columns = {name: ingest.take(values, kept) for name, values in columns.items()}
            if features is not None:
                features = ingest.take_rows(features, kept)
            contents = contents if bare else ingest.take(contents, kept)
            shown = None if shown is None else ingest.take(shown, kept)
        # Bare rows show the numbers that are kept, not the same ones again of another width.
        self._learnt = FeatureRows(features) if bare and features is not None else contents
        self.contents = self._learnt if shown is None else shown
        self.metadata = columns
        self._features = features
        if features is None and not isinstance(contents[0], (Text, Image)):
            raise PoolError(no_encoder(contents[0]))
        self.encoder: Encoder | None = encoder_for(contents, encoder) if features is None else None
        self._encoding = threading.Lock()
        # What is black and white in the pool's arrays is so in new ones too.
        self._levels: Levels = BYTE
        self._may_grow(given=ids is not None)

    # ------------------------------------------------------------------ constructors

    @classmethod
    def from_arrays(
        cls,
        X: Any,
        *,
        content: Any = None,
        ids: Iterable[object] | None = None,
        metadata: Mapping[str, Iterable[object]] | None = None,
    ) -> Pool:
        """Make a pool of ready features.

        Parameters
        ----------
        X : array-like, shape (n, d), or path of a .npy file
            Features, finite numbers; a file is mapped into memory. float16 and float32 are kept as
            they are, on disk where they lie there; anything else becomes float32.
        content : sequence of str or Content, or images (n, h, w[, 3]), optional
            What the cards show; without it, the numbers themselves.
        ids : sequence of str or int, optional
            Distinct. Without them, a hash of the content (of the features where there is none).
        metadata : mapping of str to sequences of n values, optional

        Raises
        ------
        PoolError
            If the pool is empty, lengths differ, a feature is not finite, or ids repeat.

        Examples
        --------
        >>> Pool.from_arrays([[0.0, 1.0], [1.0, 0.0]], content=["first", "second"])
        Pool(2 texts, 2 features)
        """
        read = ingest.reader_of_arrays(content is not None)
        table = read(X, content=content, ids=ids, metadata=metadata)
        return cls._of_columns(table, None, read)

    @classmethod
    def from_frame(
        cls,
        df: Any,
        *,
        text: str | None = None,
        image: str | None = None,
        features: FeatureSource | None = None,
        id: str | None = None,
        metadata: str | Sequence[str] | None = None,
        encoder: Any = None,
        render: Render | None = None,
    ) -> Pool:
        """Make a pool of the rows of a data frame.

        Parameters
        ----------
        df : pandas.DataFrame, polars.DataFrame or pyarrow.Table
        text : str, optional
            Column of texts.
        image : str, optional
            Column of images: paths, encoded bytes or arrays.
        features : str, list of str, or array (n, d), optional
            A column of vectors, numeric columns, a .npy file, or the features themselves.
        id : str, optional
            Column of distinct ids.
        metadata : str or list of str, optional
            Columns to show beside an item.
        encoder : encoder, callable, scikit-learn transformer or model, optional
            From texts or images to features, where none are given: see `alwidgets.encoders`.
        render : callable, optional
            Makes what a card shows of a row, a dict of its values by column: a text or any other
            content. It is called when a card is shown, so the frame must not change meanwhile.
            What is learnt from, and the ids, stay those of the columns named above: a new look
            keeps the labels.

        Raises
        ------
        PoolError
            If a column is missing, a text or an id is missing, `render` fails on the first row,
            or as `from_arrays`.

        Examples
        --------
        >>> import pandas as pd
        >>> from alwidgets import Fields, Table
        >>> df = pd.DataFrame({"title": ["A cat", "A dog"], "price": [3.5, 4.0]})
        >>> pool = Pool.from_frame(
        ...     df,
        ...     text="title",
        ...     render=lambda row: Fields({"title": row["title"], "facts": Table(row)}),
        ... )
        >>> pool.contents[1].preview()
        'title: A dog · facts: title: A dog · price: 4.0'
        """
        read = ingest.reader_of_frames(text, image, features, id, metadata, render)
        return cls._of_columns(read(df, features=features), encoder, read)

    @classmethod
    def from_parquet(
        cls,
        path: str | PathLike[str],
        *,
        text: str | None = None,
        image: str | None = None,
        features: FeatureSource | None = None,
        id: str | None = None,
        metadata: str | Sequence[str] | None = None,
        encoder: Any = None,
        cache: str | PathLike[str] | None = None,
        render: Render | None = None,
    ) -> Pool:
        """Make a pool of the rows of Parquet files, which may be larger than memory.

        Texts, images and metadata stay in the files, which must not change while the pool is in
        use. They are read when they are shown, a row group at a time: small groups (some ten
        thousand rows) answer soonest.

        Parameters
        ----------
        path : path
            A file, a folder (all its ``*.parquet``, in sub-folders too) or a pattern with ``*``.
        features : str, list of str, path of a .npy file, or array (n, d), optional
            Columns are written to a .npy file in the cache, once, and mapped into memory.
        text, image, id, metadata, encoder, render
            As in `from_frame`. Every image is decoded once, to see that it can be.
        cache : path, optional
            Folder; by default that of the environment variable ``ALWIDGETS_CACHE``, or the user's.

        Raises
        ------
        PoolError
            If a file or a column is missing, or a value (its row is named), or as `from_arrays`.
        """
        table = ingest.as_parquet_columns(path, text, image, features, id, metadata, cache, render)
        pool = cls._of_columns(table, encoder)
        pool._fixed = "its items stay in Parquet files"
        return pool

    @classmethod
    def _of_columns(cls, table: FrameColumns, encoder: Any, reader: Reader | None = None) -> Pool:
        contents = table.contents
        if contents is None:
            assert table.features is not None
            contents = FeatureRows(table.features)
        pool = cls(
            contents,
            ids=table.ids,
            metadata=table.metadata,
            features=table.features,
            encoder=encoder,
            shown=table.shown,
        )
        pool._levels = table.levels or BYTE
        pool._reader = reader
        return pool

    @classmethod
    def from_images(
        cls,
        images: Any,
        *,
        ids: Iterable[object] | None = None,
        metadata: Mapping[str, Iterable[object]] | None = None,
        features: NDArray[Any] | None = None,
        encoder: Any = None,
    ) -> Pool:
        """Make a pool of images.

        Parameters
        ----------
        images : folder, sequence of paths, or arrays (n, h, w), (n, h, w, 3) or (n, h, w, 4)
            A folder is searched for PNG, JPEG and WebP files, in order of their paths, and each
            item's metadata says its path. Files of 16 bits a pixel and more are brought to 8:
            see `Image.from_bytes`. Arrays, in one or in a list, share one black and one white:
            0 and 255 where all are uint8, 0 and 1 where all numbers lie in between, otherwise
            the smallest and the largest number. `encode` keeps to these.
        ids, metadata, features, encoder
            As in `from_arrays` and `from_frame`.

        Raises
        ------
        PoolError
            If an image cannot be read; it is named.
        """
        read = ingest.reader_of_images()
        table = read(images, ids=ids, metadata=metadata, features=features)
        return cls._of_columns(table, encoder, read)

    @classmethod
    def from_texts(
        cls,
        texts: Iterable[str],
        *,
        ids: Iterable[object] | None = None,
        metadata: Mapping[str, Iterable[object]] | None = None,
        features: NDArray[Any] | None = None,
        encoder: Any = None,
    ) -> Pool:
        """Make a pool of texts.

        Parameters
        ----------
        texts : iterable of str
        ids, metadata, features, encoder
            As in `from_arrays` and `from_frame`.

        Examples
        --------
        >>> pool = Pool.from_texts(["win a prize", "see you at six", "win a prize"])
        >>> len(pool), pool.duplicates
        (2, 1)
        """
        table = ingest.reader_of_texts(texts, ids=ids, metadata=metadata, features=features)
        return cls._of_columns(table, encoder, ingest.reader_of_texts)

    # ------------------------------------------------------------------ reading

    def __len__(self) -> int:
        return len(self.ids)

    def __contains__(self, item_id: object) -> bool:
        return item_id in self.ids

    def index(self, item_id: object) -> int:
        """Position of an item.

        Raises
        ------
        UnknownItemError
            If no item has this id.
        """
        position = self.ids.find(item_id)
        if position is None:
            raise UnknownItemError(
                f"The pool has no item {item_id!r}. Ids are texts, as in pool.ids; "
                f"the first is {self.ids[0]!r}."
            )
        return position

    @property
    def features(self) -> NDArray[Any]:
        """Features (n, d) of float32 or float16; encoded at the first use, then kept."""
        with self._encoding:
            if self._features is None:
                assert self.encoder is not None
                with ingest.progress_bar("Encoding") as progress:
                    encoded = self.encoder.fit_transform(self._learnt, progress=progress)
                self._features = ingest.check_features(encoded, self.ids)
            return self._features

    def encode(self, new: Any) -> NDArray[Any]:
        """Features of things that need not be in the pool.

        Parameters
        ----------
        new : array (n, d) of features, or contents as the pool was made of
            A table of numbers with the pool's number of features is taken for features. The
            numbers of images mean what they mean in the pool (see `from_images`), whatever
            their dtype.

        Returns
        -------
        ndarray, shape (n, d)

        Raises
        ------
        PoolError
            If it is neither.
        """
        width = self.features.shape[1]
        if isinstance(new, (str, bytes, PathLike, Text, Image)):
            new = [new]
        rows: NDArray[Any]
        if self.encoder is None:
            rows = ingest.as_new_rows(new, width)
        elif isinstance(new, np.ndarray) and new.ndim == 2 and new.dtype.kind in "fiub":
            rows = new
        else:
            is_text = isinstance(self._learnt[0], Text)
            contents = ingest.as_texts(new) if is_text else ingest.as_images(new, self._levels)[0]
            rows = self.encoder.transform(contents) if contents else np.empty((0, width))
        if rows.shape[1] != width:
            raise PoolError(
                f"The pool has {width} features an item, these rows have {rows.shape[1]}. "
                "Give the same features; one image goes in a list."
            )
        return ingest.check_features(rows, None)

    def metadata_of(self, index: int) -> dict[str, Any]:
        """Metadata of the item at a position."""
        return {name: column[index] for name, column in self.metadata.items()}

    # ------------------------------------------------------------------ identity

    def digest(self, index: int) -> str:
        """Hash of an item's content, 16 hexadecimal digits."""
        return ingest.content_hash(self._learnt[index].to_bytes())

    @cached_property
    def fingerprint(self) -> str:
        """Hash of all ids and of a sample of contents: the same pool in any order has the same."""
        return ingest.fingerprint(self.ids, self.probes)

    @cached_property
    def probes(self) -> dict[str, str]:
        """A few items, id to content hash, by which a pool that has grown is recognised."""
        chosen = ingest.by_lot(self.ids, PROBES)
        return {item_id: self.digest(self.index(item_id)) for item_id in chosen}

    def __repr__(self) -> str:
        kind = "rows"
        if not isinstance(self._learnt, FeatureRows):
            first = self._learnt[0]
            named = "images" if isinstance(first, Image) else "items"
            kind = "texts" if isinstance(first, Text) else named
        parts = [f"{len(self):,} {kind}"]
        if self._features is not None:
            parts.append(f"{self._features.shape[1]:,} features")
        if self.duplicates:
            parts.append(f"{self.duplicates:,} duplicates collapsed")
        return f"Pool({', '.join(parts)})"
