"""The view of a comparison: curves, progress, table, and the buttons' messages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

import alwidgets as al
from alwidgets.errors import MessageError
from alwidgets.widgets.comparison import Command, ComparisonView, going, outcome

X, Y = load_digits(return_X_y=True)
FIXTURES = Path(__file__).parents[2] / "js" / "fixtures" / "messages"


def compared(**options: Any) -> al.Comparison:
    pool = al.Pool.from_arrays((X[:300] / 16).astype(np.float32))
    quick: dict[str, Any] = {"seeds": 3, "batch": 10, "budget": 40, "initial": 10, "workers": 0}
    learner = LogisticRegression()
    return al.compare(
        pool, Y[:300], ["margin"], learners=learner, successors=(), device="cpu", **quick | options
    )


def test_the_figure_has_a_line_and_a_band_for_every_strategy() -> None:
    found = compared()
    figure = found.figure()
    names = [trace.name for trace in figure.data]
    assert names == ["random, 95 % interval", "margin, 95 % interval", "random", "margin"]
    curves = found.curves()
    mine = curves[curves["strategy"] == "margin"]
    assert list(figure.data[3].x) == [10, 20, 30, 40]
    np.testing.assert_allclose(figure.data[3].y, mine["mean"])
    np.testing.assert_allclose(figure.data[1].y[:4], mine["high"])
    np.testing.assert_allclose(figure.data[1].y[4:], mine["low"][::-1])


def test_what_is_said_in_the_end() -> None:
    found = compared(seconds=9)
    assert going(found)["headline"] == "Compared"
    assert going(found)["detail"] == "2 strategies, 3 seeds · 40 labels of a pool of 225"
    told = outcome(found)
    assert told["columns"][0] == "strategy"
    assert "hours" in told["columns"]
    assert {row[0] for row in told["rows"]} == {"margin", "random"}
    assert all(len(row) == len(told["columns"]) for row in told["rows"])
    assert any("Pool of 225 items" in note for note in told["notes"])
    place = told["columns"].index("seeds there")
    assert all(row[place].endswith(" of 3") for row in told["rows"])
    alone = outcome(compared(seeds=1))
    assert all("to" not in row[2] for row in alone["rows"]), "one seed has no interval"
    assert all(row[alone["columns"].index("p")] == "" for row in alone["rows"])


def test_labels_to_the_target_have_their_interval() -> None:
    told = outcome(compared(seeds=6, target=0.5))
    place = told["columns"].index("labels to target (95 %)")
    row = compared(seeds=6, target=0.5).table().loc[("LogisticRegression", "margin")]
    low, high = row["labels to target low"], row["labels to target high"]
    said = next(r[place] for r in told["rows"] if r[0] == "margin")
    assert said == f"{row['labels to target']:.0f} ({low:.0f} to {high:.0f})"
    hard = outcome(compared(seeds=6, target=1.0))
    assert {row[place] for row in hard["rows"]} == {"not reached"}


def test_it_follows_a_comparison_that_goes_on() -> None:
    lines: list[list[int]] = []
    states: list[str] = []
    found = compared(seeds=1)
    arms = list(found.runs)
    run = found.runs.pop(arms[1])
    found.state = "stopped"
    view = ComparisonView(found)
    assert view._header.going["headline"] == "Stopped at 50 %"
    assert view._header.going["playable"]
    found.on_change(lambda: states.append(found.state))
    found.runs[run.arm] = run
    found._finish("done")
    view._draw()
    lines.append(list(view.figure.data[3].x))
    assert lines[-1] == [10, 20, 30, 40]
    assert view._header.going["state"] == "done"
    assert states == ["done"]
    view.close()


class Recorded(al.Comparison):
    """Remembers what it was told."""

    told: list[str]

    def pause(self) -> Recorded:
        self.told.append("pause")
        return self

    def resume(self) -> Recorded:
        self.told.append("resume")
        return self

    def stop(self) -> Recorded:
        self.told.append("stop")
        return self


@pytest.mark.parametrize("file", sorted(FIXTURES.glob("comparison_*.json")), ids=lambda f: f.stem)
def test_what_is_pressed_reaches_the_comparison(file: Path) -> None:
    found = compared(seeds=1)
    view = ComparisonView(found)
    found.__class__ = Recorded
    found.told = []  # type: ignore[attr-defined]
    message = json.loads(file.read_text())["message"]
    assert message["type"] in get_args(Command)
    view._received(None, message, [])
    assert found.told == [message["type"]]  # type: ignore[attr-defined]
    with pytest.raises(MessageError, match="not known"):
        view._received(None, {"type": "close"}, [])
    view.close()
