"""What was drawn, what was answered and what waits: a store's log, replayed and kept up to date.

A ledger is not thread-safe: the session that owns it holds its lock around every call.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from .audit import Audit
from .errors import AnswerError
from .labels import Labels
from .pool import Pool
from .queueing import CardQueue
from .schema import Draw, Event, RoundRecord, Switch, now
from .store import LabelStore
from .tasks import Task

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
    revision : int
        Goes up with every change of an answer.
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
        self.labels = Labels()
        self.queue = CardQueue(audit)
        self.rounds = store.rounds()
        self.switches = store.switches()
        self.revision = 0
        self.fitted_revision = 0
        self._draws: dict[str, Draw] = {}
        # Kept up to date item by item: to look through ten million items, or to find some ten
        # thousand labelled ones by their ids, takes too long while someone waits for a card.
        self.standing = np.full(len(pool), NOTHING, dtype=np.int32)
        self.origin = np.full(len(pool), OTHER, dtype=np.int8)
        self.audit_drawn = np.zeros(len(pool), dtype=bool)
        self._open = ~audit.reserved
        self._n_open = int(self._open.sum())
        self._places: dict[str, int] = {}
        self._n_audit_draws = 0
        #: Place in the audit's order before which all is drawn.
        self._undrawn = 0
        self._n_events = 0
        self._train_version = 0
        self._classes: Counter[str] = Counter()
        self._replay()

    def _replay(self) -> None:
        """Do again what was done, in the order in which it was done."""
        # What is not here was drawn and never answered: rows may have been filtered since.
        draws = deque(d for d in self._store.draws() if d.item_id in self.pool)
        self._draws = {draw.draw_id: draw for draw in draws}
        for event in self._store.events():
            self._replay_draws(draws, self._n_events)
            self.apply(event, replaying=True)
        self._replay_draws(draws, self._n_events)
        if self.rounds:
            self.fitted_revision = self.rounds[-1].revision

    def _replay_draws(self, draws: deque[Draw], n_events: int) -> None:
        """Take back in the draws that were made before the next event."""
        ready = []
        while draws and draws[0].after <= n_events:
            ready.append(draws.popleft())
        for (stream, _, version), group in groupby(
            ready, key=lambda d: (d.stream, d.drawn_at, d.model_version)
        ):
            batch = list(group)
            self._remember(batch)
            if stream == "chosen":
                self.queue.put_first(batch)
            elif stream == "audit":
                self.queue.extend(d for d in batch if self._is_free(d.item_id))
            elif version > self._train_version:
                self.queue.replace_train(batch)
                self._train_version = version
            else:
                self.queue.extend(batch)

    # ------------------------------------------------------------------ changing

    def validate(self, event: Event) -> Event:
        """Return the event as it will be stored, or raise what is wrong with it.

        Raises
        ------
        UnknownItemError, AnswerError
        """
        self.pool.index(event.item_id)
        target = self.labels.find(event.target or "")
        if target is not None and target.item_id != event.item_id:
            raise AnswerError(
                f"The event {event.target!r} is one of item {target.item_id!r}, not of "
                f"{event.item_id!r}: it cannot be taken back there."
            )
        answer = self.task.validate(event.answer) if event.kind == "answer" else None
        # The draw by which it waits, or the one named, unless that is of another item.
        draw = self.queue.draw_of(event.item_id) or self._draws.get(event.draw_id or "")
        if draw is not None and draw.item_id != event.item_id:
            draw = None
        draw_id = draw.draw_id if draw is not None else None
        return replace(event, answer=answer, draw_id=draw_id)

    def apply(self, event: Event, *, replaying: bool = False) -> None:
        """Take a stored event into account."""
        self._n_events += 1
        before, after = self._settle(event)
        if before is after:
            return
        if after is not None:
            self.queue.discard(event.item_id)
        elif before is not None:
            self._wait_again(before, replaying)

    def choose(self, item_ids: Sequence[str], model_version: int) -> None:
        """Put items of the person's choice first."""
        size, at = len(self.pool), now()
        draws = [
            Draw(i, "chosen", "chosen", model_version, None, None, size, drawn_at=at)
            for i in item_ids
        ]
        self.queue.put_first(self._write(draws))

    def pick(self, draws: Iterable[Draw], *, instead: bool) -> None:
        """Let training cards come: instead of those that wait, or after them."""
        fresh = [
            d
            for d in draws
            if not self.labels.is_done(d.item_id)
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
        switch = Switch(before, strategy, reason, version, len(self.labels.answers))
        self._store.append_switch(switch)
        self.switches.append(switch)
        return switch

    # ------------------------------------------------------------------ reading

    @property
    def version(self) -> int:
        """Version of the newest model; 0 before there is one."""
        return self.rounds[-1].version if self.rounds else 0

    @property
    def n_done(self) -> int:
        """How many items were answered or skipped."""
        return len(self.labels.answers) + len(self.labels.skipped)

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
        return self._draws.get(event.draw_id or "")

    # ------------------------------------------------------------------ parts

    def _is_free(self, item_id: str) -> bool:
        """Whether an audit draw of the item needs a card.

        One that the person chose before needs none: its label counts from now on.
        """
        return not self.labels.is_done(item_id) and self.queue.draw_of(item_id) is None

    def _settle(self, event: Event) -> tuple[Event | None, Event | None]:
        """Take an event into the labels; return what stood for its item before and after."""
        before = self._state(event.item_id)
        self.labels.apply(event)
        after = self._state(event.item_id)
        if before is not after:
            index = self.index(event.item_id)
            self.standing[index], self.origin[index] = self._code(after), self._origin(after)
            is_open = after is None and not self.audit.reserved[index]
            self._n_open += int(is_open) - int(self._open[index])
            self._open[index] = is_open
            self.revision += any(e is not None and e.kind == "answer" for e in (before, after))
            for state, step in ((before, -1), (after, +1)):
                if state is not None:
                    self._count(state, step)
        return before, after

    def _state(self, item_id: str) -> Event | None:
        return self.labels.answers.get(item_id) or self.labels.skipped.get(item_id)

    def _code(self, state: Event | None) -> int:
        if state is None:
            return NOTHING
        return self.task.encode(state.answer) if state.kind == "answer" else SKIPPED

    def _origin(self, state: Event | None) -> int:
        draw = self.draw_of(state) if state is not None else None
        if draw is None or draw.stream != "train":
            return OTHER
        return RANDOM if draw.strategy == "random" else ACTIVE

    def _is_reserved(self, item_id: str) -> bool:
        return bool(self.audit.reserved[self.index(item_id)])

    def _wait_again(self, undone: Event, replaying: bool) -> None:
        draw = self.draw_of(undone)
        if draw is not None:
            self.queue.put_first([draw])
        elif not replaying:  # else the draw made then is among those to come
            self.choose([undone.item_id], 0)

    def _count(self, state: Event, step: int) -> None:
        draw = self.draw_of(state)
        if draw is not None and draw.stream != "chosen":
            self.queue.cards_done += step
            self.queue.audits_done += step * (draw.stream == "audit")
        if state.kind == "answer" and not self._is_reserved(state.item_id):
            self._classes[state.answer] += step

    def _write(self, draws: Sequence[Draw]) -> list[Draw]:
        placed = [replace(draw, after=self._n_events) for draw in draws]
        self._store.append_draws(placed)
        self._remember(placed)
        return placed

    def _remember(self, draws: Iterable[Draw]) -> None:
        for draw in draws:
            self._draws[draw.draw_id] = draw
            if draw.stream == "audit":
                self.audit_drawn[self.index(draw.item_id)] = True
                self._n_audit_draws += 1
