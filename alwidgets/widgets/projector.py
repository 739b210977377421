"""The map: every item as a point, coloured, to be lassoed onto the cards."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import anywidget
import traitlets

from ..errors import AlwidgetsError, MessageError
from ..projection import Map, shared_map
from ..projection.colours import Colours
from ..projection.regions import FEWEST
from ..selection import Selection, packed
from . import colourings, ordering
from .background import Background
from .bundles import bundle
from .channel import Channel, Sent
from .chosen import SOURCES, chosen_ids, positions_of, source_of
from .finder import Finder
from .landmarks import landmarks
from .lassoguard import LassoGuard
from .listing import Listing
from .preview import preview
from .saving import Saving
from .slicing import Slicing
from .spaces import layout_message, parse_space, points_message
from .throttle import Throttle
from .varying import Varying, parse_vary

log = logging.getLogger(__name__)

#: Seconds between two colourings while someone labels, at least.
RECOLOUR_EVERY = 0.25

Message = dict[str, Any]


class Projector(anywidget.AnyWidget):  # type: ignore[misc, unused-ignore]
    """The map of a session's pool.

    PCA's layout is there at once and glides into UMAP's. Points are coloured by what the model
    says, by their labels, a strategy's score or a column of metadata, and follow the session as
    it goes on. What is lassoed can be labelled next.

    Parameters
    ----------
    session : Session
    height : int, optional
        In pixels.
    map : Map, optional
        Coordinates; those that all views of the session share by default.

    Examples
    --------
    >>> session.projector(height=500)  # doctest: +SKIP
    """

    _esm, _css = bundle("projector")
    _task = traitlets.Dict().tag(sync=True)
    height = traitlets.Int(420, min=160).tag(sync=True)

    def __init__(self, session: Any, *, height: int = 420, map: Map | None = None) -> None:
        self._session = session
        #: How many points the front end shows; those of items that joined come a little later.
        self._shown = 0
        self._by: str | None = None
        #: What it is to be coloured by after a look back.
        self._by_before: str | None = None
        self._awaited: set[str] = set()
        super().__init__(_task={"classes": list(session.task.categories)}, height=height)
        self._channel = Channel(self)
        self._slow = Background(lambda _: self._show_slow())
        self._naming = Background(lambda _: self._send_regions())
        self._finder = Finder(session, self._post)
        self._guard = LassoGuard(session, self._post)
        self._varying = Varying(session, self._made, self._channel.post_newest, self._problem)
        self._map = map if map is not None else shared_map(session)
        self._listing = Listing(session, self._map, self._post)
        self._slicing = Slicing(session, self._post)
        self._saving = Saving(session, self._post)
        # A million colours are a megabyte: large pools are recoloured a little less often.
        self._look_back(session.round_shown)
        self._recolour = Throttle(self._send_labels, max(RECOLOUR_EVERY, len(session.pool) / 1e6))
        self._unsubscribe: list[Callable[[], None]] = [
            self._map.on_change(self._on_map),
            session.on("labelled", lambda *_: self._recolour()),
            session.on("queue", lambda *_: self._send_cards()),
            session.on("round", lambda *_: self._on_round()),
            session.on("training", lambda begun: self._map.prepare() if begun else None),
            session.on("selection", self._on_selection),
            session.on("slices", lambda *_: self._slicing.changed()),
            session.on("round shown", self._on_round_shown),
            session.on("grown", lambda _: self._on_growth()),
            session.on("closed", lambda *_: self._stop_listening()),
        ]
        self.on_msg(self._on_message)

    @property
    def selection(self) -> list[str]:
        """Ids of the items that are selected: those of `Session.selection`."""
        selected: list[str] = self._session.selection.ids
        return selected

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        self.prepare()
        return super()._repr_mimebundle_(**kwargs)

    def prepare(self) -> None:
        """Begin with the layout while the page still loads the map."""
        self._map.start()

    def close(self) -> None:
        """Take the map away; it no longer listens to the session."""
        self._stop_listening()
        super().close()

    def _stop_listening(self) -> None:
        """Stop listening to the session; what is on screen stays."""
        self._recolour.close()
        self._slow.close()
        self._naming.close()
        self._finder.close()
        self._guard.close()
        self._listing.close()
        self._slicing.close()
        self._saving.close()
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._unsubscribe = []

    # ------------------------------------------------------------------ what arrives

    def _on_message(self, _: object, content: object, buffers: Iterable[Any]) -> None:
        try:
            message = content if isinstance(content, dict) else {}
            kind = message.get("type")
            handler = {
                "hello": self._hello,
                "colour_by": self._colour_by,
                "vary": self._vary,
                "space": self._show_space,
                "cancel_layout": self._cancel_layout,
                "columns": self._columns,
                "search": lambda message, _: self._finder.ask(message),
                "list": lambda message, _: self._listing.ask(message),
                "slice": lambda message, _: self._slicing.ask(message),
                "save": lambda message, _: self._saving.ask(),
                "preview": self._preview,
                "select": self._select,
                "label_next": self._label_next,
                "label_together": self._label_together,
            }.get(kind if isinstance(kind, str) else "")
            if handler is None:
                raise MessageError(f"The map does not know the message {str(content)[:80]!r}.")
            handler(message, list(buffers or ()))
        except MessageError as error:
            self._post({"type": "refused", "event_id": None, "reason": str(error)})
        except AlwidgetsError as error:
            self._problem(str(error))
        except Exception as error:
            log.exception("the map could not handle a message")
            self._problem(
                f"The map could not do that: {type(error).__name__}: {error}",
                "Run the cell again; the log has the details.",
            )

    def _hello(self, message: Message, buffers: list[Any]) -> None:
        self._map.start()
        self._map.grow()  # items may have joined while nobody looked
        self._session.prepare_neighbours()  # somebody may ask for more like this
        if self._map.space == "model":
            self._map.refresh()  # it does not follow the model while nobody looks
        self._send_points()
        self._send_regions()
        self._send_choices()
        self._send_colours()
        self._varying.show()
        self._send_cards()
        self._send_progress()
        self._send_layout()
        self._send_ways()
        if self._session.selection:
            self._channel.post_newest("selection", self._selection)
        if self._map.problem is not None:
            self._problem(str(self._map.problem))

    def _colour_by(self, message: Message, buffers: list[Any]) -> None:
        by = colourings.check(self._session, message.get("by"))
        missing = colourings.missing(self._session, by, self._map.local_trust)
        if missing is None:
            self._by = by
        self._send_colours()  # where it is missing, the front end goes back to what is shown
        if missing is None:
            self._send_progress()
        else:
            self._problem(*missing)

    def _vary(self, message: Message, buffers: list[Any]) -> None:
        what, by = parse_vary(self._session, message)
        missing = by and colourings.missing(self._session, by, self._map.local_trust)
        if missing:
            self._varying.tell(what)  # the front end goes back to what is shown
            self._problem(*missing)
            return
        self._varying.ask(what, by)
        self._send_progress()

    def _show_space(self, message: Message, buffers: list[Any]) -> None:
        try:
            self._map.show(parse_space(message))
        finally:
            self._send_layout()  # the front end goes back to what is shown

    def _cancel_layout(self, message: Message, buffers: list[Any]) -> None:
        self._map.cancel()

    def _columns(self, message: Message, buffers: list[Any]) -> None:
        search = message.get("search")
        if not isinstance(search, str):
            raise MessageError(f"A part of a column's name is a text, not {search!r}.")
        self._post(dict(colourings.columns(self._session, search)))

    def _preview(self, message: Message, buffers: list[Any]) -> None:
        self._post(*preview(self._session, message.get("index")))

    def _select(self, message: Message, buffers: list[Any]) -> None:
        positions = positions_of(message, buffers, len(self._session.pool))
        source = source_of(message)
        self._session.selection.set(positions, source=source, origin=self)
        # What was picked from a list was picked on purpose.
        self._guard.look(positions if source == SOURCES[0] else positions[:0])

    def _label_together(self, message: Message, buffers: list[Any]) -> None:
        pool = self._session.pool
        chosen = chosen_ids(message, buffers, pool, most=len(pool))
        gathered = self._session.label_together(chosen, title="Chosen on the map")
        stay = ", which stay selected" if gathered.waiting else ""
        self._taken(len(gathered.items), f"{gathered}{stay}.", gathered.waiting)

    def _label_next(self, message: Message, buffers: list[Any]) -> None:
        report = self._session.queue(chosen_ids(message, buffers, self._session.pool))
        self._taken(int(report.queued), f"{report}.")

    def _taken(self, count: int, text: str, waiting: Sequence[str] = ()) -> None:
        """What was selected is on the cards: only what waits for its turn stays selected."""
        selection = self._session.selection
        source = selection.source
        selection.clear(origin=self)
        self._post({"type": "queued", "count": count, "text": text})
        if waiting:
            selection.set(waiting, source=source)

    # ------------------------------------------------------------------ what happens

    def _on_map(self, event: str) -> None:
        if event == "points":
            self._send_points()
            self._send_regions()
            coords, before = self._map.coords, self._shown
            self._shown = before if coords is None else len(coords)
            if 0 < before < self._shown:  # what was sent of the new ones could not be shown
                self._send_colours()
                self._varying.show()
                self._channel.post_newest("selection", self._selection)
                self._send_cards()
        elif event == "progress":
            self._send_progress()
        elif event == "outliers":
            if self._shown_by() == "outlier":
                self._send_colours()
            self._varying.go_on()
            self._send_progress()
        elif event in ("figures", "space"):
            self._send_layout()
            if event == "figures":
                self._send_choices()
                if self._shown_by() == "trust":
                    self._send_colours()
                self._varying.show(lambda by: by == "trust")
        elif event == "problem" and self._map.problem is not None:
            self._problem(str(self._map.problem))

    def _on_selection(self, selection: Selection, origin: object) -> None:
        if origin is not self:
            self._channel.post_newest("selection", self._selection)

    def _on_round_shown(self, version: int | None) -> None:
        self._look_back(version)
        self._send_choices()
        self._send_colours()
        self._send_progress()

    def _look_back(self, version: int | None) -> None:
        """Colour by what the model of a round said, or as before that."""
        then = self._by is not None and self._by.startswith(colourings.THEN)
        if version is not None:
            self._by_before = self._by_before if then else self._by
            self._by = f"{colourings.THEN}{version}"
        elif then:
            self._by = self._by_before

    def _on_growth(self) -> None:
        self._map.grow()
        self._session.prepare_neighbours()

    def _on_round(self) -> None:
        self._send_choices()
        self._send_colours()
        self._varying.show(colourings.needs_model)
        self._send_cards()
        self._send_ways()
        self._map.refresh()

    def _send_labels(self) -> None:
        if self._shown_by() in ("label", "stream", "annotator"):
            self._send_colours()
        self._send_cards()

    def _show_slow(self) -> None:
        """Show what was made in the background, or why it could not be."""
        by = self._shown_by()
        try:
            if by in self._awaited:
                self._send_colours()
        except AlwidgetsError as error:
            self._by = None
            self._send_colours()
            self._problem(str(error))
        except Exception as error:
            log.exception("the colours by %s failed", by)
            self._by = None
            self._send_colours()
            self._problem(
                f"The colours by {colourings.name_of(by)} failed: {type(error).__name__}: {error}",
                "The log has the details.",
            )
        self._varying.go_on()
        self._send_progress()

    # ------------------------------------------------------------------ what is sent

    def _shown_by(self) -> str:
        session, trust = self._session, self._map.local_trust
        if self._by is not None and colourings.missing(session, self._by, trust) is None:
            return self._by
        return "prediction" if colourings.has_model(session) else "label"

    def _send_choices(self) -> None:
        self._channel.post_newest("choices", self._choices)

    def _send_ways(self) -> None:
        self._channel.post_newest("ways", lambda: (dict(ordering.ways(self._session)), []))

    def _choices(self) -> Sent:
        measured = self._map.local_trust is not None
        return dict(colourings.choices(self._session, measured=measured)), []

    def _send_points(self) -> None:
        self._channel.post_newest("points", lambda: points_message(self._map))

    def _send_colours(self) -> None:
        self._channel.post_newest("colours", self._colours)

    def _send_regions(self) -> None:
        self._channel.post_newest("regions", self._regions)

    def _send_cards(self) -> None:
        self._channel.post_newest("cards", self._cards)

    def _send_progress(self) -> None:
        self._channel.post_newest("progress", self._progress)

    def _colours(self) -> Sent | None:
        session, by = self._session, self._shown_by()
        classes = list(session.task.categories)
        if classes != self._task.get("classes"):
            self._task = {"classes": classes}
        self._awaited.add(by)  # first: they may be done before the call returns
        made = self._made(by)
        if made is None:
            return None
        self._awaited.discard(by)
        version = int(session.current.version) if session.current is not None else 0
        return dict(colourings.message(made, by, version)), [made.codes.tobytes()]

    def _made(self, by: str) -> Colours | None:
        """Colours that are there; None while they are being made, or where they cannot be."""
        session, check = self._session, self._slow.check
        if colourings.missing(session, by, self._map.local_trust) is not None:
            return None
        key = colourings.takes_a_while(session, by)
        if key is not None:
            # Without the quantities, of which eight are kept: a million take eight megabytes each.
            made: Colours | None = self._slow.get(
                key, lambda: replace(colourings.slow_colours(session, by, check), values=None)
            )
            return made
        if by == "outlier":
            self._map.measure_outliers()
        return colourings.colours(session, by, self._map.outliers, self._map.local_trust)

    def _regions(self) -> Sent | None:
        coords, _, revision = self._map.current
        if coords is None or len(coords) < FEWEST:
            return None
        pool, check = self._session.pool, self._naming.check
        made: Sent | None = self._naming.get(
            revision, lambda: landmarks(pool, coords, revision, check)
        )
        return made

    def _selection(self) -> Sent:
        positions, n = self._session.selection.positions, len(self._session.pool)
        encoding, data = packed(positions, n)
        return {"type": "selection", "encoding": encoding, "n": n}, [data]

    def _cards(self) -> Sent:
        pool = self._session.pool
        indices = [pool.index(item_id) for item_id in self._session.upcoming()]
        return {"type": "cards", "indices": indices}, []

    def _progress(self) -> Sent:
        fraction, text = self._map.progress
        message: Message = {"type": "progress", "fraction": fraction, "text": text}
        if text is None and self._map.measuring:
            message["text"] = "Measuring how far out each item lies…"
            message["stoppable"] = False
        elif text is None and isinstance(making := self._slow.making, tuple):
            message["text"] = f"Working out {colourings.name_of(making[0])}…"
            message["stoppable"] = False
        return message, []

    def _send_layout(self) -> None:
        learns = bool(self._session.task.classes)
        self._channel.post_newest(
            "layout", lambda: (dict(layout_message(self._map, learns=learns)), [])
        )

    def _problem(self, text: str, remedy: str = "") -> None:
        self._post({"type": "problem", "text": text, "remedy": remedy})

    def _post(self, message: Message, buffers: list[bytes] | None = None) -> None:
        self._channel.post(message, buffers)
