"""The figure of a learning curve: its lines and bands, made once and filled anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ..arms import ArmPoint
from ..evaluation.risk import Estimate, Method
from ..schema import RoundRecord, Switch
from .curvearms import Drawn
from .curveasked import Area, asked, budget_at
from .curvebands import Extent, arm_of, band_of, spread
from .curvelook import Look
from .curvepoints import LABELS, Points, Scale, labels_of
from .curveremaining import NAME as REMAINING
from .curveremaining import fill_remaining, remaining_line
from .curvewords import hovered, percent, share, strategy_title
from .lines import FONT, LINE_COLOURS, dashed

ACTIVE, ARM, RANDOM = LINE_COLOURS[0], LINE_COLOURS[3], "#8A8A8A"
SWITCH_COLOUR = "rgba(128, 128, 128, 0.75)"
#: How much of a colour a band and that of a forecast have.
BAND, AHEAD = 0.22, 0.11
#: Points of a line that is drawn on.
STEPS = 40
#: How far it is drawn on, as a share of the labels there are, where nothing else is asked for.
FURTHER = 0.5
#: Rounds beyond which their points are smaller.
MANY = 30
#: Pixels from a point within which it is meant.
REACH = 24

#: The traces that are always there, by name; strategies come after them.
FIXED = (
    "95 % interval",
    "random, 95 % interval",
    "forecast, 80 % interval",
    "random, forecast, 80 % interval",
    "another strategy",
    "forecast",
    "active arm",
    "random arm",
    "random arm, forecast",
    "round shown",
    REMAINING,
)
#: Ends of both axes before there is a point.
EMPTY = ((0.0, 100.0), (0.0, 1.02))
#: What the band is called in the legend.
BANDS: dict[Method, str] = {"wilson": FIXED[0], "anytime": f"{FIXED[0]}, may be watched"}


@dataclass(frozen=True)
class Drawing:
    """All that a figure shows.

    Attributes
    ----------
    points : Points
    title : str
        What is measured.
    look : Look
    pool : int
        Items that there are.
    scale : Scale
    switches : list of Switch
    arms : Drawn or None
    shown : int or None
        Version of the round that is looked at.
    never : str
        As `why_never` has it.
    """

    points: Points
    title: str
    look: Look
    pool: int
    scale: Scale = LABELS
    switches: list[Switch] = field(default_factory=list)
    arms: Drawn | None = None
    shown: int | None = None
    never: str = ""


def empty_figure(height: int, measure: str) -> Any:
    """A figure without a point yet."""
    figure = go.FigureWidget(
        [
            band_of(FIXED[0], ACTIVE, BAND, shown=True),
            band_of(FIXED[1], RANDOM, BAND),
            band_of(FIXED[2], ACTIVE, AHEAD),
            band_of(FIXED[3], RANDOM, AHEAD),
            go.Scatter(
                name=FIXED[4],
                mode="lines",
                line={"color": SWITCH_COLOUR, "width": 1.5, "dash": "dot"},
                hovertemplate="%{customdata}<extra></extra>",
                visible=False,
            ),
            dashed(FIXED[5], ACTIVE),
            arm_of(FIXED[6], ARM, "diamond"),
            arm_of(FIXED[7], RANDOM, "square"),
            dashed(FIXED[8], RANDOM).update(showlegend=False),
            go.Scatter(
                name=FIXED[9],
                mode="markers",
                marker={"size": 17, "symbol": "circle-open", "line": {"width": 2.5}},
                hoverinfo="skip",
                showlegend=False,
                visible=False,
            ),
            remaining_line(),
        ]
    )
    figure.data[9].marker.color = LINE_COLOURS[1]
    figure.update_layout(
        height=height,
        autosize=True,
        template="none",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        margin={"l": 56, "r": 16, "t": 8, "b": 44},
        # What the text is measured in is what it is drawn in: the style sheet sets the same.
        font={"family": FONT, "size": 12},
        hovermode="closest",
        hoverdistance=REACH,
        # Above the plot, where no line and no label is.
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"},
        xaxis={"title": {"text": LABELS.title}, "range": EMPTY[0], "zeroline": False},
        yaxis={
            "title": {"text": _plain(measure)},
            "tickformat": ".0%",
            "range": EMPTY[1],
            "zeroline": False,
        },
    )
    _say(figure, "The curve begins after the first retraining")
    figure._config = {"displayModeBar": False, "responsive": True}
    return figure


def lines_of(rounds: Sequence[RoundRecord]) -> dict[str, list[RoundRecord]]:
    """Share out the rounds: each to the strategy that chose the labels since the one before.

    A line begins at the point where its strategy took over.
    """
    lines: dict[str, list[RoundRecord]] = {}
    for before, after in pairwise(rounds):
        line = lines.setdefault(strategy_title(before.strategy), [])
        if not line or line[-1] is not before:
            line.append(before)
        line.append(after)
    return lines or {strategy_title(rounds[0].strategy): list(rounds)}


def strategy_traces(figure: Any) -> tuple[Any, ...]:
    """The lines of the strategies: those after the traces that are always there."""
    traces: tuple[Any, ...] = figure.data[len(FIXED) :]
    return traces


def clickable(figure: Any) -> tuple[Any, ...]:
    """The traces whose points are rounds, and which are there from the first."""
    return tuple(figure.data[FIXED.index(name)] for name in ("active arm", "random arm", REMAINING))


def update(figure: Any, drawing: Drawing) -> list[Any]:
    """Show what there is now; returns the traces that are new."""
    points, scale, look = drawing.points, drawing.scale, drawing.look
    known = points.known
    found = {record.version: estimate for record, estimate in known}
    records = [record for record, _ in known]
    lines = {_plain(name): line for name, line in lines_of(records).items()} if records else {}
    new = [name for name in lines if not any(t.name == name for t in strategy_traces(figure))]
    trace = dict(zip(FIXED, figure.data, strict=False))
    with figure.batch_update():
        x = scale.at([labels_of(r) for r in records]).tolist()
        extent = Extent()
        trace[FIXED[0]].name = BANDS[points.method]
        spread(trace[FIXED[0]], x, [(e.low, e.high) for _, e in known], extent)
        ahead = _draw_forecast(trace[FIXED[2]], trace[FIXED[5]], drawing, extent)
        _draw_arms(trace, drawing.arms, scale, extent)
        left = fill_remaining(trace[REMAINING], points, scale)
        extent.take(*left)
        switches = [s for s in drawing.switches if s.before is not None] if records else []
        _mark(trace[FIXED[4]], switches, x[-1] if x else 0.0, scale)
        for line in strategy_traces(figure):
            _fill(line, lines.get(line.name, []), found, scale)
            line.visible = line.name in lines
        _ring(trace[FIXED[9]], drawing.shown, found, records, scale)
        of_arms = "" if drawing.arms is None else " (of an arm: its own)"
        figure.layout.xaxis.title.text = _plain(f"{scale.title}{of_arms}")
        figure.layout.yaxis.title.text = _plain(drawing.title)
        area = Area(*EMPTY)
        if records or left[0]:
            figure.layout.annotations = ()
            extent.right = max(extent.right, budget_at(look, scale, drawing.pool))
            line = sorted([*zip(x, [e.value for _, e in known], strict=True), *ahead])
            area = Area((0, 1.03 * extent.right), extent.heights(look), line)
            figure.layout.xaxis.range, figure.layout.yaxis.range = area.level, area.upright
        elif drawing.never:
            _say(figure, "There is no curve in this session")
        elif points.rounds:
            newest = points.newest
            _say(figure, "" if newest is None else f"Not known: {newest.method}")
        figure.layout.shapes = asked(look, scale, drawing.pool, area)
    added = []
    for name in new:
        colour = LINE_COLOURS[(len(figure.data) - len(FIXED)) % len(LINE_COLOURS)]
        line = go.Scatter(
            name=name,
            mode="lines+markers",
            line={"color": colour, "width": 2.5},
            hovertemplate="%{text}<extra></extra>",
        )
        _fill(line, lines[name], found, scale)
        figure.add_trace(line)
        added.append(figure.data[-1])
    return added


def _fill(line: Any, records: list[RoundRecord], found: dict[int, Estimate], scale: Scale) -> None:
    line.x = scale.at([labels_of(r) for r in records]).tolist()
    line.y = [found[r.version].value for r in records]
    line.customdata = [r.version for r in records]
    line.text = [hovered(r, found[r.version]) for r in records]
    line.marker.size = 8 if len(found) <= MANY else 5


def _draw_forecast(
    band: Any, line: Any, drawing: Drawing, extent: Extent
) -> list[tuple[float, float]]:
    """The dashed line beyond the newest round; returns its points."""
    forecast, look = drawing.points.forecast, drawing.look
    is_drawn = forecast is not None and look.forecast
    band.visible = line.visible = is_drawn
    if forecast is None or not is_drawn:
        return []
    begin = forecast.end
    last = max((1 + FURTHER) * begin, begin + forecast.ahead, look.budget or 0)
    at = np.linspace(begin, max(begin, min(last, drawing.pool)), STEPS)
    value, low, high = forecast.band(at)
    if look.falls:
        value, low, high = 1 - value, 1 - high, 1 - low
    x = drawing.scale.at(at).tolist()
    y = value.tolist()
    line.x, line.y = x, y
    line.text = [
        f"forecast at {n:,.0f} labels: {share(v)}<br>{share(a)} to {share(b)} (80 %)"
        for n, v, a, b in zip(at, value, low, high, strict=True)
    ]
    spread(band, x, list(zip(low.tolist(), high.tolist(), strict=True)), extent)
    return list(zip(x, y, strict=True))


def _draw_arms(trace: dict[str, Any], arms: Drawn | None, scale: Scale, extent: Extent) -> None:
    """Both arms by the labels of each, the random one as far as its labels reach, then dashed."""
    parts = [trace[FIXED[place]] for place in (1, 3, 6, 7, 8)]
    for part in parts:
        part.visible = arms is not None
    if arms is None:
        return
    band, ahead_band, active, random, ahead = parts
    for line, name, points in (
        (active, "active selection", arms.active),
        (random, "random cards", arms.random),
    ):
        x = scale.at([point.n_labels for point in points]).tolist()
        y = [point.estimate.value for point in points]
        line.x, line.y = x, y
        line.customdata = [point.version for point in points]
        line.text = [_of_arm(name, point) for point in points]
        extent.take(x, list(zip(y, y, strict=True)))
    ends = [(point.estimate.low, point.estimate.high) for point in arms.random]
    spread(band, scale.at([point.n_labels for point in arms.random]).tolist(), ends, extent)
    x = scale.at([point.labels for point in arms.ahead]).tolist()
    ahead.x, ahead.y = x, [point.value for point in arms.ahead]
    ahead.text = [
        f"random cards, forecast at {p.labels:,.0f} labels: {share(p.value)}<br>"
        f"{share(p.low)} to {share(p.high)} (80 %)"
        for p in arms.ahead
    ]
    spread(ahead_band, x, [(point.low, point.high) for point in arms.ahead], extent)


def _of_arm(name: str, point: ArmPoint) -> str:
    return (
        f"{name}: a model of {point.n_labels:,} labels, after model {point.version}<br>"
        f"{percent(point.estimate)} from {point.estimate.n:,} audit labels"
    )


def _mark(trace: Any, switches: list[Switch], end: float, scale: Scale) -> None:
    """Upright lines where another strategy took over; its name and the reason on hovering."""
    x: list[float | None] = []
    y: list[float | None] = []
    words: list[str | None] = []
    for switch in switches:
        at = min(float(scale.at(switch.n_labels)), end)
        # Several points a line, so that there is something to hover over all the way up.
        x += [*[at] * 21, None]
        y += [*(step / 20 for step in range(21)), None]
        said = (
            f"from {switch.n_labels:,} labels: {strategy_title(switch.strategy)}: {switch.reason}"
        )
        words += [*[_plain(said)] * 21, None]
    trace.x, trace.y, trace.customdata = x, y, words
    trace.visible = bool(switches)


def _ring(
    trace: Any,
    shown: int | None,
    found: dict[int, Estimate],
    records: list[RoundRecord],
    scale: Scale,
) -> None:
    """A ring around the round that is looked at."""
    there = [record for record in records if record.version == shown]
    trace.visible = bool(there)
    trace.x = scale.at([labels_of(record) for record in there]).tolist()
    trace.y = [found[record.version].value for record in there]


def _plain(text: str) -> str:
    """A text as plotly is to show it: the name of a class is no markup."""
    return escape(text, quote=False)  # of quotes it knows no entity


def _say(figure: Any, text: str) -> None:
    """Words in the place of a curve."""
    place = {"xref": "paper", "yref": "paper", "x": 0.5, "y": 0.5}
    figure.layout.annotations = [{"text": _plain(text), "showarrow": False, **place}]
