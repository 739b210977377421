"""The learning curve: any metric against labels, time or money, from the audit, live."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import ipywidgets
import numpy as np
from numpy.typing import NDArray

from ..errors import AlwidgetsError
from ..evaluation.metrics import Metric
from ..evaluation.risk import Method
from ..evaluation.worth import pace
from .background import Background, on_a_thread
from .channel import Channel
from .curvearms import drawn
from .curvefigure import Drawing, clickable, empty_figure, update
from .curvelook import FROM_CURVES, Axis, Look, look_of, parse_look, parse_round, parse_table
from .curvepanels import NO_PANELS, panels
from .curvepoints import (
    Points,
    at_once,
    depends_on,
    is_there,
    method_of,
    scale_of,
    table_of,
    worked_out,
)
from .curveremaining import of_batches
from .curvetold import CurvesHeader, choices, classes_of, rounds_of, told
from .curvewords import about_forecast, about_interval, sentence, title_of, why_never
from .messages import message_type
from .signs import advise, strategy_of
from .throttle import Throttle

if TYPE_CHECKING:
    import pandas as pd

    from ..session import Session

log = logging.getLogger(__name__)

#: Seconds between two drawings while somebody labels, at least.
LABELLED_EVERY = 0.5


class Curves(ipywidgets.VBox):  # type: ignore[misc, unused-ignore]
    """Learning curve of a session, live.

    A point a retraining: the figure on the pool, estimated from the audit labels, with its 95 %
    interval; a line for each strategy that chose the labels on the way; dashed, where the curve
    goes from there, with an 80 % interval. A click on a point has all views show that round.

    Parameters
    ----------
    session : Session
    height : int, optional
        Of the plot, in pixels.
    metric : {"accuracy", "error", "precision", "recall", "f1"}
    of : str, optional
        The figure of this class alone.
    axis : {"labels", "minutes", "money"}
        What it is drawn against.
    hindsight : bool
        Every round from all audit labels that there are now, so that rounds can be compared; by
        default as it was shown then.
    method : {"wilson", "anytime"}
        As of `Session.estimate`: an interval for one look at each point, or one that holds, for
        each model by itself, however often it is looked at while audit labels come in. That one
        is wider, is worked out from the answers as they stand now, and there is one for means over
        the whole pool only: where it is wished for and cannot be, the view says so and has the
        other.
    by_class : bool
        A small curve for every class as well.
    remaining : bool
        A dotted line as well: of what remains in the pool, before each batch is trained on, as of
        `Session.prequential`. There is one of accuracy and error, and of batches that were sampled.
    forecast : bool
        Whether the curve is drawn on beyond the newest round.
    target : float, optional
        A share, (0, 1]: the view says where it is reached, or should be.
    budget : int, optional
        Labels that can be paid for in all: the view says what they should bring.
    cost_of_label, cost_of_hour : float, optional
        One of them, in `currency`.
    currency : str
    run : callable, optional
        Runs what takes a moment; a thread by default.

    Attributes
    ----------
    figure : plotly.graph_objects.FigureWidget
        Yours to change and to save: ``figure.write_html("curve.html")``.
    look : Look
        What is drawn.

    Raises
    ------
    AlwidgetsError
        If one of these cannot be.

    Examples
    --------
    >>> session.curves(metric="f1", target=0.9, cost_of_hour=30, currency="€")  # doctest: +SKIP
    """

    #: False of one whose arguments were refused, too: it is deleted all the same.
    _is_open = False

    def __init__(
        self,
        session: Session,
        *,
        height: int = 300,
        metric: Metric = "accuracy",
        of: str | None = None,
        axis: Axis = "labels",
        hindsight: bool = False,
        method: Method = "wilson",
        by_class: bool = False,
        remaining: bool = False,
        forecast: bool = True,
        target: float | None = None,
        budget: int | None = None,
        cost_of_label: float | None = None,
        cost_of_hour: float | None = None,
        currency: str = "",
        run: Callable[[Callable[[], None]], None] = on_a_thread,
    ) -> None:
        look = look_of(
            metric=metric,
            of=of,
            axis=axis,
            hindsight=hindsight,
            method=method,
            by_class=by_class,
            remaining=remaining,
            forecast=forecast,
            target=target,
            budget=budget,
            cost_of_label=cost_of_label,
            cost_of_hour=cost_of_hour,
            currency=currency,
        )
        self._session = session
        self._check_class(look)
        self.look = look
        self._lock = threading.RLock()
        self._begun = self._drawn = 0
        #: What is shown, and whether there was nothing left to label.
        self._drawing: Drawing | None = None
        self._used_up = False
        #: The change that the header had answered last, by taking or refusing it.
        self._answered = ""
        self._slow = Background(lambda _: self._on_made(), run)
        #: Tables that were asked for, and of which look.
        self._tables: list[tuple[str, Look]] = []
        self._header = CurvesHeader(summary={"headline": "Working it out…"})
        self._channel = Channel(self._header)
        self._header.on_msg(self._on_message)
        self.figure = empty_figure(height, title_of(session, look))
        super().__init__([self._header, self.figure])
        self.add_class("alw-curves")
        self._soon = Throttle(self._on_labelled, LABELLED_EVERY)
        self._unsubscribe: list[Callable[[], None]] = [
            session.on("labelled", lambda _: self._soon()),
            session.on("round", lambda _: self._draw()),
            session.on("switch", lambda _: self._draw()),
            session.on("advice", lambda _: self._on_advice()),
            session.on("round shown", lambda _: self._draw()),
            # Its rounds can still be looked at: what is not worked out yet is.
            session.on("closed", lambda _: self._soon.close()),
            session.on("arms", self._on_arms),
        ]
        for trace in clickable(self.figure):
            trace.on_click(self._on_click)
        # Read off a thousand resamples: not for every drawing.
        self._arms = drawn(session.arms())
        self._is_open = True
        self._draw()
        self._advise()

    def to_frame(self) -> pd.DataFrame:
        """The figures that are drawn.

        Returns
        -------
        pandas.DataFrame
            A row a round, indexed by the ``version`` of its model: ``strategy``, ``labels``,
            ``n_train``, ``n_audit``, ``metric``, ``of``, ``value``, ``low``, ``high``, ``n``,
            ``method``, ``seconds`` (of the retraining) and ``at``; ``minutes`` of labelling and
            ``money`` where they are known, and three columns a class, and of what remains in the
            pool, where these are shown. What is not known is NaN, and ``method`` says why.
        """
        session, look = self._session, self.look
        points = at_once(session) if is_there(look) else worked_out(session, look)
        return table_of(self._with_remaining(points, look), look, self._given())

    def close(self) -> None:
        """Take the curve away; it no longer listens to the session."""
        if not self._is_open:
            return
        self._is_open = False
        self._slow.close()
        self._soon.close()
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._unsubscribe = []
        self.figure.close()
        self._header.close()
        super().close()

    # ------------------------------------------------------------------ what arrives

    def _on_message(self, _widget: Any, content: Any, _buffers: Any) -> None:
        problem = ""
        try:
            kind = message_type(content, FROM_CURVES)
            if kind == "strategy":
                self._session.strategy = strategy_of(content)
            elif kind == "look":
                self._answered = str(content.get("id", ""))
                self._change(parse_look(content))
            elif kind == "round":
                self._session.round_shown = parse_round(content)
            else:
                asked = parse_table(content)
                with self._lock:
                    self._tables.append((asked, self.look))
                self._send_tables()
        except AlwidgetsError as error:
            problem = str(error)
        except Exception as error:
            log.exception("the curve could not handle a message")
            problem = f"The curve could not do that: {type(error).__name__}: {error}"
        if problem:
            self._draw()  # the front end goes back to what is drawn
        self._advise(problem)

    def _change(self, look: Look) -> None:
        self._check_class(look)
        self.look = look
        self._draw()

    def _check_class(self, look: Look) -> None:
        names = classes_of(self._session)
        if look.of is not None and look.of not in names:
            raise AlwidgetsError(
                f"There is no class {look.of!r}; there is {', '.join(names) or 'none'}."
            )

    def _on_click(self, _trace: Any, points: Any, _state: Any) -> None:
        if not points.point_inds:
            return
        trace = self.figure.data[points.trace_index]
        version = int(trace.customdata[points.point_inds[0]])
        shown = self._session.round_shown
        self._session.round_shown = None if version == shown else version

    def _on_made(self) -> None:
        if self._tables:
            try:
                self._send_tables()
            except Exception as error:  # what a metric failed with
                log.warning("the table could not be made", exc_info=True)
                self._advise(sentence(str(error)))
        self._draw()

    def _send_tables(self) -> None:
        """Send the tables that were asked for, or once their figures are there."""
        with self._lock:
            asked, self._tables = self._tables, []
        while asked:
            table, look = asked.pop(0)
            try:
                points = self._points(look)
                if points is None:
                    with self._lock:
                        self._tables.append((table, look))
                    continue
                name = f"{self._session.name} {title_of(self._session, look)}.csv"
                text = table_of(points, look, self._given()).to_csv()
            except Exception:
                with self._lock:
                    self._tables += asked
                raise
            self._channel.post({"type": "file", "id": table, "name": name, "text": text})

    # ------------------------------------------------------------------ what is drawn

    def _on_labelled(self) -> None:
        """What is said of labels keeps up with them; the figure waits for the next round."""
        session, drawing = self._session, self._drawing
        used_up = session.stop_sign.used_up
        if drawing is None or not session.version or used_up != self._used_up:
            self._draw()
            self._advise()
            return
        summary = told(session, drawing, pace(self._given()))
        with self._lock:
            if self._drawing is drawing:
                self._header.summary = summary

    def _on_advice(self) -> None:
        self._advise()
        self._draw()  # with the forecast of the newest round

    def _on_arms(self) -> None:
        self._arms = drawn(self._session.arms())
        self._draw()

    def _advise(self, problem: str = "") -> None:
        self._header.advice = advise(self._session) | {"problem": problem}

    def _draw(self) -> None:
        """Show how things stand, unless a drawing that was begun later is there already.

        Nothing is asked of the session while the lock is held: the session may be sending an
        event under a lock of its own.
        """
        with self._lock:
            self._begun += 1
            ticket = self._begun
        used_up = self._session.stop_sign.used_up
        drawing, traits = self._gather()
        with self._lock:
            if ticket < self._drawn:
                return
            self._drawn = ticket
            if drawing is not None:
                self._drawing, self._used_up = drawing, used_up
                for trace in update(self.figure, drawing):
                    trace.on_click(self._on_click)
            for name, value in traits.items():
                setattr(self._header, name, value)

    def _gather(self) -> tuple[Drawing | None, dict[str, Any]]:
        """What is to be drawn, None while it is made, and what the header says."""
        session, look, given = self._session, self.look, self._given()
        tools = partial(self._tools, pace(given))
        if look.of is not None and look.of not in classes_of(session):
            self.look = look = replace(look, of=None)  # it was renamed, or merged into another
        try:
            points = self._points(look)
        except Exception as error:  # what a metric failed with
            log.warning("the curve could not be worked out", exc_info=True)
            return None, {"tools": tools(look, None, sentence(str(error)))}
        if points is None:
            return None, {"tools": tools(look, None, "Working it out…")}
        scale, why_not = scale_of(given, look)
        title = title_of(session, look)
        drawing = Drawing(
            points=points,
            title=title,
            look=look,
            pool=len(session.pool),
            scale=scale,
            switches=session.switches,
            arms=self._arms if look.is_shown_figure else None,
            shown=session.round_shown,
            never=why_never(session),
        )
        has_classes, has_arms = points.classes is not None, drawing.arms is not None
        notes = why_not, about_interval(points, look, title, has_arms=has_arms)
        return drawing, {
            "summary": told(session, drawing, pace(given)),
            "rounds": rounds_of(drawing),
            "panels": panels(points, look, scale) if has_classes else NO_PANELS,
            "tools": tools(look, points, " ".join(filter(None, notes))),
        }

    def _points(self, look: Look) -> Points | None:
        """The points of a look, if they are there; else they are made meanwhile."""
        session = self._session
        if not session.rounds or is_there(look):
            there = replace(at_once(session), method=method_of(session, look))
            return self._with_remaining(there, look)
        made: Points | None = self._slow.get(
            depends_on(session, look), lambda: worked_out(session, look)
        )
        if made is not None and look.is_shown_figure:
            sign = session.stop_sign  # it follows a little after its round
            made = replace(made, forecast=sign.forecast, no_forecast=sign.no_forecast)
        return None if made is None else self._with_remaining(made, look)

    def _with_remaining(self, points: Points, look: Look) -> Points:
        return replace(points, remaining=of_batches(self._session, look, points.rounds))

    def _given(self) -> NDArray[np.float64]:
        """Seconds that each label took; none where the store is closed."""
        try:
            return self._session.seconds_per_label()
        except AlwidgetsError:
            return np.empty(0)

    def _tools(
        self, seconds: float | None, look: Look, points: Points | None, note: str
    ) -> dict[str, Any]:
        """What can be chosen, what is, and what there is to know of it."""
        before: str = self._header.tools.get("forecast", "")
        return choices(self._session, look) | {
            "timed": seconds is not None,
            "answered": self._answered,
            "forecast": before if points is None else about_forecast(points),
            "note": note,
        }
