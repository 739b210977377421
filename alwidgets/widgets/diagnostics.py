"""The diagnostics: where the model is wrong, on tabs, from the audit labels."""

from __future__ import annotations

import itertools
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import Any, NamedTuple, cast

import anywidget
import numpy as np
import traitlets
from numpy.typing import NDArray

from ..errors import AlwidgetsError, MessageError
from ..projection import shared_map
from . import findings
from .background import Background, on_a_thread
from .bundles import bundle
from .channel import Channel
from .findings import Found
from .tabs import TABS, SelectedMessage, Tab, Wanted, parse_look, parse_place
from .throttle import Throttle

log = logging.getLogger(__name__)

#: Seconds between two words to the front end that there is more to know.
INTERVAL = 1.0
#: Pages of a tab that are kept to be pressed on: there is one for any two rounds.
KEPT = 4


class Page(NamedTuple):
    """What a tab is made of: where one of these is another, it is made anew."""

    wanted: Wanted
    edition: int
    classes: tuple[str, ...]
    layout: int


class Press(NamedTuple):
    """A place that is pressed, and on what; each press has a number of its own."""

    number: int
    found: Found
    place: tuple[int, ...]


class Diagnostics(anywidget.AnyWidget):  # type: ignore[misc, unused-ignore]
    """Where the model of a session is wrong.

    What it takes for what, precision and recall of each class, slices of the pool ranked by how
    surely they are worse, calibration, the items it is most wrong about, and two rounds side by
    side: all from audit labels, a random sample that no model has seen. Training labels only where
    they are asked for, and marked as biased. What is pressed is selected, for the map and the
    cards.

    Parameters
    ----------
    session : Session
    height : int, optional
        Of what is under the tabs, in pixels, at most; the rest scrolls.

    Examples
    --------
    >>> session.diagnostics(height=600)  # doctest: +SKIP
    """

    _esm, _css = bundle("diagnostics")
    height = traitlets.Int(480, min=160).tag(sync=True)

    def __init__(
        self,
        session: Any,
        *,
        height: int = 480,
        run: Callable[[Callable[[], None]], None] = on_a_thread,
    ) -> None:
        self._session = session
        super().__init__(height=height)
        self._channel = Channel(self)
        # One each: what takes long on one tab keeps nobody from another.
        self._background = {tab: Background(self._made, run) for tab in TABS}
        self._pressing = Background(self._pressed, run)
        self._is_gone = False
        #: What the last press selected.
        self._own: NDArray[np.int64] | None = None
        self._map = shared_map(session)
        self._lock = threading.Lock()
        #: Counts what happened, so that what was made before is not shown after.
        self._edition = 0
        #: Numbers what is made, so that a press means what its page shows.
        self._numbers = itertools.count(1)
        self._shown: dict[Tab, OrderedDict[Wanted, Found]] = {tab: OrderedDict() for tab in TABS}
        self._closed: str | None = None
        self._soon = Throttle(self._tell, INTERVAL)
        self._unsubscribe: list[Callable[[], None]] = [
            *(
                session.on(event, self._changed)
                for event in ("labelled", "round", "grown", "notice")
            ),
            session.on("slices", self._changed),
            session.on("closed", self._end),
            self._map.on_change(self._on_map),
        ]
        self.on_msg(self._on_message)

    def close(self) -> None:
        """Take the view away; it no longer listens to the session."""
        self._is_gone = True
        self._stop_listening()
        self._pressing.close()
        super().close()

    def _stop_listening(self) -> None:
        self._soon.close()
        for background in self._background.values():
            background.close()
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._unsubscribe = []

    # ------------------------------------------------------------------ what happens

    def _changed(self, *_: Any) -> None:
        with self._lock:
            self._edition += 1
        self._soon()

    def _on_map(self, event: str) -> None:
        if event == "points":  # other regions, which are slices
            self._soon()

    def _tell(self) -> None:
        # What is looked at asks again; what nobody sees is not worked out.
        self._channel.post({"type": "changed", "closed": self._closed})

    def _end(self, reason: str) -> None:
        self._closed = reason
        self._stop_listening()
        self._tell()

    # ------------------------------------------------------------------ what arrives

    def _on_message(self, _: object, content: object, _buffers: object) -> None:
        self._try(lambda: self._handle(content))

    def _handle(self, content: object) -> None:
        message = content if isinstance(content, dict) else {}
        handler = {"look": self._look, "select": self._select}.get(str(message.get("type")))
        if handler is None:
            raise MessageError(f"The diagnostics do not know the message {str(content)[:80]!r}.")
        handler(message)

    def _try(self, work: Callable[[], None]) -> None:
        """Do what was asked for, or say why it cannot be done."""
        try:
            work()
        except AlwidgetsError as error:
            self._problem(str(error))
        except Exception as error:
            log.exception("the diagnostics could not do what they were asked for")
            self._problem(f"That could not be done: {type(error).__name__}: {error}")

    def _look(self, message: dict[str, Any]) -> None:
        self._show(parse_look(message))

    def _select(self, message: dict[str, Any]) -> None:
        tab, edition, place = parse_place(message)
        with self._lock:
            shown = list(self._shown[tab].values())
        if not shown:
            raise MessageError("Nothing is shown there that could be selected.")
        found = next((f for f in shown if f.message["edition"] == edition), None)
        if found is None:
            raise MessageError("This has changed meanwhile: look at what is new and press again.")
        before = self._session.selection.positions
        self._choose(Press(next(self._numbers), found, tuple(place)), before)

    def _choose(self, press: Press, before: NDArray[np.int64] | None = None) -> None:
        # The items of a slice are looked for in the whole pool.
        selected = self._pressing.get(press, lambda: self._selected(press, before))
        if selected is not None:
            self._channel.post(selected)

    def _pressed(self, key: Hashable) -> None:
        self._try(lambda: self._choose(cast(Press, key)))

    def _selected(self, press: Press, before: NDArray[np.int64] | None) -> SelectedMessage:
        positions = press.found.choose(press.place)
        selection = self._session.selection
        now = selection.positions
        if self._is_gone or (now is not before and now is not self._own):
            raise MessageError("Something else was selected meanwhile: press again to select this.")
        selection.set(positions, source="diagnostics", origin=self)
        self._own = selection.positions
        n = len(positions)
        items = f"{n:,} items are" if n != 1 else "1 item is"
        unlabelled = bool((self._session.label_codes()[positions] < 0).any())
        cards = ", and the cards can take them next" if unlabelled else ""
        text = f"{items} selected: the map shows where{cards}."
        return {"type": "selected", "count": n, "text": text}

    # ------------------------------------------------------------------ what is shown

    def _show(self, wanted: Wanted) -> None:
        if self._closed is not None:
            found = self._at_the_end(wanted)
            self._channel.post(found.message, found.buffers)
            # A page that was loaded since does not know yet.
            self._tell()
            return
        with self._lock:
            edition = self._edition
        layout = self._map.revision if wanted.tab == "slices" else 0
        self._answer(Page(wanted, edition, tuple(self._session.task.classes), layout))

    def _answer(self, page: Page) -> None:
        wanted = page.wanted
        made = self._background[wanted.tab].get(page, lambda: self._found(wanted))
        if made is not None:
            self._post(wanted, made)

    def _made(self, key: Hashable) -> None:
        self._answer(cast(Page, key))

    def _found(self, wanted: Wanted) -> Found:
        found = self._find(wanted)
        message = found.message.copy()
        message["edition"] = next(self._numbers)
        return replace(found, message=message)

    def _find(self, wanted: Wanted) -> Found:
        try:
            return findings.find(self._session, wanted)
        except AlwidgetsError as problem:
            return findings.in_words(wanted, str(problem))
        except Exception as problem:
            log.exception("the diagnostics of %s failed", wanted)
            why = f"This could not be worked out: {type(problem).__name__}: {problem}"
            return findings.in_words(wanted, why)

    def _at_the_end(self, wanted: Wanted) -> Found:
        """What was shown last, or that nothing can be found out any more."""
        with self._lock:
            found = self._shown[wanted.tab].get(wanted)
        if found is not None:
            return found
        return findings.in_words(wanted, f"This session is closed. {self._closed}")

    def _post(self, wanted: Wanted, found: Found) -> None:
        shown = self._shown[wanted.tab]
        with self._lock:
            shown[wanted] = found
            shown.move_to_end(wanted)
            while len(shown) > KEPT:
                shown.popitem(last=False)
        self._channel.post(found.message, found.buffers)

    def _problem(self, text: str, remedy: str = "") -> None:
        self._channel.post({"type": "problem", "text": text, "remedy": remedy})
