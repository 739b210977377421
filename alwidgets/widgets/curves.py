"""The learning curve: accuracy against labels, from the audit, with its interval."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import anywidget
import ipywidgets
import plotly.graph_objects as go
import traitlets

from ..errors import AlwidgetsError
from ..evaluation.risk import Estimate
from ..rounds import Round
from ..schema import RoundRecord, Switch
from .bundles import bundle
from .lines import FONT, LINE_COLOURS
from .signs import advise, strategy_of

if TYPE_CHECKING:
    from ..session import Session

BAND_COLOUR = "rgba(46, 134, 209, 0.22)"
SWITCH_COLOUR = "rgba(128, 128, 128, 0.75)"


class CurvesHeader(anywidget.AnyWidget):  # type: ignore[misc, unused-ignore]
    """The figure in words, above the figure."""

    _esm, _css = bundle("curves")
    summary = traitlets.Dict().tag(sync=True)
    advice = traitlets.Dict().tag(sync=True)


class Curves(ipywidgets.VBox):  # type: ignore[misc, unused-ignore]
    """Learning curve of a session, live.

    A point a retraining: the accuracy on the pool, estimated from the audit labels, with its
    95 % interval; a line for each strategy that chose the labels on the way.

    Parameters
    ----------
    session : Session
    height : int, optional
        Of the plot, in pixels.

    Attributes
    ----------
    figure : plotly.graph_objects.FigureWidget

    Examples
    --------
    >>> session.curves(height=400)  # doctest: +SKIP
    """

    def __init__(self, session: Session, *, height: int = 280) -> None:
        self._session = session
        self._drawing = threading.Lock()
        self._header = CurvesHeader()
        self._header.on_msg(self._on_message)
        self.figure = _empty_figure(height, measure_of(session))
        super().__init__([self._header, self.figure])
        self.add_class("alw-curves")
        self._unsubscribe: list[Callable[[], None]] = [
            session.on("round", lambda _: self._draw()),
            session.on("switch", lambda _: self._draw()),
            session.on("advice", lambda _: self._advise()),
            session.on("closed", lambda _: self._stop_listening()),
        ]
        self._draw()
        self._advise()

    def close(self) -> None:
        """Take the curve away; it no longer listens to the session."""
        self._stop_listening()
        self.figure.close()
        self._header.close()
        super().close()

    def _stop_listening(self) -> None:
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._unsubscribe = []

    def _advise(self, problem: str = "") -> None:
        with self._drawing:
            self._header.advice = advise(self._session) | {"problem": problem}

    def _on_message(self, _widget: Any, content: Any, _buffers: Any) -> None:
        try:
            self._session.strategy = strategy_of(content)
        except AlwidgetsError as error:
            self._advise(str(error))
        else:
            self._advise()

    def _draw(self) -> None:
        with self._drawing:
            rounds = [r for r in self._session.rounds if r.accuracy is not None]
            current = self._session.current
            switches = self._session.switches
            words = summarise(current, measure_of(self._session))
            self._header.summary = words | {"picking": picking(switches)}
            if rounds:
                _update(self.figure, rounds, switches)


def measure_of(session: Session) -> str:
    """What the estimate of a session measures: of several labels an item counts as a whole."""
    return "every label right" if session.task.multilabel else "accuracy"


def summarise(newest: Round | None, measure: str = "accuracy") -> dict[str, str]:
    """Put the newest estimate into words: ``{"headline", "detail"}``."""
    measure = measure.capitalize()
    if newest is None or newest.predictions is None:
        return {
            "headline": f"{measure}: not known yet",
            "detail": "It is estimated after the first retraining, from cards drawn at random.",
        }
    trained = f"{newest.n_train:,} training labels"
    if newest.n_audit == 0:
        return {
            "headline": f"{measure}: no audit labels yet",
            "detail": f"{trained}. Cards drawn at random come up among the others.",
        }
    audited = f"{newest.n_audit:,} audit {'label' if newest.n_audit == 1 else 'labels'}"
    skipped = f" ({newest.n_skipped:,} more skipped)" if newest.n_skipped else ""
    return {
        "headline": f"{measure} {percent(newest.accuracy)}",
        "detail": (
            f"95 % interval, on items not trained on, from {audited} drawn at random{skipped} · "
            f"{trained}"
        ),
    }


def picking(switches: list[Switch]) -> str:
    """Say which strategy chooses the cards, and why."""
    if not switches:
        return ""
    newest = switches[-1]
    return f"Cards by {_title(newest.strategy)}: {newest.reason}"


def percent(accuracy: Estimate) -> str:
    """Return an estimate for people, such as ``91 % (80 to 97 %)``."""
    return f"{accuracy.value:.0%} ({accuracy.low * 100:.0f} to {accuracy.high:.0%})".replace(
        "%", " %"
    )


def lines_of(rounds: list[RoundRecord]) -> dict[str, list[RoundRecord]]:
    """Share out the rounds: each to the strategy that chose the labels since the one before.

    A line begins at the point where its strategy took over.
    """
    lines: dict[str, list[RoundRecord]] = {}
    for before, after in pairwise(rounds):
        line = lines.setdefault(_title(before.strategy), [])
        if not line or line[-1] is not before:
            line.append(before)
        line.append(after)
    return lines or {_title(rounds[0].strategy): rounds}


def _title(strategy: str) -> str:
    return strategy.replace("_", " ")


def _update(figure: Any, rounds: list[RoundRecord], switches: list[Switch]) -> None:
    labels = [r.n_train + r.n_audit for r in rounds]
    lines = lines_of(rounds)
    missing = [name for name in lines if not any(t.name == name for t in figure.data)]
    with figure.batch_update():
        band = figure.data[0]
        band.x = labels + labels[::-1]
        band.y = [r.high for r in rounds] + [r.low for r in rounds[::-1]]
        _mark(figure.data[1], [s for s in switches if s.before is not None], rounds[-1])
        for trace in figure.data[2:]:
            if trace.name in lines:
                _fill(trace, lines[trace.name])
        figure.layout.annotations = ()
        lowest = min(r.low for r in rounds if r.low is not None)
        figure.layout.yaxis.range = (max(0.0, lowest - 0.05), 1.02)
        figure.layout.xaxis.range = (0, 1.03 * labels[-1])
    for name in missing:
        colour = LINE_COLOURS[(len(figure.data) - 2) % len(LINE_COLOURS)]
        trace = go.Scatter(
            name=name,
            mode="lines+markers",
            line={"color": colour, "width": 2.5},
            marker={"size": 7},
            hovertemplate=(
                "%{x} labels: %{y:.1%}<br>%{customdata[0]:.0%} to %{customdata[1]:.0%} from "
                "%{customdata[2]} audit labels<br>model %{customdata[3]}<extra></extra>"
            ),
        )
        _fill(trace, lines[name])
        figure.add_trace(trace)


def _mark(trace: Any, switches: list[Switch], newest: RoundRecord) -> None:
    """Upright lines where another strategy took over; its name and the reason on hovering."""
    x: list[int | None] = []
    y: list[float | None] = []
    words: list[str | None] = []
    for switch in switches:
        at = min(switch.n_labels, newest.n_train + newest.n_audit)
        # Several points a line, so that there is something to hover over all the way up.
        x += [*[at] * 21, None]
        y += [*(step / 20 for step in range(21)), None]
        words += [*[f"{_title(switch.strategy)}: {switch.reason}"] * 21, None]
    trace.x, trace.y, trace.customdata = x, y, words
    trace.visible = bool(switches)


def _fill(trace: Any, rounds: list[RoundRecord]) -> None:
    trace.x = [r.n_train + r.n_audit for r in rounds]
    trace.y = [r.accuracy for r in rounds]
    trace.customdata = [[r.low, r.high, r.n_audit, r.version] for r in rounds]


def _empty_figure(height: int, measure: str) -> Any:
    band = go.Scatter(
        name="95 % interval",
        fill="toself",
        fillcolor=BAND_COLOUR,
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
    )
    switches = go.Scatter(
        name="another strategy",
        mode="lines",
        line={"color": SWITCH_COLOUR, "width": 1.5, "dash": "dot"},
        hovertemplate="from %{x} labels: %{customdata}<extra></extra>",
        visible=False,
    )
    figure = go.FigureWidget([band, switches])
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
        legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 0.02, "yanchor": "bottom"},
        xaxis={"title": {"text": "labels"}, "range": (0, 100), "zeroline": False},
        yaxis={
            "title": {"text": measure},
            "tickformat": ".0%",
            "range": (0, 1.02),
            "zeroline": False,
        },
        annotations=[
            {
                "text": "The curve begins after the first retraining",
                "showarrow": False,
                "xref": "paper",
                "yref": "paper",
                "x": 0.5,
                "y": 0.5,
            }
        ],
    )
    figure._config = {"displayModeBar": False, "responsive": True}
    return figure
