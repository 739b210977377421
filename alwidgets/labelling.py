"""What a person does in a session: get cards, answer them, take answers back, choose items."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from . import exchange
from .errors import AnswerError, UnknownItemError
from .exchange import ImportReport
from .items import Item, QueueReport
from .modelling import Modelling
from .schema import Draw, Event, Kind, now
from .tasks import Answer, Correction


class Labelling(Modelling):
    """The labelling of a session; its cards show what the model says."""

    def next(self, n: int = 1, *, wait: bool = True) -> list[Item]:
        """Return the items to label next; the same ones until they are answered.

        Parameters
        ----------
        n : int
            At most so many.
        wait : bool
            Wait for a retraining that is due, so that a script sees the newest choice. False
            returns what is ready now.

        Returns
        -------
        list of Item
            Empty when nothing is left.
        """
        self._check_open()
        n = max(n, 0)
        if wait:
            self._loop.run_if_wanted(n)
            self._loop.wait()
        with self._lock:
            self._ledger.draw_audits(n)
            draws = self._ledger.queue.upcoming()[:n]
            if wait and not draws and self.error is not None:
                raise self.error
            return [self._item(draw) for draw in draws]

    def prepare(self, n: int) -> None:
        """See to it, in the background, that n items are ready; ``queue`` tells when they are."""
        self._loop.run_if_wanted(n)

    def record(
        self,
        item_id: str,
        answer: Answer = None,
        *,
        kind: Kind = "answer",
        target: str | None = None,
        event_id: str | None = None,
        draw_id: str | None = None,
        shown_at: str | None = None,
        answered_at: str | None = None,
        annotator: str | None = None,
        comment: str | None = None,
    ) -> Event:
        """Keep an answer; it is on disk when this returns.

        Parameters
        ----------
        item_id : str
        answer : answer of the task
        kind : {"answer", "skip", "flag", "retract", "comment"}
        target : str, optional
            Of a retract: the event to take back.
        event_id : str, optional
            Distinct; the same one again changes nothing.
        draw_id : str, optional
            By default the draw by which the item waits.
        shown_at, answered_at : str, optional
            ISO 8601; `answered_at` is now by default.
        annotator : str, optional
        comment : str, optional
            Of a comment: the remark.

        Returns
        -------
        Event

        Raises
        ------
        UnknownItemError, AnswerError
            If the item is not in the pool, or the answer is not one of the task's.
        StoreError
            If it could not be written; then nothing has changed.
        """
        event = Event(
            event_id=event_id or uuid.uuid4().hex,
            item_id=item_id,
            kind=kind,
            answer=answer,
            target=target,
            draw_id=draw_id,
            annotator=annotator or self.annotator,
            shown_at=shown_at,
            answered_at=answered_at or now(),
            comment=comment,
        )
        fresh = self.commit([event])
        return next((kept for kept in fresh if kept.event_id == event.event_id), event)

    def skip(self, item_id: str) -> Event:
        """Pass over an item; it does not come again by itself."""
        return self.record(item_id, kind="skip")

    def flag(self, item_id: str) -> Event:
        """Mark an item for a second look. `retract` the event to take the mark back."""
        return self.record(item_id, kind="flag")

    def undo(self) -> Event | None:
        """Take back the last event that stands; its card comes again, first.

        A bulk answer is taken back as a whole, and comments are passed over.

        Returns
        -------
        Event or None
            What was taken back; of a bulk answer, the last of its events.
        """
        with self._lock:
            seq = self._ledger.labels.last
            last = None if seq is None else self.store.event_at(seq)
            if last is None:
                return None
            whole = [last] if last.bulk is None else self.store.events(bulk=last.bulk)
            standing = [event for event in whole if self._ledger.labels.stands(event)]
        # The last one first, so that the cards come in the order in which they were answered.
        at = now()
        self.commit(
            Event(
                event_id=uuid.uuid4().hex,
                item_id=event.item_id,
                kind="retract",
                target=event.event_id,
                annotator=self.annotator,
                answered_at=at,
            )
            for event in reversed(standing)
        )
        return last

    def retract(self, event_id: str) -> Event:
        """Take one event back.

        Raises
        ------
        AnswerError
            If no such event stands.
        """
        # The lock is not held further on: listeners are told of it, and they have their own.
        with self._lock:
            target = self.store.event(event_id)
            stands = target is not None and self._ledger.labels.stands(target)
        if target is None or not stands:
            raise AnswerError(f"There is no event {event_id!r} to take back.")
        return self.record(target.item_id, kind="retract", target=event_id)

    def validate(self, event: Event, beside: Sequence[Event] = ()) -> Event:
        """Return the event as it will be stored, or raise what is wrong with it.

        Parameters
        ----------
        event : Event
        beside : sequence of Event, optional
            Those that are to be stored with it: what it takes back may be among them.

        Raises
        ------
        UnknownItemError, AnswerError
        """
        with self._lock:
            return self._ledger.validate(event, beside)

    def recall(self, events: Iterable[Event]) -> None:
        """Read at once what some events take back, before each of them is validated."""
        with self._lock:
            self._ledger.recall(events)

    def commit(self, events: Iterable[Event]) -> list[Event]:
        """Validate events and store them all in one transaction.

        Returns
        -------
        list of Event
            Those that are new.
        """
        with self._lock:
            self._check_open()
            fresh = self._keep(events)
        for event in fresh:
            self._signals.emit("labelled", event)
        if fresh:
            self._loop.run_if_wanted(self.ready)
        return fresh

    def import_labels(
        self,
        frame: Any,
        *,
        answer: str = "answer",
        id: str | None = None,
        annotator: str = "imported",
    ) -> ImportReport:
        """Take labels that were made elsewhere; they are marked so, and train like others.

        An item that has an answer here keeps it. The same frame again changes nothing.

        Parameters
        ----------
        frame : pandas.DataFrame, polars.DataFrame or pyarrow.Table
        answer : str
            Column of the labels; a row without one is passed over.
        id : str, optional
            Column of item ids; ``item_id`` where there is one. Without ids the rows are those
            that the pool was made of.
        annotator : str
            Who made them.

        Raises
        ------
        PoolError, UnknownItemError, AnswerError
            If a row does not belong here, naming it; then none is taken.
        """
        found, missing = exchange.answers(frame, self.pool, self.task, answer, id)
        with self._lock:
            self._check_open()
            labels, index = self._ledger.labels, self._ledger.index
            new = [(i, a) for i, a in found if not labels.is_answered(index(i))]
            items = [item_id for item_id, _ in new]
            draws = self._ledger.draw_beside(items, "imported", "imported")
            at = now()
            events = [
                Event(
                    event_id=uuid.uuid4().hex,
                    item_id=item_id,
                    kind="answer",
                    answer=given,
                    draw_id=draw.draw_id,
                    annotator=annotator,
                    answered_at=at,
                )
                for (item_id, given), draw in zip(new, draws, strict=True)
            ]
            fresh = self._keep(events)
        own = {event.event_id for event in events}
        taken = sum(event.event_id in own for event in fresh)
        report = ImportReport(taken, len(found) - taken, missing)
        self._signals.emit("queue")
        self._signals.emit("notice", f"{report}.")
        self._loop.run_if_wanted(self.ready)
        return report

    def queue(self, ids: Sequence[str]) -> QueueReport:
        """Put items of your choice before the others.

        Parameters
        ----------
        ids : sequence of str

        Raises
        ------
        UnknownItemError
            If one of them is not in the pool; then none is queued.
        """
        if isinstance(ids, str):
            raise UnknownItemError(f"queue takes a list of ids, not a text: queue([{ids!r}]).")
        with self._lock:
            self._check_open()
            positions = {item_id: self.pool.index(item_id) for item_id in ids}
            labels = self._ledger.labels
            fresh = [i for i, position in positions.items() if not labels.is_answered(position)]
            self._ledger.choose(fresh, self.version)
            kept = sum(self._ledger.audit.reserved[positions[i]] for i in fresh)
        self._signals.emit("queue")
        return QueueReport(len(fresh), len(positions) - len(fresh), int(kept))

    def _keep(self, events: Iterable[Event]) -> list[Event]:
        given = list(events)
        self._ledger.recall(given)
        checked = [self._ledger.validate(event, given) for event in given]
        fresh = self.store.append([self._suggested.note(event) for event in checked])
        for event in fresh:
            self._ledger.apply(event)
        return fresh

    def upcoming(self) -> list[str]:
        """Ids on the next cards, in order."""
        with self._lock:
            return [draw.item_id for draw in self._ledger.queue.upcoming()[: self.ready]]

    def item(self, item_id: str) -> Item | None:
        """The card of an item that waits, or None."""
        with self._lock:
            draw = self._ledger.queue.draw_of(item_id)
            return self._item(draw) if draw is not None else None

    @property
    def exhausted(self) -> bool:
        """Whether every item was answered or skipped."""
        return self._ledger.n_done >= len(self.pool)

    def event(self, event_id: str) -> Event | None:
        """The event with this id, whether or not it was taken back."""
        return self.store.event(event_id)

    def kind_undone(self, event: Event) -> Kind | None:
        """Kind of what a stored retract took back; None where that had not arrived."""
        with self._lock:
            return self._ledger.labels.kind_undone(event)

    def flag_of(self, item_id: str) -> Event | None:
        """The event that flagged an item, or None if it is not flagged."""
        with self._lock:
            seq = self._ledger.labels.flag_of(self._ledger.index(item_id))
        return None if seq is None else self.store.event_at(seq)

    def _item(self, draw: Draw) -> Item:
        index = self.pool.index(draw.item_id)
        said = self.suggestion(index)
        current = self.current
        is_hidden = (
            bool(self.reserved[index]) and current is not None and current.predictions is not None
        )
        if said is not None and not self._suggested.remember(draw, said[0]):
            said, is_hidden = None, True
        answer, confidence = said or (None, None)
        content, metadata = self.pool.contents[index], self.pool.metadata_of(index)
        start = None
        if isinstance(self.task, Correction):
            start = self.task.starting_text(content, metadata)
        return Item(
            id=draw.item_id,
            index=index,
            content=content,
            metadata=metadata,
            draw_id=draw.draw_id,
            stream=draw.stream,
            strategy=draw.strategy,
            score=draw.score,
            model_version=draw.model_version,
            suggestion=answer,
            confidence=confidence,
            start=start,
            suggestion_hidden=is_hidden,
        )
