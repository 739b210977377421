"""Many small heads on frozen features, trained as one batched product."""

from __future__ import annotations

import inspect
import math
import os
from collections.abc import Mapping
from numbers import Real
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import validate_data

from alwidgets.devices import resolve_device
from alwidgets.errors import LearnerError
from alwidgets.learners.base import UnfittedError, as_features, as_table, check_whole
from alwidgets.learners.files import no_model, read, write
from alwidgets.learners.frame import Frame, probabilities
from alwidgets.learners.heads_fit import Settings, State, fit_heads
from alwidgets.learners.likelihood import Bernoulli, Categorical, Likelihood
from alwidgets.learners.loss import Ending, Layers
from alwidgets.learners.progress import Course, Reporting
from alwidgets.learners.seen import fingerprints
from alwidgets.learners.targets import as_codes, as_marks, class_weights, decided, is_several
from alwidgets.tensors import Array, ArrayT, like

#: No penalty is this strong: single precision ends there.
LARGEST = float(np.finfo(np.float32).max)
#: Of the format of saved files.
FORMAT = 2


class HeadEnsemble(Reporting, ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Batched ensemble of linear or one-hidden-layer heads on fixed features.

    Linear heads: one centre head, fitted on all labels, predicts; around it lie the members, the
    posterior samples. All heads see the same features, so every step of all of them is one matrix
    product. Members differ by Bayesian-bootstrap weights (Rubin, 1981, Annals of Statistics: one
    Exp(1) weight per labelled item) and, with a hidden layer, by their initialisation. Further
    heads, each fitted without one fold of the labels, give out-of-fold logits; on these the
    strength of the penalty is chosen and a temperature is fitted (Guo et al., 2017, ICML).
    Features are centred and divided by one scalar, so raw pixels and unit-norm sentence features
    both work. With a hidden layer there is no centre: the mean of the members predicts.

    One class for each item makes softmax heads. A table of 0 and 1, with a column for each of
    several labels, makes independent sigmoids, fitted by binary cross-entropy: their heads say by
    how much the log-odds of a label differ from its usual ones, so that the penalty and the
    temperature, which the labels share, draw towards its frequency.

    Follows scikit-learn's conventions: any labels will do, and it can be cloned and searched over.

    Parameters
    ----------
    members : int
        Number of posterior samples K.
    hidden : int or None
        Width of the hidden layer; ``None`` for linear heads.
    l2 : float or "auto"
        Strength of the ridge penalty, in labelled items: half of ``l2`` times the squared weights
        is added to the sum of the losses, with features of mean square norm 1. ``"auto"`` takes
        the strength of least out-of-fold log loss, in steps of half a decade from the last choice;
        a prior around 0.05 keeps it there while labels are few. The loss is that after
        temperature, but heads that are too sure are not cooled: labels picked for being hard would
        otherwise ask for next to no penalty. It and the temperature are chosen anew once there are
        a fifth more labels. With a hidden layer ``"auto"`` is 0.05.
    class_weight : None, "balanced", mapping or array
        As in scikit-learn: factors of the losses by label, or in the order of the classes; not
        with several labels for an item. With them, probabilities are calibrated to the classes as
        they are weighted, not to their true frequencies.
    max_iter, tol, patience
        A fit ends after ``max_iter`` steps, or once no head's objective has fallen by more than
        ``tol`` of itself for ``patience`` steps. Members and folds settle for ten times ``tol``.
    device : str or torch.device
        ``"auto"`` is the GPU where there is one.
    warm_start : bool
        Whether a fit starts from the previous one. With a fifth more labels linear heads keep its
        penalty only: from there the way is longer than from nothing.
    seed : int
        Of the weights and the initialisation. An item's weights depend on its position and the
        seed only, so labels appended later do not change them.

    Attributes
    ----------
    classes_ : (C,) array
        Labels in the order of the columns; with several for an item the numbers of the columns.
    n_features_in_ : int
    l2_ : float
        Strength of the penalty of the last fit.
    temperature_ : float
        By which the logits are divided.
    n_iter_ : int
        Steps of the last fit.

    Notes
    -----
    Memory: heads are fitted as many at a time as 64 million numbers of the minimiser allow, and
    rows are taken in blocks, so 1,000 classes need time, not memory: they are kept as K + 6 times
    1,000 x (d + 1) numbers.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [1.0], [9.0], [10.0]])
    >>> learner = HeadEnsemble().fit(X, np.array(["low", "low", "high", "high"]))
    >>> learner.predict(np.array([[0.5], [9.5]])).tolist()
    ['low', 'high']
    """

    _state: State | None = None

    def __init__(
        self,
        members: int = 16,
        hidden: int | None = None,
        l2: float | Literal["auto"] = "auto",
        max_iter: int = 100,
        tol: float = 1e-4,
        patience: int = 2,
        device: str | torch.device = "auto",
        warm_start: bool = True,
        seed: int = 0,
        class_weight: Mapping[Any, float] | Array | Literal["balanced"] | None = None,
    ) -> None:
        self.members = members
        self.hidden = hidden
        self.l2 = l2
        self.max_iter = max_iter
        self.tol = tol
        self.patience = patience
        self.device = device
        self.warm_start = warm_start
        self.seed = seed
        self.class_weight = class_weight

    def __repr__(self) -> str:
        # All of them: a model that was saved is known by what its learner looks like.
        shown = ", ".join(f"{name}={value!r}" for name, value in self.get_params().items())
        return f"{type(self).__name__}({shown})"

    def __sklearn_is_fitted__(self) -> bool:
        return self._state is not None

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The constructor's arguments, as they were given."""
        # Of the instance's dictionary: the property `device` says what the argument stands for.
        return {name: vars(self)[name] for name in inspect.signature(type(self)).parameters}

    @property
    def device(self) -> torch.device:
        """Where the learner computes."""
        return resolve_device(vars(self)["device"], LearnerError)

    @device.setter
    def device(self, device: str | torch.device) -> None:
        self.__dict__["device"] = device

    @property
    def classes_(self) -> NDArray[Any]:
        """Labels in the order of the columns."""
        return self._fitted().classes

    @property
    def n_classes_(self) -> int:
        """Number of classes C of the last fit."""
        return len(self._fitted().classes)

    @property
    def l2_(self) -> float:
        """Strength of the penalty of the last fit."""
        return self._fitted().l2

    @property
    def temperature_(self) -> float:
        """By which the logits are divided."""
        return self._fitted().temperature

    @property
    def n_iter_(self) -> int:
        """Steps of the last fit."""
        return self._fitted().iterations

    def fit(self, X: Array, y: Array, *, classes: int | None = None) -> Self:
        """Fit the heads.

        Parameters
        ----------
        X : (n, d) float array or tensor
        y : (n,) or (n, C) array or tensor
            Labels of any kind, in the order in which the items were labelled; with ``classes``,
            codes 0..C-1. Or a table of 0 and 1, C of 2 or more: which labels each item has.
        classes : int, optional
            C, where some codes may have no label yet. By default the classes are the labels that
            occur.

        Raises
        ------
        LearnerError
            For NaN or infinity in ``X``, for codes out of range, for lengths that differ, and
            where there is no label at all.
        Cancelled
            If `should_stop` says so. After any error the learner is what it was before.
        """
        before = dict(self.__dict__)
        try:
            self._fit(X, y, classes)
        except BaseException:
            # What was fitted before stays as it was.
            self.__dict__.clear()
            self.__dict__.update(before)
            raise
        return self

    def _fit(self, X: Array, y: Array, classes: int | None) -> None:
        self._check_params()
        device = self.device
        if not isinstance(X, torch.Tensor):
            as_table(X)
            validate_data(self, X, y, reset=True, skip_check_array=True)
        rows = as_features(X, device)
        told, labels, factors = self._told(y, classes, len(rows), device)
        weights = torch.from_numpy(factors).to(device)
        frame = Frame.of(rows)
        if not math.isfinite(frame.scale + float(frame.mean.norm())):
            raise LearnerError(
                f"Features as large as {float(rows.abs().max()):.0e} have squares that single "
                "precision cannot hold: divide them by a constant first."
            )
        scaled = frame.scaled(rows)
        old = self._state if self.warm_start else None
        if old is not None:
            old = old.moved(frame, labels, self.hidden, self.seed, told.offset is not None)
        settings = Settings(
            self.members,
            self.hidden,
            None if isinstance(self.l2, str) else float(self.l2),
            Ending(self.max_iter, self.tol, self.patience),
            self.seed,
            repr(self.class_weight),
        )
        course = Course(self.on_progress, self.should_stop)
        seen = fingerprints(rows, told)
        found = fit_heads(settings, frame, labels, scaled, told, weights, seen, old, course)
        course.end()
        self._state = found
        self.n_features_in_ = rows.shape[1]

    def _told(
        self, y: Array, classes: int | None, n: int, device: torch.device
    ) -> tuple[Likelihood, NDArray[Any], NDArray[np.float32]]:
        """What the labels say, what they stand for (C,), and the weight of each item (n,)."""
        if not is_several(y):
            codes, labels = as_codes(y, classes, n)
            factors = class_weights(self.class_weight, codes, labels)
            return Categorical(torch.from_numpy(codes).to(device)), labels, factors[codes]
        if self.class_weight is not None:
            raise LearnerError(
                f"class_weight={self.class_weight!r} does not go with several labels for an item: "
                "leave it None."
            )
        marks = as_marks(y, classes, n)
        return Bernoulli.of(marks, device), np.arange(marks.shape[1]), np.ones(n, np.float32)

    def predict_proba(self, X: ArrayT) -> ArrayT:
        """Class probabilities, (n, C) float32, calibrated; of each label by itself, of several.

        Those of the centre head, which is fitted on all labels: not the mean of the members, whose
        bootstrap weights make each of them a noisier fit. With a hidden layer there is no centre,
        and it is the mean of the members.
        """
        state = self._fitted()
        found = self._probabilities(X, state.predictors)
        result: ArrayT = like(found.mean(dim=0) if len(found) > 1 else found[0], X)
        return result

    def logits(self, X: ArrayT) -> ArrayT:
        """Logits of what `predict_proba` gives, before the temperature; (n, C) float32."""
        state = self._fitted()
        found = self._probabilities(X, state.predictors, raw=True)
        result: ArrayT = like(found.mean(dim=0), X)
        return result

    def posterior(self, X: ArrayT) -> ArrayT:
        """Class probabilities of each member, (K, n, C) float32."""
        result: ArrayT = like(self._probabilities(X, self._fitted().members), X)
        return result

    def predict(self, X: ArrayT) -> ArrayT:
        """The most probable label of each row, (n,); of equals the first.

        Labels that are no numbers come as a numpy array, whatever was given. Of several labels
        those with a probability of at least 1/2, (n, C) of 0 and 1.
        """
        state = self._fitted()
        labels, several = state.classes, state.offset is not None
        best: Any = decided(self.predict_proba(X), several)
        found: Any
        if several:
            found = best * 1
        elif isinstance(best, torch.Tensor) and labels.dtype.kind in "iufb":
            found = torch.from_numpy(labels).to(best.device)[best]
        else:
            found = labels[best.cpu().numpy() if isinstance(best, torch.Tensor) else best]
        result: ArrayT = found
        return result

    def embed(self, X: ArrayT) -> ArrayT:
        """The scaled features, or the first member's hidden layer; (n, h) float32."""
        state = self._fitted()
        self._check_width(X)
        Z = state.frame.scaled(as_features(X, self.device))
        if self.hidden is not None and not state.centre:
            layer = state.members[0][0].to(Z.device)
            Z = torch.nn.functional.gelu(torch.addmm(layer[:, -1], Z, layer[:, :-1].T))
        result: ArrayT = like(Z, X)
        return result

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted heads to ``path`` (safetensors).

        Raises
        ------
        LearnerError
            If the labels are something else than numbers, truth values and strings, or the file
            cannot be written.
        """
        state = self._fitted()
        about = {
            "format": FORMAT,
            "hidden": self.hidden,
            "scale": state.frame.scale,
            "labels": state.classes.tolist(),
            "kind": state.classes.dtype.str,
            "l2": state.l2,
            "temperature": state.temperature,
            "iterations": state.iterations,
            "labelled": state.labelled,
            "weighting": state.weighting,
        }
        write(path, state.tensors(), about)

    def load(self, path: str | os.PathLike[str]) -> Self:
        """Read heads that :meth:`save` wrote; ``members`` and ``hidden`` come from the file.

        Raises
        ------
        LearnerError
            If the file is not there, damaged, or not of this kind or format.
        """
        device = self.device
        with no_model(path, "HeadEnsemble", "fit and save again"):
            tensors, about = read(path, device)
            if about.get("format") != FORMAT:
                raise ValueError("it was written by another version")
            depth = 1 if about["hidden"] is None else 2
            layers = {
                group: tuple(tensors[f"{group}{i}"] for i in range(depth))
                for group in ("members", "folds", *(["centre"] if depth == 1 else []))
            }
            kind = np.dtype(about["kind"])
            state = State(
                Frame(tensors["mean"], float(about["scale"])),
                np.array(about["labels"], dtype=object if kind.kind == "O" else kind),
                layers.get("centre", ()),
                layers["members"],
                layers["folds"],
                float(about["l2"]),
                float(about["temperature"]),
                int(about["iterations"]),
                int(about["labelled"]),
                tensors["judged"].cpu() if "judged" in tensors else torch.empty(0).long(),
                str(about["weighting"]),
                tensors.get("offset"),
            )
        self.members, self.hidden = len(state.members[0]), about["hidden"]
        self._state = state
        self.n_features_in_ = len(state.frame.mean)
        self.__dict__.pop("feature_names_in_", None)
        return self

    def _check_params(self) -> None:
        check_whole(self, members=1, max_iter=1, patience=1, seed=0)
        if self.hidden is not None:
            check_whole(self, hidden=1)
        auto = isinstance(self.l2, str) and self.l2 == "auto"
        # Of single precision, in which it is used.
        if not auto and not (isinstance(self.l2, Real) and 0 < self.l2 < LARGEST):
            raise LearnerError(
                f'l2 must be positive and finite or "auto", not {self.l2!r}: separable data need '
                "it."
            )

    def _fitted(self) -> State:
        if self._state is None:
            raise UnfittedError("The learner has not been fitted: call fit(X, y) first.")
        return self._state

    def _check_width(self, X: Array) -> None:
        table, d = as_table(X), len(self._fitted().frame.mean)
        if table.shape[1] != d:
            raise LearnerError(
                f"X has {table.shape[1]} features, but HeadEnsemble is expecting {d} features as "
                "input: encode with the same encoder."
            )
        if not isinstance(X, torch.Tensor):
            validate_data(self, X, reset=False, skip_check_array=True)

    def _probabilities(self, X: Array, layers: Layers, *, raw: bool = False) -> torch.Tensor:
        state = self._fitted()
        self._check_width(X)
        table, temperature = as_table(X), 1.0 if raw else state.temperature
        return probabilities(
            table, state.frame, layers, temperature, state.offset, self.device, raw=raw
        )
