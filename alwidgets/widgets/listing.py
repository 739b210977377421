"""The rows of the list beside the map: ordered in the background, sent some at a time."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Literal, TypedDict, cast, get_args

import numpy as np
from numpy.typing import NDArray

from ..errors import AlwidgetsError, MessageError
from ..projection import Map
from . import colourings, ordering
from .background import Background, Superseded, on_a_thread
from .contents import ImageContent, TextContent
from .ordering import Order
from .preview import answer_name
from .thumbnails import in_a_row

log = logging.getLogger(__name__)

#: Rows in one message.
ROWS = 50
#: Lists whose order is kept: one can go back to them. Each takes 12 bytes an item.
KEPT = 4
#: Pixels of a row's image, the longer way.
THUMBNAIL = 64
MAX_LIST_ID = 64

Kind = Literal["edge_cases", "points", "similar"]


class Row(TypedDict):
    """An item: what is seen of it, what it is listed by, why it is there, and its label."""

    index: int
    item_id: str
    content: TextContent | ImageContent
    value: str
    why: str | None
    label: str | None


class RowsMessage(TypedDict):
    """Some rows of a list, from rank `start` on, and how many it has.

    `like` is the item that those of the list are like. `note` says why there is no list, or nothing
    in it.
    """

    type: Literal["rows"]
    list: str
    start: int
    total: int
    rows: list[Row]
    like: Row | None
    note: str | None


@dataclass(frozen=True)
class Wanted:
    """What a ``list`` message asks for."""

    list: str
    kind: Kind
    start: int
    by: str = ""
    descending: bool = False
    selected: bool = False
    index: int = 0


def parse_list(session: Any, message: dict[str, Any]) -> Wanted:
    """Return what a ``list`` message asks for.

    Raises
    ------
    MessageError
        Naming what is wrong.
    """
    name, start, of = message.get("list"), message.get("start"), message.get("of")
    if not isinstance(name, str) or not 0 < len(name) <= MAX_LIST_ID:
        raise MessageError(f"A list needs an id of 1 to {MAX_LIST_ID} characters.")
    if not _is_whole(start) or not isinstance(of, dict) or of.get("kind") not in get_args(Kind):
        raise MessageError(f"There is no list of {str(of)[:80]!r} from rank {str(start)[:40]!r}.")
    kind, first = cast(Kind, of["kind"]), cast(int, start)
    if kind == "edge_cases":
        return Wanted(name, kind, first, by=ordering.check_way(of.get("by")))
    if kind == "similar":
        index = of.get("index")
        if not _is_whole(index) or cast(int, index) >= len(session.pool):
            raise MessageError(f"There is no item at position {str(index)[:40]!r}.")
        return Wanted(name, kind, first, index=cast(int, index))
    by, descending, selected = (of.get(key) for key in ("by", "descending", "selected"))
    if not isinstance(descending, bool) or not isinstance(selected, bool):
        raise MessageError("A list by colour says whether it is descending, and of the selection.")
    return Wanted(name, kind, first, colourings.check(session, by), descending, selected)


class Listing:
    """Answers what the list beside the map asks for.

    Every list has an id, made by the front end, and keeps its order: labels and models that come
    meanwhile do not move the rows under the person's hand. A new id is a new look.

    Parameters
    ----------
    session : Session
    shown : Map
        What was measured of the points.
    post : callable
        Sends a message and its buffers.
    run : callable, optional
        Runs work in the background.
    """

    def __init__(
        self,
        session: Any,
        shown: Map,
        post: Callable[[dict[str, Any], list[bytes]], None],
        run: Callable[[Callable[[], None]], None] = on_a_thread,
    ) -> None:
        self._session, self._map, self._post = session, shown, post
        # One each: a ranking that takes long keeps nobody from sorting by a colour.
        self._background = {kind: Background(self._made, run) for kind in get_args(Kind)}
        self._lock = threading.Lock()
        self._orders: OrderedDict[str, Order] = OrderedDict()

    def ask(self, message: dict[str, Any]) -> None:
        """Send some rows of a list, now or once they are there.

        Raises
        ------
        MessageError
            If the message asks for nothing that there is.
        """
        self._send(parse_list(self._session, message))

    def close(self) -> None:
        """Answer no more."""
        for background in self._background.values():
            background.close()

    def _send(self, wanted: Wanted) -> None:
        made = self._background[wanted.kind].get(wanted, lambda: self._message(wanted))
        if made is not None:
            self._post(*made)

    def _made(self, key: Hashable) -> None:
        self._send(cast(Wanted, key))

    def _message(self, wanted: Wanted) -> tuple[dict[str, Any], list[bytes]]:
        buffers: list[bytes] = []
        message: RowsMessage = {
            "type": "rows",
            "list": wanted.list,
            "start": wanted.start,
            "total": 0,
            "rows": [],
            "like": None,
            "note": None,
        }
        try:
            order = self._order(wanted)
            message["total"] = len(order.positions)
            if not message["total"]:
                message["note"] = ordering.NONE.get(wanted.by, "There is nothing to list.")
            labels = self._session.label_codes()
            message["rows"] = [
                self._row(
                    int(order.positions[rank]),
                    order.value(rank),
                    None if order.why is None else order.why[rank],
                    labels,
                    buffers,
                )
                for rank in range(wanted.start, min(wanted.start + ROWS, len(order.positions)))
            ]
            if wanted.kind == "similar":
                message["like"] = self._row(wanted.index, "", None, labels, buffers)
        except Superseded:
            raise
        except AlwidgetsError as problem:
            message["note"] = ordering.in_words(str(problem))
        except Exception as problem:
            log.exception("the list of %s failed", wanted)
            message["note"] = f"The list could not be made: {type(problem).__name__}: {problem}"
        return dict(message), buffers

    def _order(self, wanted: Wanted) -> Order:
        with self._lock:
            kept = self._orders.get(wanted.list)
            if kept is not None:
                self._orders.move_to_end(wanted.list)
                return kept
        made = self._made_order(wanted)
        with self._lock:
            self._orders[wanted.list] = made
            while len(self._orders) > KEPT:
                self._orders.popitem(last=False)
        return made

    def _made_order(self, wanted: Wanted) -> Order:
        session = self._session
        if wanted.kind == "similar":
            return ordering.similar(session, wanted.index)
        if wanted.kind == "edge_cases":
            return ordering.edge_cases(session, ordering.check_way(wanted.by))
        return ordering.by_colour(
            session,
            wanted.by,
            descending=wanted.descending,
            selected=wanted.selected,
            outliers=self._map.outliers,
            trust=self._map.local_trust,
            between=self._background[wanted.kind].check,
        )

    def _row(
        self,
        index: int,
        value: str,
        why: str | None,
        labels: NDArray[np.int32],
        buffers: list[bytes],
    ) -> Row:
        item_id, code = self._session.pool.ids[index], int(labels[index])
        return {
            "index": index,
            "item_id": item_id,
            "content": in_a_row(self._session.pool, index, buffers, THUMBNAIL),
            "value": value,
            "why": why,
            "label": answer_name(code, self._session.task) if code >= 0 else None,
        }


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
