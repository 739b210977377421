"""A learning curve in words: the newest figure, a round, a target, a budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..audit import NONE_KEPT
from ..evaluation.risk import Estimate, Method
from ..evaluation.targets import Reached, crossing, percent_of, reached_by
from ..rounds import Round
from ..schema import RoundRecord, Switch
from .curvelook import Look
from .curvepoints import Points, labels_of

if TYPE_CHECKING:
    from ..session import Session

#: Audit labels below which a figure says little.
FEW = 10
#: What an interval is called.
INTERVALS: dict[Method, str] = {
    "wilson": "95 % interval",
    "anytime": "95 % interval that may be watched all the time",
}


def measure_of(session: Session) -> str:
    """What the estimate of a session measures: of several labels an item counts as a whole."""
    return "every label right" if session.task.multilabel else "accuracy"


def metric_names(session: Session) -> dict[str, str]:
    """What can be drawn, and what it is called."""
    several = session.task.multilabel
    mean = "mean over items" if several else "macro"
    return {
        "accuracy": measure_of(session),
        "error": "some label wrong" if several else "error",
        "f1": f"F1, {mean}",
        "precision": f"precision, {mean}",
        "recall": f"recall, {mean}",
    }


def title_of(session: Session, look: Look) -> str:
    """What a look draws."""
    name = metric_names(session)[look.metric]
    return name if look.of is None else f"{name.partition(',')[0]} of {look.of}"


def summarise(
    newest: Round | None,
    measure: str = "accuracy",
    estimate: Estimate | None = None,
    interval: str = INTERVALS["wilson"],
    never: str = "",
) -> dict[str, str]:
    """Put the newest estimate into words: ``{"headline", "detail"}``.

    Parameters
    ----------
    newest : Round or None
    measure : str
        What is estimated.
    estimate : Estimate, optional
        Of another figure than the accuracy that the round was published with.
    interval : str
        What its interval is called.
    never : str
        As `why_never` has it.
    """
    measure = f"{measure[:1].upper()}{measure[1:]}"
    if never:
        return {"headline": f"{measure}: not estimated", "detail": sentence(never)}
    if newest is None or newest.predictions is None:
        return {
            "headline": f"{measure}: not known yet",
            "detail": "It is estimated after the first retraining, from cards drawn at random.",
        }
    trained = f"{newest.n_train:,} training labels"
    if newest.n_audit == 0:
        return {
            "headline": f"{measure}: no audit labels yet",
            "detail": f"{trained}. Cards drawn at random come up among the others.",
        }
    found = newest.accuracy if estimate is None else estimate
    if not found.known:
        return {"headline": f"{measure}: not known", "detail": f"{sentence(found.method)}"}
    n = newest.n_audit if estimate is None else found.n
    audited = f"{n:,} audit {'label' if n == 1 else 'labels'}"
    skipped = f" ({newest.n_skipped:,} more skipped)" if newest.n_skipped else ""
    few = ": so few say little" if n < FEW else ""
    return {
        "headline": f"{measure} {percent(found)}",
        "detail": (
            f"{interval}, on items not trained on, from {audited} drawn at random{skipped}"
            f"{few} · {trained}"
        ),
    }


def why_never(session: Session) -> str:
    """Why there is no curve in this session, whatever is labelled; nothing where there can be."""
    if not session.task.classes:
        return "no model is trained for this task: its answers are of no class"
    return "" if session.reserved.any() else NONE_KEPT


def waiting_for(session: Session) -> str:
    """What the first model waits for, where labels alone do not bring it; else nothing."""
    if session.version or not session.task.classes:
        return ""
    codes = session.label_codes()
    seen = np.unique(codes[codes >= 0])
    if len(seen) != 1:
        return ""
    n, answer = int((codes >= 0).sum()), session.task.decode(int(seen[0]))
    name = ", ".join(map(str, answer)) or "none" if isinstance(answer, list) else str(answer)
    labels = "The only label is" if n == 1 else f"All {n:,} labels are"
    return f"{labels} “{name}” so far: a model needs a second class."


def picking(switches: list[Switch]) -> str:
    """Say which strategy chooses the cards, and why."""
    if not switches:
        return ""
    newest = switches[-1]
    return f"Cards by {strategy_title(newest.strategy)}: {newest.reason}"


def strategy_title(strategy: str) -> str:
    """A strategy's name for people."""
    return strategy.replace("_", " ")


def percent(figure: Estimate) -> str:
    """Return an estimate for people, such as ``91 % (80 to 97 %)``."""
    return f"{share(figure.value)} ({figure.low * 100:.0f} to {share(figure.high)})"


def share(value: float) -> str:
    """A share as whole percent, such as ``91 %``."""
    return f"{value:.0%}".replace("%", " %")


def brief(record: RoundRecord, estimate: Estimate) -> str:
    """A round in a list."""
    figure = share(estimate.value) if estimate.known else "not known"
    return f"model {record.version} · {labels_of(record):,} labels · {figure}"


def hovered(record: RoundRecord, estimate: Estimate) -> str:
    """A round beside the pointer, in lines."""
    return (
        f"model {record.version}, {labels_of(record):,} labels<br>"
        f"{percent(estimate)} from {estimate.n:,} audit labels"
    )


def looking_back(record: RoundRecord, estimate: Estimate) -> str:
    """A round that is looked at."""
    figure = percent(estimate) if estimate.known else f"not known: {estimate.method}"
    return (
        f"Model {record.version} · {labels_of(record):,} labels · {figure} · next cards by "
        f"{strategy_title(record.strategy)} · trained in {duration(record.seconds)}"
    )


@dataclass(frozen=True)
class Prices:
    """What further labels take.

    Attributes
    ----------
    seconds : float or None
        A label; None where no pace is known.
    cost : float or None
        A label, in `currency`; None where it is not known.
    currency : str
    """

    seconds: float | None = None
    cost: float | None = None
    currency: str = ""

    def of(self, labels: int) -> str:
        """So many labels in time and money, as `` · 14 minutes · 30 €``; nothing if not known."""
        time = "" if self.seconds is None else f" · {duration(labels * self.seconds)}"
        if self.cost is None:
            return time
        return f"{time} · {labels * self.cost:,.0f} {self.currency or '(cost)'}".rstrip()


def prices(look: Look, seconds: float | None) -> Prices:
    """What further labels take, at so many seconds each."""
    cost = look.cost
    if cost is not None and look.per == "hour":
        cost = None if seconds is None else cost * seconds / 3600
    return Prices(seconds, cost, look.currency)


def about_target(points: Points, look: Look, pool: int, price: Prices) -> str:
    """Whether the target is reached, or when it should be; nothing without a target.

    Parameters
    ----------
    points : Points
    look : Look
    pool : int
        Items that there are.
    price : Prices
    """
    if look.target is None:
        return ""
    begin, known = f"Target {percent_of(look.target)}", points.known
    if not known:
        return f"{begin}: nothing is known of the curve yet."
    target = 1 - look.target if look.falls else look.target
    values = [1 - e.value if look.falls else e.value for _, e in known]
    lows = [1 - e.high if look.falls else e.low for _, e in known]
    found = reached_by(values, lows, target)
    if found is not None:
        return f"{begin}: {_reached(found, known, falls=look.falls)}."
    if points.forecast is None:
        return f"{begin}: not reached. {sentence(points.no_forecast)}".strip()
    done, ahead = labels_of(known[-1][0]), crossing(points.forecast, target, pool)
    if ahead.labels is None:
        if ahead.soonest is None:
            return (
                f"{begin}: beyond what the pool can give. By the curve it is not reached with all "
                f"{pool:,} items labelled."
            )
        return (
            f"{begin}: not reached; by the curve not with all {pool:,} items labelled either, at "
            f"best at {ahead.soonest:,} labels."
        )
    soonest = ahead.soonest if ahead.soonest is not None else ahead.labels
    latest = (
        f"more than the {pool:,} items there are" if ahead.latest is None else f"{ahead.latest:,}"
    )
    more = max(0, ahead.labels - done)
    return (
        f"{begin}: not reached; the curve says about {ahead.labels:,} labels ({soonest:,} to "
        f"{latest}), {more:,} more{price.of(more)}."
    )


def _reached(found: Reached, known: list[tuple[RoundRecord, Estimate]], *, falls: bool) -> str:
    """Where a target was reached, and how surely."""
    record, estimate = known[found.place]
    newest = known[-1][1]
    labels = f"{labels_of(record):,} labels"
    if not found.is_sure:
        end = f"up to {share(newest.high)}" if falls else f"down to {share(newest.low)}"
        audited = f"{newest.n:,} audit label{'s' * (newest.n != 1)}"
        return (
            f"perhaps reached at {labels}, not surely yet: the newest interval, from {audited}, "
            f"reaches {end}"
        )
    end = f"up to {share(estimate.high)}" if falls else f"down to {share(estimate.low)}"
    words = f"reached at {labels} (its interval reaches {end})"
    if found.holds:
        return words
    side = "above" if falls else "below"
    return f"{words}; the newest round is {side} it again, at {100 * newest.value:.1f} %"


def about_budget(points: Points, look: Look, pool: int, price: Prices, done: int) -> str:
    """What a budget should bring where so many labels are given; nothing without one."""
    if look.budget is None:
        return ""
    begin, known = f"Budget of {look.budget:,} labels", points.known
    if look.budget > pool:
        begin = (
            f"The budget of {look.budget:,} labels is above the pool; with all its {pool:,} items"
        )
    budget = min(look.budget, pool)
    if budget <= done:
        return f"{begin}: spent, there are {done:,}."
    left = f"{budget - done:,} more{price.of(budget - done)}"
    if not known or points.forecast is None:
        why_not = sentence(points.no_forecast) if known else "Nothing is known of the curve yet."
        return f"{begin}: {left}. {why_not}".strip()
    value, low, high = (float(x[0]) for x in points.forecast.band([budget]))
    if look.falls:
        value, low, high = 1 - value, 1 - high, 1 - low
    figure = percent(Estimate(value, low, high, 0, 0.0, ""))
    return f"{begin}: {left}, for about {figure} by the curve."


def about_forecast(points: Points) -> str:
    """How far the dashed line is to be trusted, or why there is none."""
    found = points.forecast
    if found is None:
        return sentence(points.no_forecast)
    return (
        f"The dashed line is the averaged curve, with its {share(found.confidence)} interval. It "
        f"missed the last rounds by {100 * found.backtest:.1f} points on average; supposing that "
        f"nothing changes, by {100 * found.backtest_last:.1f}."
    )


def about_interval(points: Points, look: Look, title: str, *, has_arms: bool) -> str:
    """Which intervals may not be watched all the time though that is wished; nothing if all may.

    Parameters
    ----------
    points : Points
    look : Look
    title : str
        What is drawn.
    has_arms : bool
        Whether both arms are drawn as well.
    """
    if look.method == "wilson":
        return ""
    if points.method == "wilson" and look.is_shown_figure:
        return (
            "What these models said of the audit labels is not kept: the intervals are of each "
            "point alone."
        )
    if points.method == "wilson":
        return (
            "An interval that may be watched all the time is there for means over the whole pool, "
            f"such as accuracy, not for {title}: this one is of each point alone."
        )
    others = [("the classes", points.classes is not None), ("the arms", has_arms)]
    alone = " and of ".join(name for name, is_drawn in others if is_drawn)
    return f"The intervals of {alone} are of each point alone." if alone else ""


def worst_first(
    classes: dict[str, tuple[Estimate, ...]], most: int
) -> tuple[list[str], Sequence[str]]:
    """Classes by their newest figure, the worst first, those of which none is known last.

    Returns
    -------
    first : list of str
        At most so many.
    others : sequence of str
    """
    newest = {name: found[-1].value if found else np.nan for name, found in classes.items()}
    names = sorted(newest, key=lambda name: (np.isnan(newest[name]), newest[name]))
    return names[:most], names[most:]


def duration(seconds: float) -> str:
    """A time for people."""
    if seconds < 1:
        return f"{max(seconds, 0.01):.2f} s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    if minutes < 90:
        return f"{minutes:.0f} minutes"
    return f"{minutes / 60:.1f} hours"


def sentence(text: str) -> str:
    """Begun with a capital and ended with a full stop."""
    if not text:
        return ""
    return f"{text[0].upper()}{text[1:]}" + ("" if text.endswith((".", "!", "?")) else ".")
