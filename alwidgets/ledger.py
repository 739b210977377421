"""What was drawn, what was answered and what waits: a store's log, replayed and kept up to date.

A ledger is not thread-safe: the session that owns it holds its lock around every call.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .audit import Audit
from .checkpoint import Checkpoint
from .errors import AnswerError
from .labels import ANSWER, AUDIT, NONE, TRAIN
from .pool import Pool
from .queueing import CardQueue
from .replay import replay
from .schema import Draw, Event, RoundRecord, Stream, Switch, now
from .store import LabelStore
from .tasks import Task
from .tasks.text import checked_text

NOTHING, SKIPPED = -1, -2
OTHER, RANDOM, ACTIVE = 0, 1, 2


class Ledger:
    """State of a session's labelling.

    Parameters
    ----------
    pool : Pool
    task : Task
    store : LabelStore
        Replayed now; draws are written to it as they are made.
    audit : Audit

    Attributes
    ----------
    labels : Labels
    queue : CardQueue
    rounds : list of RoundRecord
    switches : list of Switch
    fitted_revision : int
        The one that the newest model saw.
    standing : ndarray of int32, shape (n,)
        What stands for each item: the class code of its answer, `NOTHING` or `SKIPPED`.
    origin : ndarray of int8, shape (n,)
        Who put the item on the card of its answer: `RANDOM` for a training card drawn uniformly,
        `ACTIVE` for one that a strategy picked, `OTHER` for all else.
    audit_drawn : ndarray of bool, shape (n,)
        Which items were drawn for the audit.
    """

    def __init__(self, pool: Pool, task: Task, store: LabelStore, audit: Audit) -> None:
        self.pool = pool
        self.task = task
        self._store = store
        self.audit = audit
        self.queue = CardQueue(audit)
        self.rounds = store.rounds()
        self.switches = store.switches()
        self.fitted_revision = self.rounds[-1].revision if self.rounds else 0
        #: Draws made since the store was opened; earlier ones are asked of it.
        self._draws: dict[str, Draw] = {}
        #: What the newest events take back, and the draws of it: see `recall`.
        self._targets: dict[str, Event] = {}
        self._target_draws: dict[str, Draw] = {}
        #: The bulk answers up to a place in the log.
        self._bulks: dict[int, str] = {}
        self._bulks_end = 0
        # Kept up to date item by item: to look through ten million items, or to find some ten
        # thousand labelled ones by their ids, takes too long while someone waits for a card.
        self.standing = np.full(len(pool), NOTHING, dtype=np.int32)
        self.origin = np.full(len(pool), OTHER, dtype=np.int8)
        self.audit_drawn = np.zeros(len(pool), dtype=bool)
        self._open = ~audit.reserved
        self._places: dict[str, int] = {}
        #: Place in the audit's order before which all is drawn.
        self._undrawn = 0
        self._checkpoint = Checkpoint(store, audit.key)
        found = replay(store, pool, self.queue, self._checkpoint)
        self.labels = found.labels
        self.audit_drawn[found.audited] = True
        self._n_audit_draws = len(found.audited)
        #: Newest model that picked training cards.
        self._train_version = found.version
        self._classes: Counter[int] = Counter()
        self.take_stock()
        self._n_open = int(self._open.sum())

    def take_stock(self) -> None:
        """Read off the labels, as the task understands them, what is kept up to date then."""
        column = self.labels.columns
        rows = self.labels.standing[self.labels.standing != NONE]
        items, stream = column["item"][rows], column["stream"][rows]
        codes = np.array([self.task.encode(a) for a in self.labels.vocabulary()] or [0], np.int32)
        answered = column["kind"][rows] == ANSWER
        self.standing[items] = np.where(answered, codes[column["answer"][rows]], SKIPPED)
        at_random = column["strategy"][rows] == self.labels.strategies.code("random")
        by = np.where(at_random, RANDOM, ACTIVE)
        self.origin[items] = np.where(stream == TRAIN, by, OTHER)
        self._open[items] = False
        self.queue.cards_done = int(((stream == TRAIN) | (stream == AUDIT)).sum())
        self.queue.audits_done = int((stream == AUDIT).sum())
        kept = self.standing[items[answered & ~self.audit.reserved[items]]]
        self._classes = Counter(dict(enumerate(np.bincount(kept).tolist())))

    # ------------------------------------------------------------------ changing

    def recall(self, events: Iterable[Event]) -> None:
        """Read at once what some events take back: one by one takes hundreds of them too long.

        What is in the log never changes, so it may be kept; only the newest is.
        """
        ids = dict.fromkeys(e.target for e in events if e.target)
        if len(ids) < 2 or ids.keys() <= self._targets.keys():
            return
        try:
            found = self._store.events_among(ids)
        except UnicodeError:
            return  # no text that can be stored: the event is refused by itself
        self._targets = {event.event_id: event for event in found}
        unknown = [e.seq for e in found if e.draw_id not in self._draws and e.seq is not None]
        draws = self._store.draws_of(unknown).values()
        self._target_draws = {draw.draw_id: draw for draw in draws}

    def validate(self, event: Event, beside: Sequence[Event] = ()) -> Event:
        """Return the event as it will be stored, or raise what is wrong with it.

        Parameters
        ----------
        event : Event
        beside : sequence of Event, optional
            Those that are to be stored with it.

        Raises
        ------
        UnknownItemError, AnswerError
        """
        self.pool.index(event.item_id)
        for target in self._taken_back(event, beside):
            if target.item_id != event.item_id:
                raise AnswerError(
                    f"The event {event.target!r} is one of item {target.item_id!r}, not of "
                    f"{event.item_id!r}: it cannot be taken back there."
                )
        answer = self.task.validate(event.answer) if event.kind == "answer" else None
        # The draw named is that of the card that was seen, even if the item waits by another one
        # since; one of another item says nothing. Whether a label trains is up to the item alone.
        named = self.draw_of(event)
        is_own = named is not None and named.item_id == event.item_id
        draw = named if is_own else self.queue.draw_of(event.item_id)
        draw_id = draw.draw_id if draw is not None else None
        comment = event.comment
        if event.kind == "comment":
            comment = checked_text(comment, "The comment")
        return replace(event, answer=answer, draw_id=draw_id, comment=comment)

    def apply(self, event: Event) -> None:
        """Take a stored event into account."""
        item, undone, target = self.index(event.item_id), None, NONE
        if event.kind == "retract":
            undone = self._event(event.target or "")
            target = NONE if undone is None else self.labels.row_at(undone)
        before, after = self.labels.add(event, item, self.draw_of(event), target)
        if before == after:
            return
        self._settle(item, before, after)
        if after != NONE:
            self.queue.discard(event.item_id)
        elif undone is not None:
            self._wait_again(undone)

    def grow(self, audit: Audit) -> None:
        """Know of the items that joined the pool, and which of them the audit has."""
        n, more = len(self.standing), audit.n_pool - len(self.standing)
        self.audit = audit
        self.queue.follow(audit)
        self.labels.grow(audit.n_pool)
        self.standing = np.concatenate([self.standing, np.full(more, NOTHING, np.int32)])
        self.origin = np.concatenate([self.origin, np.full(more, OTHER, np.int8)])
        self.audit_drawn = np.concatenate([self.audit_drawn, np.zeros(more, dtype=bool)])
        self._open = np.concatenate([self._open, ~audit.reserved[n:]])
        self._n_open += int(self._open[n:].sum())
        self._undrawn = 0  # some that joined may come before those that are drawn
        self._checkpoint = Checkpoint(self._store, audit.key)

    def choose(self, item_ids: Sequence[str], model_version: int) -> None:
        """Put items of the person's choice first."""
        size, at = len(self.pool), now()
        draws = [
            Draw(i, "chosen", "chosen", model_version, None, None, size, drawn_at=at)
            for i in item_ids
        ]
        self.queue.put_first(self._write(draws))

    def draw_beside(
        self, item_ids: Sequence[str], stream: Stream, strategy: str, model_version: int = 0
    ) -> list[Draw]:
        """Draw items whose cards do not wait with the others; these stay as they are."""
        size, at = len(self.pool), now()
        return self._write(
            [
                Draw(i, stream, strategy, model_version, None, None, size, drawn_at=at)
                for i in item_ids
            ]
        )

    def pick(self, draws: Iterable[Draw], *, instead: bool) -> None:
        """Let training cards come: instead of those that wait, or after them."""
        fresh = [
            d
            for d in draws
            if not self.labels.is_done(self.index(d.item_id))
            and ((waiting := self.queue.draw_of(d.item_id)) is None or waiting.stream == "train")
        ]
        written = self._write(fresh)
        if instead:
            self.queue.replace_train(written)
        else:
            self.queue.extend(written)

    def draw_audits(self, cards: int) -> None:
        """Draw the audit cards that are due among so many cards to come."""
        wanted = self.queue.audits_wanted(cards)
        if self.queue.n_train == 0 and not self.n_candidates:
            wanted = max(wanted, cards)  # nothing else is left to ask
        fresh: list[Draw] = []
        place, n_waiting = self.n_audited, 0
        while n_waiting < wanted and place < len(self.audit.order):
            index = self.audit.order[place]
            place += 1
            if self.audit_drawn[index]:
                continue
            item_id = self.pool.ids[index]
            q, remaining = self.audit.probability(self._n_audit_draws + len(fresh))
            fresh.append(Draw(item_id, "audit", "random", 0, None, q, remaining))
            n_waiting += self._is_free(item_id)
        written = self._write(fresh)
        self.queue.extend(d for d in written if self._is_free(d.item_id))

    def add_round(self, record: RoundRecord) -> None:
        """Keep a round."""
        self._store.append_round(record)
        self.rounds.append(record)
        self.fitted_revision = record.revision

    def follow(self, strategy: str, reason: str, version: int) -> Switch | None:
        """Keep that this strategy picks now, if it is another one than before; return that."""
        before = self.switches[-1].strategy if self.switches else None
        if strategy == before:
            return None
        switch = Switch(before, strategy, reason, version, self.labels.n_answers)
        self._store.append_switch(switch)
        self.switches.append(switch)
        return switch

    def close(self) -> None:
        """Keep what a next session would have to read again; the store is still open."""
        audited = np.flatnonzero(self.audit_drawn)
        self._checkpoint.save(self.labels, self.queue, audited, self._train_version)

    # ------------------------------------------------------------------ reading

    @property
    def version(self) -> int:
        """Version of the newest model; 0 before there is one."""
        return self.rounds[-1].version if self.rounds else 0

    @property
    def revision(self) -> int:
        """Goes up with every change of an answer."""
        return self.labels.revision

    @property
    def n_done(self) -> int:
        """How many items were answered or skipped."""
        return self.labels.n_answers + self.labels.n_skips

    @property
    def n_classes_seen(self) -> int:
        """How many classes have a training label."""
        return sum(1 for count in self._classes.values() if count)

    def candidates(self) -> NDArray[np.bool_]:
        """Which items may be picked for training, shape (n,)."""
        free = self._open.copy()
        free[[self.index(item_id) for item_id in self.queue.first]] = False
        return free

    @property
    def n_candidates(self) -> int:
        """How many items may be picked for training."""
        first = [self.index(item_id) for item_id in self.queue.first]
        return self._n_open - int(self._open[first].sum())

    @property
    def n_audited(self) -> int:
        """How many of the audit's items were drawn before the first that was not, in its order."""
        order = self.audit.order
        while self._undrawn < len(order) and self.audit_drawn[order[self._undrawn]]:
            self._undrawn += 1
        return self._undrawn

    def index(self, item_id: str) -> int:
        """Position of an item in the pool, remembered.

        Raises
        ------
        UnknownItemError
        """
        place = self._places.get(item_id)
        if place is None:
            place = self._places[item_id] = self.pool.index(item_id)
        return place

    def draw_of(self, event: Event) -> Draw | None:
        """The draw that an event answers, or None."""
        if event.draw_id is None:
            return None
        known = self._draws.get(event.draw_id) or self._target_draws.get(event.draw_id)
        return known or self._store.draw(event.draw_id)

    def remarks(self) -> dict[int, str]:
        """The remark that stands for each item that has one, by their positions."""
        newest = self.labels.commented
        if not newest:
            return {}
        texts = self._store.comments()
        return {item: texts[seq] for item, seq in newest.items() if texts[seq]}

    def bulks(self) -> dict[int, str]:
        """The bulk answers that events are part of, by the places of the events."""
        # Only what is new is asked for: no index has them, and the whole log may be long.
        self._bulks.update(self._store.bulks(after=self._bulks_end))
        self._bulks_end = int(self.labels.column("seq").max(initial=0))
        return self._bulks

    def rank(self, draw: Draw) -> tuple[int, int] | None:
        """Place of a draw's score among those that its strategy drew by the same model, and theirs.

        None without a score.
        """
        if draw.score is None:
            return None
        scores = self._store.scores(draw.strategy, draw.model_version)
        return 1 + sum(score > draw.score for score in scores), len(scores)

    # ------------------------------------------------------------------ parts

    def _taken_back(self, event: Event, beside: Sequence[Event]) -> list[Event]:
        """What an event takes back, stored or about to be; none if that has not arrived."""
        if not event.target:
            return []
        stored = self._event(event.target)
        if stored is not None:
            return [stored]
        return [other for other in beside if other.event_id == event.target]

    def _event(self, event_id: str) -> Event | None:
        return self._targets.get(event_id) or self._store.event(event_id)

    def _is_free(self, item_id: str) -> bool:
        """Whether an audit draw of the item needs a card.

        One that the person chose, or that was labelled elsewhere, needs none: its label counts
        once all before it in the audit's order are answered.
        """
        done = self.labels.is_done(self.index(item_id))
        return not done and self.queue.draw_of(item_id) is None

    def _settle(self, item: int, before: int, after: int) -> None:
        """Keep up to date what is read off an item's labels."""
        for row, step in ((before, -1), (after, +1)):
            if row != NONE:
                self._count(row, item, step)
        self.standing[item], self.origin[item] = self._code(after), self._origin(after)
        is_open = after == NONE and not self.audit.reserved[item]
        self._n_open += int(is_open) - int(self._open[item])
        self._open[item] = is_open

    def _code(self, row: int) -> int:
        if row == NONE:
            return NOTHING
        answered = self.labels.columns["kind"][row] == ANSWER
        return self.task.encode(self.labels.answer(row)) if answered else SKIPPED

    def _origin(self, row: int) -> int:
        if row == NONE or self.labels.columns["stream"][row] != TRAIN:
            return OTHER
        by = self.labels.strategies.names[self.labels.columns["strategy"][row]]
        return RANDOM if by == "random" else ACTIVE

    def _wait_again(self, undone: Event) -> None:
        draw = self.draw_of(undone)
        if draw is not None and draw.stream != "imported":
            self.queue.put_first([draw])
        else:
            self.choose([undone.item_id], 0)

    def _count(self, row: int, item: int, step: int) -> None:
        stream = self.labels.columns["stream"][row]
        if stream in (TRAIN, AUDIT):
            self.queue.cards_done += step
            self.queue.audits_done += step * int(stream == AUDIT)
        code = self._code(row)
        if code >= 0 and not self.audit.reserved[item]:
            self._classes[code] += step

    def _write(self, draws: Sequence[Draw]) -> list[Draw]:
        placed = [replace(draw, after=self.labels.n_events) for draw in draws]
        self._store.append_draws(placed)
        self._remember(placed)
        return placed

    def _remember(self, draws: Iterable[Draw]) -> None:
        for draw in draws:
            self._draws[draw.draw_id] = draw
            if draw.stream == "audit":
                self.audit_drawn[self.index(draw.item_id)] = True
                self._n_audit_draws += 1
            elif draw.stream == "train":
                self._train_version = max(self._train_version, draw.model_version)
