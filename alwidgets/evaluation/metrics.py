"""Metrics by name: what audit labels say of a model, over the pool, a slice or each class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias, cast, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alwidgets.errors import EvaluationError
from alwidgets.evaluation import ratios
from alwidgets.evaluation.given import kind_of
from alwidgets.evaluation.ratios import RATIOS, Ratio
from alwidgets.evaluation.risk import Estimate, Method, lure, mean_score

Metric: TypeAlias = Literal["accuracy", "error", "precision", "recall", "f1"]
METRICS: tuple[Metric, ...] = get_args(Metric)
Average: TypeAlias = Literal["macro", "micro", "samples"]
AVERAGES: tuple[Average, ...] = get_args(Average)


def estimate(
    metric: Metric,
    truth: ArrayLike,
    predicted: ArrayLike,
    q: ArrayLike,
    N: int,
    *,
    average: Average | None = None,
    of: int | None = None,
    names: Sequence[str] | None = None,
    within: ArrayLike | None = None,
    confidence: float = 0.95,
    method: Method = "wilson",
) -> Estimate:
    """A metric over a pool of N items, from M that were drawn.

    Parameters
    ----------
    metric : {"accuracy", "error", "precision", "recall", "f1"}
    truth, predicted : (M,) int arrays, or (M, C) arrays of 0 and 1
        Class codes, or a column for each of several labels; in the order drawn. For accuracy and
        error names of classes will do.
    q, N
        As for `lure`.
    average : {"macro", "micro", "samples"}, optional
        Of precision, recall and F1: the mean over classes, by default; of all counts together; or
        the mean over items, by default of several labels, where an item with no label and none
        predicted counts as right.
    of : int, optional
        The figure of one class by itself; its accuracy is that on the items which are of it.
    names : sequence of str, optional
        Of the classes, by code.
    within : (M,) bool array, optional
        Only these draws: a slice.
    confidence : float
    method : {"wilson", "anytime"}
        Of accuracy, error and means over items; see `lure`.

    Raises
    ------
    EvaluationError
        For an unknown metric or average, a method that it does not have, labels that are missing,
        or texts in one array and numbers in the other, and as `lure`.
    """
    if metric not in METRICS:
        known = ", ".join(map(repr, METRICS))
        raise EvaluationError(f"There is no metric {metric!r}; use one of {known}.")
    is_table = np.ndim(truth) == 2
    average = average or ("samples" if is_table else "macro")
    if average not in AVERAGES:
        raise EvaluationError(f"There is no average {average!r}; use one of {AVERAGES}.")
    options: dict[str, Any] = {"within": within, "confidence": confidence}
    is_ratio = metric in RATIOS and (average != "samples" or of is not None)
    if is_ratio and method != "wilson":
        raise EvaluationError(
            f"{metric} is a ratio, with an interval by bootstrap: method={method!r} is for "
            "'accuracy' and 'error'."
        )
    if is_ratio:
        more: dict[str, Any] = options | {"of": of, "names": names}
        if of is None:
            more["average"] = average
        ratio = getattr(ratios, metric)
        return cast("Estimate", ratio(truth, predicted, q, N, **more))
    has, said = _same(truth, predicted)
    if of is not None:
        its = has[:, of] > 0 if is_table else has == of
        options["within"] = its if within is None else its & np.asarray(within, dtype=bool)
        has, said = (has[:, of], said[:, of]) if is_table else (has, said)
    options["method"] = method
    if metric in RATIOS:
        if not is_table:
            raise EvaluationError("average='samples' is for items that have several labels.")
        return mean_score(_of_items(metric, has > 0, said > 0), q, N, **options)
    right = has == said if has.ndim == 1 else (has == said).all(axis=1)
    if metric == "error":
        return lure(~right, q, N, **options)
    return mean_score(right, q, N, **options)


def by_class(
    metric: Metric,
    truth: ArrayLike,
    predicted: ArrayLike,
    q: ArrayLike,
    N: int,
    *,
    names: Sequence[str],
    **options: Any,
) -> dict[str, Estimate]:
    """A metric of each class, by its name; parameters as of `estimate`, the names by code."""
    return {
        name: estimate(metric, truth, predicted, q, N, of=code, names=names, **options)
        for code, name in enumerate(names)
    }


def by_slice(
    metric: Metric,
    truth: ArrayLike,
    predicted: ArrayLike,
    q: ArrayLike,
    N: int,
    slices: Mapping[str, NDArray[np.bool_]],
    **options: Any,
) -> dict[str, Estimate]:
    """A metric of each slice, by its name; parameters as of `estimate`, and a mask each."""
    return {
        name: estimate(metric, truth, predicted, q, N, within=mask, **options)
        for name, mask in slices.items()
    }


def _same(truth: ArrayLike, predicted: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    has, said = np.asarray(truth), np.asarray(predicted)
    if has.shape != said.shape:
        raise EvaluationError(
            f"truth and predicted of shapes {has.shape} and {said.shape} do not match: give a row "
            "of each for every draw."
        )
    kinds = kind_of(has, "truth"), kind_of(said, "predicted")
    if has.size and set(kinds) == {"text", "numbers"}:
        raise EvaluationError(
            f"Of truth and predicted one holds {kinds[0]} and the other {kinds[1]}, which are "
            "never the same: give both as class codes, or both as names."
        )
    return has, said


def _of_items(
    metric: Ratio, has: NDArray[np.bool_], said: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """The figure of each item's labels, (M,)."""
    both = (has & said).sum(axis=1)
    n_has, n_said = has.sum(axis=1), said.sum(axis=1)
    most = {"precision": n_said, "recall": n_has, "f1": n_has + n_said}[metric]
    found: NDArray[np.float64] = (2 if metric == "f1" else 1) * both / np.maximum(most, 1)
    return np.where(most > 0, found, n_has + n_said == 0)
