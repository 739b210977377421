"""Any scikit-learn classifier as a learner."""

from __future__ import annotations

import os
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone, is_regressor
from sklearn.utils.validation import has_fit_parameter, validate_data

from alwidgets.errors import LearnerError
from alwidgets.learners.base import UnfittedError, check_whole
from alwidgets.learners.files import no_model, read, write
from alwidgets.learners.heads import HeadEnsemble
from alwidgets.learners.progress import Reporting
from alwidgets.learners.sklearn_fits import (
    FOLDS,
    Fitted,
    Several,
    fit_one,
    kind_of,
    logits,
    out_of_fold,
    probabilities,
    resample,
)
from alwidgets.learners.targets import as_codes, as_marks, decided, is_several
from alwidgets.tensors import Array, ArrayT


class SklearnLearner(Reporting, ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A scikit-learn classifier and bootstrap copies of it.

    Probabilities are those of the classifier fitted on all labels: from ``predict_proba``, or else
    from ``decision_function`` by a softmax whose temperature is fitted out of fold (Guo et al.,
    ICML 2017), or else the share of votes among it and its copies. Posterior samples are copies,
    fitted when first asked for: on the same rows with one Exp(1) weight each (the Bayesian
    bootstrap; Rubin, 1981) where the classifier takes weights, else on rows drawn with
    replacement, of which every class keeps one at least.

    A table of 0 and 1, with a column for each of several labels, is learnt label by label, whatever
    the classifier (binary relevance; Tsoumakas & Katakis, International Journal of Data
    Warehousing and Mining 2007): as many fits as there are labels.

    A fit never starts from the previous one. Classes without a label have probability 0. While
    there are fewer labels than a classifier looks for neighbours, it looks for as many as there
    are.

    Parameters
    ----------
    estimator : scikit-learn classifier
        It is cloned, never fitted itself. A ``random_state`` of None is replaced by `seed`.
    members : int
        Number of posterior samples K.
    calibrate : {"auto", True, False}
        Whether to fit a temperature on out-of-fold predictions, which takes five more fits;
        ``"auto"`` does so only where the classifier has no ``predict_proba``.
    seed : int

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> X = np.array([[0.0], [1.0], [9.0], [10.0]])
    >>> learner = SklearnLearner(LogisticRegression()).fit(X, np.array([0, 0, 1, 1]))
    >>> learner.predict_proba(np.array([[0.5], [9.5]])).argmax(1).tolist()
    [0, 1]
    """

    _state: Fitted | Several

    def __init__(
        self,
        estimator: Any,
        members: int = 8,
        calibrate: bool | Literal["auto"] = "auto",
        seed: int = 0,
    ) -> None:
        self.estimator = estimator
        self.members = members
        self.calibrate = calibrate
        self.seed = seed

    @property
    def device(self) -> torch.device:
        """The processor, always."""
        return torch.device("cpu")

    @property
    def classes_(self) -> NDArray[Any]:
        """What each column of the probabilities stands for, (C,)."""
        return self._fitted().labels

    @property
    def n_classes_(self) -> int:
        """Number of classes C of the last fit."""
        return len(self._fitted().labels)

    @property
    def n_features_in_(self) -> int:
        """Number of features d of the last fit."""
        return int(self._fitted().X.shape[1])

    @property
    def feature_names_in_(self) -> NDArray[Any]:
        """Names of the columns, where the last fit was on a data frame with such names, (d,)."""
        names = self._fitted().names
        if names is None:
            raise AttributeError("The last fit was on features without names.")
        return names

    @property
    def temperature_(self) -> float:
        """By which scores, or logarithms of probabilities, are divided; 1 if not calibrated.

        Of several labels the geometric mean.
        """
        return self._fitted().temperature

    def fit(self, X: Array, y: Array, *, classes: int | None = None) -> Self:
        """Fit a clone of the estimator.

        Parameters
        ----------
        X : (n, d) float array or tensor
        y : (n,) array or tensor
            Class codes 0..C-1 where `classes` is given, else labels of any kind: column c of the
            probabilities then stands for the c-th of them in ascending order (`classes_`). Or a
            table of 0 and 1, (n, C) with C of 2 or more: which labels each item has.
        classes : int, optional
            C, where some codes may have no label yet.

        Raises
        ------
        LearnerError
            For features or labels that cannot be used, and where the classifier refuses them; the
            message says which or why.
        Cancelled
            If `should_stop` says so.
        """
        self.check()
        intake = _Intake()
        rows, given = _validated(intake, _as_numpy(X), _as_numpy(y), reset=True)
        names = getattr(intake, "feature_names_in_", None)
        # A fit that is asked for later (of the copies) must find the same rows.
        kept = np.array(rows)
        if is_several(given):
            self._state = self._find_several(kept, as_marks(given, classes, len(kept)), names)
        else:
            self._state = self._find(kept, *as_codes(given, classes, len(given)), names)
        return self

    def _find_several(
        self, X: NDArray[Any], marks: NDArray[Any], names: NDArray[Any] | None
    ) -> Several:
        codes = marks.astype(np.int64)
        return Several(tuple(self._find(X, column, np.arange(2), names) for column in codes.T))

    def predict_proba(self, X: ArrayT) -> ArrayT:
        """Class probabilities, (n, C) float32."""
        proba = self._proba(self._fitted(), self._rows(X))
        result: ArrayT = _like(proba.astype(np.float32), X)
        return result

    def logits(self, X: ArrayT) -> ArrayT:
        """The classifier's ``decision_function``, (n, C) float32; a half each of two classes.

        Raises
        ------
        LearnerError
            If it has none, or there are several labels an item.
        """
        state = self._fitted()
        if isinstance(state, Several):
            raise LearnerError("Of several labels for an item there are no logits of classes.")
        found = logits(state.fitted, self._rows(X), state)
        result: ArrayT = _like(found.astype(np.float32), X)
        return result

    def _proba(self, state: Fitted | Several, rows: NDArray[Any]) -> NDArray[np.float64]:
        if isinstance(state, Several):
            return np.stack([self._proba(part, rows)[:, 1] for part in state.columns], axis=1)
        if state.fitted is not None and kind_of(state.fitted) == "votes":
            voters = (state.fitted, *self._members(state))
            votes = [probabilities(voter, rows, state) for voter in voters]
            return np.asarray(np.mean(votes, axis=0))
        return probabilities(state.fitted, rows, state)

    def posterior(self, X: ArrayT) -> ArrayT:
        """Class probabilities of each copy, (K, n, C) float32."""
        result: ArrayT = _like(self._samples(self._fitted(), self._rows(X)), X)
        return result

    def _samples(self, state: Fitted | Several, rows: NDArray[Any]) -> NDArray[np.float32]:
        if isinstance(state, Several):
            return np.stack([self._samples(part, rows)[:, :, 1] for part in state.columns], axis=2)
        proba = np.empty((state.n_members, len(rows), len(state.labels)), dtype=np.float32)
        for k, member in enumerate(self._members(state)):
            proba[k] = probabilities(member, rows, state)
        return proba

    def predict(self, X: ArrayT) -> ArrayT:
        """The most probable label of each row, (n,); a code where `classes` was given.

        Of several labels those with a probability of at least 1/2, (n, C) of 0 and 1.
        """
        state, proba = self._fitted(), _as_numpy(self.predict_proba(X))
        several = isinstance(state, Several)
        said = decided(proba, several)
        labels = said.astype(np.int64) if several else state.labels[said]
        result: ArrayT = _like(labels, X) if labels.dtype.kind in "iufb" else labels
        return result

    def embed(self, X: ArrayT) -> ArrayT:
        """The features themselves, (n, d) float32."""
        self._fitted()
        result: ArrayT = _like(self._rows(X).astype(np.float32), X)
        return result

    def quick_head(self) -> HeadEnsemble:
        """A linear head on what :meth:`embed` gives, not fitted: where many fits are wanted."""
        return HeadEnsemble(members=1, device="cpu", seed=self.seed)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the labelled rows to ``path`` (safetensors).

        A classifier has no format of its own but pickle, which runs code when it is read. So what
        it was fitted on is kept, and `load` fits it again.

        Raises
        ------
        LearnerError
            If labels are neither text nor numbers, or the file cannot be written.
        """
        state = self._fitted()
        about = {
            "estimator": repr(state.template),
            "labels": state.labels.tolist(),
            "dtype": str(state.labels.dtype),
            "names": None if state.names is None else state.names.tolist(),
            "members": state.n_members,
            "seed": state.seed,
        }
        tensors = {"X": torch.from_numpy(state.X), "codes": torch.from_numpy(state.codes)}
        write(path, tensors, about)

    def load(self, path: str | os.PathLike[str]) -> Self:
        """Read rows that :meth:`save` wrote and fit on them; gives the same predictions.

        ``members`` and ``seed`` come from the file, the estimator from the constructor. Another
        release of scikit-learn may predict slightly differently.

        Raises
        ------
        LearnerError
            If the file is not there, damaged, not of this kind, or of another estimator.
        """
        with no_model(path, "SklearnLearner", "fit and save again"):
            tensors, about = read(path, self.device)
            rows, codes = tensors["X"].numpy(), tensors["codes"].numpy()
            labels = np.array(about["labels"], dtype=about["dtype"])
            names = None if about["names"] is None else np.array(about["names"], dtype=object)
            wanted, members, seed = about["estimator"], int(about["members"]), int(about["seed"])
        if wanted != repr(self.estimator):
            raise LearnerError(
                f"{os.fspath(path)} was saved with {wanted}, this learner has {self.estimator!r}: "
                "make the learner with the same estimator."
            )
        self.members, self.seed = members, seed
        self.check()
        several = codes.ndim == 2
        self._state = (
            self._find_several(rows, codes, names)
            if several
            else self._find(rows, codes, labels, names)
        )
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return "_state" in vars(self)

    def check(self) -> Self:
        """Look at the parameters, as `fit` does before it begins; returns the learner.

        Raises
        ------
        LearnerError
            If one of them cannot be used; the message says which.
        """
        if isinstance(self.estimator, type) or not (
            hasattr(self.estimator, "fit") and hasattr(self.estimator, "get_params")
        ):
            raise LearnerError(
                f"estimator must be a scikit-learn classifier, not {self.estimator!r}: "
                "SklearnLearner(LogisticRegression())."
            )
        # Of the class: some, such as a stack of classifiers, have it only once they are fitted.
        if not hasattr(type(self.estimator), "predict"):
            raise LearnerError(f"{self.estimator!r} does not classify: it has no predict.")
        if hasattr(self.estimator, "__sklearn_tags__") and is_regressor(self.estimator):
            raise LearnerError(f"{self.estimator!r} is a regressor: give a classifier.")
        check_whole(self, members=1, seed=0)
        if self.calibrate not in ("auto", True, False):
            raise LearnerError(f"calibrate must be 'auto', True or False, not {self.calibrate!r}.")
        # Also where it is a part of a pipeline or of a search.
        name = "decision_function_shape"
        params = self.estimator.get_params().items()
        if any(key.endswith(name) and value != "ovr" for key, value in params):
            raise LearnerError(
                "Scores of pairs of classes give no probabilities: "
                "set decision_function_shape='ovr'."
            )
        return self

    def _fitted(self) -> Fitted | Several:
        state: Fitted | Several | None = vars(self).get("_state")
        if state is None:
            raise UnfittedError("The learner has not been fitted: call fit(X, y) first.")
        return state

    def _rows(self, X: Array) -> NDArray[Any]:
        return _validated(self, _as_numpy(X), reset=False)[0]

    def _find(
        self,
        X: NDArray[Any],
        codes: NDArray[np.int64],
        labels: NDArray[Any],
        names: NDArray[Any] | None,
    ) -> Fitted:
        template = clone(self.estimator)
        state = Fitted(X, codes, labels, names, self.members, self.seed, template)
        if len(state.seen) < 2:
            return state
        watch = self._watch(1 + FOLDS, "fold")
        watch.check()
        state.fitted = fit_one(template, self.seed, X, codes)
        watch.step()
        auto = kind_of(state.fitted) == "decision"
        if auto if self.calibrate == "auto" else self.calibrate:
            state.temperature = out_of_fold(state, watch)
        watch.end()
        return state

    def _members(self, state: Fitted) -> tuple[Any, ...]:
        if state.members is None:
            state.members = self._fit_members(state)
        return state.members

    def _fit_members(self, state: Fitted) -> tuple[Any, ...]:
        if state.fitted is None:
            return (None,) * state.n_members
        watch = self._watch(state.n_members, "member")
        watch.check()
        weighted = has_fit_parameter(state.template, "sample_weight")
        # Row by row, so that the weights of an item do not depend on how many follow it.
        shape = (len(state.codes), state.n_members)
        weights = np.random.default_rng(state.seed).standard_exponential(shape).T.copy()
        members = []
        for k in range(state.n_members):
            seed = state.seed + k + 1
            if weighted:
                member = fit_one(state.template, seed, state.X, state.codes, weights[k])
            else:
                rows = resample(state.codes, np.random.default_rng([state.seed, k]))
                member = fit_one(state.template, seed, state.X[rows], state.codes[rows])
            members.append(member)
            watch.step()
        watch.end()
        return tuple(members)


class _Intake(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Takes what scikit-learn's validation stores: should it fail, the last fit stays valid."""


# Messages of the validation name the class.
_Intake.__name__ = "SklearnLearner"


def _validated(owner: Any, X: Any, y: Any = None, *, reset: bool) -> tuple[NDArray[Any], Any]:
    """Finite (n, d) float32 or float64 features, and labels if a fit is what they are for."""
    more = {"multi_output": True} if reset and is_several(y) else {}
    try:
        found = validate_data(
            owner,
            X,
            y if reset else "no_validation",
            reset=reset,
            dtype=[np.float64, np.float32],
            ensure_all_finite=False,
            ensure_min_samples=0,  # as_codes says what to do
            **more,
        )
    except ValueError as error:
        raise LearnerError(str(error)) from error
    rows, y = found if reset else (found, None)
    finite = np.isfinite(rows).all(axis=1)
    if not finite.all():
        raise LearnerError(
            f"Features hold NaN or infinity, first in row {int(np.argmin(finite))}: "
            "replace or drop that row."
        )
    return rows, y


def _as_numpy(given: Any) -> Any:
    """Tensors and half precision as what scikit-learn takes; the rest as it is."""
    if isinstance(given, torch.Tensor):
        given = given.detach().cpu()
        given = given.float().numpy() if given.is_floating_point() else given.numpy()
    if isinstance(given, np.ndarray) and given.dtype == np.float16:
        return given.astype(np.float32)
    return given


def _like(result: NDArray[Any], given: Any) -> Any:
    return torch.from_numpy(result) if isinstance(given, torch.Tensor) else result
