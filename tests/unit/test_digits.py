"""The bar for the loop as a whole: real digits, labelled by a script."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits

import alwidgets as al

N_TEST = 500
N_LABELS = 150
BATCH = 10


def accuracy(seed: int) -> float:
    """Accuracy on untouched images after 150 labels, audit labels among them."""
    digits = load_digits()
    order = np.random.default_rng(seed).permutation(len(digits.target))
    test, train = order[:N_TEST], order[N_TEST:]
    pool = al.Pool.from_images(digits.images[train])
    truth = dict(zip(pool.row_ids, digits.target[train], strict=True))
    session = al.Session(
        pool,
        al.Classification(range(10)),
        batch_size=BATCH,
        seed=seed,
        executor=al.InlineExecutor(),
    )
    for _ in range(N_LABELS // BATCH):
        for item in session.next(BATCH):
            session.record(item.id, str(truth[item.id]))
    assert len(session.labels()) == N_LABELS
    session.retrain()
    right = session.predict(digits.images[test]) == digits.target[test].astype(str)
    session.close()
    return float(right.mean())


def test_accuracy_with_150_labels() -> None:
    accuracies = [accuracy(seed) for seed in range(5)]
    print("accuracy with 150 labels:", accuracies, "mean", np.mean(accuracies))
    assert np.mean(accuracies) >= 0.94
