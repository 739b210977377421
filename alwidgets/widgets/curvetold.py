"""The header of the curve: what it says of what is drawn, and what can be chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from ..evaluation.metrics import METRICS
from .bundles import bundle
from .curvefigure import Drawing
from .curvelook import Look
from .curveremaining import about_remaining
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


class CurvesHeader(anywidget.AnyWidget):  # type: ignore[misc, unused-ignore]
    """The figure in words, above the figure, and what is drawn."""

    _esm, _css = bundle("curves")
    summary = traitlets.Dict().tag(sync=True)
    advice = traitlets.Dict().tag(sync=True)
    #: What can be chosen, and what is.
    tools = traitlets.Dict().tag(sync=True)
    #: The rounds in words, and the one that is shown.
    rounds = traitlets.Dict().tag(sync=True)
    panels = traitlets.Dict().tag(sync=True)


def told(session: Session, drawing: Drawing, seconds: float | None) -> dict[str, Any]:
    """What the header says: ``headline``, ``detail``, ``picking`` and further ``lines``."""
    look, points, pool = drawing.look, drawing.points, drawing.pool
    price = prices(look, seconds)
    newest = None if look.is_as_shown else points.newest
    lines = [
        waiting_for(session),
        about_target(points, look, pool, price),
        about_budget(points, look, pool, price, session.progress()["labelled"]),
        about_remaining(points, look) if session.task.classes else "",
        *(drawing.arms.words if drawing.arms is not None else ()),
    ]
    interval = INTERVALS[points.method]
    return summarise(session.current, drawing.title, newest, interval, drawing.never) | {
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
