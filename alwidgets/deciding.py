"""What a person decides from a session's advice: whether to go on, and by which strategy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import readings
from .advising import StopSign
from .arguments import check_strategy
from .arms import Arms
from .errors import AlwidgetsError
from .evaluation.saved import Saved
from .evaluation.worth import Worth, pace, worth
from .hub import Hub
from .sharing import Compare
from .strategies import AUTO, suited


class Deciding(Hub):
    """The advice of a session; whoever labels decides."""

    @property
    def stop_sign(self) -> StopSign:
        """Whether to go on labelling, and why, as of the newest round; it stops nothing.

        It is up once the last models agree on a fixed set of up to 2,000 items that need no
        label, and where every item has a label or was skipped. ``advice`` tells of a new one.

        Examples
        --------
        >>> import alwidgets as al
        >>> pool = al.Pool.from_texts(["win a prize", "see you at six", "claim your prize"])
        >>> print(al.Session(pool, al.Classification(["ham", "spam"])).stop_sign)
        Go on: 6 models are compared, there is none yet
        """
        return self._loop.sign

    def worth(
        self,
        *,
        volume: float | None = None,
        cost_of_error: float | None = None,
        cost_of_label: float | None = None,
    ) -> Worth:
        """What the next 100 labels are worth: in points, in minutes and, with prices, in money.

        Where fewer items are left, of as many labels as these can still get.

        From the audit's estimates and from how many predictions change; an 80 % interval. The
        minutes are those of the newest answers.

        Parameters
        ----------
        volume : float, optional
            Items that the model will decide about.
        cost_of_error, cost_of_label : float, optional
            In one currency. All three or none.

        Raises
        ------
        AlwidgetsError
            If there are too few rounds to say, nothing is left to label, or some of the prices are
            missing.
        """
        sign = self.stop_sign
        if sign.forecast is None:
            raise AlwidgetsError(f"{sign.no_forecast[:1].upper()}{sign.no_forecast[1:]}")
        with self._lock:
            _, seconds = readings.timed(self._ledger)
        return worth(
            sign.forecast,
            seconds_per_label=pace(seconds),
            volume=volume,
            cost_of_error=cost_of_error,
            cost_of_label=cost_of_label,
        )

    def seconds_per_label(self) -> NDArray[np.float64]:
        """How long each label that stands took to give.

        Returns
        -------
        ndarray of float64, shape (l,)
            Seconds, in the order in which the labels were given; NaN of those whose cards were not
            timed, such as imported ones. Those of one bulk answer share the time of their grid.
            `al.stopping.pace` makes one figure of them.
        """
        with self._lock:
            return readings.seconds_given(self._ledger)

    @property
    def strategy(self) -> str | Callable[..., Any]:
        """What picks the cards. Another one can be set at any time; its cards come at once.

        Raises
        ------
        StrategyError
            If there is no such strategy, or it is for the other kind of tasks.
        """
        return self._strategy

    @strategy.setter
    def strategy(self, strategy: str | Callable[..., Any]) -> None:
        self._check_open()
        check_strategy(suited(strategy, self.task.multilabel), self.task)
        self._strategy = strategy
        self._loop.change_strategy(strategy)

    @property
    def losing(self) -> str | None:
        """Evidence that random cards would do better than the strategy's, in words, or None."""
        current = self._loop.current
        verdict = self._loop.arms.verdict() or (current.verdict if current is not None else None)
        if self._strategy in ("random", AUTO) or verdict is None:
            return None
        return verdict.losing

    @property
    def compare(self) -> Compare:
        """What the strategy is compared with in this run: ``"random"``, or ``"off"``."""
        return "random" if self._loop.arms.is_on else "off"

    def arms(self, *, wait: bool = False) -> Arms:
        """Active selection beside random cards, in a session that shares out its cards.

        With ``compare="random"`` a model of its own is fitted on the labels of each arm after every
        round, in the background; ``arms`` tells when there are new ones. The random arm has a
        uniform sample of the pool: cards that were drawn for it, and labels that active selection
        asked for and its lot would have come to. Labels that a person chose, brought, or gave
        before the comparison began serve both. After `pool.extend` random cards go to the new
        items first; until these have caught up there are no new points.

        Parameters
        ----------
        wait : bool
            Until the fits under way have ended.

        Returns
        -------
        Arms
            The points of both arms, all judged by the audit labels that there are now; their
            difference; a forecast of the random arm; and how many labels were saved. What cannot
            be said is NaN, or empty, and says why.

        Notes
        -----
        The strategy picks by the session's model, which knows the labels of both arms, and leaves
        to the random arm what that has. In a session to itself it may do better: over 10 runs on
        handwritten digits it saved 70 of 130 labels, as an arm 45, which so few runs cannot tell
        from chance (``tests/bench/saved.py``).

        Examples
        --------
        >>> print(session.arms().saved)  # doctest: +SKIP
        Active selection saved 71 labels (38 to 96) of the 150 that random cards needed for 91 %
        """
        if wait:
            self._loop.arms.wait()
        return self._loop.arms.arms()

    def labels_saved(self, target: float | None = None) -> Saved:
        """How many labels active selection saved on the way to an accuracy.

        Parameters
        ----------
        target : float, optional
            Accuracy, above 0 and below 1. By default the highest that both arms have reached:
            for more, a bound is all that the labels tell.

        Raises
        ------
        EvaluationError
            For a target that is no accuracy.
        """
        return self._loop.arms.saved(target)
