"""What was drawn, what was answered and what waits: a store's log, replayed and kept up to date.

A ledger is not thread-safe: the session that owns it holds its lock around every call.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .audit import Audit
from .labels import Labels
from .pool import Pool
from .queueing import CardQueue
from .rounds import AuditSample
from .store import Draw, Event, LabelStore, RoundRecord
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
        self.revision = 0
        self.fitted_revision = 0
        self._draws: dict[str, Draw] = {}
        self._audit_draws: list[Draw] = []
        self._undrawn: deque[int] = deque()
        self._done = np.zeros(len(pool), dtype=bool)
        self._classes: Counter[str] = Counter()
        self._replay()

    def _replay(self) -> None:
        draws = self._store.draws()
        self._remember(draws)
        for event in self._store.events():
            self._settle(event)
        drawn = {draw.item_id for draw in self._audit_draws}
        self._undrawn = deque(i for i in self.audit.order if self.pool.ids[i] not in drawn)
        if self.rounds:
            seen = self.rounds[-1].n_train + self.rounds[-1].n_audit
            self.fitted_revision = self.revision - max(0, len(self.labels.answers) - seen)
        # Training draws of an older model were replaced by those of the newest.
        self.queue.extend(
            d
            for d in draws
            if not self.labels.is_done(d.item_id)
            and (d.stream != "train" or d.model_version == self.version)
        )

    # ------------------------------------------------------------------ changing

    def validate(self, event: Event) -> Event:
        """Return the event as it will be stored, or raise what is wrong with it.

        Raises
        ------
        UnknownItemError, AnswerError
        """
        self.pool.index(event.item_id)
        values = {name: getattr(event, name) for name in Event.__slots__}
        values["answer"] = self.task.validate(event.answer) if event.kind == "answer" else None
        if event.draw_id is None and event.kind in ("answer", "skip"):
            draw = self.queue.draw_of(event.item_id)
            values["draw_id"] = draw.draw_id if draw is not None else None
        return Event(**values)

    def apply(self, event: Event) -> None:
        """Take a stored event into account."""
        before, after = self._settle(event)
        if before is after:
            return
        if after is not None:
            self.queue.discard(event.item_id)
        elif before is not None:
            self._wait_again(before)

    def choose(self, item_ids: Sequence[str], model_version: int) -> None:
        """Put items of the person's choice first."""
        size = len(self.pool)
        draws = [Draw(i, "chosen", "chosen", model_version, None, None, size) for i in item_ids]
        self._write(draws)
        self.queue.put_first(draws)

    def pick(self, draws: Iterable[Draw], *, replace: bool) -> None:
        """Let training cards come: instead of those that wait, or after them."""
        fresh = [
            d
            for d in draws
            if not self.labels.is_done(d.item_id)
            and ((waiting := self.queue.draw_of(d.item_id)) is None or waiting.stream == "train")
        ]
        self._write(fresh)
        if replace:
            self.queue.replace_train(fresh)
        else:
            self.queue.extend(fresh)

    def draw_audits(self, cards: int) -> None:
        """Draw the audit cards that are due among so many cards to come."""
        wanted = self.queue.audits_wanted(cards)
        if self.queue.n_train == 0 and not self.candidates().any():
            wanted = max(wanted, cards)  # nothing else is left to ask
        fresh: list[Draw] = []
        waiting: list[Draw] = []
        n_drawn = len(self._audit_draws)
        while len(waiting) < wanted and self._undrawn:
            item_id = self.pool.ids[self._undrawn.popleft()]
            q, remaining = self.audit.probability(n_drawn + len(fresh))
            draw = Draw(item_id, "audit", "random", 0, None, q, remaining)
            fresh.append(draw)
            # One that the person chose before needs no card: its label counts from now on.
            if not self.labels.is_done(item_id) and self.queue.draw_of(item_id) is None:
                waiting.append(draw)
        self._write(fresh)
        self.queue.extend(waiting)

    def add_round(self, record: RoundRecord, revision: int) -> None:
        """Keep a round, whose model saw the labels of this revision."""
        self._store.append_round(record)
        self.rounds.append(record)
        self.fitted_revision = revision

    # ------------------------------------------------------------------ reading

    @property
    def version(self) -> int:
        """Version of the newest model; 0 before there is one."""
        return self.rounds[-1].version if self.rounds else 0

    def is_done(self, index: int) -> bool:
        """Whether the item at a position was answered or skipped."""
        return bool(self._done[index])

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
        for draw in self.queue.chosen:
            free[self.pool.index(draw.item_id)] = False
        return free

    def training_set(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Positions and class codes of the labels to train on; never of the audit's part."""
        positions, codes = [], []
        for item_id, event in self.labels.answers.items():
            index = self.pool.index(item_id)
            if not self.audit.reserved[index]:
                positions.append(index)
                codes.append(self.task.encode(event.answer))
        return np.array(positions, dtype=np.int64), np.array(codes, dtype=np.int64)

    def audit_sample(self) -> AuditSample:
        """Audit labels in the order in which they were drawn; skipped ones are passed over."""
        positions, codes = [], []
        for draw in self._audit_draws:
            event = self.labels.answers.get(draw.item_id)
            if event is not None:
                positions.append(self.pool.index(draw.item_id))
                codes.append(self.task.encode(event.answer))
        n = len(positions)
        q = 1.0 / (len(self.pool) - np.arange(n))
        return AuditSample(
            np.array(positions, dtype=np.int64), np.array(codes, dtype=np.int64), q, len(self.pool)
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
            "audit": sum(1 for d in self._audit_draws if d.item_id in self.labels.answers),
            "skipped": len(self.labels.skipped),
            "flagged": self.labels.n_flagged,
            "total": len(self.pool),
        }

    # ------------------------------------------------------------------ parts

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

    def _wait_again(self, undone: Event) -> None:
        draw = self._draws.get(undone.draw_id or "")
        if draw is None:
            draw = Draw(undone.item_id, "chosen", "chosen", 0, None, None, len(self.pool))
            self._write([draw])
        self.queue.put_first([draw])

    def _count(self, state: Event, step: int) -> None:
        draw = self._draws.get(state.draw_id or "")
        if draw is not None and draw.stream != "chosen":
            self.queue.cards_done += step
            self.queue.audits_done += step * (draw.stream == "audit")
        if state.kind == "answer" and not self._is_reserved(state.item_id):
            self._classes[state.answer] += step

    def _write(self, draws: Sequence[Draw]) -> None:
        self._store.append_draws(draws)
        self._remember(draws)

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
