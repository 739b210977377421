"""What can be labelled: items with stable ids, content, metadata and features."""

from __future__ import annotations

import hashlib
import heapq
import logging
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .content import Content, Image, Text
from .encoders import Encoder, encoder_for
from .errors import PoolError, UnknownItemError
from .ingest import (
    FeatureRows,
    ImageFiles,
    Lazy,
    as_contents,
    as_frame_columns,
    as_ids,
    as_images,
    as_metadata,
    as_texts,
    check_features,
    content_hash,
)
from .pixels import BYTE, Levels

log = logging.getLogger(__name__)

PROBES = 64


class Pool:
    """Items to label.

    Made by one of the ``from_*`` constructors. Rows keep their order; an item is known by its
    id, a text that stays the same from run to run: the one given, or a hash of the content. Rows
    with the same content then collapse into one item, and `duplicates` says how many did.

    Attributes
    ----------
    ids : list of str
        One an item, in order.
    contents : sequence of Content
        What the cards show.
    metadata : dict of str to list
        Columns that go with the items.
    row_ids : list of str
        The item id of every row that was given, duplicates included.
    duplicates : int
        How many rows were collapsed into an earlier one.
    """

    def __init__(
        self,
        contents: Sequence[Content],
        *,
        ids: Iterable[object] | None = None,
        metadata: Mapping[str, Iterable[object]] | None = None,
        features: NDArray[Any] | None = None,
        encoder: Any = None,
    ) -> None:
        if len(contents) == 0:
            raise PoolError("The pool is empty: there is nothing to label. Give at least one item.")
        columns = as_metadata(metadata, len(contents))
        self.row_ids = as_ids(contents, ids)
        if features is not None:
            features = check_features(np.asanyarray(features), self.row_ids)
        kept = self._first_of_each(self.row_ids, given=ids is not None)
        self.duplicates = len(contents) - len(kept)
        if self.duplicates:
            log.info("%d duplicate rows collapsed, %d items kept", self.duplicates, len(kept))
            if isinstance(contents, Lazy):
                contents = contents.take(kept)
            else:
                contents = [contents[i] for i in kept]
            columns = {k: [v[i] for i in kept] for k, v in columns.items()}
            features = features[kept] if features is not None else None
        self.ids: list[str] = [self.row_ids[i] for i in kept]
        self.contents = contents
        self.metadata = columns
        self._index = {item_id: i for i, item_id in enumerate(self.ids)}
        self._features = features
        self.encoder: Encoder | None = encoder_for(contents, encoder) if features is None else None
        self._encoding = threading.Lock()
        # What is black and white in the pool's arrays is so in new ones too.
        self._levels: Levels = BYTE

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
        X : array-like, shape (n, d)
            Features, finite numbers. float16 and memory-mapped arrays are kept as they are,
            anything else becomes float32.
        content : sequence of str, or images (n, h, w[, 3]), optional
            What the cards show; without it, the numbers themselves.
        ids : sequence of str or int, optional
            Distinct. Without them, a hash of the content (of the features where there is none).
        metadata : mapping of str to sequences of n values, optional

        Raises
        ------
        PoolError
            If the pool is empty, the lengths differ, a feature is not finite, or ids repeat.

        Examples
        --------
        >>> Pool.from_arrays([[0.0, 1.0], [1.0, 0.0]], content=["first", "second"])
        Pool(2 texts, 2 features)
        """
        features = X if isinstance(X, np.ndarray) else np.asarray(X)
        if features.ndim != 2:
            raise PoolError(
                f"X must be a table of numbers, (n, d); it has the shape {features.shape}. "
                "For images use Pool.from_images."
            )
        if features.dtype.kind not in "fiub":
            raise PoolError(f"X must be numbers, not {features.dtype}. Encode it first.")
        contents = FeatureRows(features) if content is None else as_contents(content)
        if len(contents) != len(features):
            raise PoolError(
                f"content has {len(contents):,} items and X has {len(features):,} rows. "
                "Give one item a row."
            )
        return cls(contents, ids=ids, metadata=metadata, features=features)

    @classmethod
    def from_frame(
        cls,
        df: Any,
        *,
        text: str | None = None,
        image: str | None = None,
        features: str | Sequence[str] | NDArray[Any] | None = None,
        id: str | None = None,
        metadata: Sequence[str] | None = None,
        encoder: Any = None,
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
            A column of vectors, numeric columns, or the features themselves.
        id : str, optional
            Column of distinct ids.
        metadata : list of str, optional
            Columns to show beside an item.
        encoder : callable or scikit-learn transformer, optional
            From a list of texts (or of images as arrays) to features, where none are given.

        Raises
        ------
        PoolError
            If a column is missing, a text or an id is missing, or as `from_arrays`.
        """
        table = as_frame_columns(df, text, image, features, id, metadata)
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
        )
        pool._levels = table.levels or BYTE
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
        contents: Sequence[Content]
        levels = BYTE
        if isinstance(images, (str, PathLike)):
            contents = ImageFiles.of_folder(images)
            metadata = {"file": contents.names, **({} if metadata is None else metadata)}
        else:
            contents, levels = as_images(images)
        pool = cls(contents, ids=ids, metadata=metadata, features=features, encoder=encoder)
        pool._levels = levels
        return pool

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
        return cls(as_texts(texts), ids=ids, metadata=metadata, features=features, encoder=encoder)

    # ------------------------------------------------------------------ reading

    def __len__(self) -> int:
        return len(self.ids)

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._index

    def index(self, item_id: object) -> int:
        """Position of an item.

        Raises
        ------
        UnknownItemError
            If no item has this id.
        """
        position = self._index.get(item_id) if isinstance(item_id, str) else None
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
                self._features = check_features(self.encoder.fit_transform(self.contents), self.ids)
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
            rows = self._as_rows(new, width)
        elif isinstance(new, np.ndarray) and new.ndim == 2 and new.dtype.kind in "fiub":
            rows = new
        else:
            is_text = isinstance(self.contents[0], Text)
            contents = as_texts(new) if is_text else as_images(new, self._levels)[0]
            rows = self.encoder.transform(contents) if contents else np.empty((0, width))
        if rows.shape[1] != width:
            raise PoolError(
                f"The pool has {width} features an item, these rows have {rows.shape[1]}. "
                "Give the same features; one image goes in a list."
            )
        return check_features(rows, None)

    @staticmethod
    def _as_rows(new: Any, width: int) -> NDArray[Any]:
        try:
            rows = np.asarray(list(new) if isinstance(new, Iterator) else new)
        except ValueError:  # rows of different lengths
            rows = np.empty((), dtype=object)
        if rows.ndim and len(rows) == 0:
            return np.empty((0, width), dtype=np.float32)
        if rows.ndim != 2 or rows.dtype.kind not in "fiub":
            raise PoolError(
                f"This pool was made of ready features: give an array (n, {width}) of them."
            )
        return rows

    def metadata_of(self, index: int) -> dict[str, Any]:
        """Metadata of the item at a position."""
        return {name: column[index] for name, column in self.metadata.items()}

    # ------------------------------------------------------------------ identity

    def digest(self, index: int) -> str:
        """Hash of an item's content, 16 hexadecimal digits."""
        return content_hash(self.contents[index].to_bytes())

    @cached_property
    def fingerprint(self) -> str:
        """Hash of all ids and of a sample of contents: the same pool in any order has the same."""
        digest = hashlib.blake2b(digest_size=16)
        for item_id in sorted(self.ids):
            digest.update(item_id.encode("utf-8", "surrogatepass") + b"\0")
        for item_id, content in sorted(self.probes.items()):
            digest.update(f"{item_id}\0{content}\0".encode("utf-8", "surrogatepass"))
        return digest.hexdigest()

    @cached_property
    def probes(self) -> dict[str, str]:
        """A few items, id to content hash, by which a pool that has grown is recognised."""
        chosen = heapq.nsmallest(
            PROBES, self.ids, key=lambda i: content_hash(i.encode("utf-8", "surrogatepass"))
        )
        return {item_id: self.digest(self._index[item_id]) for item_id in chosen}

    def __repr__(self) -> str:
        kind = "rows"
        if not isinstance(self.contents, FeatureRows):
            kind = "texts" if hasattr(self.contents[0], "text") else "images"
        parts = [f"{len(self):,} {kind}"]
        if self._features is not None:
            parts.append(f"{self._features.shape[1]:,} features")
        if self.duplicates:
            parts.append(f"{self.duplicates:,} duplicates collapsed")
        return f"Pool({', '.join(parts)})"

    @staticmethod
    def _first_of_each(names: Sequence[str], *, given: bool) -> list[int]:
        first: dict[str, int] = {}
        for row, name in enumerate(names):
            if name in first:
                if given:
                    raise PoolError(
                        f"The id {name!r} stands in row {first[name]} and in row {row}. "
                        "Ids must be distinct; leave them out and a hash of the content is used."
                    )
                continue
            first[name] = row
        return list(first.values())
