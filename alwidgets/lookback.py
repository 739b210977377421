"""The round that all views of a session look back at."""

from __future__ import annotations

from .hub import Hub
from .readings import check_round


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
        if version is not None:
            with self._lock:
                check_round(self._ledger, version)
        version = None if version is None else int(version)
        if version == self._round_shown:
            return
        self._round_shown = version
        self._signals.emit("round shown", version)
