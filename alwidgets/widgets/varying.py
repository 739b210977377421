"""By which quantities the points of the map differ in size and in opacity."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Literal, TypedDict, cast, get_args

from ..errors import AlwidgetsError, MessageError, ProjectionError
from ..projection.colours import Colours
from . import colourings
from .channel import Sent

log = logging.getLogger(__name__)

What = Literal["size", "opacity"]


class VariedMessage(TypedDict):
    """What sizes or opacities stand for; a step for each of `n` points follows, of one byte.

    Without `by`, and without steps, all points are the same.
    """

    type: Literal["varied"]
    n: int
    what: What
    by: str | None
    name: str | None
    range: list[float] | None
    ends: list[str] | None
    none: str | None
    version: int


class Varying:
    """Which quantity sizes, and which one opacities follow, as one view shows them.

    Parameters
    ----------
    session : Session
    made : callable
        Returns the steps of a quantity, or None while they are being made; what fails is raised.
    send : callable
        Sends the newest message of a kind.
    problem : callable
        Tells a person what is wrong, and what to do about it.
    """

    def __init__(
        self,
        session: Any,
        made: Callable[[str], Colours | None],
        send: Callable[[str, Callable[[], Sent | None]], None],
        problem: Callable[[str, str], None],
    ) -> None:
        self._session, self._made = session, made
        self._send, self._problem = send, problem
        self._by: dict[What, str] = {}
        self._waiting: set[What] = set()

    def ask(self, what: What, by: str | None) -> None:
        """Have sizes or opacities follow a quantity; for None all points are the same."""
        if by is None:
            self._by.pop(what, None)
        else:
            self._by[what] = by
        self.tell(what)

    def show(self, which: Callable[[str], bool] = lambda by: True) -> None:
        """Send again what follows quantities of some kind."""
        for what, by in list(self._by.items()):
            if which(by):
                self.tell(what)

    def go_on(self) -> None:
        """Send what was being made, if it is there by now."""
        for what in sorted(self._waiting):
            self.tell(what)

    def tell(self, what: What) -> None:
        """Send what one of them shows."""
        by = self._by.get(what)
        self._waiting.discard(what)
        try:
            self._send(f"varied {what}", lambda: self._message(what, by))
            return
        except AlwidgetsError as error:
            words = str(error), ""
        except Exception as error:
            log.exception("the %s by %s failed", what, by)
            name = colourings.name_of(by) if by is not None else what
            words = (
                f"The {what} by {name} failed: {type(error).__name__}: {error}",
                "The log has the details.",
            )
        self._by.pop(what, None)
        self._waiting.discard(what)
        self._send(f"varied {what}", lambda: self._message(what, None))
        self._problem(*words)

    def _message(self, what: What, by: str | None) -> Sent | None:
        message: VariedMessage = {
            "type": "varied",
            "n": 0,
            "what": what,
            "by": by,
            "name": None,
            "range": None,
            "ends": None,
            "none": None,
            "version": 0,
        }
        if by is None:
            return dict(message), []
        self._waiting.add(what)  # first: it may be done before the call returns
        found = self._made(by)
        if found is None:
            return None
        self._waiting.discard(what)
        if found.range is None:
            raise ProjectionError(
                f"“{colourings.name_of(by)}” has categories, and {what} shows a quantity. Choose a "
                "column of numbers or of days, or colour by this one."
            )
        current = self._session.current
        message["n"] = len(found.codes)
        message["name"] = colourings.name_of(by)
        message["range"] = list(found.range)
        message["ends"] = None if found.ends is None else list(found.ends)
        message["none"] = found.none
        message["version"] = 0 if current is None else int(current.version)
        return dict(message), [found.codes.tobytes()]


def parse_vary(session: Any, message: dict[str, Any]) -> tuple[What, str | None]:
    """Return what a ``vary`` message asks for: size or opacity, and by what.

    Raises
    ------
    MessageError
        If there is no such thing.
    """
    what, by = message.get("what"), message.get("by")
    if what not in get_args(What):
        raise MessageError(f"Points differ in size or opacity, not in {str(what)[:40]!r}.")
    return cast(What, what), None if by is None else colourings.check(session, by)
