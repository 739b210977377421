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

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .audit import Audit, lots_of
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


@dataclass(frozen=True)
class Order:
    """The random arm's order of the training part of a pool: by lots, the lowest first.

    Attributes
    ----------
    lots : ndarray of float64, shape (n,)
        Of every item of the pool.
    items : ndarray of int64
        Positions of the training part.
    """

    lots: NDArray[np.float64]
    items: NDArray[np.int64]

    def grown(self, ids: Sequence[str], audit: Audit) -> Order:
        """That of a pool with more items behind these: they take their places by their lots."""
        # By id, as the audit's: an item keeps its lot in whatever order the pool is read.
        more = lots_of(ids[len(self.lots) :], f"{audit.seed} random arm")
        lots = np.append(self.lots, more)
        free = np.flatnonzero(~audit.reserved)
        return Order(lots, free[np.argsort(lots[free])])

    def passed(self, standing: NDArray[np.int32], n: int) -> NDArray[np.int64]:
        """What the order of the first n items of the pool begins with that is done.

        Parameters
        ----------
        standing : ndarray of int32
            `NOTHING` for what was neither answered nor skipped.
        n : int
        """
        found: list[NDArray[np.int64]] = []
        for start in range(0, len(self.items), AT_ONCE):
            part = self.items[start : start + AT_ONCE]
            part = part[part < n]
            open_ = np.flatnonzero(standing[part] == NOTHING)
            if len(open_):
                found.append(part[: open_[0]])
                break
            found.append(part)
        return np.concatenate([self.items[:0], *found])


NO_ORDER = Order(np.empty(0), np.empty(0, dtype=np.int64))


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

    Attributes
    ----------
    is_on : bool
        Whether cards are shared out now.
    has_changed : bool
        Whether that was otherwise when the store was left: what waits is to be picked anew.
    begun : bool
        Whether they ever were.
    order : Order
        Empty while cards are not shared out.
    """

    def __init__(self, ledger: Ledger, store: LabelStore, compare: Compare | None) -> None:
        self._ledger = ledger
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
        self.order = NO_ORDER
        #: How many items the pool has, and had before.
        self._sizes: set[int] = set()
        #: The labels of both arms, as of so many events.
        self._found: tuple[int, tuple[NDArray[np.int64], NDArray[np.int64]]] | None = None
        self._catching_up = False
        self.follow(self.grown(ledger.pool.ids, ledger.audit))

    def grown(self, ids: Sequence[str], audit: Audit) -> Order:
        """The order of a pool that has more items behind these; takes a moment, and no lock."""
        return self.order.grown(ids, audit) if self.is_on else self.order

    def follow(self, order: Order) -> None:
        """Go by the order of the grown pool."""
        self.order = order
        self.had([len(order.lots)])

    def had(self, sizes: Iterable[int]) -> None:
        """Know how many items the pool had at some time."""
        self._sizes.update(sizes)
        self._found = None

    def arms(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Positions of the labels that serve the active arm, and the random one.

        In the order in which they were given; never of the audit's part.
        """
        seen = self._ledger.labels.n_events
        if self._found is None or self._found[0] != seen:
            self._found = seen, self._shared_out()
        return self._found[1]

    def is_catching_up(self) -> bool:
        """Whether items joined that the random arm's labels are no uniform sample of yet."""
        self.arms()
        return self._catching_up

    def _shared_out(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        items, _, at_random, active = training_set(self._ledger)
        shared = self._was_shared(items)
        # An item that joins takes its place by its lot, often among those that the order has come
        # to. These stay the arm's: they are a uniform sample of the pool as it was, so every size
        # that the pool had counts by itself. What joined among them is what random cards are drawn
        # from next; until it has caught up, old and new together are a sample of neither pool.
        parts = {n: self.order.passed(self._ledger.standing, n) for n in self._sizes}
        passed = np.unique(np.concatenate([self.order.items[:0], *parts.values()]))
        self._catching_up = len(passed) > len(parts[len(self.order.lots)])
        passed = np.isin(items, passed)
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
        order = self.order.items
        for start in range(0, len(order), AT_ONCE):
            part = order[start : start + AT_ONCE]
            found.append(part[free[part]])
            if sum(map(len, found)) >= n:
                break
        return np.concatenate([order[:0], *found])[:n]

    def _was_shared(self, items: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of these labelled items were first answered while cards were shared out."""
        labels = self._ledger.labels
        rows = np.flatnonzero(labels.column("kind") == ANSWER)[::-1]
        first: NDArray[Any] = np.empty(len(self._ledger.standing), dtype=np.int64)
        first[labels.column("item")[rows]] = labels.column("seq")[rows]  # of several, the last
        at = first[items]
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
