"""The classes of a session, which may change while somebody labels."""

from __future__ import annotations

import copy
from typing import Literal

from .errors import AnswerError
from .modelling import Modelling
from .schema import ClassChange
from .tasks import Classification


class Classes(Modelling):
    """Changes of the classes of a session, kept with its labels."""

    def add_class(self, name: str) -> None:
        """Add a class; labels stay as they are.

        Raises
        ------
        TaskError, AnswerError
            If the name is or was that of another class, or the task has no classes to change.
        """
        change = self._change_classes("add", name, None)
        self._signals.emit("notice", f"Class {change.name!r} added.")

    def rename_class(self, name: str, to: str) -> None:
        """Give a class another name; its labels follow.

        Raises
        ------
        TaskError, AnswerError
            If there is no such class, or the new name is or was that of another one.
        """
        change = self._change_classes("rename", name, to)
        self._signals.emit("notice", f"Class {change.name!r} is called {change.to!r} now.")

    def merge_classes(self, name: str, into: str) -> None:
        """Make a class part of another; its labels follow, and the model is fitted anew.

        Raises
        ------
        TaskError, AnswerError
            If one of them is not there, or one class alone would be left.
        """
        change = self._change_classes("merge", name, into)
        self._signals.emit("notice", f"Class {change.name!r} is part of {change.to!r} now.")
        with self._lock:
            learnt = self._ledger.version > 0
        if learnt:
            self._loop.retrain()

    def _change_classes(
        self, what: Literal["add", "rename", "merge"], name: str, to: str | None
    ) -> ClassChange:
        if not isinstance(self.task, Classification):
            raise AnswerError(f"{self.task!r} has no classes that could change.")
        with self._lock:
            self._check_open()
            changed = copy.copy(self.task)
            # What is logged are the names that the task keeps: a number is taken by its text.
            if what == "add":
                changed.add(name)
                name = changed.choices[-1]
            elif what == "rename":
                changed.rename(name, to)
                to = changed.validate(name)
            else:
                changed.merge(name, to := str(to))
            after = self._ledger.labels.n_events
            change = ClassChange(what, str(name), to, self.annotator, after)
            self.store.append_class_change(change, changed)
            self.task.__dict__.update(changed.__dict__)
            self._ledger.take_stock()
        return change
