"""Active labels against random ones, by the audit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from alwidgets.evaluation.risk import Estimate, difference
from alwidgets.evaluation.rivals import AUDITED, CONFIDENCE, EACH, LOOKS, Verdict, is_due, judge
from alwidgets.learners import HeadEnsemble

RNG = np.random.default_rng(0)
N, POPULATION = 240, 1000
Y = RNG.integers(0, 2, N)
X = (RNG.normal(size=(N, 4)) + 3 * np.eye(4)[Y]).astype(np.float32)
AUDIT = np.arange(140, 240)
Q = 1 / (POPULATION - np.arange(len(AUDIT)))


def ask(codes: NDArray[np.int64], at_random: NDArray[np.bool_], **given: Any) -> Verdict | None:
    rows = np.arange(len(codes))
    arguments: dict[str, Any] = {
        "make_learner": lambda: HeadEnsemble(members=2, device="cpu"),
        "features": X[rows],
        "targets": codes,
        "at_random": at_random,
        "active": ~at_random,
        "n_classes": 2,
        "audit_features": X[AUDIT],
        "audit_targets": Y[AUDIT],
        "q": Q,
        "population": POPULATION,
    }
    return judge(**(arguments | given))


def test_labels_that_mislead_are_found_out() -> None:
    at_random = np.arange(120) % 2 == 0
    good = ask(Y[:120], at_random)
    assert good is not None
    assert good.each == 60
    assert good.losing is None
    assert good.gain.low <= 0 <= good.gain.high
    # The active side is wrong about every item it picked.
    bad = ask(np.where(at_random, Y[:120], 1 - Y[:120]), at_random)
    assert bad is not None
    assert bad.gain.high < 0
    assert "with 60 labels each" in str(bad.losing)
    # And the other way round, active selection wins.
    better = ask(np.where(at_random, 1 - Y[:120], Y[:120]), at_random)
    assert better is not None
    assert better.gain.low > 0
    assert better.losing is None


def test_too_little_to_say() -> None:
    few = np.arange(120) < EACH - 1
    assert ask(Y[:120], few) is None
    at_random = np.arange(120) % 2 == 0
    assert ask(Y[:120], at_random, audit_targets=Y[AUDIT][: AUDITED - 1]) is None
    assert ask(np.where(at_random, 0, Y[:120]), at_random) is None


def test_a_verdict_stands_until_there_is_half_as_much_again_to_judge_by() -> None:
    at_random = np.arange(100) % 2 == 0
    before = Verdict(Estimate(-0.3, -0.4, -0.2, 95, 95.0, ""), 45)
    assert ask(Y[:100], at_random, before=before) is before
    before = Verdict(Estimate(-0.3, -0.4, -0.2, 60, 60.0, ""), 40)
    again = ask(Y[:120], np.arange(120) % 2 == 0, before=before)
    assert again is not None
    assert again.each == 60
    # Where the sides no longer grow, more audit labels are a reason to look again.
    few = Verdict(Estimate(-0.3, -0.4, -0.2, 50, 50.0, ""), 40)
    later = ask(Y[:80], at_random[:80], before=few)
    assert later is not None
    assert later.gain.n == len(AUDIT)


def test_there_are_so_many_looks_and_no_more() -> None:
    verdict, looks = None, []
    for n in range(AUDITED, 20_000):
        if is_due(n // 3, n, verdict):
            looks.append(n)
            verdict = Verdict(Estimate(0.0, -1.0, 1.0, n, float(n), ""), n // 3)
    # The first with enough of either side, and then always half as much again.
    assert looks[:4] == [60, 68, 102, 152]
    assert len(looks) <= LOOKS
    assert looks[-1] < 2_700
    assert not is_due(EACH - 1, 500, None)
    assert not is_due(500, AUDITED - 1, None)


def alarms(active: float, at_random: float, runs: int) -> tuple[list[int], list[int]]:
    """Audit labels at which active selection was said to lose, by verdicts and by every round.

    Models change from round to round, and fail on the same hard items more often than by chance.
    """
    size, by_verdict, by_round = 1_500, [], []
    q = 1 / (size - np.arange(size))
    for run in range(runs):
        rng = np.random.default_rng([run, 7])
        hard = rng.random(size)

        def fails(rate: float, rows: NDArray[np.int64], hard: Any = hard, rng: Any = rng) -> Any:
            own = rng.random(len(rows)) < rate
            return np.where(rng.random(len(rows)) < 0.5, hard[rows] < rate, own).astype(float)

        every, rates = np.arange(size), (active, at_random)
        wrong = [fails(rate, every) for rate in rates]
        verdict, looked = None, False
        for n in range(AUDITED, 240, 10):
            for side, rate in zip(wrong, rates, strict=True):
                changed = rng.choice(size, size // 10, replace=False)
                side[changed] = fails(rate, changed)
            if is_due(n, n, verdict):
                gain = difference(wrong[1][:n], wrong[0][:n], q[:n], size, confidence=CONFIDENCE)
                verdict = Verdict(gain, n)
                if verdict.losing:
                    by_verdict.append(n)
                    break
            if not looked and difference(wrong[1][:n], wrong[0][:n], q[:n], size).high < 0:
                looked = True
                by_round.append(n)
    return by_verdict, by_round


def test_looking_again_and_again_raises_no_false_alarm() -> None:
    runs = 200
    by_verdict, by_round = alarms(0.2, 0.2, runs)
    # One side of an interval of 95 %. By the interval of every round it is many times as often.
    assert len(by_verdict) <= 0.025 * runs
    assert len(by_round) > 0.075 * runs


def test_a_strategy_that_loses_is_found_out() -> None:
    runs = 40
    by_verdict, _ = alarms(0.35, 0.15, runs)
    assert len(by_verdict) >= 0.95 * runs
    assert np.median(by_verdict) <= 110


def test_what_a_person_chose_is_on_neither_side() -> None:
    at_random = np.arange(120) % 3 == 0
    active = np.arange(120) % 3 == 1
    # Wrong about what they chose, and that says nothing about active selection.
    codes = np.where(np.arange(120) % 3 == 2, 1 - Y[:120], Y[:120])
    found = ask(codes, at_random, active=active)
    assert found is not None
    assert found.each == 40
    assert found.losing is None


@pytest.mark.parametrize("high", [0.01, -0.01])
def test_only_a_whole_interval_is_evidence(high: float) -> None:
    verdict = Verdict(Estimate(-0.1, -0.2, high, 80, 80.0, ""), 40)
    assert (verdict.losing is not None) == (high < 0)
