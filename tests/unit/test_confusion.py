"""The confusion matrix: counts against scikit-learn, shares and rates against the pool's own."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, multilabel_confusion_matrix

import alwidgets as al
from alwidgets.evaluation import confusion, lure
from alwidgets.evaluation.confusion import OF

NAMES = ["ham", "spam", "news"]
RNG = np.random.default_rng(0)
TRUTH = RNG.integers(0, 3, 90)
SAID = np.where(RNG.random(90) < 0.7, TRUTH, RNG.integers(0, 3, 90))


def uniform(m: int, n: int) -> np.ndarray:
    return 1.0 / (n - np.arange(m))


def test_of_uniform_draws_it_is_that_of_scikit_learn() -> None:
    found = confusion(TRUTH, SAID, uniform(90, 400), 400, names=NAMES)
    assert (found.counts == confusion_matrix(TRUTH, SAID)).all()
    np.testing.assert_allclose(
        found.rates.value, confusion_matrix(TRUTH, SAID, normalize="true"), atol=1e-12
    )
    np.testing.assert_allclose(
        found.shares.value, confusion_matrix(TRUTH, SAID, normalize="all"), atol=1e-12
    )
    assert found.rows == found.columns == tuple(NAMES)
    assert (found.right == np.eye(3, dtype=bool)).all()
    for part in (found.rates, found.shares):
        assert (part.low <= part.value).all()
        assert (part.value <= part.high).all()
    assert found.table("rates").loc["spam", "ham"] == pytest.approx(found.rates.value[1, 0])
    assert found.table().index.name == "is"


def test_a_cell_is_a_mean_loss_by_lure() -> None:
    q = RNG.uniform(0.2, 1.0, 90) / 400
    found = confusion(TRUTH, SAID, q, 400, names=NAMES)
    cell = (TRUTH == 2) & (SAID == 0)
    share, rate = lure(cell, q, 400), lure(cell, q, 400, within=TRUTH == 2)
    for part, figure in ((found.shares, share), (found.rates, rate)):
        ends = part.value[2, 0], part.low[2, 0], part.high[2, 0]
        assert ends == pytest.approx((figure.value, figure.low, figure.high))
    assert sorted(found.inside(2, 0)) == np.flatnonzero(cell).tolist()


def test_an_empty_cell_is_not_known_to_be_0() -> None:
    truth, said = np.zeros(12, dtype=int), np.zeros(12, dtype=int)
    found = confusion(truth, said, uniform(12, 100), 100, names=["a", "b"])
    assert (found.rates.value[0, 1], found.rates.low[0, 1]) == pytest.approx((0.0, 0.0))
    assert 0.15 < found.rates.high[0, 1] < 0.35  # 0 of 12
    # Of a class without a label nothing is known.
    assert np.isnan(found.rates.value[1]).all()
    assert np.isnan(found.rates.high[1]).all()
    assert found.mistakes() == []


def test_the_pool_is_estimated_without_bias_where_errors_are_sought() -> None:
    """300 audits of one pool, drawn by where errors are expected; with seeds."""
    rng = np.random.default_rng(1)
    n, m, runs = 600, 60, 300
    truth = rng.choice(3, n, p=(0.6, 0.3, 0.1))
    said = np.where(rng.random(n) < 0.75, truth, rng.integers(0, 3, n))
    score = np.where(truth == said, 1.0, 3.0) * rng.uniform(0.5, 1.5, n)
    shares = []
    for _ in range(runs):
        order = np.argsort(-(np.log(score) + rng.gumbel(size=n)))[:m]
        left = score.sum() - np.cumsum(score[order]) + score[order]
        found = confusion(truth[order], said[order], score[order] / left, n, names=NAMES)
        shares.append(found.shares.value)
    off = np.mean(shares, axis=0) - confusion_matrix(truth, said, normalize="all")
    error = np.std(shares, axis=0) / np.sqrt(runs)
    assert (np.abs(off) < 3.5 * error + 1e-9).all()


def test_the_intervals_of_the_cells_cover() -> None:
    """150 pools and audits, with seeds: rates of 0.05 to 0.9 lie in their 95 % intervals."""
    rng = np.random.default_rng(2)
    n, m, runs = 1_500, 120, 150
    says = np.array([[0.9, 0.05, 0.05], [0.2, 0.7, 0.1], [0.1, 0.3, 0.6]])
    inside = np.zeros((2, 3, 3))
    for _ in range(runs):
        truth = rng.choice(3, n, p=(0.5, 0.3, 0.2))
        said = (rng.random((n, 1)) > says[truth].cumsum(axis=1)).sum(axis=1)
        rows = rng.permutation(n)[:m]
        found = confusion(truth[rows], said[rows], uniform(m, n), n, names=NAMES)
        for k, (part, how) in enumerate(((found.rates, "true"), (found.shares, "all"))):
            is_so = confusion_matrix(truth, said, normalize=how)
            inside[k] += (part.low <= is_so) & (is_so <= part.high)
    covered = inside / runs
    assert covered.min() > 0.9
    assert covered.mean() < 0.99


def test_of_several_labels_each_has_a_row_with_it_and_one_without() -> None:
    truth, said = RNG.integers(0, 2, (2, 50, 3))
    found = confusion(truth, said, uniform(50, 200), 200, names=NAMES)
    # Scikit-learn's are [[not so and not said, not so and said], [so and not said, both]].
    oracle = multilabel_confusion_matrix(truth, said)[:, ::-1, ::-1].reshape(6, 2)
    assert (found.counts == oracle).all()
    assert found.rows[:2] == ("ham", "not ham")
    assert found.columns == ("said", "not said")
    assert found.right.tolist() == [[True, False], [False, True]] * 3
    assert found.shares.value[:2].sum() == pytest.approx(1)
    missed = np.flatnonzero((truth[:, 1] == 1) & (said[:, 1] == 0))
    assert found.inside(2, 1).tolist() == missed.tolist()


def test_what_was_not_drawn_is_counted_only() -> None:
    found = confusion(TRUTH, SAID, None, 400, names=NAMES)
    np.testing.assert_allclose(found.rates.value, confusion_matrix(TRUTH, SAID, normalize="true"))
    for unknown in (found.rates.low, found.rates.high, found.shares.value):
        assert np.isnan(unknown).all()
    row, column = found.mistakes()[0]
    assert found.counts[row, column] == np.where(found.right, 0, found.counts).max()


def test_the_largest_mistakes_come_first() -> None:
    found = confusion([0, 0, 0, 1, 1], [1, 1, 0, 0, 1], uniform(5, 50), 50, names=["a", "b"])
    assert found.mistakes() == [(0, 1), (1, 0)]
    nothing = confusion([], [], [], 50, names=["a", "b"])
    assert nothing.counts.tolist() == [[0, 0], [0, 0]]
    assert np.isnan(nothing.shares.value).all()


def test_bad_input_is_named() -> None:
    q = uniform(2, 10)
    for truth, said in (([0, 1], [0]), ([0, 2], [0, 1]), ([0, -1], [0, 1]), ([0.5, 1.0], [0, 1])):
        with pytest.raises(al.AlwidgetsError, match="truth"):
            confusion(truth, said, q, 10, names=["a", "b"])
    with pytest.raises(al.AlwidgetsError, match="3 columns and 2 names"):
        confusion(np.zeros((2, 3)), np.zeros((2, 3)), q, 10, names=["a", "b"])
    with pytest.raises(al.AlwidgetsError, match="counts"):
        confusion([0], [0], [0.1], 10, names=["a", "b"]).table("share")  # type: ignore[arg-type]
    assert OF == ("counts", "shares", "rates")
