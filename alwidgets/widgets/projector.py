"""The map: every item as a point, coloured, to be lassoed onto the cards."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

import anywidget
import numpy as np
import traitlets
from numpy.typing import NDArray

from ..errors import AlwidgetsError, MessageError
from ..projection import Map, shared_map
from ..projection.colours import category_codes, ramp_codes, usual_range
from ..tasks import Task
from .bundles import bundle
from .channel import Channel
from .payload import describe
from .spaces import layout_message, parse_space
from .throttle import Throttle

log = logging.getLogger(__name__)

#: What the points can be coloured by.
COLOUR_BY = ("label", "prediction", "uncertainty", "outlier", "trust")
#: Seconds between two colourings while someone labels, at least.
RECOLOUR_EVERY = 0.25
#: More items than this are not put on the cards at once.
MOST_QUEUED = 10_000

Message = dict[str, Any]
#: A message and its buffers.
Sent = tuple[Message, list[bytes]]


class Projector(anywidget.AnyWidget):  # type: ignore[misc, unused-ignore]
    """The map of a session's pool.

    PCA's layout is there at once and glides into UMAP's. Points are coloured by label,
    prediction, uncertainty or how far out they lie, and follow the session as it goes on. What is
    lassoed can be labelled next.

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
        self._n = len(session.pool)
        self._by: str | None = None
        self._begun = 0
        self._sent: dict[str, int] = {}
        self._selected: NDArray[np.uint32] = np.empty(0, dtype=np.uint32)
        super().__init__(_task={"classes": list(session.task.categories)}, height=height)
        self._channel = Channel(self)
        self._map = map if map is not None else shared_map(session)
        # A million colours are a megabyte: large pools are recoloured a little less often.
        self._recolour = Throttle(self._send_labels, max(RECOLOUR_EVERY, self._n / 1e6))
        self._unsubscribe: list[Callable[[], None]] = [
            self._map.on_change(self._on_map),
            session.on("labelled", lambda *_: self._recolour()),
            session.on("queue", lambda *_: self._send_cards()),
            session.on("round", lambda *_: self._on_round()),
            session.on("closed", lambda *_: self._stop_listening()),
        ]
        self.on_msg(self._on_message)

    @property
    def selection(self) -> list[str]:
        """Ids of the items that are selected on the map."""
        return [self._session.pool.ids[int(i)] for i in self._selected]

    def close(self) -> None:
        """Take the map away; it no longer listens to the session."""
        self._stop_listening()
        super().close()

    def _stop_listening(self) -> None:
        """Stop listening to the session; what is on screen stays."""
        self._recolour.close()
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
                "space": self._show_space,
                "cancel_layout": self._cancel_layout,
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
        self._send_points()
        self._send_colours()
        self._send_cards()
        self._send_progress()
        self._send_layout()
        if self._map.problem is not None:
            self._problem(str(self._map.problem))

    def _colour_by(self, message: Message, buffers: list[Any]) -> None:
        by = message.get("by")
        if not isinstance(by, str) or by not in COLOUR_BY:
            raise MessageError(f"The map cannot be coloured by {by!r}; use one of {COLOUR_BY}.")
        if by not in self._available():
            self._send_colours()  # the front end goes back to what is shown
            if by == "trust":
                self._problem(
                    "How far each point can be trusted is not measured yet.",
                    "It will be once the layout is finished.",
                )
            else:
                self._problem(
                    f"There is no model yet, so there is no {by} to colour by.",
                    "Label some items of at least two classes.",
                )
            return
        self._by = by
        self._send_colours()
        self._send_progress()

    def _show_space(self, message: Message, buffers: list[Any]) -> None:
        try:
            self._map.show(parse_space(message))
        finally:
            self._send_layout()  # the front end goes back to what is shown

    def _cancel_layout(self, message: Message, buffers: list[Any]) -> None:
        self._map.cancel()

    def _preview(self, message: Message, buffers: list[Any]) -> None:
        index = message.get("index")
        if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < self._n:
            raise MessageError(f"There is no item at position {index!r}; there are {self._n:,}.")
        pool, task = self._session.pool, self._session.task
        item_id = pool.ids[index]
        images: list[bytes] = []
        content = describe(pool.contents[index], item_id, images)
        label = int(self._session.label_codes()[index])
        current = self._session.current
        # None for what is kept for the audit: the person is not to know what the model thinks.
        prediction, confidence = self._session.suggestion(index) or (None, None)
        known = prediction is not None
        self._post(
            {
                "type": "preview",
                "index": index,
                "item_id": item_id,
                "content": content,
                "label": _named(label, task) if label >= 0 else None,
                "prediction": _named(task.encode(prediction), task) if known else None,
                "confidence": confidence,
                "uncertainty": _number(current.uncertainty[index]) if known else None,
            },
            images,
        )

    def _select(self, message: Message, buffers: list[Any]) -> None:
        self._selected = self._indices(buffers)

    def _label_together(self, message: Message, buffers: list[Any]) -> None:
        gathered = self._session.label_together(self._chosen(buffers), title="Chosen on the map")
        self._post({"type": "queued", "count": len(gathered.items), "text": f"{gathered}."})

    def _label_next(self, message: Message, buffers: list[Any]) -> None:
        report = self._session.queue(self._chosen(buffers))
        self._post({"type": "queued", "count": int(report.queued), "text": f"{report}."})

    def _chosen(self, buffers: list[Any]) -> list[str]:
        """Ids of the items that are to be labelled."""
        indices = self._indices(buffers)
        if not len(indices):
            raise MessageError("Nothing is selected: lasso some points first.")
        if len(indices) > MOST_QUEUED:
            raise MessageError(
                f"{len(indices):,} items are too many to label next; select at most "
                f"{MOST_QUEUED:,}."
            )
        return [self._session.pool.ids[int(i)] for i in indices]

    def _indices(self, buffers: list[Any]) -> NDArray[np.uint32]:
        """Positions in a buffer of uint32, each once, in their order."""
        if len(buffers) != 1:
            raise MessageError(f"One buffer of positions is expected, not {len(buffers)}.")
        raw = bytes(buffers[0])
        if len(raw) % 4:
            raise MessageError(f"Positions are 4 bytes each; {len(raw):,} bytes came.")
        indices = np.frombuffer(raw, dtype="<u4").astype(np.uint32)
        if len(indices) and int(indices.max()) >= self._n:
            raise MessageError(
                f"There is no item at position {int(indices.max()):,}; there are {self._n:,}."
            )
        first = np.unique(indices, return_index=True)[1]
        return indices[np.sort(first)]

    # ------------------------------------------------------------------ what happens

    def _on_map(self, event: str) -> None:
        if event == "points":
            self._send_points()
        elif event == "progress":
            self._send_progress()
        elif event == "outliers":
            if self._shown_by() == "outlier":
                self._send_colours()
            self._send_progress()
        elif event in ("figures", "space"):
            self._send_layout()
            if event == "figures" and self._shown_by() == "trust":
                self._send_colours()
        elif event == "problem" and self._map.problem is not None:
            self._problem(str(self._map.problem))

    def _on_round(self) -> None:
        self._send_colours()
        self._send_cards()

    def _send_labels(self) -> None:
        if self._shown_by() == "label":
            self._send_colours()
        self._send_cards()

    # ------------------------------------------------------------------ what is sent

    def _available(self) -> list[str]:
        current = self._session.current
        has_model = current is not None and current.predictions is not None
        there = {"label", "outlier"} | ({"trust"} if self._map.local_trust is not None else set())
        return [by for by in COLOUR_BY if by in there or (has_model and by != "trust")]

    def _shown_by(self) -> str:
        available = self._available()
        if self._by in available:
            return str(self._by)
        return "prediction" if "prediction" in available else "label"

    def _send_points(self) -> None:
        self._send_newest("points", self._points)

    def _send_colours(self) -> None:
        self._send_newest("colours", self._colours)

    def _send_cards(self) -> None:
        self._send_newest("cards", self._cards)

    def _send_progress(self) -> None:
        self._send_newest("progress", self._progress)

    def _points(self) -> Sent | None:
        coords, layout, revision = self._map.current
        if coords is None:
            return None
        message: Message = {"type": "points", "n": len(coords), "layout": layout}
        message["revision"] = revision
        if self._map.space == "model" and self._map.box is not None:
            message["box"] = list(self._map.box)
        return (
            message,
            [np.ascontiguousarray(coords, dtype="<f4").tobytes()],
        )

    def _colours(self) -> Sent | None:
        by, current = self._shown_by(), self._session.current
        classes = list(self._session.task.categories)
        if classes != self._task.get("classes"):
            self._task = {"classes": classes}
        message: Message = {
            "type": "colours",
            "by": by,
            "kind": "category",
            "categories": classes,
            "range": None,
            "version": int(current.version) if current is not None else 0,
            "bytes": 1,
            "available": self._available(),
        }
        if by in ("label", "prediction"):
            values = self._session.label_codes()
            if by == "prediction":
                values = np.where(self._session.reserved, -1, current.predictions)
            values = np.minimum(values, len(classes) - 1)
            codes = category_codes(values, self._n, len(classes))
            message["bytes"] = codes.dtype.itemsize
            return message, [codes.tobytes()]
        if by == "outlier":
            self._map.measure_outliers()
        values = self._map.local_trust if by == "trust" else self._map.outliers
        if by == "uncertainty":
            values = np.where(self._session.reserved, np.nan, current.uncertainty)
        if values is None:
            return None  # the map tells when they are there
        low, high = usual_range(values) if by == "outlier" else (0.0, 1.0)
        message |= {"kind": "ramp", "categories": None, "range": [low, high]}
        return message, [ramp_codes(values, low, high).tobytes()]

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
        return message, []

    def _send_layout(self) -> None:
        learns = bool(self._session.task.classes)
        self._send_newest("layout", lambda: (dict(layout_message(self._map, learns=learns)), []))

    def _send_newest(self, kind: str, make: Callable[[], Sent | None]) -> None:
        """Make a message and send it, unless one that was begun later is out already.

        Nothing is asked of the session while the lock is held: the session may be sending an
        event under a lock of its own.
        """
        with self._channel.lock:
            self._begun += 1
            ticket = self._begun
        made = make()
        if made is None:
            return
        with self._channel.lock:
            if ticket > self._sent.get(kind, 0):
                self._sent[kind] = ticket
                self._post(*made)

    def _problem(self, text: str, remedy: str = "") -> None:
        self._post({"type": "problem", "text": text, "remedy": remedy})

    def _post(self, message: Message, buffers: list[bytes] | None = None) -> None:
        self._channel.post(message, buffers)


def _named(code: int, task: Task) -> str:
    """An answer by the name of its category; several labels by all of theirs."""
    several = task.multilabel and code >= len(task.categories) - 1
    return ", ".join(task.decode(code)) if several else task.categories[code]


def _number(value: Any) -> float | None:
    """A number that JSON can hold."""
    return float(value) if np.isfinite(value) else None
