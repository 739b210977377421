"""The random arm beside the active one, as the curve draws it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..evaluation.risk import Estimate
from .curvewords import sentence


@dataclass(frozen=True)
class Arm:
    """What random labels would have come to.

    Attributes
    ----------
    labels : list of int
        Of each point.
    estimates : list of Estimate
    versions : list of int
        Of the models that the points stand beside.
    ahead : list of (labels, value, low, high)
        Where it goes beyond its labels, by a forecast.
    words : list of str
        Labels saved, the verdict, and why there is no forecast.
    """

    labels: list[int]
    estimates: list[Estimate]
    versions: list[int]
    ahead: list[tuple[int, float, float, float]]
    words: list[str]


def on_arms(session: Any, draw: Callable[[], None]) -> list[Callable[[], None]]:
    """Have it drawn when the arms change; returns what ends that."""
    return [session.on("arms", lambda *_: draw())] if hasattr(session, "arms") else []


def random_arm(session: Any) -> Arm | None:
    """The random arm of a session that compares with one; None of others."""
    arms = session.arms() if hasattr(session, "arms") else None
    if arms is None:
        return None
    points = [point for point in arms.random if point.estimate.known]
    forecast = arms.forecast
    ahead = [] if isinstance(forecast, str) else list(forecast or [])
    words = [str(arms.saved) if arms.saved is not None else "", verdict(arms.difference)]
    if isinstance(forecast, str):
        words.append(forecast)
    return Arm(
        labels=[int(point.n_labels) for point in points],
        estimates=[point.estimate for point in points],
        versions=[int(point.version) for point in points],
        ahead=[(int(p.labels), p.value, p.low, p.high) for p in ahead],
        words=[sentence(line) for line in words if line],
    )


def verdict(difference: Estimate | None) -> str:
    """Whether one arm is ahead of the other, in words."""
    if difference is None or not difference.known:
        return ""
    points, low, high = (100 * x for x in (difference.value, difference.low, difference.high))
    if low > 0 or high < 0:
        ahead = "active labels do" if low > 0 else "random labels do"
        by = f"{abs(points):.1f} points better"
    else:
        ahead, by = "neither arm is ahead", f"{points:+.1f} points"
    return f"{ahead}{':' if low <= 0 <= high else ''} {by} ({low:.1f} to {high:.1f})".replace(
        "-", "\N{MINUS SIGN}"
    )
