"""Labels as class codes, and what each class weighs."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from alwidgets.errors import LearnerError


def as_codes(y: Any, classes: int | None, n: int) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Class codes (n,) int64, and the label (C,) that each code stands for, ascending.

    Parameters
    ----------
    y : (n,) array or tensor
        Labels of any kind; with ``classes``, codes 0..C-1.
    classes : int or None
        C, where some codes may have no label yet.
    n : int
        Rows of features.

    Raises
    ------
    LearnerError
        For another number of labels than rows, none at all, codes out of range, and numbers that
        are no classes.
    """
    labels = y.detach().cpu().numpy() if isinstance(y, torch.Tensor) else np.asarray(y)
    if not labels.dtype.isnative:
        # Those of a file from another machine: torch takes no foreign byte order.
        labels = labels.astype(labels.dtype.newbyteorder("="))
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = column_or_1d(labels, warn=True)
    if labels.ndim != 1 or len(labels) != n:
        raise LearnerError(f"There are {n} rows of features but labels of shape {labels.shape}.")
    if n == 0:
        raise LearnerError("No labels to fit on: label at least one item.")
    if classes is None:
        try:
            check_classification_targets(labels)
            found, codes = np.unique(labels, return_inverse=True)
        except (TypeError, ValueError) as error:
            raise LearnerError(f"{error} Labels must be classes: numbers or strings.") from error
        return codes.astype(np.int64), found
    if not isinstance(classes, Integral) or classes < 1:
        raise LearnerError(f"classes must be at least 1, a whole number; it is {classes!r}.")
    if labels.dtype.kind not in "iub":
        raise LearnerError(
            f"Labels must be integer class codes, not {labels.dtype}: "
            "np.unique(y, return_inverse=True)[1] makes codes of any labels."
        )
    if int(labels.min()) < 0 or int(labels.max()) >= classes:
        raise LearnerError(
            f"Class codes must lie in 0..{classes - 1}, "
            f"found {int(labels.min())}..{int(labels.max())}."
        )
    return labels.astype(np.int64), np.arange(classes)


def is_several(y: Any) -> bool:
    """Whether labels are a table of 0 and 1, (n, C) with a column for each of several labels."""
    table = y if isinstance(y, torch.Tensor) else np.asarray(y)
    return table.ndim == 2 and table.shape[1] > 1


def as_marks(y: Any, classes: int | None, n: int) -> NDArray[np.float32]:
    """Which labels each item has, (n, C) of 0 and 1.

    Parameters
    ----------
    y : (n, C) array or tensor
    classes : int or None
        C.
    n : int
        Rows of features.

    Raises
    ------
    LearnerError
        For another number of rows or columns, none at all, and for anything but 0 and 1.
    """
    marks = y.detach().cpu().numpy() if isinstance(y, torch.Tensor) else np.asarray(y)
    if len(marks) != n or marks.shape[1] != (classes or marks.shape[1]):
        wanted = f"{n} rows of features" + (f" and {classes} labels" if classes else "")
        raise LearnerError(f"There are {wanted} but marks of shape {marks.shape}.")
    if n == 0:
        raise LearnerError("No labels to fit on: label at least one item.")
    if marks.dtype.kind not in "iubf" or not np.isin(marks, (0, 1)).all():
        raise LearnerError(
            "A table of labels must hold 0 and 1 only, a column for each label: "
            "sklearn.preprocessing.MultiLabelBinarizer makes one of lists of labels."
        )
    return marks.astype(np.float32)


def decided(proba: Any, several: bool) -> Any:
    """The best answers: of one class the likeliest, (n,); of several those of at least 1/2, (n, C).

    Labels that are independent, as a model with one probability for each takes them to be, are
    most likely these together.
    """
    return proba >= 0.5 if several else proba.argmax(1)


def class_weights(
    class_weight: Any, codes: NDArray[np.int64], labels: NDArray[Any]
) -> NDArray[np.float32]:
    """The weight of each class in a loss, (C,) float32; that of an item is ``weights[codes]``.

    Parameters
    ----------
    class_weight : None, "balanced", mapping or array
        As in scikit-learn: ``"balanced"`` gives every class that occurs the same sum; a mapping
        has weights by label, 1 where there is none; an array has one for each class.
    codes : (n,) int64 array
        Into `labels`.
    labels : (C,) array

    Raises
    ------
    LearnerError
        For labels that are no class, another number of weights, and negative or infinite ones.
    """
    wanted = f'class_weight must be "balanced", a mapping or {len(labels)} numbers'
    if class_weight is None:
        return np.ones(len(labels), dtype=np.float32)
    if isinstance(class_weight, str):
        if class_weight != "balanced":
            raise LearnerError(f"{wanted}, not {class_weight!r}.")
        counts = np.bincount(codes, minlength=len(labels))
        shares = len(codes) / (np.count_nonzero(counts) * np.maximum(counts, 1))
        weights = np.where(counts > 0, shares, 1.0)
    else:
        given = class_weight
        if isinstance(given, Mapping):
            known = labels.tolist()
            strange = [label for label in given if label not in known]
            if strange:
                raise LearnerError(
                    f"class_weight names {strange[0]!r}, which is none of the classes."
                )
            given = [given.get(label, 1.0) for label in known]
        try:
            weights = np.asarray(given, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise LearnerError(f"{wanted}: {error}.") from error
    if weights.shape != labels.shape:
        raise LearnerError(
            f"class_weight has shape {weights.shape}, but there are {len(labels)} classes: give "
            "one number for each."
        )
    with np.errstate(over="ignore", under="ignore"):
        single = weights.astype(np.float32)
    if not (np.isfinite(single).all() and (single >= 0).all() and single[codes].any()):
        raise LearnerError(
            "class_weight must be finite in single precision (up to 3e38), not negative, and not "
            "nought for all labels."
        )
    return single
