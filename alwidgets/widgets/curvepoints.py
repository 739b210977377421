"""The figures of a learning curve: a point a round, and where it goes from there."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..audit import NONE_KEPT
from ..errors import AlwidgetsError
from ..estimating import as_shown
from ..evaluation.extrapolation import FEWEST, Forecast, forecast
from ..evaluation.metrics import Metric
from ..evaluation.ratios import RATIOS
from ..evaluation.risk import Estimate, Method, unknown
from ..evaluation.worth import pace
from ..schema import RoundRecord
from .curvelook import Axis, Look

if TYPE_CHECKING:
    import pandas as pd

    from ..session import Session

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Points:
    """A learning curve.

    Attributes
    ----------
    rounds : tuple of RoundRecord
    estimates : tuple of Estimate
        One a round; NaN where nothing can be said.
    forecast : Forecast or None
        Of the estimates; of what is left to 1 where less is better.
    no_forecast : str
        Why there is none, in words.
    classes : dict of str to tuple of Estimate
        The same for every class, where that is asked for; their intervals are for one look.
    method : {"wilson", "anytime"}
        How the intervals of the estimates are made.
    remaining : tuple of Estimate, optional
        One a round, where that is asked for and can be: of what remained in the pool, from the
        batch that its model drew before it was trained on.
    """

    rounds: tuple[RoundRecord, ...] = ()
    estimates: tuple[Estimate, ...] = ()
    forecast: Forecast | None = None
    no_forecast: str = ""
    classes: dict[str, tuple[Estimate, ...]] | None = None
    method: Method = "wilson"
    remaining: tuple[Estimate, ...] | None = None

    @property
    def known(self) -> list[tuple[RoundRecord, Estimate]]:
        """The rounds of which something can be said."""
        pairs = zip(self.rounds, self.estimates, strict=True)
        return [(record, estimate) for record, estimate in pairs if estimate.known]

    @property
    def newest(self) -> Estimate | None:
        """The newest estimate; None before the first round."""
        return self.estimates[-1] if self.estimates else None


def labels_of(record: RoundRecord) -> int:
    """Labels that there were for a round, those of the audit included."""
    return record.n_train + record.n_audit


def is_there(look: Look) -> bool:
    """Whether there is nothing to work out: `at_once` has it."""
    return look.is_as_shown and not look.by_class


def method_of(session: Session, look: Look) -> Method:
    """How the intervals are made: as wished, where the figure is a mean over the whole pool."""
    is_mean = look.metric not in RATIOS or session.task.multilabel
    return look.method if is_mean and look.of is None else "wilson"


def at_once(session: Session) -> Points:
    """The accuracy as it was shown, and the forecast that the stop sign has of it."""
    rounds, sign = tuple(session.rounds), session.stop_sign
    shown = tuple(map(as_shown, rounds))
    if not session.reserved.any():
        shown = (unknown(NONE_KEPT),) * len(rounds)
    return Points(rounds, shown, sign.forecast, sign.no_forecast)


def depends_on(session: Session, look: Look) -> Hashable:
    """What `worked_out` depends on."""
    names, rounds = tuple(session.task.asked()["classes"]), session.rounds
    chosen = (look.metric, look.of, look.hindsight, look.method, look.by_class)
    most = None if look.hindsight or not rounds else rounds[-1].n_audit
    return *chosen, session.version, session.audit_answers(most).tobytes(), names


def worked_out(session: Session, look: Look) -> Points:
    """Any metric of every round, and a forecast of it; takes a moment.

    Raises
    ------
    AlwidgetsError
        If there is no such class any more.
    """
    shown, method = at_once(session), method_of(session, look)
    estimates = shown.estimates
    if not look.is_as_shown:
        asked: dict[str, Any] = {"of": look.of, "hindsight": look.hindsight, "method": method}
        estimates = tuple(session.estimate_rounds(look.metric, **asked))
    if look.is_shown_figure and not any(e.known for e in estimates) and shown.known:
        # What the models said is not kept: their figures are.
        estimates, method = shown.estimates, "wilson"
    # A round may have come in between.
    rounds = tuple(session.rounds[: len(estimates)])
    ahead, why_not = shown.forecast, shown.no_forecast
    if not look.is_shown_figure:
        ahead, why_not = drawn_on(rounds, estimates, look.falls)
    classes = None
    if look.by_class:
        classes = {
            name: tuple(
                session.estimate_rounds(metric_by_class(look), of=name, hindsight=look.hindsight)
            )[: len(rounds)]
            for name in session.task.asked()["classes"]
        }
    return Points(rounds, estimates, ahead, why_not, classes, method)


def metric_by_class(look: Look) -> Metric:
    """What is drawn of each class: what is drawn of all, if it says something of one class."""
    return look.metric if look.metric in ("precision", "recall", "f1") else "recall"


def drawn_on(
    rounds: tuple[RoundRecord, ...], estimates: tuple[Estimate, ...], falls: bool
) -> tuple[Forecast | None, str]:
    """A forecast of these estimates, or None and why there is none."""
    pairs = zip(rounds, estimates, strict=True)
    known = [(labels_of(r), e.value, e.n_eff) for r, e in pairs if e.known and e.n_eff > 0]
    if len(known) < FEWEST:
        there = "there is 1" if len(known) == 1 else f"there are {len(known)}"
        return None, f"A forecast needs at least {FEWEST} points, {there}."
    labels, values, n = (np.array(column, dtype=np.float64) for column in zip(*known, strict=True))
    try:
        return forecast(labels, 1 - values if falls else values, n=n), ""
    except AlwidgetsError as error:
        return None, str(error)


@dataclass(frozen=True)
class Scale:
    """What the labels stand for on the axis.

    Attributes
    ----------
    axis : {"labels", "minutes", "money"}
    title : str
        Of the axis.
    steps : (l + 1,) array
        What 0, 1, … labels came to.
    more : float
        What each further one comes to.
    """

    axis: Axis
    title: str
    steps: Floats
    more: float

    def at(self, labels: ArrayLike) -> Floats:
        """What so many labels come to."""
        n = np.asarray(labels, dtype=np.float64)
        last = len(self.steps) - 1
        within = np.interp(n, np.arange(last + 1), self.steps)
        found: Floats = within + np.maximum(n - last, 0.0) * self.more
        return found


#: The labels themselves.
LABELS = Scale("labels", "labels", np.zeros(1), 1.0)


def scale_of(given: Floats, look: Look) -> tuple[Scale, str]:
    """The scale that a look asks for; or the labels, and why it cannot be, in words.

    Parameters
    ----------
    given : (l,) array
        Seconds that each label took, as `Session.seconds_per_label` returns them.
    look : Look
    """
    if look.axis == "labels":
        return LABELS, ""
    if look.axis == "money" and look.per == "label":
        assert look.cost is not None
        return Scale("money", cost_title(look), np.zeros(1), look.cost), ""
    seconds = pace(given)
    if seconds is None:
        return LABELS, "Too few cards were timed to tell minutes: it is drawn against labels."
    hour = look.cost if look.axis == "money" and look.cost is not None else 60.0
    took = taken(given) / 3600 * hour
    steps = np.concatenate([[0.0], np.cumsum(took)])
    title = "minutes of labelling" if look.axis == "minutes" else cost_title(look)
    return Scale(look.axis, title, steps, seconds / 3600 * hour), ""


def cost_title(look: Look) -> str:
    """Title of an axis of money."""
    return f"cost ({look.currency})" if look.currency else "cost"


def taken(seconds: Floats) -> Floats:
    """Seconds that labels took, as `pace` counts them: pauses cut short, 0 where not timed."""
    is_timed = np.isfinite(seconds) & (seconds > 0)
    if not is_timed.any():
        return np.zeros(len(seconds))
    most = 4 * float(np.median(seconds[is_timed]))
    return np.where(is_timed, np.minimum(np.nan_to_num(seconds), most), 0.0)


def table_of(points: Points, look: Look, given: Floats) -> pd.DataFrame:
    """A row a round: labels, what they came to, the figure and its interval.

    Parameters
    ----------
    points : Points
    look : Look
    given : (l,) array
        As for `scale_of`.
    """
    import pandas as pd

    labels = [labels_of(record) for record in points.rounds]
    columns: dict[str, Any] = {
        "strategy": [record.strategy for record in points.rounds],
        "labels": labels,
        "n_train": [record.n_train for record in points.rounds],
        "n_audit": [record.n_audit for record in points.rounds],
        "metric": look.metric,
        "of": look.of,
        "value": [estimate.value for estimate in points.estimates],
        "low": [estimate.low if estimate.known else np.nan for estimate in points.estimates],
        "high": [estimate.high if estimate.known else np.nan for estimate in points.estimates],
        "n": [estimate.n for estimate in points.estimates],
        "method": [estimate.method for estimate in points.estimates],
        "seconds": [record.seconds for record in points.rounds],
        "at": [record.at for record in points.rounds],
    }
    axes: tuple[Axis, ...] = ("minutes", "money")
    for axis in axes:
        if axis == "money" and look.cost is None:
            continue
        scale, why_not = scale_of(given, replace(look, axis=axis))
        if not why_not:
            columns[axis] = scale.at(labels)
    more = {f"{metric_by_class(look)} of {name}": of for name, of in (points.classes or {}).items()}
    if points.remaining is not None:
        more["remaining pool"] = points.remaining
    for what, estimates in more.items():
        columns[what] = [estimate.value for estimate in estimates]
        columns[f"{what}, low"] = [e.low if e.known else np.nan for e in estimates]
        columns[f"{what}, high"] = [e.high if e.known else np.nan for e in estimates]
    index = pd.Index([record.version for record in points.rounds], name="version")
    return pd.DataFrame(columns, index)
