"""A comparison while it goes on: curves with their bands, how far it is, in the end the table."""

from __future__ import annotations

import math
import threading
from typing import Any, Literal, TypedDict, get_args

import anywidget
import ipywidgets
import pandas as pd
import plotly.graph_objects as go
import traitlets

from ..errors import AlwidgetsError
from ..evaluation.comparing import Comparison
from ..evaluation.comparing.plan import BASELINE
from .bundles import bundle
from .lines import FONT, LINE_COLOURS, faint
from .messages import message_type
from .throttle import Throttle

Command = Literal["pause", "resume", "stop"]
#: Seconds between two drawings.
INTERVAL = 0.5
#: The baseline stands back.
BASELINE_COLOUR = "#8A8A8A"


class CommandMessage(TypedDict):
    """What a person pressed."""

    type: Command


class ComparisonHeader(anywidget.AnyWidget):  # type: ignore[misc, unused-ignore]
    """How far it is, above the curves; what it has come to."""

    _esm, _css = bundle("comparison")
    going = traitlets.Dict().tag(sync=True)
    outcome = traitlets.Dict().tag(sync=True)


class ComparisonView(ipywidgets.VBox):  # type: ignore[misc, unused-ignore]
    """A comparison, live: mean and 95 % interval of every strategy, by the number of labels.

    Parameters
    ----------
    comparison : Comparison
    height : int, optional
        Of the plot, in pixels.

    Attributes
    ----------
    figure : plotly.graph_objects.FigureWidget
    """

    def __init__(self, comparison: Comparison, *, height: int = 380) -> None:
        self._comparison = comparison
        self._drawing = threading.Lock()
        self._header = ComparisonHeader()
        self.figure = go.FigureWidget(_traces(comparison))
        self.figure.update_layout(
            **_layout(comparison, height),
            paper_bgcolor="rgba(0,0,0,0)",
            plot_bgcolor="rgba(0,0,0,0)",
        )
        self.figure._config = {"displayModeBar": False, "responsive": True}
        super().__init__([self._header, self.figure])
        self.add_class("alw-curves")
        self.add_class("alw-comparison")
        self._header.on_msg(self._received)
        self._soon = Throttle(self._draw, INTERVAL)
        self._unsubscribe = comparison.on_change(self._soon)
        self._draw()

    def close(self) -> None:
        """Take the view away; the comparison goes on."""
        self._unsubscribe()
        self._soon.close()
        self.figure.close()
        self._header.close()
        super().close()

    def _received(self, _: Any, content: object, buffers: object) -> None:
        kind = message_type(content, get_args(Command))
        try:
            getattr(self._comparison, kind)()
        except AlwidgetsError as error:
            self._header.going = self._header.going | {"detail": str(error)}

    def _draw(self) -> None:
        with self._drawing:
            self._header.going = going(self._comparison)
            if self._comparison.runs:
                self._header.outcome = outcome(self._comparison)
            curves = self._comparison.curves()
            with self.figure.batch_update():
                _fill(self.figure, self._comparison, curves)


def figure_of(comparison: Comparison, *, height: int = 420) -> Any:
    """The curves of what there is so far, as a figure of its own.

    Parameters
    ----------
    comparison : Comparison
    height : int, optional
        In pixels.

    Returns
    -------
    plotly.graph_objects.Figure
    """
    figure = go.Figure(_traces(comparison))
    figure.update_layout(**_layout(comparison, height))
    _fill(figure, comparison, comparison.curves())
    return figure


def going(comparison: Comparison) -> dict[str, Any]:
    """How far a comparison is, in words."""
    done, total = comparison.progress
    fraction = done / total if total else 1.0
    n = len(comparison.plan.strategies)
    what = f"{n} strategies, {len(comparison.plan.seeds)} seeds"
    headlines = {
        "running": f"Comparing: {fraction:.0%}",
        "paused": f"Paused at {fraction:.0%}",
        "stopped": f"Stopped at {fraction:.0%}",
        "failed": f"Broke off at {fraction:.0%}",
        "done": "Compared",
    }
    detail = f"{what} · {done:,} of {total:,} rounds"
    if comparison.error is not None:
        detail = str(comparison.error)
    elif comparison.state == "done":
        pool, budget = comparison.about["material"]["pool"], comparison.plan.budget
        detail = f"{what} · {budget:,} labels of a pool of {pool:,}"
    elif (left := comparison.seconds_left) is not None:
        detail += f" · about {_duration(left)} left"
    return {
        "state": comparison.state,
        "headline": headlines[comparison.state].replace("%", " %"),
        "detail": detail,
        "fraction": fraction,
        "playable": comparison.playable,
    }


def outcome(comparison: Comparison) -> dict[str, Any]:
    """The table and the notes, as they are to be read."""
    found = comparison.table().reset_index()
    if len(comparison.plan.learners) < 2:
        found = found.drop(columns="learner")
    shown = pd.DataFrame({name: found[name] for name in ("learner", "strategy") if name in found})
    shown["verdict"] = found["verdict"]
    shown["area (95 %)"] = [_spread(row, "area") for _, row in found.iterrows()]
    shown["at the end (95 %)"] = [_spread(row, "end") for _, row in found.iterrows()]
    shown["over random (95 %)"] = [_spread(row, "gain", sign="+") for _, row in found.iterrows()]
    shown["p"] = [_number(p, ".3f") for p in found["p"]]
    shown["labels to target (95 %)"] = [_to_target(row) for _, row in found.iterrows()]
    shown["seeds there"] = [
        f"{row['reached']} of {row['seeds']}" if row["seeds"] else "" for _, row in found.iterrows()
    ]
    if "hours" in found:
        shown["hours"] = [_number(x, ".1f") for x in found["hours"]]
    for name in comparison.plan.successors:
        shown[name.replace("_", " ")] = [_number(x, ".3f") for x in found[f"{name}, end"]]
    if (found["seeds"] < len(comparison.plan.seeds)).any():
        shown["seeds"] = found["seeds"]
    return {
        "columns": list(shown.columns),
        "rows": [[str(x) for x in row] for row in shown.itertuples(index=False)],
        "notes": comparison.notes(),
    }


def _names(comparison: Comparison) -> dict[tuple[str, str], str]:
    """Every line by learner and strategy; the baseline first, so that it lies below."""
    several = len(comparison.plan.learners) > 1
    found = {}
    for learner in comparison.plan.learners:
        for strategy in comparison.plan.strategies:
            title = strategy.replace("_", " ")
            found[learner, strategy] = f"{title} ({learner})" if several else title
    return found


def _traces(comparison: Comparison) -> list[Any]:
    bands, lines = [], []
    colours = iter(LINE_COLOURS * 20)
    for (_, strategy), name in _names(comparison).items():
        base = strategy == BASELINE
        colour = BASELINE_COLOUR if base else next(colours)
        bands.append(
            go.Scatter(
                name=f"{name}, 95 % interval",
                legendgroup=name,
                showlegend=False,
                fill="toself",
                fillcolor=faint(colour, 0.14),
                line={"width": 0},
                mode="lines",
                hoverinfo="skip",
            )
        )
        lines.append(
            go.Scatter(
                name=name,
                legendgroup=name,
                mode="lines",
                line={"color": colour, "width": 2.5, "dash": "dash" if base else "solid"},
                hovertemplate=(
                    f"{name}, %{{x}} labels: %{{y:.1%}}<br>%{{customdata[0]:.1%}} to "
                    "%{customdata[1]:.1%}, %{customdata[2]} seeds<extra></extra>"
                ),
            )
        )
    return [*bands, *lines]


def _fill(figure: Any, comparison: Comparison, curves: pd.DataFrame) -> None:
    names = list(_names(comparison))
    lowest, highest = 1.0, 0.0
    for at, (learner, strategy) in enumerate(names):
        mine = curves[(curves["learner"] == learner) & (curves["strategy"] == strategy)]
        band, line = figure.data[at], figure.data[len(names) + at]
        line.x, line.y = mine["labels"].tolist(), mine["mean"].tolist()
        line.customdata = mine[["low", "high", "seeds"]].to_numpy()
        # Of one seed there is no interval.
        wide = mine.dropna(subset=["low"])
        band.x = [*wide["labels"], *wide["labels"][::-1]]
        band.y = [*wide["high"], *wide["low"][::-1]]
        if len(mine):
            lowest = min(lowest, float(mine["mean"].min()), *wide["low"])
            highest = max(highest, float(mine["mean"].max()), *wide["high"])
    if highest > lowest:
        room = 0.04 * (highest - lowest)
        figure.layout.yaxis.range = (max(0.0, lowest - room), min(1.0, highest + room))


def _layout(comparison: Comparison, height: int) -> dict[str, Any]:
    plan = comparison.plan
    return {
        "height": height,
        "autosize": True,
        "template": "none",
        "margin": {"l": 60, "r": 16, "t": 12, "b": 48},
        "font": {"family": FONT, "size": 12},
        "hovermode": "closest",
        "legend": {"x": 0.99, "xanchor": "right", "y": 0.03, "yanchor": "bottom"},
        "xaxis": {
            "title": {"text": "labels"},
            "range": (plan.initial, plan.budget),
            "zeroline": False,
        },
        "yaxis": {
            "title": {"text": f"{plan.metric} on the test split"},
            "tickformat": ".0%",
            "range": (0, 1),
            "zeroline": False,
        },
    }


def _spread(row: Any, name: str, sign: str = "") -> str:
    value, low, high = row[name], row[f"{name} low"], row[f"{name} high"]
    if math.isnan(value):
        return ""
    if math.isnan(low):
        return f"{value:{sign}.3f}"
    return f"{value:{sign}.3f} ({low:{sign}.3f} to {high:{sign}.3f})"


def _number(value: float, form: str) -> str:
    return f"{value:{form}}" if math.isfinite(value) else ""


def _to_target(row: Any) -> str:
    value, low, high = (row[f"labels to target{end}"] for end in ("", " low", " high"))
    if math.isnan(low) or math.isinf(low):
        return _labels(value)
    return f"{_labels(value)} ({_labels(low)} to {_labels(high)})"


def _labels(value: float) -> str:
    if math.isinf(value):
        return "not reached"
    return "" if math.isnan(value) else f"{value:,.0f}"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = seconds / 60
    return f"{minutes:.0f} minutes" if minutes < 90 else f"{minutes / 60:.1f} hours"
