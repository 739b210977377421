"""What the header of the curve says of what is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .curvefigure import Drawing
from .curvewords import (
    about_budget,
    about_target,
    brief,
    looking_back,
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
    newest = None if look.is_shown_figure else points.newest
    lines = [
        waiting_for(session),
        about_target(points, look, pool, price),
        about_budget(points, look, pool, price),
        *(drawing.arms.words if drawing.arms is not None else ()),
    ]
    return summarise(session.current, drawing.title, newest) | {
        "picking": picking(session.switches),
        "lines": [line for line in lines if line],
    }


def rounds_of(drawing: Drawing) -> dict[str, Any]:
    """The rounds in words, ``all`` of them, the version ``shown`` or None, and its ``words``."""
    pairs = list(zip(drawing.points.rounds, drawing.points.estimates, strict=True))
    shown = drawing.shown
    return {
        "all": [{"version": r.version, "words": brief(r, e)} for r, e in pairs],
        "shown": shown,
        "words": next((looking_back(r, e) for r, e in pairs if r.version == shown), ""),
    }
