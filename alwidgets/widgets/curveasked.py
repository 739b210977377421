"""What is asked of a curve, in its figure: a level line for a target, an upright one for a budget.

Their labels keep away from each other, from the curve and from the legend.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from .curvelook import Look
from .curvepoints import Scale
from .curvewords import share
from .lines import LINE_COLOURS

Ends: TypeAlias = tuple[float, float]

LINE = {"color": LINE_COLOURS[2], "width": 1.5, "dash": "dash"}
#: Share of the upright axis that a label takes, with some room.
HIGH = 0.1
#: Share of the level axis beyond which a label at the right end runs into the budget's line.
NEAR = 0.75


@dataclass(frozen=True)
class Area:
    """What the plot shows.

    Attributes
    ----------
    level, upright : (float, float)
        Ends of both axes.
    line : list of (float, float)
        The points of the curve and of its forecast, from left to right.
    """

    level: Ends
    upright: Ends
    line: Sequence[tuple[float, float]] = ()

    def at(self, x: float) -> float:
        """How high the curve is at a place, or at the end that is nearest; NaN without one."""
        if not self.line:
            return math.nan
        places, heights = zip(*self.line, strict=True)
        return float(np.interp(x, places, heights))


def asked(look: Look, scale: Scale, pool: int, area: Area) -> list[dict[str, Any]]:
    """The lines and their labels, as shapes of plotly.

    Parameters
    ----------
    look : Look
    scale : Scale
    pool : int
        Items that there are.
    area : Area
    """
    shapes, budget = [], budget_at(look, scale, pool)
    if (target := look.target) is not None:
        at = {"x0": 0, "x1": 1, "xref": "paper", "y0": target, "y1": target}
        shapes.append(_line(at, f"target {share(target)}", _beside_target(target, budget, area)))
    if look.budget is not None:
        at = {"x0": budget, "x1": budget, "y0": 0, "y1": 1, "yref": "paper"}
        shapes.append(_line(at, "budget", _beside_budget(budget, area, falls=look.falls)))
    return shapes


def budget_at(look: Look, scale: Scale, pool: int) -> float:
    """Where the budget is on the level axis; 0 without one."""
    return 0.0 if look.budget is None else float(scale.at(min(look.budget, pool)))


def _line(at: dict[str, Any], text: str, place: dict[str, str]) -> dict[str, Any]:
    label = {"text": text, "textangle": 0, **place}
    return {"type": "line", "line": LINE, "label": label, **at}


def _beside_target(target: float, budget: float, area: Area) -> dict[str, str]:
    """Away from the budget's line, and on that side of its own line where the curve is not."""
    end, (low, high) = area.level[1], area.upright
    at_end = budget < NEAR * end
    has_room = high - target > HIGH * (high - low)
    is_under = area.at(end if at_end else end / 2) >= target
    return {
        "textposition": "end" if at_end else "middle",
        "xanchor": "right" if at_end else "center",
        "yanchor": "bottom" if has_room and not is_under else "top",
    }


def _beside_budget(x: float, area: Area, *, falls: bool) -> dict[str, str]:
    """At the foot of the line, or at its head where a curve falls, on the side that has room."""
    return {
        "textposition": "end" if falls else "start",
        "xanchor": "right" if x > area.level[1] / 2 else "left",
        "yanchor": "top" if falls else "bottom",
    }
