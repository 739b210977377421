"""What cannot be counted is named, in words; no number is made of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from alwidgets.errors import AlwidgetsError
from alwidgets.evaluation import (
    accuracy,
    by_class,
    estimate,
    lure,
    reliability,
    strata,
    temperature,
)
from alwidgets.stopping import Forecast, forecast, stabilizing_predictions, worth

N, M = 100, 20
Q = 1 / (N - np.arange(M))
CODES = np.arange(M) % 2
NAMES = np.array(["ham", "spam"])[CODES]
HALF = np.full((M, 2), 0.5)


def but(row: int, value: Any, of: Any = CODES) -> list[Any]:
    """The same labels, and one of them another."""
    found = list(of)
    found[row] = value
    return found


def ahead(**options: Any) -> Forecast:
    return forecast(range(20, 140, 20), [0.5, 0.6, 0.65, 0.66, 0.67, 0.68], **options)


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (lambda: estimate("accuracy", NAMES, CODES, Q, N), "one holds text and the other numbers"),
        (lambda: estimate("error", CODES, list(NAMES), Q, N), "never the same"),
        (lambda: estimate("accuracy", but(3, np.nan), CODES, Q, N), "truth has no label in row 3"),
        (lambda: estimate("accuracy", NAMES, but(4, None, NAMES), Q, N), "predicted has no label"),
        (lambda: estimate("error", but(5, pd.NA, NAMES), NAMES, Q, N), "no label in row 5"),
        (lambda: reliability(np.full(M, 0.5), but(6, np.nan), Q, N), "correct is nan in row 6"),
        (lambda: reliability(np.full(M, 0.5), but(1, "False", NAMES), Q, N), "correct is 'ham'"),
        (lambda: reliability(np.full(M, 0.5), but(2, 0.7), Q, N), "must be True or False"),
        (lambda: temperature(but(7, 2), HALF, Q, N), r"row 7: it must be a whole number in 0\.\.1"),
        (lambda: temperature(but(8, -1), HALF, Q, N), "in row 8"),
        (lambda: temperature(NAMES, HALF, Q, N), "'ham'"),
        (lambda: temperature(HALF, HALF, Q, N), "it must be 0 or 1"),
        (lambda: temperature(CODES, but(9, [0.2, np.nan], HALF), Q, N), "proba is nan in row 9"),
        (lambda: strata([]), "There is no score"),
        (lambda: accuracy(but(3, np.nan), Q, N), "correct is nan in row 3"),
        (lambda: accuracy(["True"] * M, Q, N), "must be True or False"),
        (lambda: lure(CODES, Q, "100"), "N='100' must be a whole number"),  # type: ignore[arg-type]
        (lambda: lure(CODES, Q, float("nan")), "N=nan must be a whole number"),  # type: ignore[arg-type]
        (lambda: ahead(ahead=float("inf")), "ahead=inf must be a number of labels"),
        (lambda: ahead(ahead="100"), "ahead='100'"),
        (lambda: stabilizing_predictions([[0, 1]] * 4, rounds=2.5), r"rounds=2\.5 must be a whole"),  # type: ignore[arg-type]
        (lambda: stabilizing_predictions([[0, 1]] * 4, threshold="1"), "threshold='1'"),  # type: ignore[arg-type]
        (lambda: worth(ahead(), volume="x"), "volume='x' must be a number"),  # type: ignore[arg-type]
    ],
)
def test_what_is_wrong_is_named(made: Callable[[], Any], says: str) -> None:
    with pytest.raises(AlwidgetsError, match=says):
        made()


def test_names_are_as_good_as_codes() -> None:
    said = but(0, 1 - CODES[0])
    by_code = estimate("accuracy", CODES, said, Q, N)
    names = np.array(["ham", "spam"])[said]
    assert estimate("accuracy", NAMES, names, Q, N) == by_code
    assert estimate("accuracy", NAMES.astype(object), names, Q, N) == by_code
    assert estimate("accuracy", CODES.astype(float), said, Q, N) == by_code


def test_true_and_false_as_numbers() -> None:
    right = CODES == 1
    as_they_are = reliability(np.full(M, 0.5), right, Q, N)
    for other in (CODES, CODES.astype(float), right.astype(object)):
        assert reliability(np.full(M, 0.5), other, Q, N) == as_they_are


def test_whole_numbers_of_numpy_are_whole() -> None:
    said = [[0, 1, 1, 0]] * 4
    assert stabilizing_predictions(said, rounds=np.int64(3)) == stabilizing_predictions(said)  # type: ignore[arg-type]
    assert ahead(ahead=np.int64(50)).ahead == 50


def test_the_classes_of_a_figure_by_class_need_their_names() -> None:
    with pytest.raises(TypeError, match="'names'"):
        by_class("f1", CODES, CODES, Q, N)  # type: ignore[call-arg]
    assert set(by_class("f1", CODES, CODES, Q, N, names=["ham", "spam"])) == {"ham", "spam"}
