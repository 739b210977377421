"""What remains in the pool: each batch as a test of the model that drew it, beside the curve."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from ..evaluation.risk import Estimate, complement, unknown
from .curvelook import Look
from .curvepoints import Points, Scale, labels_of
from .curvewords import percent, sentence
from .lines import LINE_COLOURS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..schema import RoundRecord
    from ..session import Session

NAME = "remaining pool"
COLOUR = LINE_COLOURS[4]
BEGIN = "Of what remains in the pool, before each batch is trained on"
NOT_HERE = "no batch of this round was drawn since the session was opened"
#: Of whom there is nothing to draw.
SAMPLE = "Strategies that sample their cards, such as margin, bring a line."


def can_be(look: Look) -> bool:
    """Whether there is a line beside what a look draws."""
    return look.metric in ("accuracy", "error") and look.of is None


def of_batches(
    session: Session, look: Look, rounds: Sequence[RoundRecord]
) -> tuple[Estimate, ...] | None:
    """What the batches say of each round's model; None where that is not asked for, or cannot be.

    Of the batches of a model the one with the most labels counts.
    """
    if not (look.remaining and can_be(look)):
        return None
    found: dict[int, Estimate] = {}
    for version, *figures, n, n_eff, method in session.prequential().itertuples():
        value, low, high = figures
        estimate = Estimate(value, low, high, int(n), n_eff, method)
        before = found.get(version)
        if before is None or (before.known, before.n) < (estimate.known, estimate.n):
            found[version] = complement(estimate) if look.falls else estimate
    return tuple(found.get(record.version, unknown(NOT_HERE)) for record in rounds)


def about_remaining(points: Points, look: Look) -> str:
    """What the line says, or why there is nothing to draw; nothing where it is not asked for."""
    if not look.remaining:
        return ""
    if not can_be(look):
        return f"{BEGIN}, there are accuracy and error of all classes together alone."
    found = points.remaining or ()
    known = [estimate for estimate in found if estimate.known]
    if known:
        n = known[-1].n
        labels = "the one label" if n == 1 else f"the {n:,} labels"
        return (
            f"{BEGIN}: {percent(known[-1])}, from {labels} of the newest batch that tells. What is "
            "hard is labelled first, so the rest gets easier: the audit is not replaced by it."
        )
    if not found:
        return f"{BEGIN}: no model has drawn a batch yet."
    tested = [estimate for estimate in found if estimate.n]
    if tested:
        return f"{BEGIN}: nothing to draw. {sentence(tested[-1].method)} {SAMPLE}"
    return f"{BEGIN}: nothing to draw yet. {sentence(found[-1].method)}"


def remaining_line() -> Any:
    """The trace, without a point yet."""
    return go.Scatter(
        name=NAME,
        mode="lines+markers",
        line={"color": COLOUR, "width": 2, "dash": "dot"},
        marker={"size": 7, "symbol": "circle-open", "line": {"width": 2}},
        error_y={"color": COLOUR, "thickness": 1, "width": 3},
        hovertemplate="%{text}<extra></extra>",
        visible=False,
    )


def fill_remaining(
    trace: Any, points: Points, scale: Scale
) -> tuple[list[float], list[tuple[float, float]]]:
    """Show the line; returns where its points are on the level axis, and their intervals."""
    pairs = zip(points.rounds, points.remaining or (), strict=False)
    known = [(record, estimate) for record, estimate in pairs if estimate.known]
    trace.visible = bool(known)
    x: list[float] = scale.at([labels_of(record) for record, _ in known]).tolist()
    trace.x, trace.y = x, [e.value for _, e in known]
    trace.error_y.array = [e.high - e.value for _, e in known]
    trace.error_y.arrayminus = [e.value - e.low for _, e in known]
    trace.customdata = [record.version for record, _ in known]
    trace.text = [
        f"remaining pool, model {record.version}<br>"
        f"{percent(e)} from {e.n:,} labels of its next batch"
        for record, e in known
    ]
    return x, [(e.low, e.high) for _, e in known]
