"""The round that all views of a session look back at."""

from __future__ import annotations

from .errors import AlwidgetsError
from .hub import Hub


class LookingBack(Hub):
    """Which round the views show; labelling goes by the newest whatever they do."""

    _round_shown: int | None = None

    @property
    def round_shown(self) -> int | None:
        """Version of the model that the views look back at; None, the default, is the newest.

        The curve marks its round, the map can be coloured by its predictions. The cards, their
        suggestions and what comes next stay those of the newest model. ``round shown`` tells of
        another one.

        Raises
        ------
        AlwidgetsError
            If there is no such round.

        Examples
        --------
        >>> session.round_shown = 3  # doctest: +SKIP
        """
        return self._round_shown

    @round_shown.setter
    def round_shown(self, version: int | None) -> None:
        with self._lock:
            versions = [record.version for record in self._ledger.rounds]
        if version is not None and version not in versions:
            there = f"there are 1 to {len(versions)}" if versions else "there is none yet"
            raise AlwidgetsError(f"There is no round {version!r}: {there}.")
        version = None if version is None else int(version)
        if version == self._round_shown:
            return
        self._round_shown = version
        self._signals.emit("round shown", version)
