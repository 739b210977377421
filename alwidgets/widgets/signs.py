"""The stop sign above the curve, in words, and the messages that come from there.

The same shapes stand in ``js/src/curves``; both test suites read the examples in
``js/fixtures/messages``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from ..errors import AlwidgetsError, MessageError
from .curvewords import sentence

if TYPE_CHECKING:
    from ..session import Session

MAX_NAME = 100


class StrategyMessage(TypedDict):
    """Cards are to be picked by another strategy."""

    type: Literal["strategy"]
    name: str


def strategy_of(message: Any) -> str:
    """The strategy that a message asks for.

    Raises
    ------
    MessageError
        If it is no such message.
    """
    name = message.get("name") if isinstance(message, dict) else None
    if not isinstance(name, str) or message.get("type") != "strategy" or len(name) > MAX_NAME:
        raise MessageError("This is no message of the curves: {'type': 'strategy', 'name': …}.")
    return name


def advise(session: Session) -> dict[str, Any]:
    """What the sign of a session says: ``{"stop", "title", "reason", "worth", "losing"}``.

    Nothing before there are enough models to compare, unless nothing is left to label.
    """
    sign = session.stop_sign
    if sign.used_up:
        title, reason = "Nothing is left to label.", sentence(sign.reason)
    elif not sign.criteria or math.isnan(sign.criteria[0].value):
        title, reason = "", ""
    else:
        title = "Enough labels?" if sign.stop else "Go on labelling."
        reason = sentence(sign.reason)
    return {
        "stop": sign.stop,
        "title": title,
        "reason": reason,
        "worth": _worth(session),
        "losing": "" if sign.used_up else sentence(session.losing or ""),
    }


def _worth(session: Session) -> str:
    """What the next labels are worth, and how far such forecasts were off."""
    found = session.stop_sign.forecast
    if found is None:
        return ""
    try:
        worth = session.worth()
    except AlwidgetsError:
        return ""  # a newer round has too few points
    missed = f"The curve missed the last rounds by {100 * found.backtest:.1f} points on average."
    return f"{sentence(str(worth))} {missed}"
