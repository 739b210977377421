"""Which cards come next: chosen items first, then training cards with audit cards among them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence

from .audit import Audit
from .schema import Draw


class CardQueue:
    """Draws that wait to be answered.

    Parameters
    ----------
    audit : Audit
        Decides where an audit card is due, and which one it is.
    """

    def __init__(self, audit: Audit) -> None:
        self._audit = audit
        self._first: OrderedDict[str, Draw] = OrderedDict()
        self._audits: dict[str, Draw] = {}
        self._train: dict[str, Draw] = {}
        self.cards_done = 0
        self.audits_done = 0

    def follow(self, audit: Audit) -> None:
        """Go by the audit of the grown pool."""
        self._audit = audit

    def draw_of(self, item_id: str) -> Draw | None:
        """The draw by which an item waits, or None."""
        waiting = (self._first, self._audits, self._train)
        return next((part[item_id] for part in waiting if item_id in part), None)

    @property
    def n_waiting(self) -> int:
        """How many cards wait."""
        return len(self._first) + len(self._audits) + len(self._train)

    @property
    def n_train(self) -> int:
        """How many training cards wait, those that come first aside."""
        return len(self._train)

    @property
    def first(self) -> list[str]:
        """Items that come before all others: chosen by the person, or taken back."""
        return list(self._first)

    @property
    def parts(self) -> tuple[list[Draw], list[Draw], list[Draw]]:
        """What comes first, the audit cards and the training cards that wait, each in order."""
        first, audits, train = self._first, self._audits, self._train
        return list(first.values()), list(audits.values()), list(train.values())

    def upcoming(self) -> list[Draw]:
        """All that waits, in the order in which it comes."""
        cards, audits = self._done_after_first()
        train, waiting = iter(self._train.values()), iter(self._audits.values())
        merged = list(self._first.values())
        while True:
            due = self._audit.is_due(cards, audits)
            draw = next(waiting if due else train, None) or next(train if due else waiting, None)
            if draw is None:
                return merged
            cards += 1
            audits += draw.stream == "audit"
            merged.append(draw)

    def audits_wanted(self, cards: int) -> int:
        """How many audit draws are missing for so many cards to come."""
        done, audits = self._done_after_first()
        missing = -audits - len(self._audits)
        for card in range(done, done + cards - len(self._first)):
            audits += self._audit.is_due(card, audits)
        return max(0, audits + missing)

    def replace_train(self, draws: Iterable[Draw]) -> None:
        """Forget the training cards that wait; these come instead."""
        self._train = {}
        self.extend(draws)

    def extend(self, draws: Iterable[Draw]) -> None:
        """Put draws where their stream says, after what waits there."""
        for draw in draws:
            self.discard(draw.item_id)
            parts = {"chosen": self._first, "audit": self._audits, "train": self._train}
            parts[draw.stream][draw.item_id] = draw

    def put_first(self, draws: Sequence[Draw]) -> None:
        """Put draws before everything else, in their order."""
        for draw in reversed(draws):
            self.discard(draw.item_id)
            self._first[draw.item_id] = draw
            self._first.move_to_end(draw.item_id, last=False)

    def discard(self, item_id: str) -> None:
        """Take an item out, if it is in."""
        for waiting in (self._first, self._audits, self._train):
            waiting.pop(item_id, None)

    def _done_after_first(self) -> tuple[int, int]:
        """Cards and audit cards, those answered and those that come first together."""
        streams = [draw.stream for draw in self._first.values()]
        cards = self.cards_done + len(streams) - streams.count("chosen")
        return cards, self.audits_done + streams.count("audit")
