"""Labels saved: two curves read at one height, and whether the interval holds the truth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import ndtri
from sklearn.isotonic import isotonic_regression

from alwidgets.errors import EvaluationError
from alwidgets.evaluation import labels_saved
from alwidgets.evaluation.monotone import MOST, crossings, isotonic, thinned
from alwidgets.evaluation.saved import AUDITED, MINUS, Saved

N, LABELS = 5_000, np.arange(10, 210, 10)


def error(labels: Any) -> Any:
    """Of a model on so many random labels."""
    return 0.04 + 1.2 / np.sqrt(labels)


def simulated(seed: int, *, worth: float, audited: int = 200, luck: float = 0.04) -> dict[str, Any]:
    """Arms of which the active one learns from a label what random cards learn from `worth`.

    Some items are harder than others for every model; each model has its own luck besides.
    """
    rng = np.random.default_rng(seed)
    hard = rng.normal(size=audited)

    def wrong(labels: NDArray[Any]) -> NDArray[np.bool_]:
        rate = error(labels) * np.exp(luck * rng.normal(size=len(labels)))
        own = rng.normal(size=(len(labels), audited))
        return np.sqrt(0.7) * hard + np.sqrt(0.3) * own > -ndtri(rate)[:, None]

    return {
        "active_labels": LABELS,
        "active_wrong": wrong(worth * LABELS),
        "random_labels": LABELS,
        "random_wrong": wrong(LABELS),
        "q": 1 / (N - np.arange(audited)),
        "N": N,
    }


# ---------------------------------------------------------------------- rising curves


def test_the_nearest_rising_rows_are_those_of_scikit_learn() -> None:
    rows = np.random.default_rng(0).normal(size=(50, 23)) + np.linspace(0, 2, 23)
    expected = np.array([isotonic_regression(row) for row in rows])
    np.testing.assert_allclose(isotonic(rows), expected, atol=1e-12)


@pytest.mark.parametrize(
    ("height", "low", "high"),
    [
        (0.5, 20.0, 20.0),  # the middle of three points of one height
        (0.6, 30.0, 30.0),  # half way from there to the last
        (0.7, 40.0, 40.0),
        (0.4, 0.0, 10.0),
        (0.71, 40.0, np.inf),
    ],
)
def test_a_height_is_read_off_in_the_middle(height: float, low: float, high: float) -> None:
    curves = np.array([[0.5, 0.5, 0.5, 0.7], [0.1, 0.2, 0.3, 0.4]])
    found = crossings(np.array([10.0, 20.0, 30.0, 40.0]), curves, np.array([height, 0.25]))
    assert [end[0] for end in found] == pytest.approx([low, high])
    assert [end[1] for end in found] == pytest.approx([25.0, 25.0])


def test_many_points_are_taken_together() -> None:
    labels, rows = np.arange(1.0, 200.0), np.arange(199.0)[:, None] * np.ones(3)
    at, means = thinned(labels, rows)
    assert len(at) == MOST
    np.testing.assert_allclose(means, (at - 1)[:, None] * np.ones(3))


# ---------------------------------------------------------------------- what it says


def test_without_noise_it_is_the_distance_of_the_curves() -> None:
    hard = (np.arange(1_000) + 0.5) / 1_000
    wrong = {worth: hard < error(worth * LABELS)[:, None] for worth in (1, 2)}
    q = 1 / (1_000 - np.arange(1_000))
    found = labels_saved(LABELS, wrong[2], LABELS, wrong[1], q, 1_000)
    assert found.needed == 200
    assert found.value == pytest.approx(100, abs=6)
    # Every item is labelled: nothing is left to chance.
    assert found.high - found.low < 5
    turned = labels_saved(LABELS, wrong[1], LABELS, wrong[2], q, 1_000)
    assert turned.value == pytest.approx(-100, abs=6)
    assert turned.high < 0


def test_the_order_of_the_models_says_nothing() -> None:
    given = simulated(1, worth=2)
    order = np.random.default_rng(0).permutation(len(LABELS))
    shuffled = given | {
        "active_labels": LABELS[order],
        "active_wrong": given["active_wrong"][order],
    }
    assert labels_saved(**shuffled) == labels_saved(**given)


@pytest.mark.parametrize(("worth", "saved"), [(2.0, 60.0), (1.0, 0.0), (0.5, -60.0)])
def test_the_interval_holds_what_was_saved(worth: float, saved: float) -> None:
    # To a target that random cards reach with 120 labels, or active selection where it loses.
    target = 1 - error(120 * min(1.0, worth))
    found = [labels_saved(**simulated(seed, worth=worth), target=target) for seed in range(30)]
    assert np.mean([one.low <= saved <= one.high for one in found]) >= 0.9


def test_the_interval_holds_half_where_active_selection_needs_half() -> None:
    # To what random cards have reached with all of their 200 labels.
    found = [labels_saved(**simulated(seed, worth=2)) for seed in range(30)]
    assert np.mean([one.low <= 100 <= one.high for one in found]) >= 0.9
    assert np.mean([one.value for one in found]) == pytest.approx(100, abs=20)


def test_the_interval_grows_narrow_with_the_audit() -> None:
    few, many = (
        [labels_saved(**simulated(seed, worth=2, audited=m)) for seed in range(10)]
        for m in (50, 800)
    )
    width = [np.mean([one.high - one.low for one in some]) for some in (few, many)]
    assert width[1] < 0.7 * width[0]


def test_equal_arms_save_nothing() -> None:
    found = [labels_saved(**simulated(seed, worth=1)) for seed in range(30)]
    assert np.mean([one.low <= 0 <= one.high for one in found]) >= 0.9
    values = [one.value for one in found]
    assert abs(np.mean(values)) < 3 * np.std(values, ddof=1) / np.sqrt(len(values))


def test_one_noisy_model_decides_nothing() -> None:
    given = simulated(2, worth=1, audited=400, luck=0.0)
    lucky = given["active_wrong"].copy()
    lucky[3] = False  # right about everything, with 40 labels
    before, after = labels_saved(**given), labels_saved(**given | {"active_wrong": lucky})
    assert abs(after.value - before.value) < 80
    # Had one point decided, all but 40 of the labels that random cards needed.
    assert after.value < after.needed - 60


def test_beyond_its_labels_an_arm_gives_a_bound() -> None:
    given = simulated(3, worth=3, audited=1_000, luck=0.0)
    out_of_reach = 1 - error(400)  # random cards have 200
    found = labels_saved(**given, target=out_of_reach)
    assert (found.bound, found.needed, found.high) == ("at least", np.inf, np.inf)
    assert 0 < found.value < 200
    assert "at least" in str(found)
    assert "have not reached 90 % yet" in str(found)
    turned = {
        name.replace("active", "new").replace("random", "active").replace("new", "random"): value
        for name, value in given.items()
    }
    lost = labels_saved(**turned, target=out_of_reach)
    assert (lost.bound, lost.low) == ("at most", -np.inf)
    assert lost.value < 0


def test_curves_that_never_rise_tell_no_labels() -> None:
    q, labels = 1 / (1_000 - np.arange(60)), np.arange(20, 140, 20)
    flat = np.zeros((6, 60))
    flat[:, 0] = 1
    found = labels_saved(labels, flat, labels, flat, q, 1_000)
    assert not found.known
    assert "the first models of both arms had reached 98.3 %" in str(found)
    # One item of one model: the interval says that it may be nothing.
    once = flat.copy()
    once[0, 1] = 1
    found = labels_saved(labels, flat, labels, once, q, 1_000)
    assert found.bound == "at least"
    assert found.low < 0 < found.value <= found.high


def test_where_nothing_can_be_said_it_says_why() -> None:
    given = simulated(4, worth=2)
    assert "no arm has reached 99 % yet" in str(labels_saved(**given, target=0.99))
    assert "first models of both arms" in str(labels_saved(**given, target=0.2))
    short = {name: given[name][:2] for name in ("random_labels", "random_wrong")}
    assert "3 models of the random arm are needed, there are 2" in str(
        labels_saved(**given | short)
    )
    none = {"active_labels": [], "active_wrong": np.empty((0, 200))}
    assert "of the active arm are needed, there are 0" in labels_saved(**given | none).why_not
    few = simulated(4, worth=2, audited=AUDITED - 1)
    found = labels_saved(**few)
    assert not found.known
    assert "29 audit labels are too few, 30 are needed" in str(found)
    assert (found.low, found.high) == (-np.inf, np.inf)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"target": 1.2}, "target=1.2 must be an accuracy"),
        ({"target": 90}, "such as 0.9"),
        ({"confidence": 95}, "confidence must lie between"),
        ({"random_labels": [10, 20]}, r"random_labels of shape \(2,\)"),
        ({"active_labels": LABELS - 10}, "active_labels of model 0 is 0"),
        ({"active_wrong": np.full((20, 200), np.nan)}, "active_wrong of model 0 is nan"),
        ({"q": np.zeros(200)}, "Draw 0 has probability 0"),
    ],
)
def test_bad_input_is_named(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(EvaluationError, match=words):
        labels_saved(**simulated(0, worth=1) | wrong)


def test_it_reads_as_a_sentence() -> None:
    saved = Saved(120.2, 40.4, 210.0, 0.912, 300.0, "", 80, 0.95)
    assert str(saved) == (
        "Active selection saved 120 labels (40 to 210) of the 300 that random cards needed for "
        "91.2 %"
    )
    # What was reached is not rounded up to what was not.
    assert str(Saved(60.0, 10.0, 90.0, 0.89634, 142.0, "", 80, 0.95)).endswith("for 89.6 %")
    lost = Saved(-20.0, -60.0, 12.0, 0.85, 100.0, "", 80, 0.95)
    assert f"saved {MINUS}20 labels ({MINUS}60 to 12) of the 100" in str(lost)
    assert "(30 or more)" in str(Saved(50.0, 30.0, np.inf, 0.9, np.inf, "at least", 80, 0.95))
    assert "saved 1 label (" in str(Saved(1.0, 0.4, 2.0, 0.9, 10.0, "", 80, 0.95))
