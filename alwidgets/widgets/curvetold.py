"""What the header of the curve says of what is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..evaluation.metrics import METRICS
from .curvefigure import Drawing
from .curvelook import Look
from .curvewords import (
    INTERVALS,
    about_budget,
    about_target,
    brief,
    looking_back,
    metric_names,
    picking,
    prices,
    summarise,
    waiting_for,
)

if TYPE_CHECKING:
    from ..session import Session


def told(session: Session, drawing: Drawing, seconds: float | None) -> dict[str, Any]:
    """What the header says: ``headline``, ``detail``, ``picking`` and further ``lines``."""
    look, points, pool = drawing.look, drawing.points, drawing.pool
    price = prices(look, seconds)
    newest = None if look.is_as_shown else points.newest
    lines = [
        waiting_for(session),
        about_target(points, look, pool, price),
        about_budget(points, look, pool, price),
        *(drawing.arms.words if drawing.arms is not None else ()),
    ]
    return summarise(session.current, drawing.title, newest, INTERVALS[points.method]) | {
        "picking": picking(session.switches),
        "lines": [line for line in lines if line],
    }


def choices(session: Session, look: Look) -> dict[str, Any]:
    """What can be chosen, ``metrics`` and ``classes``, and the ``look`` that is."""
    names = metric_names(session) if session.task.classes else {}
    return {
        "metrics": [{"by": by, "name": names[by]} for by in METRICS if by in names],
        "classes": classes_of(session),
        "look": look.to_json(),
    }


def classes_of(session: Session) -> list[str]:
    """The classes that can be given; none of a task without any."""
    return list(session.task.asked()["classes"]) if session.task.classes else []


def rounds_of(drawing: Drawing) -> dict[str, Any]:
    """The rounds in words, ``all`` of them, the version ``shown`` or None, and its ``words``."""
    pairs = list(zip(drawing.points.rounds, drawing.points.estimates, strict=True))
    shown = drawing.shown
    return {
        "all": [{"version": r.version, "words": brief(r, e)} for r, e in pairs],
        "shown": shown,
        "words": next((looking_back(r, e) for r, e in pairs if r.version == shown), ""),
    }
