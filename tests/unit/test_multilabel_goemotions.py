"""Several labels for an item, on real texts: GoEmotions (Demszky et al., ACL 2020)."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.preprocessing import MultiLabelBinarizer

import alwidgets as al
from alwidgets.content import Text
from alwidgets.encoders import TfidfEncoder

TRAIN = Path(__file__).parents[3] / "shared" / "data" / "goemotions" / "train.csv"

pytestmark = pytest.mark.skipif(not TRAIN.is_file(), reason=f"{TRAIN} is not on this machine")


def read(n: int) -> tuple[list[str], list[list[str]]]:
    with TRAIN.open(encoding="utf-8", newline="") as file:
        rows = [row for row, _ in zip(csv.DictReader(file), range(n), strict=False)]
    return [row["text"] for row in rows], [row["label"].split("|") for row in rows]


def test_every_set_of_labels_there_is() -> None:
    _, answers = read(50_000)
    assert len(answers) == 43_410
    names = sorted({name for answer in answers for name in answer})
    task = al.MultiLabel(names)
    codes = np.array([task.encode(answer) for answer in answers])
    marks = MultiLabelBinarizer(classes=names).fit_transform(answers)
    np.testing.assert_array_equal(task.targets(codes), marks)
    np.testing.assert_array_equal(task.codes(marks), codes)
    assert [task.decode(code) for code in codes] == [task.validate(answer) for answer in answers]
    seen = len({frozenset(answer) for answer in answers})
    assert len(np.unique(codes)) == seen > 700
    single = [len(answer) == 1 for answer in answers]
    np.testing.assert_array_equal(codes < len(names), single)


def test_better_than_a_logistic_regression_for_each_label() -> None:
    texts, answers = read(2500)
    marks = MultiLabelBinarizer().fit_transform(answers)
    X = TfidfEncoder(128).fit_transform([Text(text) for text in texts])

    def log_loss(proba: np.ndarray) -> float:
        p = np.clip(proba, 1e-6, 1 - 1e-6)
        return float(-np.where(marks[1000:] > 0, np.log(p), np.log1p(-p)).sum(axis=1).mean())

    ours = al.HeadEnsemble(device="cpu").fit(X[:1000], marks[:1000])
    theirs = OneVsRestClassifier(LogisticRegression()).fit(X[:1000], marks[:1000])
    usual = np.tile(marks[:1000].mean(axis=0), (1500, 1))
    found = log_loss(ours.predict_proba(X[1000:]))
    assert found < log_loss(theirs.predict_proba(X[1000:])) < log_loss(usual)
    # As often as it says, over all labels: neither more nor less sure than it should be.
    proba = ours.predict_proba(X[1000:])
    for low, high in ((0.02, 0.1), (0.1, 0.3), (0.3, 0.7)):
        inside = (proba >= low) & (proba < high)
        assert marks[1000:][inside].mean() == pytest.approx(proba[inside].mean(), abs=0.05)
