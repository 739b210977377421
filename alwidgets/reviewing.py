"""The look back: remarks, earlier cards, and whether the suggestions swayed the answers."""

from __future__ import annotations

import numpy as np

from . import anchoring
from .anchoring import Anchoring
from .errors import AnswerError
from .items import Item, Past
from .labelling import Labelling
from .labels import ANSWER, NONE, SKIP
from .schema import Event
from .tasks import Answer
from .times import moment

#: Rows of the log that are looked at in one step.
AT_ONCE = 4_096


class Reviewing(Labelling):
    """The look back in a session."""

    def comment(self, item_id: str, text: str) -> Event:
        """Put a remark on an item, in the place of the one that it has; an empty one takes it off.

        It is no answer: `undo` passes over it, and `retract` of the event takes it back.

        Raises
        ------
        UnknownItemError, AnswerError
            If the item is not in the pool, or the remark is longer than 10,000 characters.
        """
        return self.record(item_id, kind="comment", comment=text)

    def comment_of(self, item_id: str) -> str | None:
        """The remark on an item, or None."""
        with self._lock:
            seq = self._ledger.labels.comment_of(self._ledger.index(item_id))
        return None if seq is None else self.store.event_at(seq).comment or None

    def history(self, n: int = 50, before: int | None = None) -> list[Past]:
        """What was answered or skipped, and stands; the newest first.

        Parameters
        ----------
        n : int
            At most so many.
        before : int, optional
            Only what was stored before this place in the log: the `seq` of the last one, to
            go on from there.

        Examples
        --------
        >>> import alwidgets as al
        >>> pool = al.Pool.from_texts(["win a prize", "see you at six"], ids=["a", "b"])
        >>> session = al.Session(pool, al.Classification(["ham", "spam"]), audit=0)
        >>> for item_id, answer in [("a", "ham"), ("b", "ham"), ("a", "spam")]:
        ...     _ = session.record(item_id, answer)
        >>> [(past.id, past.answer) for past in session.history()]
        [('a', 'spam'), ('b', 'ham')]
        """
        with self._lock:
            labels = self._ledger.labels
            end = labels.n_events
            if before is not None:
                end = int(np.searchsorted(labels.column("seq"), before))
            rows: list[int] = []
            while end > 0 and len(rows) < n:
                start = max(0, end - AT_ONCE)
                items = labels.column("item")[start:end]
                standing = labels.standing[items] == np.arange(start, end)
                stands = np.flatnonzero(standing & (labels.column("kind")[start:end] <= SKIP))
                rows += (start + stands[::-1]).tolist()
                end = start
            return [self._past(row) for row in rows[: max(n, 0)]]

    def _past(self, row: int) -> Past:
        labels, at = self._ledger.labels, int(self._ledger.labels.columns["answered"][row])
        item, is_answer = int(labels.columns["item"][row]), labels.columns["kind"][row] == ANSWER
        remark = labels.comment_of(item)
        return Past(
            id=self.pool.ids[item],
            kind="answer" if is_answer else "skip",
            answer=self.task.validate(labels.answer(row)) if is_answer else None,
            answered_at=moment(at),
            seq=int(labels.columns["seq"][row]),
            flagged=labels.flag_of(item) is not None,
            comment=None if remark is None else self.store.event_at(remark).comment or None,
        )

    def revisit(self, item_id: str) -> tuple[Item, Answer | None]:
        """Return the card of an item that was answered or skipped, and the answer that stands.

        An answer with the card's `draw_id` takes the place of that one and counts for the same
        draw; the answer is None of what was skipped. The draw of a label that was made elsewhere
        stays with it: a new one is made.

        Raises
        ------
        UnknownItemError, AnswerError
            If there is no such item, or it has no answer.
        """
        with self._lock:
            self._check_open()
            row = int(self._ledger.labels.standing[self._ledger.index(item_id)])
            if row == NONE:
                raise AnswerError(
                    f"Item {item_id!r} has no answer yet; queue([{item_id!r}]) puts it on a card."
                )
            former = self._past(row)
            draw = self._ledger.draw_of(self.store.event_at(former.seq))
            if draw is None or draw.stream == "imported":
                (draw,) = self._ledger.draw_beside([item_id], "chosen", "again", self.version)
        return self._item(draw), former.answer

    def anchoring(self) -> Anchoring:
        """Report whether people agree with the model more where they see what it says.

        Compares the training cards that showed the suggestion with those on which it was hidden,
        at random: ``Session(…, hide_suggestions=0.1)``. Each answer that stands is held against
        what the model said when its card was handed out, which is the model of that time: as
        models get better, both shares rise. Audit cards show no suggestion and have other items,
        so they are kept apart; so are cards chosen by the person.

        Returns
        -------
        Anchoring
            Agreement with and without, and the difference with its 95 % interval.
        """
        with self._lock:
            labels = self._ledger.labels
            standing = labels.column("seq")[labels.answered()]
        return anchoring.report(self.store, standing)
