"""What is drawn of a curve, and asked of it: metrics, axes, targets, rounds, arms, tables."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import alwidgets as al
from alwidgets.arms import ArmPoint, Arms
from alwidgets.errors import AlwidgetsError, MessageError
from alwidgets.evaluation.extrapolation import Ahead, forecast
from alwidgets.evaluation.risk import Estimate, unknown
from alwidgets.evaluation.saved import Saved
from alwidgets.schema import RoundRecord, Switch
from alwidgets.widgets.curvearms import drawn as drawn_arms
from alwidgets.widgets.curvefigure import FIXED, Drawing, empty_figure, strategy_traces, update
from alwidgets.widgets.curvelook import FROM_CURVES, Look, parse_look, parse_round, parse_table
from alwidgets.widgets.curvepanels import MOST, panels
from alwidgets.widgets.curvepoints import LABELS, Points, Scale, labels_of
from alwidgets.widgets.curves import Curves
from alwidgets.widgets.curvewords import (
    Prices,
    about_budget,
    about_forecast,
    about_interval,
    about_target,
    looking_back,
    percent,
    worst_first,
)
from alwidgets.widgets.messages import message_type

FIXTURES = Path(__file__).parents[2] / "js/fixtures/messages"
RNG = np.random.default_rng(0)
TRUTH = RNG.integers(0, 3, 150)
X = np.eye(3)[TRUTH] * 2 + RNG.normal(size=(150, 3))
BEGIN = datetime(2026, 1, 1)
SECONDS = 6


def at_once(work: Callable[[], None]) -> None:
    work()


def made(task: al.Classification | al.MultiLabel | None = None, **options: Any) -> al.Session:
    given: dict[str, Any] = {"batch_size": 10, "audit": 0.3, "executor": al.InlineExecutor()}
    pool = al.Pool.from_arrays(X, ids=range(150))
    return al.Session(pool, task or al.Classification(["a", "b", "c"]), **given | options)


@pytest.fixture
def session() -> Iterator[al.Session]:
    with closing(made()) as session:
        yield session


def label(session: al.Session, n: int, *, timed: bool = True) -> None:
    for _ in range(n):
        item = session.next()[0]
        answer: Any = "abc"[TRUTH[item.index]]
        times = {
            "shown_at": BEGIN.isoformat(),
            "answered_at": (BEGIN + timedelta(seconds=SECONDS)).isoformat(),
        }
        answer = [answer] if session.task.multilabel else answer
        session.record(item.id, answer, **times if timed else {})


def drawn(curves: Curves) -> list[tuple[float, float]]:
    """The points of all strategies' lines, each once."""
    lines = strategy_traces(curves.figure)
    return sorted({p for line in lines for p in zip(line.x, line.y, strict=True)})


def trace(curves: Curves, name: str) -> Any:
    return curves.figure.data[FIXED.index(name)]


def send(curves: Curves, **message: Any) -> None:
    curves._header._handle_custom_msg(message, [])


def look(curves: Curves, **changes: Any) -> None:
    send(curves, type="look", **replace(curves.look, **changes).to_json())


def lines_of(curves: Curves) -> list[str]:
    lines: list[str] = curves._header.summary["lines"]
    return lines


# ---------------------------------------------------------------------- what is drawn


@pytest.mark.parametrize(
    "wish",
    [
        {"metric": "f1"},
        {"metric": "error"},
        {"metric": "recall", "of": "b"},
        {"hindsight": True},
    ],
    ids=str,
)
def test_the_points_are_the_estimates_of_the_session(
    session: al.Session, wish: dict[str, Any]
) -> None:
    label(session, 60)
    curves = Curves(session, run=at_once, **wish)
    asked = {"metric": "accuracy"} | wish
    estimates = session.estimate_rounds(asked.pop("metric"), **asked)
    known = [(r, e) for r, e in zip(session.rounds, estimates, strict=True) if e.known]
    assert len(known) >= 4
    assert drawn(curves) == sorted((labels_of(r), e.value) for r, e in known)
    band = trace(curves, "95 % interval")
    assert band.y[: len(known)] == tuple(e.high for _, e in known)
    assert band.y[len(known) :] == tuple(e.low for _, e in known[::-1])
    frame = curves.to_frame()
    np.testing.assert_array_equal(frame["value"], [e.value for e in estimates])


@pytest.mark.parametrize("wish", [{}, {"metric": "error"}, {"hindsight": True}], ids=str)
def test_an_interval_that_may_be_watched_all_the_time(
    session: al.Session, wish: dict[str, Any]
) -> None:
    label(session, 60)
    curves = Curves(session, run=at_once, method="anytime", **wish)
    asked = {"metric": "accuracy"} | wish
    metric = asked.pop("metric")
    estimates = session.estimate_rounds(metric, method="anytime", **asked)
    usual = session.estimate_rounds(metric, **asked)
    assert len(estimates) >= 4
    band = trace(curves, "95 % interval")
    assert band.name == "95 % interval, may be watched"
    assert band.y == (*(e.high for e in estimates), *(e.low for e in estimates[::-1]))
    assert all(e.low <= u.low and e.high >= u.high for e, u in zip(estimates, usual, strict=True))
    summary, frame = curves._header.summary, curves.to_frame()
    assert summary["headline"].endswith(percent(estimates[-1]))
    assert summary["detail"].startswith("95 % interval that may be watched all the time, on items")
    assert frame["low"].tolist() == [e.low for e in estimates]
    assert set(frame["method"]) == {"LURE, band for any number of draws"}
    assert curves._header.tools["note"] == ""
    assert curves._header.tools["look"]["method"] == "anytime"
    look(curves, method="wilson")
    assert band.name == "95 % interval"
    assert band.y == (*(u.high for u in usual), *(u.low for u in usual[::-1]))


@pytest.mark.parametrize(
    ("wish", "title"),
    [({"metric": "f1"}, "F1, macro"), ({"of": "b"}, "accuracy of b")],
    ids=["f1", "of a class"],
)
def test_where_there_is_none_that_may_be_watched_it_says_so(
    session: al.Session, wish: dict[str, Any], title: str
) -> None:
    label(session, 60)
    curves = Curves(session, run=at_once, method="anytime", **wish)
    note = curves._header.tools["note"]
    assert note.startswith("An interval that may be watched all the time is there for means")
    assert f"not for {title}: this one is of each point alone" in note
    band, frame = trace(curves, "95 % interval"), curves.to_frame()
    assert band.name == "95 % interval"
    look(curves, method="wilson")
    assert curves._header.tools["note"] == ""
    pd.testing.assert_frame_equal(curves.to_frame(), frame)
    asked = {"metric": "accuracy"} | wish
    with pytest.raises(AlwidgetsError):
        session.estimate_rounds(asked.pop("metric"), method="anytime", **asked)


def test_what_is_drawn_beside_it_has_intervals_of_its_own(session: al.Session) -> None:
    label(session, 40)
    curves = Curves(session, run=at_once, method="anytime", by_class=True)
    assert curves._header.tools["note"] == ("The intervals of the classes are of each point alone.")
    fresh = Curves(made(), run=at_once, method="anytime")
    assert fresh._header.tools["note"] == ""
    points, wish = curve(RISING), Look(method="anytime")
    lasting = replace(points, method="anytime")
    said = about_interval(lasting, wish, "accuracy", has_arms=True)
    assert said == "The intervals of the arms are of each point alone."
    assert about_interval(points, Look(), "accuracy", has_arms=True) == ""


def test_a_metric_is_worked_out_meanwhile(session: al.Session) -> None:
    label(session, 30)
    waiting: list[Callable[[], None]] = []
    curves = Curves(session, run=waiting.append)
    before = drawn(curves)
    look(curves, metric="f1")
    assert curves._header.tools["note"] == "Working it out…"
    assert curves._header.tools["look"]["metric"] == "f1"
    assert drawn(curves) == before
    waiting.pop()()
    assert curves._header.tools["note"] == ""
    assert curves.figure.layout.yaxis.title.text == "F1, macro"
    assert drawn(curves) != before


def test_minutes_and_money(session: al.Session) -> None:
    label(session, 40)
    curves = Curves(session, run=at_once, axis="minutes")
    seconds = session.seconds_per_label()
    assert seconds.tolist() == [SECONDS] * 40
    labels = [labels_of(r) for r in session.rounds]
    assert [x for x, _ in drawn(curves)] == pytest.approx([n * SECONDS / 60 for n in labels])
    assert curves.figure.layout.xaxis.title.text == "minutes of labelling"
    look(curves, axis="money", cost=36.0, per="hour", currency="€")
    assert [x for x, _ in drawn(curves)] == pytest.approx([n * SECONDS / 100 for n in labels])
    assert curves.figure.layout.xaxis.title.text == "cost (€)"
    look(curves, cost=0.5, per="label")
    assert [x for x, _ in drawn(curves)] == [n / 2 for n in labels]
    assert curves.to_frame()["money"].tolist() == [n / 2 for n in labels]


def test_a_pause_is_no_labelling_and_what_was_not_timed_takes_nothing() -> None:
    with closing(made(audit=0)) as session:
        label(session, 10)
        item = session.next()[0]
        later = (BEGIN + timedelta(hours=2)).isoformat()
        session.record(item.id, "a", shown_at=BEGIN.isoformat(), answered_at=later)
        label(session, 1, timed=False)
        assert np.isnan(session.seconds_per_label()[-1])
        curves = Curves(session, run=at_once, axis="minutes")
        minutes = curves.to_frame()["minutes"]
        assert minutes.iloc[0] == pytest.approx(1.0)  # of 10 labels
        session.retrain()
        assert curves.to_frame()["minutes"].iloc[-1] == pytest.approx((10 + 4) * SECONDS / 60)


def test_without_times_it_stays_with_the_labels_and_says_so(session: al.Session) -> None:
    label(session, 30, timed=False)
    curves = Curves(session, run=at_once, axis="minutes")
    assert "Too few cards were timed" in curves._header.tools["note"]
    assert curves._header.tools["timed"] is False
    assert [x for x, _ in drawn(curves)] == [labels_of(r) for r in session.rounds]


def test_of_several_labels(session: al.Session) -> None:
    with closing(made(al.MultiLabel(["a", "b", "c"]))) as several:
        label(several, 40)
        curves = Curves(several, run=at_once, metric="f1")
        assert curves.figure.layout.yaxis.title.text == "F1, mean over items"
        expected = several.estimate_rounds("f1")
        assert {y for _, y in drawn(curves)} == {e.value for e in expected if e.known}
        look(curves, method="anytime")  # a mean over the whole pool
        expected = several.estimate_rounds("f1", method="anytime")
        assert curves.to_frame()["low"].iloc[-1] == expected[-1].low
        assert curves._header.tools["note"] == ""


def test_what_cannot_be_drawn_is_refused_with_a_remedy(session: al.Session) -> None:
    for wrong, says in (
        ({"metric": "auc"}, "There is no metric 'auc'; use one of 'accuracy'"),
        ({"of": "z"}, "There is no class 'z'; there is a, b, c"),
        ({"axis": "days"}, "There is no axis"),
        ({"axis": "money"}, "give cost_of_label or cost_of_hour"),
        ({"target": 95}, "such as 0.95"),
        ({"target": math.nan}, "such as 0.95"),
        ({"budget": 0}, "whole number of labels"),
        ({"cost_of_label": -1}, "must be a number above 0"),
        ({"cost_of_label": 1, "cost_of_hour": 1}, "not both"),
        ({"currency": "a long text"}, "at most 8 letters"),
        ({"hindsight": 1}, "must be True or False"),
        ({"method": "normal"}, "There is no method 'normal'; use one of 'wilson', 'anytime'"),
    ):
        with pytest.raises(AlwidgetsError, match=says):
            Curves(session, **wrong)  # type: ignore[arg-type]


def test_numbers_of_numpy_are_numbers(session: al.Session) -> None:
    curves = Curves(
        session, budget=np.int64(50), target=np.float32(0.5), cost_of_hour=np.int32(30), run=at_once
    )
    found = curves.look
    assert (found.budget, found.target, found.cost) == (50, 0.5, 30)
    json.dumps(found.to_json())  # as it goes to the browser


def test_names_are_no_markup() -> None:
    with closing(made(al.Classification(["<unk>", "b", "c"]))) as session:
        curves = Curves(session, run=at_once, metric="f1", of="<unk>")
        assert curves.figure.layout.yaxis.title.text == "F1 of &lt;unk&gt;"
        look(curves, metric="recall", cost=1, axis="money", currency="<b>")
        assert curves.figure.layout.yaxis.title.text == "recall of &lt;unk&gt;"
        assert curves.figure.layout.xaxis.title.text == "cost (&lt;b&gt;)"
        assert curves._header.summary["headline"].startswith("Recall of <unk>")


def test_the_words_in_a_figure_are_no_markup() -> None:
    rounds = tuple(RoundRecord(v, "<lambda>", 10 * v, v, 0.8, 0.5, 0.9, 0.1, "", v) for v in (1, 2))
    none, some = unknown("no answer is <unk>"), Estimate(0.8, 0.7, 0.9, 9, 9.0, "")
    figure = empty_figure(200, "accuracy")
    update(figure, Drawing(Points(rounds, (none, none)), "accuracy", Look(), 100))
    assert figure.layout.annotations[0].text == "Not known: no answer is &lt;unk&gt;"
    switch = Switch("a", "<lambda>", "a & b", 1, 11, "")
    update(
        figure, Drawing(Points(rounds, (some, some)), "accuracy", Look(), 100, switches=[switch])
    )
    assert [line.name for line in strategy_traces(figure)] == ["&lt;lambda&gt;"]
    assert (
        figure.data[FIXED.index("another strategy")]
        .customdata[0]
        .endswith("&lt;lambda&gt;: a &amp; b")
    )


def test_a_class_that_is_renamed_while_it_is_drawn(session: al.Session) -> None:
    label(session, 30)
    curves = Curves(session, run=at_once, metric="recall", of="b")
    session.rename_class("b", "bee")
    label(session, 10)
    assert curves.look.of is None
    assert curves._header.tools["classes"] == ["a", "bee", "c"]


# ---------------------------------------------------------------------- in words


def record(version: int, labels: int) -> RoundRecord:
    return RoundRecord(version, "margin", labels - 10, 10, 0.8, 0.7, 0.9, 0.42, "", version)


def curve(values: list[float], step: int = 20, n: int = 200) -> Points:
    rounds = tuple(record(k + 1, step * (k + 1)) for k in range(len(values)))
    found = tuple(
        unknown("one class has no label")
        if math.isnan(v)
        else Estimate(v, v - 0.05, v + 0.04, n, n, "")
        for v in values
    )
    known = [(labels_of(r), e.value) for r, e in zip(rounds, found, strict=True) if e.known]
    if len(known) < 6:
        return Points(rounds, found, None, "A forecast needs at least 6 points, there are few.")
    labels, of = zip(*known, strict=True)
    return Points(rounds, found, forecast(labels, of, n=[n] * len(of)))


RISING = [0.5, 0.62, 0.69, 0.74, 0.775, 0.8, 0.82, 0.835]
PRICE = Prices(6.0, 0.5, "€")


def test_a_target_that_is_met_already() -> None:
    said = about_target(curve(RISING), Look(target=0.7), 1000, PRICE)
    # At 80 labels the estimate is there, but its interval reaches below.
    assert said == "Target 70 %: reached at 100 labels (its interval reaches down to 72 %)."
    again = about_target(curve([*RISING, 0.68]), Look(target=0.7), 1000, PRICE)
    assert again.endswith(
        "(its interval reaches down to 72 %); the newest round is below it again, at 68.0 %."
    )


def test_a_handful_of_audit_labels_reaches_no_target() -> None:
    rounds = (record(1, 20), record(2, 40))
    few = tuple(Estimate(1.0, low, 1.0, n, n, "") for low, n in ((0.44, 3), (0.63, 6)))
    said = about_target(Points(rounds, few), Look(target=0.9999), 1000, PRICE)
    assert said == (
        "Target 99.99 %: perhaps reached at 20 labels, not surely yet: the newest interval, from 6 "
        "audit labels, reaches down to 63 %."
    )
    back = Points(rounds, (few[0], Estimate(0.8, 0.5, 0.95, 6, 6, "")), None, "there are few")
    assert about_target(back, Look(target=0.9), 1000, PRICE) == (
        "Target 90 %: not reached. There are few."
    )
    # Said of errors, whose interval must lie below.
    wrong = tuple(Estimate(0.0, 0.0, 1 - e.low, e.n, e.n, "") for e in few)
    said = about_target(Points(rounds, wrong), Look(metric="error", target=0.1), 1000, PRICE)
    assert said.endswith(
        "perhaps reached at 20 labels, not surely yet: the newest interval, from "
        "6 audit labels, reaches up to 37 %."
    )


def test_an_error_meets_its_target_from_above() -> None:
    falling = curve([1 - value for value in RISING])
    said = about_target(falling, Look(metric="error", target=0.3), 1000, PRICE)
    assert said == "Target 30 %: reached at 80 labels (its interval reaches up to 30 %)."
    ahead = Points(falling.rounds, falling.estimates, curve(RISING).forecast)
    said = about_target(ahead, Look(metric="error", target=0.15), 4000, PRICE)
    assert said.startswith("Target 15 %: not reached; the curve says about ")


def test_a_target_that_is_ahead_with_its_price() -> None:
    points = curve(RISING)
    assert points.forecast is not None
    said = about_target(points, Look(target=0.85), 4000, PRICE)
    begin, rest = said.split(" labels (")
    labels = int(begin.rpartition(" ")[2].replace(",", ""))
    value, _, _ = points.forecast.band([labels - 3, labels])
    assert value[0] < 0.85 <= value[1] + 1e-9
    assert 160 < labels < 300
    assert f"{labels - 160} more · " in rest
    assert "minute" in rest or " s " in rest
    assert f"{(labels - 160) * 0.5:,.0f} €" in rest
    assert about_target(points, Look(target=0.85), 4000, Prices()).endswith("more.")


def test_a_target_above_what_the_pool_can_give() -> None:
    said = about_target(curve(RISING), Look(target=1.0), 200, PRICE)
    assert said.startswith("Target 100 %: beyond what the pool can give.")
    assert "all 200 items" in said


def test_a_target_without_a_curve_to_go_by() -> None:
    said = about_target(curve(RISING[:3]), Look(target=0.9), 1000, PRICE)
    assert said == ("Target 90 %: not reached. A forecast needs at least 6 points, there are few.")
    nothing = about_target(curve([math.nan] * 3), Look(target=0.9), 1000, PRICE)
    assert nothing == "Target 90 %: nothing is known of the curve yet."
    assert about_target(Points(), Look(target=0.9), 1000, PRICE) == nothing
    assert about_target(curve(RISING), Look(), 1000, PRICE) == ""


def test_a_budget() -> None:
    points = curve(RISING)
    assert points.forecast is not None
    said = about_budget(points, Look(budget=260), 1000, PRICE, 160)
    assert said.startswith("Budget of 260 labels: 100 more · 10 minutes · 50 €, for about ")
    value = float(points.forecast.band([260])[0][0])
    assert f"about {value:.0%}".replace("%", " %") in said
    above = about_budget(points, Look(budget=5000), 300, PRICE, 160)
    assert above.startswith(
        "The budget of 5,000 labels is above the pool; with all its 300 items: 140 more"
    )
    assert about_budget(points, Look(budget=90), 1000, PRICE, 160) == (
        "Budget of 90 labels: spent, there are 160."
    )
    assert "Nothing is known of the curve yet." in about_budget(
        Points(), Look(budget=90), 1000, PRICE, 0
    )


def test_no_number_is_made_up() -> None:
    said = [
        about_target(points, Look(target=target, budget=budget), 500, price)
        + about_budget(points, Look(target=target, budget=budget), 500, price, 20)
        + about_forecast(points)
        for points in (Points(), curve([math.nan] * 7), curve(RISING[:2]), curve(RISING))
        for target in (0.01, 0.9, 1.0)
        for budget in (1, 10_000)
        for price in (Prices(), PRICE)
    ]
    assert not any("nan" in words or "inf" in words for words in said)


def test_one_class_so_far(session: al.Session) -> None:
    curves = Curves(session, run=at_once, target=0.9)
    while len(session.labels()) < 3:
        item = session.next()[0]
        if TRUTH[item.index] == 0:
            session.record(item.id, "a")
        else:
            session.skip(item.id)
    session.retrain()
    curves._draw()  # what waits for a moment
    assert lines_of(curves)[0] == "All 3 labels are “a” so far: a model needs a second class."
    assert lines_of(curves)[1] == "Target 90 %: nothing is known of the curve yet."


def test_a_metric_that_is_not_defined(session: al.Session) -> None:
    points = curve([math.nan] * 3)
    figure = empty_figure(280, "F1, macro")
    update(figure, Drawing(points, "F1, macro", Look(metric="f1"), 150))
    assert strategy_traces(figure) == ()
    assert figure.layout.annotations[0].text == "Not known: one class has no label"
    label(session, 20)
    session.add_class("d")
    label(session, 10)
    curves = Curves(session, run=at_once, metric="f1", of="d")
    assert curves._header.summary["headline"] == "F1 of d: not known"
    assert curves._header.summary["detail"] not in ("", ".")


def test_how_far_a_forecast_is_to_be_trusted() -> None:
    points = curve(RISING)
    assert points.forecast is not None
    said = about_forecast(points)
    assert "its 80 % interval" in said
    assert f"by {100 * points.forecast.backtest:.1f} points on average" in said
    assert "needs at least 6 points" in about_forecast(curve(RISING[:2]))


# ---------------------------------------------------------------------- the forecast


def test_the_forecast_goes_on_from_the_newest_point() -> None:
    points = curve(RISING)
    found = points.forecast
    assert found is not None
    figure = empty_figure(280, "accuracy")
    update(figure, Drawing(points, "accuracy", Look(), 10_000))
    band, line = (figure.data[FIXED.index(n)] for n in ("forecast, 80 % interval", "forecast"))
    assert line.x[0] == 160 == found.end
    assert line.x[-1] == 260  # as far as the forecast looks ahead
    value, low, high = found.band(line.x)
    np.testing.assert_allclose(line.y, value)
    np.testing.assert_allclose(band.y, [*high, *low[::-1]])
    assert value[-1] - value[0] == pytest.approx(found.gain, abs=1e-9)
    update(figure, Drawing(points, "accuracy", Look(), 200))
    assert line.x[-1] == 200  # there is no more
    update(figure, Drawing(points, "accuracy", Look(forecast=False), 200))
    assert line.visible is False
    assert band.visible is False


def test_the_forecast_of_an_error_falls() -> None:
    points = curve([1 - value for value in RISING])
    flipped = Points(points.rounds, points.estimates, curve(RISING).forecast)
    figure = empty_figure(280, "error")
    update(figure, Drawing(flipped, "error", Look(metric="error"), 10_000))
    line = figure.data[FIXED.index("forecast")]
    assert line.y[0] > line.y[-1]
    assert figure.layout.yaxis.range[0] < 0.1


def test_the_interval_of_a_forecast_widens() -> None:
    found = curve(RISING).forecast
    assert found is not None
    value, low, high = found.band([160, 210, 260, 460])
    assert (np.diff(high - low) > 0).all()
    assert (low <= value).all()
    assert (value <= high).all()
    assert high[0] > low[0]  # what is known of the newest point is not certain either
    certain = forecast(np.arange(1, 9) * 20.0, RISING)
    begin = certain.band([160])
    assert begin[2][0] == pytest.approx(begin[1][0])


# ---------------------------------------------------------------------- target and budget, drawn


def test_labels_of_target_and_budget_keep_out_of_the_way() -> None:
    points, figure = curve(RISING), empty_figure(280, "accuracy")
    assert figure.layout.legend.y > 1  # above the plot

    def labels(**wish: Any) -> list[tuple[str, str, str, str]]:
        update(figure, Drawing(points, "", Look(**wish), 1000))
        found = [shape.label for shape in figure.layout.shapes]
        return [(at.text, at.textposition, at.xanchor, at.yanchor) for at in found]

    # The forecast ends below 90 %, and there is room above; the budget's line is at the end.
    assert labels(target=0.9, budget=260) == [
        ("target 90 %", "middle", "center", "bottom"),
        ("budget", "start", "right", "bottom"),
    ]
    # The curve is above 50 % at the end; at the left edge there is room on the right alone.
    assert labels(target=0.5, budget=20) == [
        ("target 50 %", "end", "right", "top"),
        ("budget", "start", "left", "bottom"),
    ]
    # At the upper edge there is room below the line alone.
    assert labels(target=1.0) == [("target 100 %", "end", "right", "top")]
    assert labels(metric="error", budget=260) == [("budget", "end", "right", "top")]
    assert labels() == []
    # By minutes the budget is where it was: what was drawn before does not count.
    by_minutes = Scale("minutes", "minutes", np.zeros(1), 0.1)
    update(figure, Drawing(points, "", Look(budget=260), 1000, scale=by_minutes))
    assert figure.layout.xaxis.range[1] == pytest.approx(1.03 * 26)
    assert figure.layout.shapes[0].label.xanchor == "right"


# ---------------------------------------------------------------------- rounds


def test_a_click_shows_the_round_and_another_one_the_newest(session: al.Session) -> None:
    label(session, 40)
    curves = Curves(session, run=at_once)
    line = strategy_traces(curves.figure)[-1]
    at = len(line.x) - 1

    def click() -> None:
        points = type(
            "Points", (), {"point_inds": [at], "trace_index": list(curves.figure.data).index(line)}
        )
        curves._on_click(line, points(), None)

    click()
    version = line.customdata[at]
    assert session.round_shown == version
    assert curves._header.rounds["shown"] == version
    shown = session.rounds[version - 1]
    assert curves._header.rounds["words"] == looking_back(
        shown, session.estimate_rounds()[version - 1]
    )
    ring = trace(curves, "round shown")
    assert (ring.x, ring.y) == ((labels_of(shown),), (shown.accuracy,))
    assert ring.visible is True
    click()
    assert session.round_shown is None
    assert curves._header.rounds["shown"] is None
    assert ring.visible is False


def test_a_round_is_shown_in_all_views(session: al.Session) -> None:
    label(session, 40)
    one, other = Curves(session, run=at_once), Curves(session, run=at_once)
    heard: list[int | None] = []
    session.on("round shown", heard.append)
    send(one, type="round", version=2)
    send(one, type="round", version=2)
    assert heard == [2]
    assert other._header.rounds["shown"] == 2
    send(one, type="round", version=99)
    assert "There is no round 99" in one._header.advice["problem"]
    assert session.round_shown == 2
    label(session, 10)
    assert session.round_shown == 2  # a new round changes nothing
    send(other, type="round", version=None)
    assert heard == [2, None]


# ---------------------------------------------------------------------- arms


SAVED = Saved(84.0, 20.0, 160.0, 0.7, 144.0, "", 60, 0.95)
AHEAD = [Ahead(60, 0.7, 0.65, 0.75), Ahead(160, 0.78, 0.7, 0.86)]


def arms(difference: Estimate, ahead: list[Ahead], saved: Saved = SAVED) -> Arms:
    def point(n: int, value: float, version: int) -> ArmPoint:
        known = Estimate(value, value - 0.1, value + 0.1, 40, 40.0, "")
        return ArmPoint(n, unknown("too few") if math.isnan(value) else known, version)

    return Arms(
        active=[point(20, 0.62, 3), point(60, 0.8, 7)],
        random=[point(20, 0.6, 3), point(40, math.nan, 5), point(60, 0.7, 7)],
        difference=difference,
        forecast=ahead,
        no_forecast="" if ahead else "too few",
        saved=saved,
    )


def test_the_random_arm_as_far_as_its_labels_reach_then_dashed() -> None:
    found = drawn_arms(arms(Estimate(0.04, 0.01, 0.07, 60, 60.0, ""), AHEAD))
    assert found is not None
    assert found.words == [
        f"{SAVED}.",
        "With as many labels, active selection is ahead by 4.0 points (+1.0 to +7.0).",
    ]
    figure = empty_figure(280, "accuracy")
    update(figure, Drawing(curve(RISING), "accuracy", Look(), 1000, arms=found))
    traces = dict(zip(FIXED, figure.data, strict=False))
    line, dashed = traces["random arm"], traces["random arm, forecast"]
    assert (line.x, line.y, line.customdata) == ((20, 60), (0.6, 0.7), (3, 7))
    assert (traces["active arm"].x, traces["active arm"].y) == ((20, 60), (0.62, 0.8))
    assert (dashed.x, dashed.y) == ((60, 160), (0.7, 0.78))
    assert dashed.line.dash == "dash"
    assert traces["random, 95 % interval"].y == pytest.approx((0.7, 0.8, 0.6, 0.5))
    assert traces["random, forecast, 80 % interval"].y == (0.75, 0.86, 0.7, 0.65)
    assert figure.layout.yaxis.range[0] == pytest.approx(0.4)  # what is lowest, and some room
    update(figure, Drawing(curve(RISING), "accuracy", Look(), 1000))
    assert line.visible is False


@pytest.mark.parametrize(
    ("difference", "says"),
    [
        (
            Estimate(-0.04, -0.07, -0.01, 60, 60.0, ""),
            "random cards are ahead by 4.0 points (\N{MINUS SIGN}7.0",
        ),
        (
            Estimate(0.03, -0.01, 0.07, 60, 60.0, ""),
            "neither is ahead: +3.0 points (\N{MINUS SIGN}1.0 to +7.0)",
        ),
    ],
)
def test_the_verdict(difference: Estimate, says: str) -> None:
    found = drawn_arms(arms(difference, []))
    assert found is not None
    assert says in found.words[1]
    assert found.ahead == []


def test_without_a_comparison_there_are_no_arms(session: al.Session) -> None:
    assert drawn_arms(session.arms()) is None
    label(session, 20)
    assert trace(Curves(session, run=at_once), "random arm").visible is False


def test_the_arms_of_a_session_that_compares() -> None:
    with closing(made(compare="random", strategy="margin")) as session:
        curves = Curves(session, run=at_once)
        assert lines_of(curves) == [f"{str(session.arms().saved).capitalize()}."]
        label(session, 90)
        found = session.arms()
        for name, points in (("random arm", found.random), ("active arm", found.active)):
            known = [point for point in points if point.estimate.known]
            assert len(known) > 2
            line = trace(curves, name)
            assert line.visible is True
            assert line.x == tuple(point.n_labels for point in known)
            assert line.y == tuple(point.estimate.value for point in known)
        assert trace(curves, "random arm, forecast").y == tuple(p.value for p in found.forecast)
        assert str(found.saved)[1:] in lines_of(curves)[0]
        look(curves, metric="error")
        assert trace(curves, "random arm").visible is False


# ---------------------------------------------------------------------- what remains in the pool


@pytest.mark.parametrize("metric", ["accuracy", "error"])
def test_the_batches_are_drawn_as_tests_of_their_models(metric: Any) -> None:
    with closing(made(strategy="margin")) as session:
        label(session, 55)
        curves = Curves(session, run=at_once, metric=metric, remaining=True)
        frame = session.prequential()
        known = frame.dropna(subset="value")
        best = known[known["n"] == known.groupby(level=0)["n"].transform("max")]
        best = best[~best.index.duplicated()]
        assert len(best) >= 4
        sign = -1 if metric == "error" else 1
        values = (best["value"] if sign > 0 else 1 - best["value"]).tolist()
        ends = best["high" if sign > 0 else "low"]
        at = {r.version: labels_of(r) for r in session.rounds}
        line = trace(curves, "remaining pool")
        assert line.visible is True
        assert line.x == tuple(at[version] for version in best.index)
        assert line.y == pytest.approx(values)
        tops = [y + up for y, up in zip(line.y, line.error_y.array, strict=True)]
        assert tops == pytest.approx((ends if sign > 0 else 1 - ends).tolist())
        low, high = curves.figure.layout.yaxis.range
        assert low <= min(line.y) <= max(tops) <= high
        said = lines_of(curves)[-1]
        assert said.startswith("Of what remains in the pool, before each batch is trained on: ")
        assert f"from the {int(best['n'].iloc[-1])} labels of the newest batch that tells" in said
        column = curves.to_frame()["remaining pool"].dropna()
        assert column.tolist() == pytest.approx(values)
        look(curves, remaining=False)
        assert line.visible is False
        assert lines_of(curves) == []
        assert "remaining pool" not in curves.to_frame()


def test_batches_that_were_not_sampled_are_said_to_tell_nothing() -> None:
    with closing(made(strategy="badge")) as session:
        curves = Curves(session, run=at_once, remaining=True)
        assert lines_of(curves)[-1].endswith("no model has drawn a batch yet.")
        label(session, 40)
        assert trace(curves, "remaining pool").visible is False
        assert lines_of(curves)[-1] == (
            "Of what remains in the pool, before each batch is trained on: nothing to draw. The "
            "batch was picked, not sampled: nothing is known of what remained. Strategies that "
            "sample their cards, such as margin, bring a line."
        )
        look(curves, metric="f1")
        assert lines_of(curves)[-1].endswith(
            "there are accuracy and error of all classes together alone."
        )
        assert trace(curves, "remaining pool").visible is False


def test_without_an_audit_what_remains_is_drawn_all_the_same() -> None:
    with closing(made(strategy="margin", audit=0)) as session:
        label(session, 45)
        curves = Curves(session, run=at_once, remaining=True)
        assert trace(curves, "remaining pool").visible is True
        assert curves.figure.layout.annotations == ()
        assert curves.figure.layout.xaxis.range[1] >= max(trace(curves, "remaining pool").x)
        assert curves._header.summary["headline"] == "Accuracy: not estimated"


def test_rounds_of_before_a_restart_have_no_batches(tmp_path: Path) -> None:
    with closing(made(store=tmp_path / "a.db", strategy="margin")) as session:
        label(session, 45)
    with closing(made(store=tmp_path / "a.db", strategy="margin")) as session:
        curves = Curves(session, run=at_once, remaining=True)
        label(session, 20)
        versions = [r.version for r in session.rounds]
        known = trace(curves, "remaining pool").customdata
        assert known
        assert versions[0] not in known


# ---------------------------------------------------------------------- classes, tables, messages


def test_small_curves_the_lowest_first(session: al.Session) -> None:
    label(session, 40)
    curves = Curves(session, run=at_once, by_class=True)
    shown = curves._header.panels
    estimates = {
        name: session.estimate_rounds("recall", of=name)[-1].value for name in ("a", "b", "c")
    }
    assert [panel["name"] for panel in shown["panels"]] == sorted(
        estimates, key=estimates.__getitem__
    )
    assert shown["title"] == "Recall of each class, the lowest first"
    assert shown["panels"][0]["points"][-1][1] == min(estimates.values())
    look(curves, by_class=False)
    assert curves._header.panels["panels"] == []


def test_of_many_classes_the_lowest_are_shown_and_the_others_named() -> None:
    rounds = (record(1, 20),)
    classes = {
        f"c{k}": (unknown("none") if k == 3 else Estimate(k / 20, 0, 1, 9, 9.0, ""),)
        for k in range(MOST + 3)
    }
    first, others = worst_first(classes, MOST)
    assert (first[0], first[2], others[-1]) == ("c0", "c2", "c3")
    points = Points(rounds, (Estimate(0.5, 0, 1, 9, 9.0, ""),), classes=classes)
    found = panels(points, Look(by_class=True), LABELS)
    assert len(found["panels"]) == MOST
    assert found["more"] == "3 classes are not shown, of higher figures or not known ones."
    json.dumps(found, allow_nan=False)


def test_the_table_as_a_file(session: al.Session) -> None:
    label(session, 40)
    curves = Curves(session, run=at_once, by_class=True, cost_of_label=0.5)
    sent: list[Any] = []
    curves._header.send = lambda message, buffers=None: sent.append(message)
    send(curves, type="table", id="t1")
    example = json.loads((FIXTURES / "curves_file.json").read_text())["message"]
    assert sent[0].keys() == example.keys()
    assert sent[0]["id"] == "t1"
    assert sent[0]["name"].endswith("accuracy.csv")
    read = pd.read_csv(io.StringIO(sent[0]["text"]), index_col="version")
    assert read.index.tolist() == [record.version for record in session.rounds]
    assert {"labels", "value", "low", "high", "minutes", "money", "recall of a, low"} <= set(read)
    expected = curves.to_frame().drop(columns="of")
    pd.testing.assert_frame_equal(read.drop(columns="of"), expected, check_dtype=False)


def test_the_table_is_worked_out_meanwhile(session: al.Session) -> None:
    label(session, 40)
    waiting: list[Callable[[], None]] = []
    curves = Curves(session, run=waiting.append, metric="f1")
    sent: list[Any] = []
    curves._header.send = lambda message, buffers=None: sent.append(message)
    send(curves, type="table", id="t1")
    send(curves, type="round", version=99)  # what else is refused takes no table away
    assert "There is no round 99" in curves._header.advice["problem"]
    send(curves, type="table", id="t2")  # another view asks as well
    assert sent == []
    waiting.pop()()
    assert [message["id"] for message in sent] == ["t1", "t2"]
    assert all(message["name"].endswith("F1, macro.csv") for message in sent)
    read = pd.read_csv(io.StringIO(sent[0]["text"]), index_col="version")
    np.testing.assert_allclose(read["value"], curves.to_frame()["value"])
    label(session, 10)
    waiting.pop()()
    assert len(sent) == 2  # each was asked for once


def test_each_table_is_of_what_was_drawn_when_it_was_asked_for(session: al.Session) -> None:
    label(session, 40)
    waiting: list[Callable[[], None]] = []
    curves = Curves(session, run=waiting.append, metric="f1")
    sent: list[Any] = []
    curves._header.send = lambda message, buffers=None: sent.append(message)
    send(curves, type="table", id="t1")
    look(curves, metric="recall")
    send(curves, type="table", id="t2")
    look(curves, metric="accuracy")
    while waiting:
        waiting.pop()()
    names = {message["id"]: message["name"] for message in sent}
    assert names["t1"].endswith("F1, macro.csv")
    assert names["t2"].endswith("recall, macro.csv")
    assert len(sent) == 2


def test_an_audit_label_that_is_corrected_is_drawn_anew(session: al.Session) -> None:
    label(session, 60)
    curves = Curves(session, run=at_once, metric="f1")
    labels = session.labels()
    first = labels.index[labels["stream"] == "audit"][0]
    before = drawn(curves)
    session.record(first, "b" if labels.loc[first, "answer"] == "a" else "a")
    curves._draw()
    assert drawn(curves) != before
    values = {value for _, value in drawn(curves)}
    assert values == set(curves.to_frame()["value"].dropna())


def test_figures_of_models_that_are_not_kept_stay_with_their_usual_interval(
    session: al.Session,
) -> None:
    label(session, 60)
    usual = Curves(session, run=at_once)
    session._loop.history.of_items = lambda items: {}  # type: ignore[method-assign]
    curves = Curves(session, run=at_once, method="anytime")
    assert drawn(curves) == drawn(usual)
    assert curves._header.summary["headline"] == usual._header.summary["headline"]
    assert "is not kept: the intervals are of each point" in curves._header.tools["note"]


def test_a_table_that_cannot_be_made_is_told(session: al.Session) -> None:
    label(session, 40)
    waiting: list[Callable[[], None]] = []
    curves = Curves(session, run=waiting.append, metric="recall", of="b")
    send(curves, type="table", id="t1")
    session.estimate_rounds = Failing()  # type: ignore[method-assign]
    waiting.pop(0)()
    assert curves._header.advice["problem"] == "No figure today."


class Failing:
    def __call__(self, *_: Any, **__: Any) -> Any:
        raise AlwidgetsError("no figure today")


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("curves_*.json")), ids=lambda p: p.stem)
def test_examples(path: Path) -> None:
    example = json.loads(path.read_text())
    if example["direction"] == "to_browser":
        return
    message = example["message"]
    assert message_type(message, FROM_CURVES) == message["type"]
    if message["type"] == "look":
        asked = {"type": "look", "id": message["id"]}
        assert asked | parse_look(message).to_json() == message
    if message["type"] == "round":
        assert parse_round(message) == message["version"]
    if message["type"] == "table":
        assert parse_table(message) == message["id"]


@pytest.mark.parametrize(
    "change",
    [
        {"metric": "auc"},
        {"target": "95"},
        {"target": 0},
        {"budget": 1.5},
        {"cost": True},
        {"of": 3},
        {"method": None},
    ],
    ids=str,
)
def test_what_the_front_end_may_not_send(session: al.Session, change: dict[str, Any]) -> None:
    curves = Curves(session, run=at_once)
    send(curves, type="look", **Look().to_json() | change)
    assert curves._header.advice["problem"]
    assert curves.look == Look()


def test_a_change_is_answered_whether_it_is_taken_or_refused(session: al.Session) -> None:
    curves = Curves(session, run=at_once)
    heard: list[dict[str, Any]] = []
    curves._header.observe(lambda change: heard.append(change["new"]), "tools")
    for number, target in enumerate((0.5, 5, 5)):
        send(curves, type="look", id=f"c{number}", **replace(Look(), target=target).to_json())
        assert heard[-1]["answered"] == f"c{number}"
        assert heard[-1]["look"]["target"] == 0.5


def test_messages_that_are_none(session: al.Session) -> None:
    curves = Curves(session, run=at_once)
    for wrong in (
        {"type": "look"},
        {"type": "round", "version": "2"},
        {"type": "table"},
        {"type": "table", "id": 65 * "t"},
        {"type": "nothing"},
        None,
    ):
        curves._header._handle_custom_msg(wrong, [])
        assert curves._header.advice["problem"]
    with pytest.raises(MessageError, match="needs of, axis"):
        parse_look({"type": "look", "metric": "f1"})


def test_a_closed_session_can_still_be_looked_at(session: al.Session) -> None:
    label(session, 40)
    curves = Curves(session, run=at_once)
    session.close()
    look(curves, target=0.5)
    assert lines_of(curves)[0].startswith("Target 50 %: perhaps reached at")
    look(curves, axis="minutes")
    assert "Too few cards were timed" in curves._header.tools["note"]
    look(curves, axis="labels", metric="f1")
    assert curves._header.tools["note"] == ""
    assert curves._header.summary["headline"].startswith("F1, macro ")
    send(curves, type="round", version=2)
    assert curves._header.rounds["shown"] == 2
    send(curves, type="round", version=None)
    assert curves._header.rounds["shown"] is None


def test_closed_it_listens_no_more(session: al.Session) -> None:
    curves = Curves(session, run=at_once)
    curves.close()
    assert not any(session._signals._listeners.values())
