"""The cards to label on: the browser holds the next ones, and this stores what is answered."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping
from threading import Thread
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from ..errors import (
    AlwidgetsError,
    AnswerError,
    MessageError,
    StoreError,
    TaskError,
    UnknownItemError,
)
from ..schema import Event, Switch
from .bundles import bundle
from .channel import Channel
from .keys import moved_keys
from .messages import (
    FROM_CARDS,
    Card,
    EarlierRow,
    ProblemMessage,
    QueueMessage,
    ReasonsMessage,
    StatusMessage,
    ToCards,
    TogetherMessage,
    WordsMessage,
    event_id_of,
    message_type,
    parse_before,
    parse_class_change,
    parse_event,
    parse_events,
    parse_search,
    parse_show,
    parse_why,
)
from .payload import card_of, preview
from .throttle import Throttle

if TYPE_CHECKING:
    from ..items import Gathered, Item
    from ..session import Session

log = logging.getLogger(__name__)

STATUS_EVERY = 0.1
#: Events from this page that are remembered, so that it is not told of them.
REMEMBERED = 10_000
#: Rows of earlier cards in a message.
EARLIER = 50


class Cards(anywidget.AnyWidget):  # type: ignore[misc, unused-ignore]
    """Cards of a session, one item after the other.

    The browser shows the next card without asking; every answer waits there until it is
    acknowledged from here, which is after it was committed to disk.

    Parameters
    ----------
    session : Session
    keys : mapping of str to str, optional
        Keys of your own: what is done (accept, skip, undo, flag, comment, guidelines, earlier,
        together, classes, why, pause, zoom) and the key, one character or Enter, Space,
        Backspace, Delete. Those of the classes are given to the task.

    Raises
    ------
    AlwidgetsError
        If a key cannot be, or two are the same.

    Examples
    --------
    >>> session.cards(keys={"skip": "x", "flag": "Space"})  # doctest: +SKIP
    """

    _esm, _css = bundle("cards")
    _task = traitlets.Dict().tag(sync=True)
    _store = traitlets.Dict().tag(sync=True)
    _guidelines = traitlets.Unicode().tag(sync=True)
    _keys = traitlets.Dict().tag(sync=True)

    def __init__(self, session: Session, *, keys: Mapping[str, str] | None = None) -> None:
        self._session = session
        self._own: OrderedDict[str, None] = OrderedDict()
        self._status = Throttle(self._send_status, STATUS_EVERY)
        self._unsubscribe: list[Callable[[], None]] = []
        super().__init__(
            _task=dict(session.task.asked()),
            _store={
                "id": session.store.store_id,
                "persistent": session.store.persistent,
                "name": session.store.name,
            },
            _guidelines=session.guidelines,
            _keys=moved_keys(keys, session.task.asked()),
        )
        self._channel = Channel(self)
        self._unsubscribe = [
            session.on("queue", lambda: self._send_queue()),
            session.on("labelled", self._on_labelled),
            session.on("training", lambda _: self._status()),
            session.on("progress", lambda _: self._status()),
            session.on("round", lambda _: self._status()),
            session.on("error", lambda _: self._status()),
            session.on("round shown", lambda _: self._status()),
            session.on("notice", self._on_notice),
            session.on("switch", self._on_switch),
            session.on("together", self._send_together),
            session.on("closed", self._on_closed),
        ]
        self.on_msg(self._on_message)

    def close(self) -> None:
        """Take the cards away; they no longer listen to the session."""
        self._stop_listening()
        super().close()

    def _stop_listening(self) -> None:
        self._status.close()
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._unsubscribe = []

    # ------------------------------------------------------------------ what arrives

    def _on_message(self, _: object, content: object, buffers: object) -> None:
        try:
            kind = message_type(content, FROM_CARDS)
            assert isinstance(content, dict)
            if kind == "events":
                self._record(parse_events(content))
            elif kind == "classes":
                self._change_classes(*parse_class_change(content))
            elif kind == "why":
                self._send_reasons(*parse_why(content))
            elif kind == "together":
                self._meanwhile(self._search, parse_search(content))
            elif kind == "earlier":
                self._send_earlier(parse_before(content))
            elif kind == "show":
                self._send_shown(parse_show(content))
            elif kind == "undo":
                if self._session.undo() is None:
                    self._send_status(notice="There is nothing to take back.")
            else:
                self._session.prepare(self._session.ready)
                self._send_queue()
                self._send_status()
        except (MessageError, TaskError, AnswerError, UnknownItemError) as error:
            self._refuse(None, str(error))
        except StoreError as error:
            self._problem(str(error), "Labels wait on this page until they can be saved.")
        except Exception as error:
            log.exception("the cards could not handle a message")
            self._problem(
                f"The kernel could not do that: {type(error).__name__}: {error}",
                "Labels wait on this page; run the cell again. The log has the details.",
            )

    def _record(self, raws: list[dict[str, Any]]) -> None:
        parsed: list[Event] = []
        for raw in raws:
            try:
                parsed.append(parse_event(raw, self._session.annotator))
            except (ValueError, RecursionError) as error:
                self._refuse(event_id_of(raw), str(error))
        self._session.recall(parsed)
        events: list[Event] = []
        for event in parsed:
            try:
                events.append(self._session.validate(event, parsed))
            except (ValueError, UnknownItemError, RecursionError) as error:
                self._refuse(event.event_id, str(error))
                continue
            self._own[event.event_id] = None
        while len(self._own) > REMEMBERED:
            self._own.popitem(last=False)
        if events:
            fresh = self._session.commit(events)
            items = {e.event_id: e.item_id for e in fresh if e.kind in ("answer", "skip")}
            self._post({"type": "ack", "event_ids": [e.event_id for e in events], "items": items})
            self._status()

    def _change_classes(self, what: str, name: str, to: str | None) -> None:
        if what == "add":
            self._session.add_class(name)
        elif what == "rename":
            self._session.rename_class(name, to or "")
        else:
            self._session.merge_classes(name, to or "")
        self._send_queue()  # with what the model suggests under the new names

    # ------------------------------------------------------------------ what happens

    def _on_labelled(self, event: Event) -> None:
        self._status()
        if event.kind in ("answer", "skip"):
            if event.event_id not in self._own:
                self._post({"type": "labelled", "item_id": event.item_id})
            return
        if event.kind != "retract":
            return
        kind, item = self._session.kind_undone(event), self._session.item(event.item_id)
        # Of a flag or a comment taken back the card stays where it is.
        if event.target and kind in ("answer", "skip") and item is not None:
            buffers: list[bytes] = []
            card = self._card(item, buffers)
            self._post({"type": "undone", "event_id": event.target, "card": card}, buffers)

    def _on_notice(self, text: str) -> None:
        self._task = dict(self._session.task.asked())
        self._send_status(notice=text)

    def _on_switch(self, switch: Switch) -> None:
        # That typical items come first, and then no longer, is no news.
        if switch.before not in (None, "representative"):
            name = switch.strategy.replace("_", " ")
            self._send_status(notice=f"Next cards by {name}: {switch.reason}.")

    def _on_closed(self, reason: str) -> None:
        self._problem(
            f"This session is closed. {reason}",
            "Run the cell again to go on; labels made here wait on this page until then.",
        )
        self._stop_listening()

    # ------------------------------------------------------------------ what is sent

    def _send_queue(self) -> None:
        # Under the lock, so that an older queue never overtakes a newer one.
        with self._channel.lock:
            # Read first: the cards may go by a newer model than is said, never by an older one.
            version = self._session.version
            buffers: list[bytes] = []
            cards = [
                self._card(i, buffers) for i in self._session.next(self._session.ready, wait=False)
            ]
            message: QueueMessage = {
                "type": "queue",
                "cards": cards,
                "model_version": version,
                "exhausted": self._session.exhausted,
            }
            self._post(message, buffers)

    def _send_reasons(self, item_id: str, draw_id: str | None) -> None:
        try:
            why = self._session.why(item_id, draw_id=draw_id)
        except UnknownItemError:
            return  # it was answered meanwhile
        message: ReasonsMessage = {
            "type": "reasons",
            "item_id": item_id,
            "rank": None if why.rank is None else list(why.rank),
            "neighbours": [
                {
                    "item_id": like.id,
                    "answer": like.answer,
                    "similarity": like.similarity,
                    "text": preview(like.content),
                }
                for like in why.neighbours
            ],
        }
        self._post(message)
        if why.suggestion_shown:  # the words would tell it
            self._meanwhile(self._send_words, item_id)  # every word is one more text to encode

    def _send_words(self, item_id: str) -> None:
        try:
            marks = self._session.driving_words(item_id)
        except Exception:
            log.warning("what drives a suggestion could not be told", exc_info=True)
            return
        if not marks:
            return
        message: WordsMessage = {
            "type": "words",
            "item_id": item_id,
            "marks": [[start, end, round(weight, 4)] for start, end, weight in marks],
        }
        self._post(message)

    def _card(self, item: Item, buffers: list[bytes]) -> Card:
        flag = self._session.flag_of(item.id)
        return card_of(
            item,
            flag=flag.event_id if flag is not None else None,
            buffers=buffers,
            comment=self._session.comment_of(item.id),
        )

    def _meanwhile(self, work: Callable[[str], None], about: str) -> None:
        """Do what takes a moment, while labels go on being saved."""
        Thread(target=work, args=(about,), daemon=True).start()

    def _search(self, word: str) -> None:
        try:
            gathered = self._session.gather(search=word)
        except AlwidgetsError as error:
            self._problem(str(error), "Choose items on the map, or by their ids from a cell.")
            return
        if gathered.items:
            self._send_together(gathered)
            return
        labelled = f"; {gathered.left_out:,} with it have an answer" if gathered.left_out else ""
        self._problem(f"No item to label holds “{word}”{labelled}.", "Search for another word.")

    def _send_together(self, gathered: Gathered) -> None:
        buffers: list[bytes] = []
        message: TogetherMessage = {
            "type": "together",
            "title": gathered.title,
            "cards": [self._card(item, buffers) for item in gathered.items],
            "sample": gathered.sample,
            "left_out": gathered.left_out,
        }
        self._post(message, buffers)

    def _send_earlier(self, before: int | None) -> None:
        found = self._session.history(EARLIER + 1, before)
        rows: list[EarlierRow] = [
            {
                "item_id": past.id,
                "kind": past.kind,
                "answer": past.answer,
                "at": None if past.answered_at is None else past.answered_at.isoformat(),
                "seq": past.seq,
                "text": preview(self._session.pool.contents[self._session.pool.index(past.id)]),
                "flag": past.flagged,
                "comment": past.comment,
            }
            for past in found[:EARLIER]
        ]
        self._post({"type": "earlier", "rows": rows, "more": len(found) > EARLIER})

    def _send_shown(self, item_id: str) -> None:
        item, former = self._session.revisit(item_id)
        buffers: list[bytes] = []
        card = self._card(item, buffers)
        self._post({"type": "shown", "card": card, "former": former}, buffers)

    def _send_status(self, notice: str | None = None) -> None:
        # Under the lock, so that an older status never overtakes a newer one.
        with self._channel.lock:
            self._post(self._status_message(notice))

    def _status_message(self, notice: str | None) -> StatusMessage:
        counts, error = self._session.progress(), self._session.error
        store = self._session.store
        return {
            "type": "status",
            "labelled": counts["labelled"],
            "total": counts["total"],
            "audit": counts["audit"],
            "skipped": counts["skipped"],
            "training": self._session.training,
            "progress": self._session.fit_progress,
            "model_version": self._session.version,
            "error": None if error is None else explain(error),
            "notice": notice,
            "saved_to": store.name if store.persistent else None,
            "round_shown": self._session.round_shown,
            "until_fit": self._session.until_fit,
        }

    def _refuse(self, event_id: str | None, reason: str) -> None:
        self._post({"type": "refused", "event_id": event_id, "reason": reason})

    def _problem(self, text: str, remedy: str) -> None:
        message: ProblemMessage = {"type": "problem", "text": text, "remedy": remedy}
        self._post(message)

    def _post(self, message: ToCards, buffers: list[bytes] | None = None) -> None:
        self._channel.post(message, buffers)


def explain(error: Exception) -> str:
    """Return an error in words: as it is if it is ours, else with its kind."""
    said = str(error) if isinstance(error, AlwidgetsError) else f"{type(error).__name__}: {error}"
    return f"Retraining failed. {said}" + ("" if said.endswith((".", "!", "?")) else ".")
