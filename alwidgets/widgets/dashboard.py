"""Cards, map and curve together."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import anywidget
import ipywidgets
import traitlets

from .bundles import bundle
from .cards import Cards
from .curves import Curves
from .curvewords import measure_of, percent
from .projector import Projector
from .throttle import Throttle

if TYPE_CHECKING:
    from ..session import Session

STATUS_EVERY = 0.25
#: In pixels: as tall as the cards beside it.
MAP_HEIGHT = 472


class DashboardHeader(anywidget.AnyWidget):  # type: ignore[misc, unused-ignore]
    """How things stand, above the views."""

    _esm, _css = bundle("dashboard")
    name = traitlets.Unicode().tag(sync=True)
    status = traitlets.Dict().tag(sync=True)


class Dashboard(ipywidgets.GridBox):  # type: ignore[misc, unused-ignore]
    """The views of a session, bound to each other by it.

    Parameters
    ----------
    session : Session

    Attributes
    ----------
    cards : Cards
    projector : Projector
    curves : Curves

    Examples
    --------
    >>> session  # at the end of a cell  # doctest: +SKIP
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._header = DashboardHeader(name=session.name)
        self.cards = Cards(session)
        self.projector = Projector(session, height=MAP_HEIGHT)
        self.curves = Curves(session)
        super().__init__([self._header, self.cards, self.projector, self.curves])
        self.add_class("alw-dashboard")
        self._status = Throttle(self._show_status, STATUS_EVERY)
        self._unsubscribe: list[Callable[[], None]] = [
            session.on(event, lambda *_: self._status())
            for event in ("labelled", "training", "progress", "round", "closed")
        ]
        self._show_status()

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        self.projector.prepare()
        return super()._repr_mimebundle_(**kwargs)

    def close(self) -> None:
        """Take the views away; they no longer listen to the session."""
        self._status.close()
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        for view in (self._header, self.cards, self.projector, self.curves):
            view.close()
        super().close()

    def _show_status(self) -> None:
        session = self._session
        counts, current = session.progress(), session.current
        known = current is not None and current.version and current.accuracy.n
        self._header.status = counts | {
            "model_version": session.version,
            "training": session.training,
            "progress": session.fit_progress,
            "measure": measure_of(session),
            "accuracy": percent(current.accuracy) if current is not None and known else None,
            "saved_to": session.store.name if session.store.persistent else None,
        }
