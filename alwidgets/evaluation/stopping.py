"""When to stop labelling: whether models that follow each other still disagree.

Each criterion looks at what models said of a fixed set of items without labels, and returns
advice in words. None of them knows how good a model is: they say whether it still changes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alwidgets.errors import AlwidgetsError
from alwidgets.evaluation.given import is_number, is_whole

#: Comparisons of a model with the one before that are looked at together.
ROUNDS = 3
KAPPA = 0.99
UNCERTAINTY = 0.05
CHANGE_OF_F = 0.01


@dataclass(frozen=True)
class Advice:
    """What a criterion says.

    Attributes
    ----------
    criterion : str
        Its name.
    stop : bool
        Whether labelling more looks useless to it.
    value : float
        What it measured; NaN where it cannot say.
    threshold : float
        What the value is held against.
    reason : str
        In words.
    """

    criterion: str
    stop: bool
    value: float
    threshold: float
    reason: str

    def __str__(self) -> str:
        return self.reason


def kappa(predicted: ArrayLike, others: ArrayLike) -> float:
    """Agreement of two models beyond what chance gives: Cohen's kappa.

    Parameters
    ----------
    predicted, others : (n,) int arrays
        Class codes that each of them predicts for the same items.

    Returns
    -------
    float
        1 at best; NaN where both predict one and the same class throughout, or there is no item:
        then agreement says nothing.

    Raises
    ------
    AlwidgetsError
        If these are no class codes, or of different lengths.

    References
    ----------
    Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological
    Measurement 1960.

    Examples
    --------
    >>> round(kappa([0, 0, 1, 1], [0, 0, 1, 0]), 6)
    0.5
    """
    first, second = _codes([predicted, others])
    if len(first) == 0:
        return math.nan
    _, places = np.unique(np.concatenate([first, second]), return_inverse=True)
    shares = [np.bincount(part, minlength=places.max() + 1) for part in np.split(places, 2)]
    by_chance = float(shares[0] @ shares[1]) / len(first) ** 2
    if by_chance == 1:
        return math.nan
    return (float(np.mean(first == second)) - by_chance) / (1 - by_chance)


def change_of_f(predicted: ArrayLike, others: ArrayLike) -> float:
    """By how much F1 may have changed from one model to the next, at a guess without labels.

    With a class predicted by both models a times, and by one of them alone b and c times, its
    F1 is taken to change by 1 - 2a / (2a + b + c): by what one model lacks if the other is right.

    Parameters
    ----------
    predicted, others : (n,) or (n, C) int arrays
        Class codes, or 0 and 1 for each of several labels. Of two classes coded 0 and 1 the
        second is the one that F1 is of, otherwise it is the mean over the classes.

    Returns
    -------
    float
        Between 0 and 1; NaN where neither model predicts any of the classes.

    Raises
    ------
    AlwidgetsError
        As `kappa`.

    References
    ----------
    Altschuler & Bloodgood, "Stopping active learning based on predicted change of F measure for
    text classification", ICSC 2019.

    Examples
    --------
    >>> change_of_f([1, 1, 0, 0], [1, 0, 0, 0])  # a = 1, b = 1, c = 0
    0.33333333333333337
    """
    first, second = _codes([predicted, others], several=True)
    if first.ndim == 1:
        classes = np.unique(np.concatenate([first, second]))
        if set(classes.tolist()) <= {0, 1}:
            classes = np.array([1])
        first, second = first[:, None] == classes, second[:, None] == classes
    said = first.sum(axis=0) + second.sum(axis=0)  # 2a + b + c
    both = (first.astype(bool) & second.astype(bool)).sum(axis=0)
    if not said.any():
        return math.nan
    return float(1 - np.mean(2 * both[said > 0] / said[said > 0]))


def stabilizing_predictions(
    predictions: Sequence[ArrayLike], *, threshold: float = KAPPA, rounds: int = ROUNDS
) -> Advice:
    """Stop once models that follow each other agree on a fixed set of items.

    Parameters
    ----------
    predictions : sequence of (n,) arrays of int or str
        Class codes that each model predicts for the same items, which need no labels; the oldest
        model first. About 2,000 items are enough.
    threshold : float
        Mean kappa from which to stop.
    rounds : int
        How many comparisons of a model with the one before are averaged.

    Raises
    ------
    AlwidgetsError
        For predictions that are no class codes or of different lengths, and settings out of range.

    References
    ----------
    Bloodgood & Vijay-Shanker, "A method for stopping active learning based on stabilizing
    predictions and the need for user-adjustable stopping", CoNLL 2009.

    Examples
    --------
    >>> print(stabilizing_predictions([[0, 1, 1, 0]] * 4))
    the last 4 models agree with each other (kappa 1.000, 0.99 is enough)
    """
    name = "stabilizing predictions"
    _check(threshold, rounds)
    said = _codes(predictions)[-(rounds + 1) :]
    if len(said) <= rounds:
        return _too_few(name, len(said), rounds + 1, threshold)
    if one := _one_class(name, said, threshold):
        return one
    value = float(np.mean([_or_one(kappa(*pair)) for pair in pairwise(said)]))
    stop = value >= threshold
    verb = "agree" if stop else "do not agree enough"
    bound = "is enough" if stop else "would be"
    return Advice(
        name,
        stop,
        value,
        threshold,
        f"the last {rounds + 1} models {verb} with each other "
        f"(kappa {value:.3f}, {threshold:g} {bound})",
    )


def classification_change(
    predictions: Sequence[ArrayLike], *, threshold: float = 0.0, rounds: int = 2
) -> Advice:
    """Stop once no prediction changes any more.

    Parameters
    ----------
    predictions : sequence of (n,) arrays of int or str
        As for `stabilizing_predictions`.
    threshold : float
        Share of the items that may change from one model to the next; none by default.
    rounds : int
        How many comparisons in a row have to show that.

    Raises
    ------
    AlwidgetsError
        As `stabilizing_predictions`.

    References
    ----------
    Zhu, Wang & Hovy, "Multi-criteria-based strategy to stop active learning for data annotation",
    COLING 2008.
    """
    name = "classification change"
    _check(threshold, rounds)
    said = _codes(predictions)[-(rounds + 1) :]
    if len(said) <= rounds:
        return _too_few(name, len(said), rounds + 1, threshold)
    if one := _one_class(name, said, threshold):
        return one
    value = max(float(np.mean(first != second)) for first, second in pairwise(said))
    return Advice(
        name,
        value <= threshold,
        value,
        threshold,
        f"of the last {rounds} times, a new model changed its mind about {value:.1%} of the items "
        f"at most ({threshold:.1%} is few enough)",
    )


def overall_uncertainty(
    uncertainty: Sequence[float] | ArrayLike, *, threshold: float = UNCERTAINTY
) -> Advice:
    """Stop once the model is sure of the items that have no label.

    Parameters
    ----------
    uncertainty : (rounds,) array
        Mean entropy of each model on these items as a share of its maximum, 0 to 1; the oldest
        model first. Only the newest counts.
    threshold : float
        Mean uncertainty from which to stop. Where classes overlap no model gets there.

    Raises
    ------
    AlwidgetsError
        For NaN or values outside 0 to 1, naming the round.

    References
    ----------
    Zhu, Wang & Hovy, "Learning a stopping criterion for active learning for word sense
    disambiguation and text classification", IJCNLP 2008.
    """
    name = "overall uncertainty"
    _check(threshold, 1)
    values = np.atleast_1d(np.asarray(uncertainty, dtype=np.float64))
    for at in np.flatnonzero(~((values >= 0) & (values <= 1))).tolist():
        raise AlwidgetsError(
            f"The uncertainty of round {at} is {values[at]}: it must be a share between 0 and 1."
        )
    if not len(values):
        return _too_few(name, 0, 1, threshold)
    value = float(values[-1])
    words = "sure" if value <= threshold else "not sure"
    return Advice(
        name,
        value <= threshold,
        value,
        threshold,
        f"the model is {words} of what has no label (mean uncertainty {value:.1%} of the most, "
        f"{threshold:.0%} is little)",
    )


def predicted_change_of_f(
    predictions: Sequence[ArrayLike], *, threshold: float = CHANGE_OF_F, rounds: int = ROUNDS
) -> Advice:
    """Stop once F1 can hardly have changed from one model to the next.

    Parameters
    ----------
    predictions : sequence of (n,) or (n, C) int arrays
        Class codes, or 0 and 1 for each of several labels, as for `change_of_f`; the oldest model
        first.
    threshold : float
        Mean predicted change up to which to stop.
    rounds : int
        How many comparisons of a model with the one before are averaged.

    Raises
    ------
    AlwidgetsError
        As `stabilizing_predictions`.

    References
    ----------
    Altschuler & Bloodgood, "Stopping active learning based on predicted change of F measure for
    text classification", ICSC 2019.
    """
    name = "predicted change of F1"
    _check(threshold, rounds)
    said = _codes(predictions, several=True)[-(rounds + 1) :]
    if len(said) <= rounds:
        return _too_few(name, len(said), rounds + 1, threshold)
    if one := _one_class(name, said, threshold):
        return one
    changes = [change_of_f(*pair) for pair in pairwise(said)]
    value = float(np.mean([0.0 if math.isnan(change) else change for change in changes]))
    return Advice(
        name,
        value <= threshold,
        value,
        threshold,
        f"F1 may have changed by {value:.1%} with each of the last {rounds} models "
        f"({threshold:.1%} is little)",
    )


def _check(threshold: float, rounds: int) -> None:
    if not (is_number(threshold) and 0 <= threshold <= 1):
        raise AlwidgetsError(f"threshold={threshold!r} must lie between 0 and 1.")
    if not is_whole(rounds) or rounds < 1:
        raise AlwidgetsError(f"rounds={rounds!r} must be a whole number, at least 1.")


def _codes(predictions: Sequence[ArrayLike], several: bool = False) -> list[NDArray[np.int64]]:
    """The predictions as class codes, or what is wrong with them; names are coded in order."""
    found: list[NDArray[np.int64]] = []
    arrays = [np.asarray(given) for given in predictions]
    if arrays and all(_are_names(array) for array in arrays):
        names = np.unique(np.concatenate([array.ravel() for array in arrays]).astype(str))
        arrays = [np.searchsorted(names, array.astype(str)) for array in arrays]
    for at, array in enumerate(arrays):
        if array.ndim != 1 and not (several and array.ndim == 2):
            raise AlwidgetsError(
                f"The predictions of model {at} have the shape {array.shape}: give class codes, "
                "(n,); of probabilities that is proba.argmax(axis=1)."
            )
        if array.dtype.kind == "f":
            odd = np.flatnonzero(~np.isfinite(array) | (array != np.round(array)))
            if len(odd):
                raise AlwidgetsError(
                    f"Prediction {odd[0]} of model {at} is {array.flat[odd[0]]}: give class codes."
                )
        elif array.dtype.kind not in "iub" and array.size:
            raise AlwidgetsError(
                f"The predictions of model {at} are of type {array.dtype}: give class codes, or "
                "the names of the classes, of all models."
            )
        if found and array.shape != found[0].shape:
            raise AlwidgetsError(
                f"Model {at} predicts {array.shape} and model 0 {found[0].shape}: all models have "
                "to be asked about the same items."
            )
        found.append(array.astype(np.int64))
    return found


def _are_names(array: NDArray[Any]) -> bool:
    return array.dtype.kind == "U" or (
        array.dtype.kind == "O" and all(isinstance(name, str) for name in array.flat)
    )


def _too_few(name: str, models: int, needed: int, threshold: float) -> Advice:
    there = {0: "there is none yet", 1: "there is 1 so far"}.get(models)
    what = "one model is asked" if needed == 1 else f"{needed} models are compared"
    words = f"{what}, {there or f'there are {models} so far'}"
    return Advice(name, False, math.nan, threshold, words)


def _one_class(name: str, said: Sequence[NDArray[np.int64]], threshold: float) -> Advice | None:
    """Advice not to stop where nothing could have changed."""
    if said[0].size == 0:
        words = "there are no items to compare the models on"
    elif all(np.ptp(codes, axis=0).max() == 0 for codes in said):
        words = "every item is predicted to be of one class: agreement says nothing yet"
    else:
        return None
    return Advice(name, False, math.nan, threshold, words)


def _or_one(value: float) -> float:
    """Kappa, 1 where two models in a row say the same one class of everything."""
    return 1.0 if math.isnan(value) else value
