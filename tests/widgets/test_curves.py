"""The curve, and the figures in words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import alwidgets as al
from alwidgets.evaluation.risk import Estimate
from alwidgets.schema import RoundRecord
from alwidgets.widgets.curvefigure import FIXED, lines_of, strategy_traces
from alwidgets.widgets.curves import Curves
from alwidgets.widgets.curvewords import percent, summarise
from alwidgets.widgets.dashboard import Dashboard
from alwidgets.widgets.signs import advise

RNG = np.random.default_rng(0)
TRUTH = RNG.integers(0, 2, 100)
X = TRUTH[:, None] * 4 + RNG.normal(size=(100, 3))


@pytest.fixture
def session() -> Iterator[al.Session]:
    session = al.Session(
        al.Pool.from_arrays(X, ids=range(100)),
        al.Classification(["a", "b"]),
        batch_size=10,
        audit=0.3,
        executor=al.InlineExecutor(),
    )
    yield session
    session.close()


def label(session: al.Session, n: int) -> None:
    for _ in range(n):
        item = session.next()[0]
        session.record(item.id, "ab"[TRUTH[item.index]])


def at_once(curves: Curves) -> Curves:
    """The same, with no pause between two drawings."""
    curves._soon.interval = 0
    return curves


def record(version: int, strategy: str) -> RoundRecord:
    return RoundRecord(version, strategy, 10 * version, version, 0.8, 0.5, 0.9, 0.1, "", version)


def test_before_the_first_round_it_says_what_is_to_come(session: al.Session) -> None:
    curves = Curves(session)
    assert curves._header.summary["headline"] == "Accuracy: not known yet"
    assert curves.figure.layout.annotations[0].text.startswith("The curve begins")


def test_a_point_a_round_with_its_interval(session: al.Session) -> None:
    curves = Curves(session)
    label(session, 40)
    rounds = session.rounds
    assert len(rounds) == 4
    traces = dict(zip(FIXED, curves.figure.data, strict=False))
    band, marks = traces["95 % interval"], traces["another strategy"]
    lines = strategy_traces(curves.figure)
    points = {(x, y) for line in lines for x, y in zip(line.x, line.y, strict=True)}
    assert points == {(r.n_train + r.n_audit, r.accuracy) for r in rounds}
    assert band.y[: len(rounds)] == tuple(r.high for r in rounds)
    assert band.y[len(rounds) :] == tuple(r.low for r in reversed(rounds))
    assert curves.figure.layout.annotations == ()
    newest = session.switches[-1]
    assert curves._header.summary["picking"].endswith(newest.reason)
    assert (newest.before, newest.strategy) == ("representative", rounds[-1].strategy)
    assert set(marks.x) == {newest.n_labels, None}
    assert newest.reason in marks.customdata[0]
    current = session.current
    assert current is not None
    assert percent(current.accuracy) in curves._header.summary["headline"]


def test_the_sign_in_words() -> None:
    pool = al.Pool.from_arrays(np.concatenate([X, X + 0.01]), ids=range(200))
    task = al.Classification(["a", "b"])
    with closing(al.Session(pool, task, executor=al.InlineExecutor())) as session:
        curves = Curves(session)
        nothing = dict.fromkeys(("title", "reason", "worth", "losing", "problem"), "")
        assert curves._header.advice == nothing | {"stop": False}
        for _ in range(140):
            item = session.next()[0]
            session.record(item.id, "ab"[TRUTH[item.index % 100]])
        advice, sign = curves._header.advice, session.stop_sign
        assert advice["stop"] == sign.stop
        assert advice["title"] == ("Enough labels?" if sign.stop else "Go on labelling.")
        assert advice["reason"].startswith("The last 6 models ")
        assert "(kappa " in advice["reason"]
        assert advice["worth"].startswith("The next 60 labels: ")  # there are no more
        assert "The curve missed the last rounds by" in advice["worth"]
        assert advice["losing"] == ""
        assert Curves(session)._header.advice == advice


def test_the_sign_where_nothing_is_left_to_label() -> None:
    pool = al.Pool.from_arrays(X[:45], ids=range(45))
    options = {"audit": 0.3, "batch_size": 10, "executor": al.InlineExecutor()}
    with closing(al.Session(pool, al.Classification(["a", "b"]), **options)) as session:
        curves = at_once(Curves(session, target=1.0))
        label(session, 45)
        advice = curves._header.advice
        assert (advice["stop"], advice["title"]) == (True, "Nothing is left to label.")
        assert advice["reason"] == "Every item has a label, or was skipped."
        assert advice["worth"] == ""
        ahead = dict(zip(FIXED, curves.figure.data, strict=False))["forecast"]
        assert ahead.visible is False
        assert curves._header.tools["forecast"] == "Every item has a label, or was skipped."


def test_a_budget_counts_the_labels_that_are_given(session: al.Session) -> None:
    curves = at_once(Curves(session, budget=50))
    for n in range(10, 35, 3):
        label(session, 3 if n > 10 else 10)
        assert curves._header.summary["lines"][-1].startswith(f"Budget of 50 labels: {50 - n} more")


def test_a_budget_of_one_class_is_spent_all_the_same(session: al.Session) -> None:
    curves = at_once(Curves(session, budget=5))
    for item in session.next(10)[:6]:
        session.record(item.id, "a")
    assert not session.rounds
    assert curves._header.summary["lines"][-1] == "Budget of 5 labels: spent, there are 6."


def test_where_there_is_no_curve_it_says_so_from_the_first() -> None:
    options = {"batch_size": 10, "executor": al.InlineExecutor()}
    pool = al.Pool.from_arrays(X, ids=range(100))
    with closing(al.Session(pool, al.Classification(["a", "b"]), audit=0, **options)) as session:
        curves = Curves(session)
        for _ in range(2):
            summary = curves._header.summary
            assert summary["headline"] == "Accuracy: not estimated"
            assert summary["detail"].startswith("No item of this session is kept for the audit")
            assert curves.figure.layout.annotations[0].text == "There is no curve in this session"
            label(session, 30)
        assert len(session.rounds) == 6
        assert curves._header.tools["forecast"] == summary["detail"]
    texts = al.Pool.from_texts(["one", "two"])
    with closing(al.Session(texts, al.Correction(), **options)) as session:
        curves = Curves(session)
        assert curves._header.summary["headline"] == "Accuracy: not estimated"
        assert curves._header.summary["detail"].startswith("No model is trained for this task")
        assert curves.figure.layout.annotations[0].text == "There is no curve in this session"


def test_the_offer_changes_the_strategy(session: al.Session) -> None:
    curves = Curves(session)
    label(session, 20)
    fixture = Path(__file__).parents[2] / "js/fixtures/messages/curves_strategy.json"
    message = json.loads(fixture.read_text())["message"]
    curves._header._handle_custom_msg(message, [])
    assert session.strategy == "random"
    assert session.switches[-1].strategy == "random"
    for wrong in ({"type": "strategy", "name": "oracle"}, {"type": "strategy"}, "random", None):
        curves._header._handle_custom_msg(wrong, [])
        assert curves._header.advice["problem"]
        assert session.strategy == "random"


def test_evidence_against_a_strategy_is_shown(session: al.Session) -> None:
    assert advise(session)["losing"] == ""
    assert advise(Losing(session))["losing"] == "Random labels do better."  # type: ignore[arg-type]


class Losing:
    """A session whose strategy loses."""

    losing = "random labels do better"

    def __init__(self, session: al.Session) -> None:
        self.stop_sign = session.stop_sign


def test_of_several_labels_it_says_what_it_counts() -> None:
    pool = al.Pool.from_arrays(X, ids=range(100))
    task = al.MultiLabel(["a", "b"])
    options = {"audit": 0.3, "batch_size": 10, "executor": al.InlineExecutor()}
    with closing(al.Session(pool, task, **options)) as session:
        curves, dashboard = Curves(session), Dashboard(session)
        assert curves._header.summary["headline"] == "Every label right: not known yet"
        assert curves.figure.layout.yaxis.title.text == "every label right"
        for _ in range(30):
            item = session.next()[0]
            session.record(item.id, ["ab"[TRUTH[item.index]]])
        current = session.current
        assert current is not None
        expected = f"Every label right {percent(current.accuracy)}"
        assert curves._header.summary["headline"] == expected
        assert dashboard._header.status["measure"] == "every label right"


def test_shown_again_it_has_the_earlier_rounds(session: al.Session) -> None:
    label(session, 30)
    assert sum(len(line.x) for line in strategy_traces(Curves(session).figure)) >= 3


def test_a_line_for_each_strategy_from_where_it_took_over() -> None:
    rounds = [record(1, "a"), record(2, "b"), record(3, "b"), record(4, "a"), record(5, "a")]
    lines = lines_of(rounds)
    assert [r.version for r in lines["a"]] == [1, 2, 4, 5]
    assert [r.version for r in lines["b"]] == [2, 3, 4]


def test_one_round_is_a_point() -> None:
    assert lines_of([record(1, "a")]) == {"a": [record(1, "a")]}


def test_figures_for_people(session: al.Session) -> None:
    estimate = Estimate(0.914, 0.801, 0.969, 23, 22.0, "")
    assert percent(estimate) == "91 % (80 to 97 %)"
    label(session, 40)
    newest = session.current
    assert newest is not None
    words = summarise(replace(newest, accuracy=estimate, n_audit=23, n_skipped=2, n_train=60))
    assert words["headline"] == "Accuracy 91 % (80 to 97 %)"
    assert "from 23 audit labels drawn at random (2 more skipped) · 60 training" in words["detail"]
    none = summarise(replace(newest, n_audit=0, accuracy=Estimate(np.nan, 0, 1, 0, 0.0, "")))
    assert none["headline"] == "Accuracy: no audit labels yet"
    assert "nan" not in repr(none)


def test_the_dashboard_tells_how_things_stand(session: al.Session) -> None:
    dashboard = Dashboard(session)
    assert dashboard._header.status["accuracy"] is None
    assert dashboard._header.status["saved_to"] is None
    label(session, 40)
    dashboard._show_status()
    status = dashboard._header.status
    assert (status["labelled"], status["total"], status["model_version"]) == (40, 100, 4)
    current = session.current
    assert current is not None
    assert status["accuracy"] == percent(current.accuracy)
    dashboard.close()
    assert not any(session._signals._listeners.values())


def test_a_session_shows_itself_as_one_dashboard(session: al.Session) -> None:
    bundle = session._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert "application/vnd.jupyter.widget-view+json" in data
    assert session._repr_mimebundle_() == bundle
    session._shown.close()
