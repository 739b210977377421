"""The random arm beside the active one, as the curve draws them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..arms import NOT_COMPARED, ArmPoint, Arms
from ..evaluation.extrapolation import Ahead
from ..evaluation.risk import Estimate
from .curvewords import sentence

CATCHING_UP = (
    "Items have joined: random cards go to these first, and both arms go on once they are a fair "
    "share of the labels"
)


@dataclass(frozen=True)
class Drawn:
    """Both arms, so far as something is known of them.

    Attributes
    ----------
    active, random : list of ArmPoint
    ahead : list of Ahead
        Where the random arm goes beyond its labels, by a forecast.
    words : list of str
        Labels saved, and whether one arm is ahead.
    """

    active: list[ArmPoint]
    random: list[ArmPoint]
    ahead: list[Ahead]
    words: list[str]


def drawn(arms: Arms) -> Drawn | None:
    """What there is to draw; None of a session that does not share out its cards."""
    if arms.saved.why_not == NOT_COMPARED:
        return None
    words = [str(arms.saved), verdict(arms.difference), CATCHING_UP if arms.catching_up else ""]
    return Drawn(
        active=_known(arms.active),
        random=_known(arms.random),
        ahead=arms.forecast,
        words=[sentence(line) for line in words if line],
    )


def verdict(difference: Estimate) -> str:
    """Whether one arm is ahead of the other, in words; nothing where that is not known."""
    if not difference.known:
        return ""
    value, low, high = (100 * x for x in (difference.value, difference.low, difference.high))
    interval = f"({low:+.1f} to {high:+.1f})"
    if low > 0:
        words = f"With as many labels, active selection is ahead by {value:.1f} points {interval}"
    elif high < 0:
        words = f"With as many labels, random cards are ahead by {-value:.1f} points {interval}"
    else:
        words = f"With as many labels, neither is ahead: {value:+.1f} points {interval}"
    return words.replace("-", "\N{MINUS SIGN}")


def _known(points: Sequence[ArmPoint]) -> list[ArmPoint]:
    return [point for point in points if point.estimate.known]
