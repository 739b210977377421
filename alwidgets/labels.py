"""What stands: the current labels, as a replay of the store's events gives them."""

from __future__ import annotations

from collections.abc import Iterable

from .schema import Event


class Labels:
    """The state that a log of events comes to, kept up to date as events arrive.

    The last answer or skip of an item that was not taken back is the one that stands. An event
    may be taken back before it arrives; it then never counts.

    Parameters
    ----------
    events : iterable of Event
        The log so far.
    """

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self._known: dict[str, Event] = {}
        self._standing: dict[str, Event] = {}
        self._retracted: set[str] = set()
        self._history: dict[str, list[Event]] = {}
        self._flags: dict[str, list[Event]] = {}
        self.answers: dict[str, Event] = {}
        self.skipped: dict[str, Event] = {}
        for event in events:
            self.apply(event)

    def apply(self, event: Event) -> None:
        """Take one more event into account."""
        self._known[event.event_id] = event
        if event.kind == "retract":
            assert event.target is not None
            self._retracted.add(event.target)
            undone = self._standing.pop(event.target, None)
            if undone is not None:
                self._stack(undone).remove(undone)
                self._settle(undone.item_id)
        elif event.event_id not in self._retracted:
            self._standing[event.event_id] = event
            self._stack(event).append(event)
            self._settle(event.item_id)

    @property
    def last(self) -> Event | None:
        """The event that an undo takes back, or None."""
        return next(reversed(self._standing.values()), None)

    def get(self, event_id: str) -> Event | None:
        """Return the event with this id if it stands."""
        return self._standing.get(event_id)

    def find(self, event_id: str) -> Event | None:
        """Return the event with this id, standing or not."""
        return self._known.get(event_id)

    def is_flagged(self, item_id: str) -> bool:
        """Whether the item is marked for a second look."""
        return bool(self._flags.get(item_id))

    def flag_of(self, item_id: str) -> Event | None:
        """The event that flagged the item, or None."""
        flags = self._flags.get(item_id)
        return flags[-1] if flags else None

    @property
    def n_flagged(self) -> int:
        """How many items are flagged."""
        return sum(1 for flags in self._flags.values() if flags)

    def is_done(self, item_id: str) -> bool:
        """Whether the item was answered or skipped."""
        return item_id in self.answers or item_id in self.skipped

    def _stack(self, event: Event) -> list[Event]:
        stacks = self._flags if event.kind == "flag" else self._history
        return stacks.setdefault(event.item_id, [])

    def _settle(self, item_id: str) -> None:
        self.answers.pop(item_id, None)
        self.skipped.pop(item_id, None)
        history = self._history.get(item_id)
        if history:
            (self.answers if history[-1].kind == "answer" else self.skipped)[item_id] = history[-1]
