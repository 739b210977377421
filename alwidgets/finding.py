"""Searching a session's items by their words and their metadata."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral
from typing import Any

import numpy as np

from .columnar import shared_columns
from .errors import AlwidgetsError
from .filters import conditions, meeting, no_such_column
from .hub import Hub
from .search import MOST_FOUND, SECONDS, Found, Matches, check_words, has_words, scan
from .terms import Terms, parse
from .textindex import WORTH_IT, TextIndex, shared_index


class Finding(Hub):
    """The search of a session."""

    def search(
        self, text: str = "", where: Mapping[str, Any] | None = None, n: int = MOST_FOUND
    ) -> Found:
        """Find items by their words and their metadata.

        A word finds the words that begin with it, upper and lower case and accents alike; all of
        the words must be there. ``"exact phrase"`` in quotes is found as it is. Nothing that is
        typed is an error. ``sender:alice`` (holds), ``sender=alice`` (is), ``sender!=bob`` (is not)
        and ``length>100`` are conditions, where there is such a column of metadata; a name with
        spaces or signs stands in quotes, ``"sent by":alice``.

        A large pool is indexed in the background, from the first search on. Until that is done,
        what can be looked through in two seconds is.

        Parameters
        ----------
        text : str, optional
        where : mapping, optional
            By column of the metadata: a value, a list of values of which it is one, or
            ``f(value) -> bool``.
        n : int, optional
            How many items to return at most; all are counted.

        Returns
        -------
        Found
            In the order of the pool.

        Raises
        ------
        AlwidgetsError
            If there is nothing to look for, no such column, or no text to look through.

        Examples
        --------
        >>> import alwidgets as al
        >>> texts = ["win a prize", "see you at six", "claim your Prizes"]
        >>> pool = al.Pool.from_texts(texts, metadata={"sender": ["spammer", "ann", "bob"]})
        >>> session = al.Session(pool, al.Classification(["ham", "spam"]), audit=0)
        >>> found = session.search("prize")
        >>> found.total, found.positions
        (2, [0, 2])
        >>> session.search("prize", where={"sender": "bob"}).positions
        [2]
        """
        if not isinstance(text, str):
            raise AlwidgetsError(f"What to search for is a text, not {text!r}: search('prize').")
        if not isinstance(n, Integral) or isinstance(n, bool) or n < 0:
            raise AlwidgetsError(
                f"n is how many items to return at most, a whole number; {n!r} cannot be."
            )
        self._check_open()
        n = min(int(n), len(self.pool))  # SQLite knows no numbers of numpy's, nor larger ones
        found = self.matching(text, where, n)
        positions = found.positions[:n]
        ids = list(self.pool.ids.take(positions)) if len(positions) else []
        return Found(ids, positions.tolist(), found.total, found.read, found.hint)

    @property
    def text_index(self) -> TextIndex | None:
        """The index of the pool's words; None where there is none to be had or none needed."""
        if len(self.pool) < WORTH_IT or not has_words(self.pool):
            return None
        return shared_index(self.pool)

    def matching(
        self,
        text: str = "",
        where: Mapping[str, Any] | None = None,
        n: int | None = None,
        *,
        seconds: float = SECONDS,
    ) -> Matches:
        """Find items as `search` does, and return their positions alone: all, or the first `n`.

        Parameters
        ----------
        text, where
            As for `search`.
        n : int, optional
        seconds : float
            How long texts are looked through while there is no index.

        Raises
        ------
        AlwidgetsError
            As `search`.
        """
        columns = self.pool.metadata
        terms = parse(text, columns)
        wanted = [*terms.conditions, *conditions(where, columns)]
        if not terms.phrases and not wanted:
            raise AlwidgetsError("There is nothing to search for: give a word, search='prize'.")
        if terms.phrases:
            check_words(self.pool)
            found = self._indexed(terms, None if wanted else n)
            if found is None:
                found = scan(self.pool, terms, seconds=seconds)
        else:
            everything = np.arange(len(self.pool))
            found = Matches(everything, len(everything), len(everything))
        positions = found.positions
        arrays = shared_columns(self.pool)
        for condition in wanted:
            positions = meeting(columns, condition, positions, arrays)
        total = len(positions) if wanted else found.total
        hint = "; ".join(no_such_column(name, columns) for name in terms.unknown)
        return Matches(positions if n is None else positions[:n], total, found.read, hint)

    def _indexed(self, terms: Terms, n: int | None) -> Matches | None:
        """What the index finds; None while there is none."""
        index = self.text_index
        if index is None:
            return None
        index.start()
        return index.search(terms, n)
