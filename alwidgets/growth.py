"""A pool that grows while it is in use: new items behind the others, and all that follows them."""

from __future__ import annotations

import copy
import logging
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Any, Protocol, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from . import ingest
from .content import Content
from .encoders import Encoder
from .errors import PoolError
from .ingest import FeatureRows, FrameColumns, Ids

log = logging.getLogger(__name__)

#: Reads new items as those were read that the pool was made of: what `Growable.extend` is given.
Reader: TypeAlias = Callable[..., FrameColumns]

REMEDY = (
    "Make the pool anew of all items and open the store with it: labels, queue and model are kept."
)


class Follower(Protocol):
    """What keeps up with a pool: a session."""

    def growing(self, grown: Any) -> AbstractContextManager[None]:
        """Hold still while the pool takes over what `grown` is, then keep up with it."""
        ...

    def grew(self, n: int) -> None:
        """Tell that so many items joined; nothing is held any more."""
        ...


class Growable:
    """The growing of a pool."""

    ids: Ids
    row_ids: Ids
    contents: Sequence[Content]
    metadata: dict[str, Sequence[Any]]
    duplicates: int
    encoder: Encoder | None
    _learnt: Sequence[Content]
    _features: NDArray[Any] | None

    def _may_grow(self, *, given: bool) -> None:
        """Get ready to grow; `given` says whether the ids were, or are hashes of the content."""
        #: Rows at first, and after each extension.
        self.made_of = [len(self.row_ids)]
        self._given = given
        self._room: NDArray[Any] | None = None
        self._reader: Reader | None = None
        #: Why it cannot grow.
        self._fixed = ""
        #: Held while it grows, and by whoever must read it as a whole.
        self.still = threading.Lock()
        self._followers: weakref.WeakSet[Follower] = weakref.WeakSet()

    @property
    def features(self) -> NDArray[Any]:
        """Features (n, d)."""
        raise NotImplementedError

    def digest(self, index: int) -> str:
        """Hash of an item's content."""
        raise NotImplementedError

    def extend(
        self,
        new: Any,
        *,
        content: Any = None,
        ids: Iterable[object] | None = None,
        metadata: Mapping[str, Iterable[object]] | None = None,
        features: Any = None,
    ) -> list[str]:
        """Let new items join, behind those that are there, also while sessions are open.

        Open sessions keep up: a new item can be asked for, searched for and selected at once; it
        belongs to the audit by the same lot as all others, and estimates are of the grown pool
        from then on (few audit labels count until the new items among them are answered, see
        `alwidgets.audit`). On the map it is placed among the others, which stay where they are. A
        retraining under way is finished on the items that it began with.

        The features are made by the pool's encoder as it was fitted on the first items. To open a
        store again, the pool needs all its items: extend it before the session is made.

        Parameters
        ----------
        new : frame, texts, images or array
            As the pool was made of: a frame with the same columns; a list of texts; a folder, a
            list of paths or arrays of images; features, shape (m, d).
        content : sequence, optional
            What the cards show, where the pool was made by `from_arrays` with it.
        ids : sequence of str or int, optional
            Where ids were given to the pool. An item that is there already, with the same
            content, is passed over.
        metadata : mapping of str to sequences of m values, optional
            The same columns as the pool has. A frame has them itself.
        features : array, shape (m, d), optional
            Where features were given to the pool.

        Returns
        -------
        list of str
            Ids of the items that joined.

        Raises
        ------
        PoolError
            If the pool stays on disk (Parquet, mapped features) and so cannot grow, an id is
            taken by another item, or the new items are none of its kind; then nothing changes.

        Examples
        --------
        >>> import alwidgets as al
        >>> pool = al.Pool.from_texts(["win a prize", "see you at six"], ids=["a", "b"])
        >>> pool.extend(["your prize waits"], ids=["c"])
        ['c']
        >>> len(pool)
        3
        """
        with self.still:
            self._check_growable()
            assert self._reader is not None
            table = self._reader(
                new, content=content, ids=ids, metadata=metadata, features=features
            )
            grown = self._grown(table)
            joined = list(grown.ids[len(self.ids) :])
            followers = list(self._followers) if joined else []
            with ExitStack() as held:
                for follower in followers:
                    held.enter_context(follower.growing(grown))
                # All at once: whoever reads the pool meanwhile sees it as it was or as it is.
                vars(self).update(grown._items())
                for worked_out in ("fingerprint", "probes"):
                    if worked_out not in vars(grown):
                        vars(self).pop(worked_out, None)
        for follower in followers:
            follower.grew(len(joined))
        return joined

    def follow(self, follower: Follower) -> None:
        """Have a session keep up with the pool; it is not kept alive by that."""
        self._followers.add(follower)

    def unfollow(self, follower: Follower) -> None:
        """Have it keep up no longer."""
        self._followers.discard(follower)

    # ------------------------------------------------------------------ parts

    def _check_growable(self) -> None:
        fixed = self._fixed
        if not fixed and isinstance(self._features, np.memmap):
            fixed = "its features are mapped from a file"
        if fixed:
            raise PoolError(f"This pool cannot grow, for {fixed}. {REMEDY}")
        if self._reader is None:
            raise PoolError(
                "This pool was made by Pool(…) itself, which does not say of what: use one of the "
                "Pool.from_… constructors, and it can grow."
            )

    def _grown(self, table: FrameColumns) -> Self:
        """A pool of these items and the new ones, all checked; this one stays as it is."""
        # The encoder is fitted before it sees what is new.
        before, n = self.features, len(self.ids)
        contents = table.contents
        if contents is None:
            assert table.features is not None
            contents = FeatureRows(table.features)
        if (table.ids is not None) != self._given:
            raise PoolError(
                "The items of this pool have ids that were given: give the new ones theirs, ids=…."
                if self._given
                else "The ids of this pool are hashes of the content: leave out those of new items."
            )
        columns = ingest.as_metadata(table.metadata, len(contents))
        ingest.check_columns(self.metadata, columns)
        row_ids = ingest.as_ids(contents, table.ids)
        kept = self._fresh(contents, row_ids)
        fresh = ingest.take(contents, kept)
        rows = self._encoded(table.features, kept, fresh, before, row_ids.take(kept))
        grown = copy.copy(self)
        grown.row_ids = self.row_ids.with_more(row_ids)
        grown.ids = self.ids.with_more(row_ids.take(kept))
        grown.made_of = [*self.made_of, len(grown.row_ids)]
        grown.duplicates = self.duplicates + len(contents) - len(kept)
        if not len(kept):
            return grown
        for worked_out in ("fingerprint", "probes"):
            vars(grown).pop(worked_out, None)
        grown._features, grown._room = ingest.appended(before, rows, self._room)
        if isinstance(self._learnt, FeatureRows):
            grown._learnt = FeatureRows(grown._features)
        else:
            grown._learnt = ingest.joined(self._learnt, fresh)
        grown.contents = grown._learnt
        if self.contents is not self._learnt:
            shown = table.shown if table.shown is not None else contents
            grown.contents = ingest.joined(self.contents, ingest.take(shown, kept))
        grown.metadata = {
            name: [*column, *ingest.take(columns[name], kept)]
            for name, column in self.metadata.items()
        }
        assert len(grown.ids) == n + len(kept)
        return grown

    def _items(self) -> dict[str, Any]:
        """What is another one when the pool has grown."""
        names = ("ids", "row_ids", "contents", "metadata", "duplicates", "made_of")
        inner = ("_learnt", "_features", "_room", "fingerprint", "probes")
        return {name: vars(self)[name] for name in names + inner if name in vars(self)}

    def _fresh(self, contents: Sequence[Content], new: Ids) -> NDArray[np.int64]:
        """Rows of the items that are new, each once.

        Raises
        ------
        PoolError
            Where an id that was given is that of another item.
        """
        n = len(self.ids)
        both = self.ids.with_more(new)
        repeated = both.repeated() - n
        if self._given:
            for row in repeated.tolist():
                place = both.find(new[row])
                assert place is not None
                if place >= n:
                    raise PoolError(
                        f"The id {new[row]!r} stands in row {place - n} and in row {row} of the "
                        "new items. Ids must be distinct."
                    )
                if ingest.content_hash(contents[row].to_bytes()) != self.digest(place):
                    raise PoolError(
                        f"The pool has an item {new[row]!r} already, with other content than row "
                        f"{row} of the new ones. Ids must be distinct: give it another one."
                    )
        if len(repeated):
            log.info("%d of the new rows are in the pool already", len(repeated))
        return np.delete(np.arange(len(new)), repeated)

    def _encoded(
        self,
        given: NDArray[Any] | None,
        kept: NDArray[np.int64],
        fresh: Sequence[Content],
        before: NDArray[Any],
        ids: Ids,
    ) -> NDArray[Any]:
        """Features of the new items, of the width and kind of those that are there."""
        if (given is None) != (self.encoder is not None):
            raise PoolError(
                "This pool was made with features: give those of the new items, features=…."
                if given is None
                else "The features of this pool are made by its encoder: leave features=… out."
            )
        if given is not None:
            table = ingest.as_table(given, "features")
            if len(table) <= int(kept.max(initial=-1)):
                raise PoolError(f"{len(table):,} rows of features for more new items than that.")
            rows = table[kept]
        elif len(fresh):
            assert self.encoder is not None
            rows = self.encoder.transform(fresh)
        else:
            rows = before[:0]
        if rows.shape[1] != before.shape[1]:
            raise PoolError(
                f"The pool has {before.shape[1]:,} features an item, the new ones have "
                f"{rows.shape[1]:,}. Give the same features."
            )
        with np.errstate(over="ignore"):  # what is beyond half precision is named as not finite
            return ingest.check_features(rows.astype(before.dtype), ids)
