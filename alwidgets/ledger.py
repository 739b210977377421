"""What was drawn, what was answered and what waits: a store's log, replayed and kept up to date.

A ledger is not thread-safe: the session that owns it holds its lock around every call.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .audit import Audit
from .errors import AnswerError
from .labels import Labels
from .pool import Pool
from .queueing import CardQueue
from .rounds import AuditSample
from .schema import Draw, Event, RoundRecord, Switch, now
from .store import LabelStore
from .tasks import Task

if TYPE_CHECKING:
    import pandas as pd


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
        self._audit_draws: list[Draw] = []
        self._undrawn: deque[int] = deque()
        self._n_events = 0
        self._train_version = 0
        self._done = np.zeros(len(pool), dtype=bool)
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
        drawn = {draw.item_id for draw in self._audit_draws}
        self._undrawn = deque(i for i in self.audit.order if self.pool.ids[i] not in drawn)

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
        if self.queue.n_train == 0 and not self.candidates().any():
            wanted = max(wanted, cards)  # nothing else is left to ask
        n_drawn = len(self._audit_draws)
        fresh: list[Draw] = []
        n_waiting = 0
        while n_waiting < wanted and self._undrawn:
            item_id = self.pool.ids[self._undrawn.popleft()]
            q, remaining = self.audit.probability(n_drawn + len(fresh))
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
        free = ~(self._done | self.audit.reserved)
        for item_id in self.queue.first:
            free[self.pool.index(item_id)] = False
        return free

    def training_set(
        self,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
        """Positions and class codes of the labels to train on, and where they come from.

        The last two say which were drawn uniformly, and which a strategy picked. In the order in
        which they were given; never of the audit's part.
        """
        positions, codes, at_random, active = [], [], [], []
        for item_id, event in self.labels.answers.items():
            index = self.pool.index(item_id)
            if not self.audit.reserved[index]:
                positions.append(index)
                codes.append(self.task.encode(event.answer))
                draw = self._draws.get(event.draw_id or "")
                strategy = draw.strategy if draw is not None and draw.stream == "train" else None
                at_random.append(strategy == "random")
                active.append(strategy not in (None, "random"))
        return (
            np.array(positions, dtype=np.int64),
            np.array(codes, dtype=np.int64),
            np.array(at_random, dtype=bool),
            np.array(active, dtype=bool),
        )

    def timed(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Positions of the answered items whose cards were timed, and the seconds they took."""
        positions, seconds = [], []
        for item_id, event in self.labels.answers.items():
            if event.shown_at and event.answered_at:
                # A script may have written any text there.
                with suppress(ValueError, TypeError):
                    begin = datetime.fromisoformat(event.shown_at)
                    took = datetime.fromisoformat(event.answered_at) - begin
                    positions.append(self.pool.index(item_id))
                    seconds.append(took.total_seconds())
        return np.array(positions, dtype=np.int64), np.array(seconds, dtype=np.float64)

    def audit_sample(self) -> AuditSample:
        """Audit labels in the order in which they were drawn; skipped ones are passed over.

        Items that join the pool take their places in the order. Only those before the first one
        not drawn yet count, for they alone are a random sample of the pool as it is now.
        """
        positions, codes, skipped = [], [], 0
        drawn = {draw.item_id for draw in self._audit_draws}
        for index in self.audit.order:
            item_id = self.pool.ids[index]
            if item_id not in drawn:
                break
            event = self.labels.answers.get(item_id)
            if event is not None:
                positions.append(index)
                codes.append(self.task.encode(event.answer))
            skipped += item_id in self.labels.skipped
        n = len(positions)
        return AuditSample(
            items=np.array(positions, dtype=np.int64),
            codes=np.array(codes, dtype=np.int64),
            q=1.0 / (len(self.pool) - np.arange(n)),
            population=len(self.pool),
            skipped=skipped,
        )

    def label_codes(self) -> NDArray[np.int32]:
        """Class code of every item, shape (n,); -1 where there is no answer."""
        codes = np.full(len(self.pool), -1, dtype=np.int32)
        for item_id, event in self.labels.answers.items():
            codes[self.pool.index(item_id)] = self.task.encode(event.answer)
        return codes

    def to_frame(self) -> pd.DataFrame:
        """The labels that stand, as `Session.labels` describes them."""
        import pandas as pd

        audited = {draw.item_id for draw in self._audit_draws}
        rows = []
        for item_id, event in self.labels.answers.items():
            draw = self._draws.get(event.draw_id or "")
            use = "train"
            if self._is_reserved(item_id):
                use = "audit" if item_id in audited else "held"
            rows.append(
                {
                    "item_id": item_id,
                    "answer": event.answer,
                    "annotator": event.annotator,
                    "answered_at": event.answered_at,
                    "shown_at": event.shown_at,
                    "stream": draw.stream if draw else "chosen",
                    "use": use,
                    "strategy": draw.strategy if draw else None,
                    "score": draw.score if draw else None,
                    "q": draw.q if draw else None,
                    "model_version": draw.model_version if draw else None,
                    "flagged": self.labels.is_flagged(item_id),
                }
            )
        return pd.DataFrame(rows, columns=LABEL_COLUMNS).set_index("item_id")

    def progress(self) -> dict[str, int]:
        """Counts of items: labelled, of them in the audit, skipped, flagged, total."""
        return {
            "labelled": len(self.labels.answers),
            "audit": len(self.audit_sample().items),
            "skipped": len(self.labels.skipped),
            "flagged": self.labels.n_flagged,
            "total": len(self.pool),
        }

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
            self._done[self.pool.index(event.item_id)] = after is not None
            self.revision += any(e is not None and e.kind == "answer" for e in (before, after))
            for state, step in ((before, -1), (after, +1)):
                if state is not None:
                    self._count(state, step)
        return before, after

    def _state(self, item_id: str) -> Event | None:
        return self.labels.answers.get(item_id) or self.labels.skipped.get(item_id)

    def _is_reserved(self, item_id: str) -> bool:
        return bool(self.audit.reserved[self.pool.index(item_id)])

    def _wait_again(self, undone: Event, replaying: bool) -> None:
        draw = self._draws.get(undone.draw_id or "")
        if draw is not None:
            self.queue.put_first([draw])
        elif not replaying:  # else the draw made then is among those to come
            self.choose([undone.item_id], 0)

    def _count(self, state: Event, step: int) -> None:
        draw = self._draws.get(state.draw_id or "")
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
                self._audit_draws.append(draw)


LABEL_COLUMNS = (
    "item_id",
    "answer",
    "annotator",
    "answered_at",
    "shown_at",
    "stream",
    "use",
    "strategy",
    "score",
    "q",
    "model_version",
    "flagged",
)
