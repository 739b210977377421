"""Which cards come next: chosen items first, then training cards with audit cards among them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .audit import Audit
from .store import Draw


class CardQueue:
    """Draws that wait to be answered.

    Parameters
    ----------
    audit : Audit
        Decides where an audit card is due, and which one it is.
    """

    def __init__(self, audit: Audit) -> None:
        self._audit = audit
        self._pending: dict[str, Draw] = {}
        self._first: list[Draw] = []
        self._audits: list[Draw] = []
        self._train: list[Draw] = []
        self.cards_done = 0
        self.audits_done = 0

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._pending

    def draw_of(self, item_id: str) -> Draw | None:
        """The draw by which an item waits, or None."""
        return self._pending.get(item_id)

    @property
    def n_waiting(self) -> int:
        """How many cards wait."""
        return len(self._pending)

    @property
    def n_train(self) -> int:
        """How many training cards wait."""
        return len(self._train)

    @property
    def chosen(self) -> list[Draw]:
        """What the person wants next."""
        return list(self._first)

    def upcoming(self) -> list[Draw]:
        """All that waits, in the order in which it comes."""
        cards, audits = self.cards_done, self.audits_done
        train, waiting = iter(self._train), list(self._audits)
        merged = list(self._first)
        while True:
            draw = None
            if waiting and self._audit.is_due(cards, audits):
                draw = waiting.pop(0)
            else:
                draw = next(train, None) or (waiting.pop(0) if waiting else None)
            if draw is None:
                return merged
            cards += 1
            audits += draw.stream == "audit"
            merged.append(draw)

    def audits_wanted(self, cards: int) -> int:
        """How many audit draws are missing for so many cards to come."""
        audits = self.audits_done
        for card in range(self.cards_done, self.cards_done + cards):
            audits += self._audit.is_due(card, audits)
        return max(0, audits - self.audits_done - len(self._audits))

    def replace_train(self, draws: Iterable[Draw]) -> None:
        """Forget the training cards that wait; these come instead."""
        for draw in self._train:
            self._pending.pop(draw.item_id, None)
        self._train = []
        self.extend(draws)

    def extend(self, draws: Iterable[Draw]) -> None:
        """Put draws where their stream says, after what waits there."""
        for draw in draws:
            self.discard(draw.item_id)
            self._pending[draw.item_id] = draw
            self._list(draw).append(draw)

    def put_first(self, draws: Sequence[Draw]) -> None:
        """Put draws before everything else, in their order."""
        for draw in draws:
            self.discard(draw.item_id)
            self._pending[draw.item_id] = draw
        self._first = [*draws, *self._first]

    def discard(self, item_id: str) -> None:
        """Take an item out, if it is in."""
        draw = self._pending.pop(item_id, None)
        if draw is not None:
            for waiting in (self._first, self._audits, self._train):
                if draw in waiting:
                    waiting.remove(draw)

    def _list(self, draw: Draw) -> list[Draw]:
        return {"chosen": self._first, "audit": self._audits, "train": self._train}[draw.stream]
