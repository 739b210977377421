"""Small curves, one a class, side by side, as the front end draws them."""

from __future__ import annotations

from typing import Any

from .curvelook import Look
from .curvepoints import Points, Scale, labels_of, metric_by_class
from .curvewords import percent, worst_first

#: Classes that are shown; the others are said to be there.
MOST = 12
NO_PANELS: dict[str, Any] = {"title": "", "panels": [], "more": "", "axes": "", "end": 1.0}


def panels(points: Points, look: Look, scale: Scale) -> dict[str, Any]:
    """The figure of each class by the rounds, the worst class first.

    Returns
    -------
    dict
        ``title``, ``panels`` (each with ``name``, ``words`` and ``points``: x, value, low and high
        of a round), ``more``: what is not shown, ``axes``: what all have in common, both in words,
        and ``end``: of the level axis.
    """
    classes = points.classes or {}
    first, others = worst_first(classes, MOST)
    x = scale.at([labels_of(record) for record in points.rounds]).tolist()
    found = []
    for name in first:
        estimates = classes[name]
        newest = estimates[-1] if estimates else None
        words = "not known yet"
        if newest is not None:
            words = percent(newest) if newest.known else f"not known: {newest.method}"
        drawn = [
            [at, e.value, e.low, e.high] for at, e in zip(x, estimates, strict=True) if e.known
        ]
        found.append({"name": name, "words": words, "points": drawn})
    metric = {"f1": "F1"}.get(metric_by_class(look), metric_by_class(look).capitalize())
    more = ""
    if others:
        left = "1 class is" if len(others) == 1 else f"{len(others):,} classes are"
        more = f"{left} not shown, of higher figures or not known ones."
    return {
        "title": f"{metric} of each class, the lowest first",
        "panels": found,
        "more": more,
        "axes": f"Each from 0 to 100 %, by 0 to {x[-1] if x else 0:,.0f} {scale.title}.",
        "end": x[-1] if x else 1.0,
    }
