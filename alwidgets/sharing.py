"""How cards and labels are shared out between active selection and random cards.

The random arm has a random order of the training part of the pool and goes through it. Its next
card is the first in the order without a label; a label that the other arm asked for serves both
once the order has come to it. So its labels are those of a uniform sample of the whole pool, and
not of what active selection left of it.

Labels that neither arm asked for serve both alike: a person chose them, brought them or gave them
before the comparison began. The strategy picks in their light; without them its own labels would
be worth less than they are, and what both have the comparison does not see.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .audit import lots_of
from .errors import AlwidgetsError
from .labels import ANSWER
from .ledger import NOTHING, Ledger
from .readings import training_set
from .schema import Draw
from .store import LabelStore
from .strategies import Selection
from .tasks import Task

Compare = Literal["random", "off"]
COMPARE: tuple[Compare, ...] = ("random", "off")
#: Probability that the next card is that of the arm with fewer labels (Efron, "Forcing a sequential
#: experiment to be balanced", Biometrika 1971): the arms stay level, and no card can be foretold.
COIN = 2 / 3
#: Items of the order that are looked at together.
AT_ONCE = 4_096


@dataclass(frozen=True)
class Shares:
    """What a batch is shared out by.

    Attributes
    ----------
    lots : ndarray of int64
        Positions of the items that come next in the random arm's order, as many as there may be
        cards.
    ahead : int
        Labels that the active arm has more than the random one.
    """

    lots: NDArray[np.int64]
    ahead: int

    def out(self, picked: Selection, n_candidates: int, seed: int) -> Selection:
        """The batch with random cards among those that were picked, by the toss of a coin.

        Parameters
        ----------
        picked : Selection
            Of which those that random cards take the place of are left out.
        n_candidates : int
            That it was picked from.
        seed : int
        """
        n = len(picked.indices)
        if picked.at_random.all():
            return picked  # there is nothing to compare with
        rng = np.random.default_rng([seed, 9])
        queues = iter(range(n)), iter(self.lots.tolist())
        taken: set[int] = set()
        indices, scores, log_q = np.empty(n, np.int64), np.full(n, np.nan), np.empty(n)
        by_lot, ahead = np.zeros(n, dtype=bool), self.ahead
        for slot in range(n):
            share = 0.5 if ahead == 0 else COIN if ahead > 0 else 1 - COIN
            lot = None
            if rng.random() < share:
                lot = next((item for item in queues[1] if item not in taken), None)
            if lot is None:
                at = next(at for at in queues[0] if int(picked.indices[at]) not in taken)
                indices[slot], scores[slot] = picked.indices[at], picked.scores[at]
                log_q[slot] = picked.log_q[at]
            else:
                indices[slot], by_lot[slot] = lot, True
                log_q[slot] = -np.log(n_candidates - slot)
            taken.add(int(indices[slot]))
            ahead += -1 if by_lot[slot] else 1
        return replace(picked, indices=indices, scores=scores, log_q=log_q, at_random=by_lot)


class Sharing:
    """Which labels serve which arm, and what the random arm draws next.

    Whoever calls it holds the lock that the ledger is under.

    Parameters
    ----------
    ledger : Ledger
    store : LabelStore
        Keeps when labels were shared out.
    compare : {"random", "off"} or None
        Begin, or end; None goes on as the store was left.
    seed : int

    Attributes
    ----------
    is_on : bool
        Whether cards are shared out now.
    has_changed : bool
        Whether that was otherwise when the store was left: what waits is to be picked anew.
    begun : bool
        Whether they ever were.
    """

    def __init__(
        self, ledger: Ledger, store: LabelStore, compare: Compare | None, seed: int
    ) -> None:
        self._ledger, self._seed = ledger, seed
        #: Places in the log between which labels were shared out; of the last, the end is open.
        self._spans: list[list[int | None]] = store.shared_spans()
        was_on = bool(self._spans) and self._spans[-1][1] is None
        self.is_on = was_on if compare is None else compare == "random"
        end = int(ledger.labels.column("seq").max(initial=0))
        if self.is_on and not was_on:
            self._spans.append([end, None])
        elif was_on and not self.is_on:
            self._spans[-1][1] = end
        self.has_changed = self.is_on != was_on
        if self.has_changed:
            store.keep_shared_spans(self._spans)
        self.begun = bool(self._spans)
        self._lots = np.empty(0)
        self._order = np.empty(0, dtype=np.int64)
        if self.is_on:
            self.grow()

    def grow(self) -> None:
        """Take in the items that joined: they get their places in the order, by lots."""
        if not self.is_on:
            return
        # By id, as the audit's: an item keeps its lot in whatever order the pool is read.
        ids, there = self._ledger.pool.ids, len(self._lots)
        self._lots = np.append(self._lots, lots_of(ids[there:], f"{self._seed} random arm"))
        free = np.flatnonzero(~self._ledger.audit.reserved)
        self._order = free[np.argsort(self._lots[free])]

    def arms(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Positions of the labels that serve the active arm, and the random one.

        In the order in which they were given; never of the audit's part.
        """
        items, _, at_random, active = training_set(self._ledger)
        shared = self._was_shared(items)
        passed = np.isin(items, self._order[: self._passed()])
        return items[~(at_random & shared)], items[~(active & shared) | passed]

    def shares(self, free: NDArray[np.bool_], n: int, waiting: list[Draw]) -> Shares | None:
        """What the next n cards are shared out by; None where they are not.

        Parameters
        ----------
        free : ndarray of bool
            Which items may be drawn.
        n : int
        waiting : list of Draw
            Cards that come before.
        """
        if not self.is_on:
            return None
        active, random = (len(items) for items in self.arms())
        by_lot = [draw.strategy == "random" for draw in waiting if draw.stream == "train"]
        ahead = active - random + len(by_lot) - 2 * sum(by_lot)
        return Shares(self._next(free, n), ahead)

    def _next(self, free: NDArray[np.bool_], n: int) -> NDArray[np.int64]:
        """The first n of the order that are free."""
        found: list[NDArray[np.int64]] = []
        for start in range(0, len(self._order), AT_ONCE):
            part = self._order[start : start + AT_ONCE]
            found.append(part[free[part]])
            if sum(map(len, found)) >= n:
                break
        return np.concatenate([self._order[:0], *found])[:n]

    def _passed(self) -> int:
        """How many items the order begins with that were answered or skipped."""
        for start in range(0, len(self._order), AT_ONCE):
            standing = self._ledger.standing[self._order[start : start + AT_ONCE]]
            open_ = np.flatnonzero(standing == NOTHING)
            if len(open_):
                return start + int(open_[0])
        return len(self._order)

    def _was_shared(self, items: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of these labelled items were first answered while cards were shared out."""
        labels = self._ledger.labels
        rows = np.flatnonzero(labels.column("kind") == ANSWER)
        answered, first = np.unique(labels.column("item")[rows], return_index=True)
        at = labels.column("seq")[rows[first]][np.searchsorted(answered, items)]
        found = np.zeros(len(items), dtype=bool)
        for since, until in self._spans:
            found |= (at > since) & ((at <= until) if until is not None else True)
        return found


def check_compare(compare: object, strategy: object, audit: float, task: Task) -> None:
    """Raise an `AlwidgetsError` for a comparison that cannot be."""
    if compare is None or compare == "off":
        return
    if compare != "random":
        raise AlwidgetsError(
            f"compare={compare!r} is none: 'random' shares out the cards between the strategy and "
            "random ones, 'off' ends that, None goes on as the store was left. To compare other "
            "strategies, simulate them: al.compare(pool, truth, strategies)."
        )
    if not task.classes:
        raise AlwidgetsError(f"compare='random' compares models, and none is trained for {task!r}.")
    if strategy == "random":
        raise AlwidgetsError(
            "compare='random' compares a strategy with random cards: give another strategy, such "
            "as 'auto'."
        )
    if not audit:
        raise AlwidgetsError(
            "compare='random' is judged by the audit: give audit=0.15, say, not 0."
        )
