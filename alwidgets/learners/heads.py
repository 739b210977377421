"""Many small heads on frozen features, trained as one batched product."""

from __future__ import annotations

import inspect
import json
import os
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from alwidgets.errors import LearnerError
from alwidgets.learners.base import Array, ArrayT, as_features, like, resolve_device
from alwidgets.learners.lbfgs import minimise
from alwidgets.learners.loss import (
    CHUNK_ELEMENTS,
    FOLDS,
    HeadLoss,
    affine,
    fit_temperature,
    fold_of,
    initial,
    logits,
    principal_axes,
    rotate,
)


@dataclass(frozen=True)
class _State:
    """What a fit found. Replaced as a whole, so a prediction never sees half of a fit."""

    mean: torch.Tensor  # (d,)
    scale: float
    layers: tuple[torch.Tensor, ...]  # each (H, inputs + 1, outputs); the last input is the bias
    members: int
    temperature: float
    iterations: int

    @property
    def classes(self) -> int:
        return int(self.layers[-1].shape[2])


class HeadEnsemble:
    """Batched ensemble of linear or one-hidden-layer softmax heads on fixed features.

    All heads see the same features, so every step of every head is one matrix product. Members
    differ by Bayesian-bootstrap weights (Rubin, 1981: one Exp(1) weight per labelled item) and,
    with a hidden layer, by their initialisation. Further heads, each fitted without one fold of
    the labels, give the out-of-fold logits on which a single temperature is fitted (Guo et al.,
    2017). Features are centred and divided by one scalar, so raw pixels and unit-norm sentence
    features both work.

    Parameters
    ----------
    members : int
        Number of posterior samples K.
    hidden : int or None
        Width of the hidden layer; ``None`` for linear heads.
    l2 : float
        Strength of the ridge penalty, in labelled items: half of ``l2`` times the squared weights
        is added to the sum of the losses, with features of mean square norm 1.
    max_iter, tol, patience
        A fit ends after ``max_iter`` steps, or once no head's objective has fallen by more than
        ``tol`` of itself for ``patience`` steps.
    device : str or torch.device
        ``"auto"`` is the GPU where there is one.
    warm_start : bool
        Whether a fit starts from the previous one.
    seed : int
        Of the weights and the initialisation. An item's weights depend on its position and the
        seed only, so labels appended later do not change them.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [1.0], [9.0], [10.0]])
    >>> learner = HeadEnsemble().fit(X, np.array([0, 0, 1, 1]))
    >>> learner.predict_proba(np.array([[0.5], [9.5]])).argmax(1).tolist()
    [0, 1]
    """

    def __init__(
        self,
        members: int = 16,
        hidden: int | None = None,
        l2: float = 0.05,
        max_iter: int = 100,
        tol: float = 1e-4,
        patience: int = 3,
        device: str | torch.device = "auto",
        warm_start: bool = True,
        seed: int = 0,
    ) -> None:
        self.members = members
        self.hidden = hidden
        self.l2 = l2
        self.max_iter = max_iter
        self.tol = tol
        self.patience = patience
        self._device = device
        self.warm_start = warm_start
        self.seed = seed
        self._state: _State | None = None

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.get_params().items())
        return f"HeadEnsemble({shown})"

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The constructor's arguments."""
        names = inspect.signature(type(self)).parameters
        return {name: self._device if name == "device" else getattr(self, name) for name in names}

    def set_params(self, **params: Any) -> Self:
        """Change constructor arguments; a fitted state stays until the next fit."""
        known = self.get_params()
        for name, value in params.items():
            if name not in known:
                raise LearnerError(
                    f"HeadEnsemble has no parameter {name!r}; it has {', '.join(known)}."
                )
            setattr(self, "_device" if name == "device" else name, value)
        return self

    @property
    def device(self) -> torch.device:
        """Where the learner computes."""
        return resolve_device(self._device)

    @property
    def n_classes_(self) -> int:
        """Number of classes C of the last fit."""
        return self._fitted().classes

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
        y : (n,) int array or tensor
            Class codes 0..C-1, in the order in which the items were labelled.
        classes : int, optional
            C, where some codes may have no label yet. Default: ``max(y) + 1``.

        Raises
        ------
        LearnerError
            For NaN or infinity in ``X``, for codes out of range, for lengths that differ, and
            where there is no label at all.
        """
        self._check_params()
        device = self.device
        X = as_features(X, device)
        codes, classes = _as_codes(y, classes, len(X), device)
        mean = X.mean(dim=0)
        X = X - mean
        scale = float(X.square().sum(dim=1).mean().sqrt())
        # One item, or copies of one: any scale does, for all rows are at the centre.
        scale = scale if scale > 1e-6 * float(mean.norm()) and scale > 0 else 1.0
        X = X / scale

        weights = self._item_weights(codes, classes)
        # The heads live in the span of the labelled rows. In its principal axes there are at most
        # min(n, d) unknowns a class, and the curvature is close to diagonal.
        basis, variance = principal_axes(X)
        Z = torch.cat([X @ basis, torch.ones_like(X[:, :1])], dim=1)
        problem = HeadLoss(Z, codes, weights, classes, self.hidden, self.l2, variance)
        layers = self._start(X.shape[1], classes, len(weights), mean, scale, device)
        found, iterations = minimise(
            problem,
            problem.pack(rotate(layers, basis.T)),
            max_iter=self.max_iter,
            tol=self.tol,
            patience=self.patience,
        )
        turned = problem.unpack(found)
        folds = fold_of(codes)
        temperature = fit_temperature(problem, turned, folds, codes, self.members)
        self._state = _State(
            mean, scale, rotate(turned, basis), self.members, temperature, iterations
        )
        return self

    def predict_proba(self, X: ArrayT) -> ArrayT:
        """Class probabilities, (n, C) float32: the mean of the members."""
        state = self._fitted()
        parts = [probs.mean(dim=1) for probs in self._member_probs(X, state)]
        result: ArrayT = like(torch.cat(parts), X)
        return result

    def posterior(self, X: ArrayT) -> ArrayT:
        """Class probabilities of each member, (K, n, C) float32."""
        state = self._fitted()
        parts = [probs.transpose(0, 1) for probs in self._member_probs(X, state)]
        result: ArrayT = like(torch.cat(parts, dim=1), X)
        return result

    def predict(self, X: ArrayT) -> ArrayT:
        """The most probable class code of each row, (n,) int64."""
        proba = self.predict_proba(X)
        codes = proba.argmax(1)
        result: ArrayT = codes
        return result

    def embed(self, X: ArrayT) -> ArrayT:
        """The scaled features, or the first member's hidden layer; (n, h) float32."""
        state = self._fitted()
        Z = self._scaled(X, state)
        if len(state.layers) > 1:
            Z = torch.nn.functional.gelu(affine(Z, state.layers[0][0]))
        result: ArrayT = like(Z, X)
        return result

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted heads to ``path`` (safetensors)."""
        state = self._fitted()
        tensors = {"mean": state.mean.contiguous()}
        tensors |= {f"layer{i}": layer.contiguous() for i, layer in enumerate(state.layers)}
        about = {
            "members": state.members,
            "hidden": self.hidden,
            "scale": state.scale,
            "temperature": state.temperature,
            "iterations": state.iterations,
        }
        save_file(tensors, os.fspath(path), {"format": "pt", "alwidgets": json.dumps(about)})

    def load(self, path: str | os.PathLike[str]) -> Self:
        """Read heads that :meth:`save` wrote; ``members`` and ``hidden`` come from the file.

        Raises
        ------
        LearnerError
            If the file is not there, damaged, or not of this kind.
        """
        try:
            with safe_open(os.fspath(path), framework="pt", device=str(self.device)) as file:
                about = json.loads((file.metadata() or {})["alwidgets"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            layers = tuple(tensors[f"layer{i}"] for i in range(len(tensors) - 1))
            state = _State(
                tensors["mean"],
                float(about["scale"]),
                layers,
                int(about["members"]),
                float(about["temperature"]),
                int(about["iterations"]),
            )
        except (OSError, SafetensorError, KeyError, ValueError, TypeError) as error:
            raise LearnerError(
                f"{os.fspath(path)} holds no saved HeadEnsemble ({error}): fit and save again."
            ) from error
        self.members, self.hidden = state.members, about["hidden"]
        self._state = state
        return self

    def _check_params(self) -> None:
        if self.members < 1:
            raise LearnerError(f"members must be at least 1, not {self.members}.")
        if self.hidden is not None and self.hidden < 1:
            raise LearnerError(f"hidden must be at least 1 or None, not {self.hidden}.")
        if not self.l2 > 0:
            raise LearnerError(f"l2 must be positive, not {self.l2}: separable data need it.")

    def _fitted(self) -> _State:
        if self._state is None:
            raise LearnerError("The learner has not been fitted: call fit(X, y) first.")
        return self._state

    def _item_weights(self, codes: torch.Tensor, classes: int) -> torch.Tensor:
        """(H, n): bootstrap weights of the members, then 0/1 weights of the fold-heads."""
        n = len(codes)
        generator = np.random.default_rng(self.seed)
        # Row by row, so that the weights of an item do not depend on how many follow it.
        drawn = generator.standard_exponential((n, self.members)).astype(np.float32)
        members = torch.from_numpy(drawn).to(codes.device).T
        members = members * (n / members.sum(dim=1, keepdim=True))
        folds = fold_of(codes)
        left_in = folds[None, :] != torch.arange(FOLDS, device=codes.device)[:, None]
        return torch.cat([members, left_in.float()])

    def _start(
        self,
        d: int,
        classes: int,
        heads: int,
        mean: torch.Tensor,
        scale: float,
        device: torch.device,
    ) -> tuple[torch.Tensor, ...]:
        """Where the fit starts: the previous heads in the new coordinates, or afresh."""
        fresh = initial(d, classes, heads, self.hidden, self.seed, device)
        old = self._state
        if not self.warm_start or old is None or len(old.mean) != d:
            return fresh
        same = [a.shape[:2] == b.shape[:2] for a, b in zip(old.layers, fresh, strict=False)]
        if len(old.layers) != len(fresh) or not all(same) or old.classes > classes:
            return fresh
        layers = [layer.to(device) for layer in old.layers]
        first = layers[0].clone()
        shift = (mean - old.mean.to(device)) / old.scale
        first[:, -1] += torch.einsum("d,hdo->ho", shift, first[:, :-1])
        first[:, :-1] *= scale / old.scale
        layers[0] = first
        if old.classes < classes:
            last = fresh[-1].clone()
            last[:, :, : old.classes] = layers[-1]
            layers[-1] = last
        return tuple(layers)

    def _scaled(self, X: Array, state: _State) -> torch.Tensor:
        Z = as_features(X, self.device)
        if Z.shape[1] != len(state.mean):
            raise LearnerError(
                f"Fitted on {len(state.mean)} features a row, given {Z.shape[1]}: "
                "encode with the same encoder."
            )
        return (Z - state.mean.to(Z.device)) / state.scale

    def _member_probs(self, X: Array, state: _State) -> list[torch.Tensor]:
        """Chunks of (rows, K, C) probabilities after temperature."""
        Z = self._scaled(X, state)
        layers = tuple(layer[: state.members].to(Z.device) for layer in state.layers)
        width = max(layer.shape[2] for layer in layers)
        rows = max(1, CHUNK_ELEMENTS // (state.members * width))
        return [
            torch.softmax(logits(part, layers) / state.temperature, dim=2) for part in Z.split(rows)
        ] or [torch.empty(0, state.members, state.classes, device=Z.device)]


def _as_codes(
    y: Array, classes: int | None, n: int, device: torch.device
) -> tuple[torch.Tensor, int]:
    codes = y.detach().cpu().numpy() if isinstance(y, torch.Tensor) else np.asarray(y)
    if codes.ndim != 1 or len(codes) != n:
        raise LearnerError(f"There are {n} rows of features but labels of shape {codes.shape}.")
    if n == 0:
        raise LearnerError("No labels to fit on: label at least one item.")
    if codes.dtype.kind not in "iub":
        raise LearnerError(f"Labels must be integer class codes, not {codes.dtype}.")
    highest = int(codes.max())
    total = highest + 1 if classes is None else int(classes)
    if int(codes.min()) < 0 or highest >= total:
        raise LearnerError(
            f"Class codes must lie in 0..{total - 1}, found {int(codes.min())}..{highest}."
        )
    return torch.from_numpy(codes.astype(np.int64)).to(device), total
