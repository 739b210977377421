"""What stands: the current labels, as a replay of the store's events gives them.

Events lie in columns, a row each, in the order in which they were stored: a million of them take
some seventy megabytes, and what is asked of all of them is one step of numpy.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .schema import Draw, Event, Kind, Stream
from .tasks import Answer
from .times import NO_TIME, microseconds

#: Codes of the kinds and streams in the columns.
KINDS: tuple[Kind, ...] = ("answer", "skip", "flag", "retract", "comment")
STREAMS: tuple[Stream, ...] = ("train", "audit", "chosen", "imported")
ANSWER, SKIP, FLAG, RETRACT, COMMENT = range(5)
TRAIN, AUDIT, CHOSEN = range(3)
#: What an event may be: it counts, it was taken back, or it was taken back before it arrived.
STANDS, TAKEN_BACK, NEVER = 1, 0, -1
#: No row, no code.
NONE = -1

#: The columns, with what stands in them where there is nothing.
COLUMNS: dict[str, tuple[type[Any], Any]] = {
    "seq": (np.int64, 0),  # of the event, in the store
    "item": (np.int32, NONE),  # position in the pool
    "kind": (np.int8, NONE),
    "state": (np.int8, STANDS),
    "before": (np.int32, NONE),  # row of what stood until then, of rows that changed it
    "target": (np.int32, NONE),  # row of the event that a retract takes back
    "answer": (np.int32, NONE),
    "annotator": (np.int32, NONE),
    "shown": (np.int64, NO_TIME),  # microseconds since 1970, UTC
    "answered": (np.int64, NO_TIME),
    "stream": (np.int8, NONE),  # of the draw, as are those below
    "strategy": (np.int32, NONE),
    "model": (np.int32, NONE),
    "score": (np.float64, np.nan),
    "q": (np.float64, np.nan),
}


def looked_up(table: Mapping[Any, int], names: Sequence[Any], kind: type[Any]) -> NDArray[Any]:
    """What a table has for each of some names; the quickest way there is to ask a dictionary."""
    return np.fromiter(map(table.__getitem__, names), dtype=kind, count=len(names))


class Vocabulary:
    """Texts that occur again and again, and their codes."""

    def __init__(self, names: list[str] | None = None) -> None:
        self.names = names or []
        self._codes: dict[str | None, int] = {None: NONE}
        self._codes |= {name: code for code, name in enumerate(self.names)}

    def code(self, name: str) -> int:
        """Code of a text, new or not."""
        code = self._codes.setdefault(name, len(self.names))
        if code == len(self.names):
            self.names.append(name)
        return code

    def codes(self, names: Sequence[str | None]) -> NDArray[np.int32]:
        """Code of each text, `NONE` where there is none."""
        try:
            return looked_up(self._codes, names, np.int32)
        except KeyError:
            for name in dict.fromkeys(names):
                if name is not None:
                    self.code(name)
        return looked_up(self._codes, names, np.int32)


class Labels:
    """The state that a log of events comes to, kept up to date as events arrive.

    The last answer or skip of an item that was not taken back is the one that stands. An event
    may be taken back before it arrives; it then never counts. What takes back an event of another
    item does nothing.

    Parameters
    ----------
    n_items : int
        Size of the pool; items go by their positions in it.

    Attributes
    ----------
    standing : (n_items,) int32 array
        Row of the answer or skip that stands for each item, or `NONE`.
    n_answers, n_skips : int
        How many items were answered, and how many skipped.
    revision : int
        Goes up with every change of an answer.
    """

    def __init__(self, n_items: int) -> None:
        self.n_events = 0
        self.columns = {
            name: np.full(64, nothing, dtype=kind) for name, (kind, nothing) in COLUMNS.items()
        }
        self.answers, self.annotators, self.strategies = Vocabulary(), Vocabulary(), Vocabulary()
        self.standing = np.full(n_items, NONE, dtype=np.int32)
        self.n_answers = self.n_skips = self.revision = 0
        #: Rows of the flags and remarks of each item, newest last.
        self._marks: dict[int, dict[int, list[int]]] = {FLAG: {}, COMMENT: {}}
        #: Events that were taken back and have not arrived, and for which items.
        self.early: dict[str, set[int]] = {}
        self._last = NONE

    # ------------------------------------------------------------------ changing

    def add(
        self, event: Event, item: int, draw: Draw | None, target: int = NONE
    ) -> tuple[int, int]:
        """Take one more event into account.

        Parameters
        ----------
        event : Event
            With its place in the store.
        item : int
        draw : Draw or None
            The one that it answers.
        target : int
            Row of the event that it takes back; `NONE` where that has not arrived.

        Returns
        -------
        before, after : int
            Rows of what stands for the item, or `NONE`.
        """
        row = self._grow(1)
        put = self.columns
        arrived = target != NONE
        if arrived and put["item"][target] != item:
            target = NONE
        put["seq"][row], put["item"][row] = event.seq, item
        put["kind"][row], put["target"][row] = KINDS.index(event.kind), target
        if event.kind == "answer":
            put["answer"][row] = self.answers.code(json.dumps(event.answer))
        put["annotator"][row] = self.annotators.code(event.annotator)
        put["shown"][row] = microseconds(event.shown_at)
        put["answered"][row] = microseconds(event.answered_at)
        if draw is not None:
            put["stream"][row] = STREAMS.index(draw.stream)
            put["strategy"][row] = self.strategies.code(draw.strategy)
            put["model"][row] = draw.model_version
            put["score"][row] = np.nan if draw.score is None else draw.score
            put["q"][row] = np.nan if draw.q is None else draw.q
        if item in self.early.pop(event.event_id, ()) and event.kind != "retract":
            put["state"][row] = NEVER
        if event.kind == "retract" and not arrived and event.target != event.event_id:
            assert event.target is not None
            self.early.setdefault(event.target, set()).add(item)
        before = int(self.standing[item])
        self.settle(row)
        return before, int(self.standing[item])

    def grow(self, n_items: int) -> None:
        """Know of more items, behind the others."""
        more = np.full(n_items - len(self.standing), NONE, dtype=np.int32)
        self.standing = np.concatenate([self.standing, more])

    def settle(self, row: int) -> None:
        """Let a row that is in the columns count."""
        kind, state = self.columns["kind"][row], self.columns["state"]
        item = int(self.columns["item"][row])
        if kind == RETRACT:
            target = int(self.columns["target"][row])
            if target == NONE or state[target] != STANDS:
                return
            state[target] = TAKEN_BACK
            if target == self._last:
                self._last = self._standing_before(target)
            item = int(self.columns["item"][target])
            marks = self._marks.get(int(self.columns["kind"][target]))
            if marks is not None:
                marks[item].remove(target)
                if not marks[item]:
                    del marks[item]
            elif self.standing[item] == target:
                self.columns["before"][row] = target
                self._stand(item, self._former(target))
            return
        if state[row] == NEVER:
            return
        if kind != COMMENT:
            self._last = row
        if kind in self._marks:
            self._marks[int(kind)].setdefault(item, []).append(row)
        else:
            self.columns["before"][row] = self.standing[item]
            self._stand(item, row)

    def extend(self, columns: dict[str, NDArray[Any]]) -> None:
        """Put rows behind the others; they count once they are settled."""
        n = len(columns["seq"])
        start = self._grow(n)
        for name, values in columns.items():
            self.columns[name][start : start + n] = values

    def settle_all(self) -> None:
        """Let all rows count; called once, before there is any other."""
        n, kind = self.n_events, self.columns["kind"][: self.n_events]
        item, state = self.columns["item"][:n], self.columns["state"][:n]
        # Most items have one event only: these need no order.
        alone = np.bincount(item, minlength=len(self.standing)) == 1
        target = self.columns["target"][:n]
        alone[item[target[target != NONE]]] = False
        rows = np.flatnonzero(alone[item] & (kind <= SKIP) & (state != NEVER))
        self.standing[item[rows]] = rows
        self.n_answers = int((kind[rows] == ANSWER).sum())
        self.n_skips = len(rows) - self.n_answers
        self.revision = self.n_answers
        settled = np.zeros(n, dtype=bool)
        settled[rows] = True
        for row in np.flatnonzero(~settled).tolist():
            self.settle(row)
        self._last = self._standing_before(n)

    # ------------------------------------------------------------------ reading

    def column(self, name: str) -> NDArray[Any]:
        """A column, a view of (n_events,)."""
        return self.columns[name][: self.n_events]

    def answered(self) -> NDArray[np.int32]:
        """Rows of the answers that stand, in the order in which they were given."""
        rows: NDArray[np.int32] = np.sort(self.standing[self.standing != NONE])
        found: NDArray[np.int32] = rows[self.columns["kind"][rows] == ANSWER]
        return found

    def answer(self, row: int) -> Answer:
        """The answer of a row, as it was given; None of other rows."""
        code = int(self.columns["answer"][row])
        return None if code == NONE else json.loads(self.answers.names[code])

    def vocabulary(self) -> list[Answer]:
        """The distinct answers, in the order of the codes in their column."""
        return [json.loads(name) for name in self.answers.names]

    def row_at(self, event: Event) -> int:
        """Row of a stored event, or `NONE`."""
        seqs = self.column("seq")
        row = int(np.searchsorted(seqs, event.seq or 0))
        return row if row < len(seqs) and seqs[row] == event.seq else NONE

    def stands(self, event: Event) -> bool:
        """Whether a stored event was not taken back, and is none that takes another back."""
        row = self.row_at(event)
        return bool(
            row != NONE
            and self.columns["state"][row] == STANDS
            and self.columns["kind"][row] != RETRACT
        )

    def kind_undone(self, event: Event) -> Kind | None:
        """Kind of what a stored retract took back; None where that had not arrived."""
        row = self.row_at(event)
        target = NONE if row == NONE else int(self.columns["target"][row])
        return None if target == NONE else KINDS[self.columns["kind"][target]]

    @property
    def last(self) -> int | None:
        """Place in the store of the event that an undo takes back, or None."""
        return None if self._last == NONE else int(self.columns["seq"][self._last])

    def is_done(self, item: int) -> bool:
        """Whether the item was answered or skipped."""
        return bool(self.standing[item] != NONE)

    def is_answered(self, item: int) -> bool:
        """Whether the item was answered."""
        row = self.standing[item]
        return bool(row != NONE and self.columns["kind"][row] == ANSWER)

    def flag_of(self, item: int) -> int | None:
        """Place in the store of the event that flagged the item, or None."""
        return self._mark_of(FLAG, item)

    def comment_of(self, item: int) -> int | None:
        """Place in the store of the newest remark on the item, or None; it may be an empty one."""
        return self._mark_of(COMMENT, item)

    @property
    def commented(self) -> dict[int, int]:
        """Positions of the items with a remark, and the place in the store of the newest of each.

        It may be an empty one.
        """
        seq = self.columns["seq"]
        return {item: int(seq[rows[-1]]) for item, rows in self._marks[COMMENT].items()}

    @property
    def flagged(self) -> list[int]:
        """Positions of the items that are marked for a second look."""
        return list(self._marks[FLAG])

    # ------------------------------------------------------------------ parts

    def _mark_of(self, kind: int, item: int) -> int | None:
        rows = self._marks[kind].get(item)
        return int(self.columns["seq"][rows[-1]]) if rows else None

    def _stand(self, item: int, row: int) -> None:
        was, kind = int(self.standing[item]), self.columns["kind"]
        of_answers = 0
        for place, step in ((was, -1), (row, +1)):
            if place != NONE:
                is_answer = int(kind[place] == ANSWER)
                of_answers += is_answer
                self.n_answers += step * is_answer
                self.n_skips += step * (1 - is_answer)
        self.revision += of_answers > 0
        self.standing[item] = row

    def _former(self, row: int) -> int:
        """What stood for the item before that row, and still does."""
        before, state = self.columns["before"], self.columns["state"]
        row = int(before[row])
        while row != NONE and state[row] != STANDS:
            row = int(before[row])
        return row

    def _standing_before(self, row: int) -> int:
        """The nearest row before that one that stands and can be taken back."""
        kind, state = self.columns["kind"], self.columns["state"]
        while row > 0:
            row -= 1
            if kind[row] not in (RETRACT, COMMENT) and state[row] == STANDS:
                return row
        return NONE

    def _grow(self, n: int) -> int:
        """Make room for n rows, with nothing in them; the first of them."""
        start, room = self.n_events, len(self.columns["seq"])
        self.n_events += n
        for name, (kind, nothing) in COLUMNS.items():
            if self.n_events > room:
                # What is not used yet is left as it is: to fill a million rows takes a while.
                wider = np.empty(max(self.n_events, 2 * room), dtype=kind)
                wider[:start] = self.columns[name][:start]
                self.columns[name] = wider
            self.columns[name][start : self.n_events] = nothing
        return start
