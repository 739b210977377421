"""What can go wrong, each error naming the thing and the remedy.

Every error is an :class:`AlwidgetsError` and also the built-in kind that a caller would expect
(``ValueError``, ``KeyError``, ``RuntimeError``), so either can be caught.
"""

from __future__ import annotations


class AlwidgetsError(Exception):
    """Base of every error that alwidgets raises on purpose."""


class PoolError(AlwidgetsError, ValueError):
    """The data given cannot be a pool."""


class TaskError(AlwidgetsError, ValueError):
    """The task is not well defined."""


class AnswerError(AlwidgetsError, ValueError):
    """An answer does not belong to the task."""


class UnknownItemError(AlwidgetsError, KeyError):
    """An item id that the pool does not hold."""

    def __str__(self) -> str:
        # KeyError shows the repr of its argument; a sentence should read as one.
        return str(self.args[0]) if self.args else ""


class StoreError(AlwidgetsError, RuntimeError):
    """The label store cannot be opened, read or written."""


class StoreInUseError(StoreError):
    """Another session holds the label store."""


class LearnerError(AlwidgetsError, ValueError):
    """The learner cannot be fitted or asked."""


class NoPosteriorError(LearnerError):
    """The learner has no committee to sample."""


class StrategyError(AlwidgetsError, ValueError):
    """A query strategy is unknown or misbehaves."""


class NoModelError(StrategyError):
    """A query strategy asks for a model, and there is none yet."""


class EvaluationError(AlwidgetsError, ValueError):
    """An estimate cannot be made of what is given."""


class ComparisonError(AlwidgetsError, ValueError):
    """Strategies cannot be compared as asked."""


class MessageError(AlwidgetsError, ValueError):
    """A message from the front end is malformed."""


class ProjectionError(AlwidgetsError, RuntimeError):
    """The map could not be laid out."""


class FewerItemsWarning(UserWarning):
    """More items were asked for than are left."""
