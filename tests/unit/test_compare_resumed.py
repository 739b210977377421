"""Comparisons that are stopped, killed, interrupted: what was played is kept, to the last bit."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

import alwidgets as al
from alwidgets.errors import ComparisonError, StrategyError
from alwidgets.evaluation.comparing import playing
from alwidgets.evaluation.comparing.material import material_of
from alwidgets.evaluation.comparing.plan import Arm, plan_of
from alwidgets.evaluation.comparing.run import Begun, News, Run
from alwidgets.strategies import registry
from alwidgets.widgets.comparison import going as told

X, Y = load_digits(return_X_y=True)
X = (X[:500] / 16).astype(np.float32)
Y = Y[:500]
QUICK: dict[str, Any] = {
    "seeds": 2,
    "batch": 10,
    "budget": 40,
    "initial": 10,
    "learners": LogisticRegression(),
    "successors": (),
    "workers": 0,
    "device": "cpu",
}


def compared(strategies: Any, **options: Any) -> al.Comparison:
    return al.compare(al.Pool.from_arrays(X), Y, strategies, **(QUICK | options))


def results(comparison: al.Comparison) -> dict[Arm, tuple[Any, ...]]:
    return {arm: (run.figures, run.rows, run.successors) for arm, run in comparison.runs.items()}


def until(reached: Callable[[], bool]) -> None:
    for _ in range(6000):
        if reached():
            return
        time.sleep(0.02)
    raise AssertionError("it never came to that")


def played(
    learner: Any, strategies: dict[str, Any], begun: Sequence[Begun] = ()
) -> tuple[dict[Arm, Run], list[Begun]]:
    """Runs of a small plan, and all that was told of them while they were under way."""
    material = material_of(al.Pool.from_arrays(X), Y)
    # With a fifth more labels the penalty is chosen anew: in some of these rounds, not in all.
    numbers = {"batch": 6, "budget": 70, "initial": 40, "target": None, "seconds": None}
    plan = plan_of(
        material, strategies, seeds=2, learners=learner, successors=(), metric="accuracy", **numbers
    )
    over: dict[Arm, Run] = {}
    under_way: list[Begun] = []

    def report(news: News) -> None:
        over.update({new.arm: new for new in news if isinstance(new, Run)})
        under_way.extend(new for new in news if isinstance(new, Begun))

    arms = [one.arm for one in begun] or plan.arms
    device = torch.device("cpu")
    playing.play(plan, material, arms, report, device=device, begun={one.arm: one for one in begun})
    return over, under_way


@pytest.fixture
def told_of_every_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playing, "EVERY", 0)
    monkeypatch.setattr(playing, "RARELY", 0)


@pytest.mark.usefixtures("told_of_every_round")
@pytest.mark.parametrize(
    "learner",
    [al.HeadEnsemble(members=4), LogisticRegression(), KNeighborsClassifier(3)],
    ids=lambda learner: type(learner).__name__,
)
def test_a_run_goes_on_from_any_round_to_the_last_bit(learner: Any) -> None:
    strategies = {"margin": "margin", "badge": "badge", "bald": "bald"}
    whole, under_way = played(learner, strategies)
    rounds = {len(one.figures) for one in under_way}
    assert rounds == {1, 2, 3, 4, 5, 6}
    for at in rounds:
        begun = [
            Begun.of(json.loads(json.dumps(one.to_json())))
            for one in under_way
            if len(one.figures) == at
        ]
        assert len(begun) == len(whole)
        # Beside others than before.
        for some in (begun[:1], begun[1:]):
            for arm, run in played(learner, strategies, some)[0].items():
                assert run.figures == whole[arm].figures, (at, arm)
                assert run.rows == whole[arm].rows, (at, arm)
                assert run.chosen == whole[arm].chosen


class Counts:
    """A strategy that remembers its rounds."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, context: Any) -> Any:
        self.calls += 1
        return torch.arange(len(context.features)).float() * (-1) ** self.calls


@pytest.mark.usefixtures("told_of_every_round")
def test_what_remembers_its_rounds_begins_anew() -> None:
    under_way = played(LogisticRegression(), {"counts": Counts()})[1]
    assert {one.arm.strategy for one in under_way} == {"random"}
    assert played(al.HeadEnsemble(hidden=8, members=2), {"margin": "margin"})[1] == []


def gate(folder: Path) -> Callable[[Any], Any]:
    """The margin; it writes down what it is asked, and at 30 labels waits for a file."""
    calls, go = str(folder / "calls"), str(folder / "go")

    def gated(context: Any) -> Any:
        with open(calls, "a") as file:
            file.write(f"{context.n_labelled}\n")
        while context.n_labelled >= 30 and not os.path.exists(go):
            time.sleep(0.02)
        return al.strategies.margin(context.proba)

    return gated


def test_stopped_in_the_first_lot_it_shows_what_was_played_and_goes_on(tmp_path: Path) -> None:
    out, calls = tmp_path / "runs.json", tmp_path / "calls"
    gated = gate(tmp_path)
    found = compared({"gated": gated}, workers=1, background=True, out=out)
    until(lambda: found.progress == (12, 16))
    assert len(found.runs) == 0
    found.stop()
    assert found.state == "stopped"
    assert found.progress == (12, 16)
    assert told(found)["headline"] == "Stopped at 75 %"
    curves = found.curves()
    assert curves[curves["strategy"] == "gated"]["labels"].tolist() == [10, 20, 30]
    assert (curves["seeds"] == 2).all()
    # The file has them, too, for another process.
    read = al.Comparison.from_json(out)
    assert read.progress[0] >= 4
    assert set(read.curves()["labels"]) >= {10}
    calls.unlink()
    (tmp_path / "go").touch()
    found.resume().wait()
    assert found.state == "done"
    assert "10" not in calls.read_text().split(), "the first round is played again"
    assert sorted(file.name for file in tmp_path.iterdir() if "going" in file.name) == []
    assert results(found) == results(compared({"gated": gated}))


def test_runs_under_way_of_other_versions_or_torn_begin_anew(tmp_path: Path) -> None:
    out = tmp_path / "runs.json"
    (tmp_path / "go").touch()
    gated = gate(tmp_path)
    whole = compared({"gated": gated}, out=tmp_path / "whole.json")
    for spoil in (
        lambda text: text.replace('"python": "', '"python": "0.'),
        lambda text: text[: len(text) // 2],
        lambda text: "[]",
    ):
        (tmp_path / "go").unlink()
        (tmp_path / "calls").unlink(missing_ok=True)
        found = compared({"gated": gated}, workers=1, background=True, out=out)
        until(lambda found=found: found.progress == (12, 16))
        found.stop()
        going = tmp_path / "runs.json.going"
        going.write_text(spoil(going.read_text()))
        (tmp_path / "go").touch()
        (tmp_path / "calls").unlink()
        assert results(compared({"gated": gated}, out=out)) == results(whole)
        assert "10" in (tmp_path / "calls").read_text().split()
        out.unlink()


VICTIM = """
import os, signal, sys
import numpy as np, torch
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
import alwidgets as al

calls = 0

def margin(context):
    global calls
    calls += 1
    if calls == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
    return al.strategies.margin(context.proba)

X, Y = load_digits(return_X_y=True)
pool = al.Pool.from_arrays((X[:500] / 16).astype(np.float32))
al.compare(pool, Y[:500], {"mine": margin}, seeds=18, batch=10, budget=40, initial=10,
           learners=LogisticRegression(), successors=("linear_svm",), workers=0, device="cpu",
           out=sys.argv[1])
print(calls)
"""


def own_margin(context: Any) -> Any:
    return al.strategies.margin(context.proba)


def test_killed_and_resumed_it_ends_with_the_same_table(tmp_path: Path) -> None:
    def play(out: Path, kill_at: int) -> tuple[int, str]:
        command = [sys.executable, "-c", VICTIM, str(out), str(kill_at)]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TQDM_DISABLE": "1"}
        ended = subprocess.run(command, env=env, check=False, capture_output=True, text=True)
        return ended.returncode, ended.stdout

    whole = compared({"mine": own_margin}, seeds=18, successors=("linear_svm",))
    # 32 runs go on side by side, with 16 calls a round. The first kill comes in the third round of
    # these, the second when they are over.
    for kill_at, over, most in ((40, 0, 54 - 16), (50, 32, 6)):
        killed = tmp_path / f"killed-{kill_at}.json"
        assert play(killed, kill_at)[0] == -signal.SIGKILL
        assert len(killed.read_text().splitlines()) == 1 + over
        if not over:
            seen = al.Comparison.from_json(killed)
            assert seen.progress[0] >= 32
            assert set(seen.curves()["labels"]) >= {10}
        status, calls = play(killed, 0)
        assert status == 0
        assert int(calls) <= most, "rounds that were kept are played again"
        resumed = al.Comparison.from_json(killed)
        assert resumed.state == whole.state == "done"
        assert resumed.table().equals(whole.table())
        assert results(resumed) == results(whole)


# --- processes ------------------------------------------------------------------------------------


def test_workers_come_to_the_same_and_can_be_paused_and_stopped(tmp_path: Path) -> None:
    def own(context: Any) -> Any:  # known to no module: it travels by value
        return al.strategies.margin(context.proba)

    out = tmp_path / "runs.json"
    strategies = {"own": own, "badge": "badge"}
    options = {"seeds": 3, "workers": 2, "background": True, "out": out}
    going = compared(strategies, **options)
    changes: list[str] = []
    going.on_change(lambda: changes.append(going.state))
    assert going.state == "running"
    with pytest.raises(ComparisonError, match="is being written by another comparison"):
        compared(strategies, **options)
    assert going.pause().state == "paused"
    assert going.resume().state == "running"
    going.stop()
    assert going.state == "stopped"
    going.resume().wait()
    assert going.state == "done"
    assert changes[-1] == "done"
    assert going.progress == (36, 36)
    assert results(going) == results(compared(strategies, seeds=3))


def test_workers_know_strategies_that_were_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_strategies", dict(registry._strategies))
    al.strategies.register(al.strategies.Strategy("my own", score=own_margin))
    options = {"seeds": 1, "budget": 20}
    beside = compared(["my own"], workers=1, **options)
    assert results(beside) == results(compared(["my own"], **options))


def test_interrupted_it_ends_its_workers_and_lets_go_of_the_file(tmp_path: Path) -> None:
    pid, go = str(tmp_path / "pid"), str(tmp_path / "go")

    def waits(context: Any) -> Any:
        with open(pid + ".part", "w") as file:
            file.write(str(os.getpid()))
        os.replace(pid + ".part", pid)
        while not os.path.exists(go):
            time.sleep(0.02)
        return al.strategies.margin(context.proba)

    def interrupt() -> None:
        until(lambda: os.path.exists(pid))
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    out = tmp_path / "runs.json"
    # Tests beside each other are run by processes that do not mind an interrupt.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            compared({"waits": waits}, workers=1, background=False, out=out)
        thread.join()
    finally:
        signal.signal(signal.SIGINT, before)
    with pytest.raises(ProcessLookupError):
        os.kill(int(Path(pid).read_text()), 0)
    Path(go).touch()
    again = compared({"waits": waits}, workers=0, out=out)
    assert again.state == "done"


def broken(context: Any) -> Any:
    raise RuntimeError("out of luck")


def leaves(context: Any) -> Any:
    os._exit(3)


@pytest.mark.parametrize(
    ("bad", "error", "words"),
    [
        (broken, StrategyError, "'broken' broke off .*out of luck"),
        (leaves, ComparisonError, "ended with status 3 while it played 'random', seed 0"),
    ],
)
def test_what_goes_wrong_in_a_worker_is_said(
    bad: Callable[..., Any], error: type[Exception], words: str
) -> None:
    going = compared([bad], workers=1, background=True)
    with pytest.raises(error, match=words):
        going.wait()
    assert going.state == "failed"
