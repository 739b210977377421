"""Any torch module as a learner."""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from numbers import Real
from typing import Any, Literal, Self

import numpy as np
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from alwidgets.devices import resolve_device
from alwidgets.errors import LearnerError
from alwidgets.learners.base import check_whole
from alwidgets.learners.heads import HeadEnsemble
from alwidgets.learners.module_inputs import (
    Source,
    as_inputs,
    build,
    codes_of,
    initialise,
    look_at,
    resize,
)
from alwidgets.learners.module_random import seed_of
from alwidgets.learners.module_state import Trained
from alwidgets.learners.module_training import (
    Recipe,
    shrink_and_perturb,
    split,
    train,
)
from alwidgets.learners.progress import Reporting
from alwidgets.learners.targets import as_marks, class_weights, decided, is_several
from alwidgets.tensors import Array, ArrayT, like

#: Rows from which a module is probed: batch normalisation needs two.
PROBED = 2


class TorchLearner(Reporting):
    """A torch module, trained as a whole.

    The module takes rows ``(n, d)`` or ``(n, ...)`` and gives logits ``(n, C)``, or an object that
    has them as ``logits``; it works in float32, whatever its numbers were. It is trained by
    AdamW (Loshchilov & Hutter, ICLR 2019) on mini-batches, on a GPU in mixed precision. A share of
    the labels is held out: training stops when their loss no longer falls, the best epoch is kept,
    and a temperature is fitted on them (Guo et al., ICML 2017). While labels are few (fewer than 16
    would be held out) all of them train, for `max_epochs`, and nothing is calibrated.

    Probabilities are those of the whole module. Posterior samples are passes with units dropped
    (Gal & Ghahramani, ICML 2016), by the module's dropout layers only; what a sample drops is the
    same for every row.

    Parameters
    ----------
    module : nn.Module or callable
        A module, which is copied and never changed, or a factory that makes one for so many
        classes. The last linear layer of a module with too few or too many outputs is resized; the
        rows it has stay.
    samples : int
        Number of posterior samples K.
    max_epochs, patience : int
        Training ends after `max_epochs`, or once `patience` epochs did not improve.
    lr, weight_decay : float
        Of AdamW.
    batch_size : int
        Rows of a training step, and of a step of prediction sixteen times as many.
    validation : float
        Share of the labels held out; 0 holds out none.
    class_weight : None, "balanced", mapping or C floats
        Weights of the classes in the loss, by code or in their order; ``"balanced"`` gives each
        class the same sum. Items of a class of weight 0 are left out.
    shrink, perturb : float
        Of the warm start (Ash & Adams, NeurIPS 2020): which share of what was learned so far is
        kept, 0 to 1, and how much noise is added, as a share of what the weights start with.
    embed_layer : str, optional
        Name of the layer whose input is the embedding; by default the linear layer that runs last,
        see :meth:`embed`.
    amp : bool
        Whether to train in mixed precision on a GPU. Predictions are always in full precision:
        scores that are rounded tie.
    warm_start : bool
        Whether a fit starts from the previous one.
    device : str or torch.device
        ``"auto"`` is the GPU where there is one.
    seed : int

    Notes
    -----
    A fit leaves torch's settings and its global random state as they were. Dropout, the order of
    rows and noise come from generators of their own. Initialisation, and modules that draw from
    the global generator themselves (``F.dropout``, attention dropout), seed it and put it back at
    once; another thread that draws in this moment gets those numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from torch import nn
    >>> net = nn.Sequential(nn.Linear(1, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 2))
    >>> X = np.array([[-1.0], [-0.8], [0.8], [1.0]])
    >>> learner = TorchLearner(net).fit(X, np.array([0, 0, 1, 1]))
    >>> learner.predict_proba(np.array([[-0.9], [0.9]])).argmax(1).tolist()
    [0, 1]
    """

    def __init__(
        self,
        module: Source,
        samples: int = 16,
        max_epochs: int = 100,
        patience: int = 10,
        lr: float = 1e-3,
        weight_decay: float = 1e-2,
        batch_size: int = 32,
        validation: float = 0.15,
        class_weight: Mapping[int, float] | Sequence[float] | Literal["balanced"] | None = None,
        shrink: float = 0.4,
        perturb: float = 0.1,
        embed_layer: str | None = None,
        amp: bool = True,
        warm_start: bool = True,
        device: str | torch.device = "auto",
        seed: int = 0,
    ) -> None:
        self.module = module
        self.samples = samples
        self.max_epochs = max_epochs
        self.patience = patience
        self.lr = lr
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.validation = validation
        self.class_weight = class_weight
        self.shrink = shrink
        self.perturb = perturb
        self.embed_layer = embed_layer
        self.amp = amp
        self.warm_start = warm_start
        self._device = device
        self.seed = seed
        self._state: Trained | None = None

    def __repr__(self) -> str:
        # The same in every process, for a saved model is found by it: no addresses.
        params = {name: repr(value) for name, value in self.get_params().items()}
        if isinstance(self.module, nn.Module):
            params["module"] = " ".join(repr(self.module).split())
        else:
            kind = type(self.module)
            params["module"] = getattr(self.module, "__qualname__", kind.__qualname__)
        return f"TorchLearner({', '.join(f'{name}={text}' for name, text in params.items())})"

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
                    f"TorchLearner has no parameter {name!r}; it has {', '.join(known)}."
                )
            setattr(self, "_device" if name == "device" else name, value)
        return self

    @property
    def device(self) -> torch.device:
        """Where the learner computes."""
        return resolve_device(self._device, LearnerError)

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
        """Epochs of the last fit."""
        return self._fitted().epochs

    @property
    def n_held_out_(self) -> int:
        """Labels that the last fit stopped by and was calibrated on."""
        return self._fitted().held_out

    @property
    def module_(self) -> nn.Module:
        """The trained module, in evaluation mode. Copy it before you change it."""
        return self._fitted().module

    def fit(self, X: Array, y: Array, *, classes: int | None = None) -> Self:
        """Train a copy of the module, from where the last fit ended if `warm_start`.

        Parameters
        ----------
        X : (n, d) or (n, ...) array or tensor
            Whole numbers stay whole if the module has an embedding layer that looks them up.
        y : (n,) int array or tensor
            Class codes 0..C-1, in the order in which the items were labelled. Or a table of 0 and
            1, (n, C) with C of 2 or more: which labels each item has; trained by binary
            cross-entropy, without ``class_weight``.
        classes : int, optional
            C, where some codes may have no label yet. Default: ``max(y) + 1``.

        Raises
        ------
        LearnerError
            For NaN or infinity in ``X``, codes out of range, lengths that differ, no label at
            all, a module that does not take the rows or give C logits, and a loss that diverges.
        Cancelled
            If `should_stop` says so. After either error the learner is what it was before.
        """
        self._check_params()
        device = self.device
        several = is_several(y)
        if several:
            if self.class_weight is not None:
                raise LearnerError(
                    f"class_weight={self.class_weight!r} does not go with several labels for an "
                    "item: leave it None."
                )
            marks = as_marks(y, classes, len(X))
            # Held out by turns: few items have just the same labels.
            codes, classes = np.zeros(len(X), dtype=np.int64), marks.shape[1]
        else:
            codes, classes = codes_of(y, classes, len(X))
        weights = class_weights(self.class_weight, codes, np.arange(classes))
        module = build(self.module, classes, self.seed, device)
        integers = any(isinstance(m, nn.Embedding | nn.EmbeddingBag) for m in module.modules())
        inputs = as_inputs(X, integers=integers)
        rows = inputs[torch.arange(PROBED) % len(inputs)].to(device)
        initialise(module, rows, self.seed)
        seen = look_at(module, rows, self.embed_layer)
        outputs = seen.outputs
        if outputs != classes and seen.head is not None:
            module = resize(module, seen.head, classes, self.seed)
            with suppress(LearnerError):  # something after that layer goes by its size
                seen = look_at(module, rows, self.embed_layer)
        if seen.outputs != classes:
            raise LearnerError(
                f"The module gives {outputs} logits, there are {classes} classes, and no linear "
                "layer at its end can be resized: pass a factory, "
                "TorchLearner(lambda classes: ...)."
            )
        if self._state is not None and self.warm_start:
            old = self._state.module.state_dict()
            seed = seed_of(self.seed, len(codes))
            shrink_and_perturb(module, old, self.shrink, self.perturb, seed)
        weighed = weights[codes] > 0
        if not weighed.all():
            inputs, codes = inputs[torch.from_numpy(weighed).to(inputs.device)], codes[weighed]
        held = split(codes, self.validation)
        if self.batch_size == 1 and any(isinstance(m, _BatchNorm) for m in module.modules()):
            raise LearnerError("batch_size must be at least 2, for the module normalises batches.")
        recipe = Recipe(
            self.max_epochs,
            self.patience,
            self.lr,
            self.weight_decay,
            self.batch_size,
            self.amp,
            self.seed,
        )
        try:
            epochs, temperature = train(
                module,
                inputs,
                torch.from_numpy(marks if several else codes),
                held,
                torch.from_numpy(weights),
                recipe,
                device,
                lambda steps: self._watch(steps, "training"),
            )
        except torch.cuda.OutOfMemoryError as error:
            raise LearnerError(
                f"The GPU has no memory for steps of {self.batch_size} rows: lower batch_size."
            ) from error
        self._state = Trained(
            module=module,
            classes=classes,
            shape=tuple(inputs.shape[1:]),
            integers=integers,
            head=seen.head,
            embed=seen.embed,
            width=seen.width,
            pooled=seen.pooled,
            temperature=temperature,
            epochs=epochs,
            held_out=int(held.sum()),
            several=several,
        )
        return self

    def predict_proba(self, X: ArrayT) -> ArrayT:
        """Class probabilities, (n, C) float32."""
        proba = self._fitted().proba(X, self.device, self._rows_a_step)
        result: ArrayT = like(proba, X)
        return result

    def logits(self, X: ArrayT) -> ArrayT:
        """What the module gives, before the temperature, (n, C) float32."""
        found = self._fitted().logits(X, self.device, self._rows_a_step)
        result: ArrayT = like(found, X)
        return result

    def posterior(self, X: ArrayT) -> ArrayT:
        """Class probabilities of each posterior sample, (K, n, C) float32.

        Raises
        ------
        LearnerError
            If the module has no dropout layer.
        """
        proba = self._fitted().posterior(
            X, self.device, self._rows_a_step, samples=self.samples, seed=self.seed
        )
        result: ArrayT = like(proba, X)
        return result

    def predict(self, X: ArrayT) -> ArrayT:
        """The most probable class code of each row, (n,) int64.

        Of several labels those with a probability of at least 1/2, (n, C) of 0 and 1.
        """
        said: Any = decided(self.predict_proba(X), self._fitted().several)
        result: ArrayT = said * 1
        return result

    def embed(self, X: ArrayT) -> ArrayT:
        """What `embed_layer` or the last linear layer is given, flattened; (n, h) float32.

        In a module without linear layer it is what the last layer is given that has weights which
        mix its inputs, as a convolution or a layer of your own has: of a convolution the channels,
        averaged over the positions. Where that is the row itself, the embedding is the row,
        flattened.
        """
        found = self._fitted().embedding(X, self.device, self._rows_a_step)
        result: ArrayT = like(found, X)
        return result

    def quick_head(self) -> HeadEnsemble:
        """A linear head on what :meth:`embed` gives, not fitted: where many fits are wanted."""
        return HeadEnsemble(members=1, device=self.device, seed=self.seed)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the trained weights to ``path`` (safetensors)."""
        self._fitted().save(path)

    def load(self, path: str | os.PathLike[str]) -> Self:
        """Read weights that :meth:`save` wrote into a copy of the module.

        Raises
        ------
        LearnerError
            If the file is not there, damaged, not of this kind, or of another module.
        """
        self._state = Trained.load(path, self.module, self.seed, self.device)
        return self

    @property
    def _rows_a_step(self) -> int:
        return 16 * self.batch_size

    def _check_params(self) -> None:
        if not isinstance(self.module, nn.Module) and not callable(self.module):
            raise LearnerError(
                f"module must be a torch.nn.Module or a factory, not {self.module!r}."
            )
        check_whole(self, samples=1, max_epochs=1, patience=1, batch_size=1, seed=0)
        for name in ("lr", "weight_decay", "validation", "shrink", "perturb"):
            if not isinstance(getattr(self, name), Real):
                raise LearnerError(f"{name} must be a number, not {getattr(self, name)!r}.")
        if not self.lr > 0:
            raise LearnerError(f"lr must be positive, not {self.lr}.")
        for name, most in (("validation", 0.5), ("shrink", 1.0)):
            if not 0 <= getattr(self, name) <= most:
                raise LearnerError(f"{name} must lie in 0..{most}, not {getattr(self, name)}.")
        if self.perturb < 0 or self.weight_decay < 0:
            raise LearnerError("perturb and weight_decay must not be negative.")

    def _fitted(self) -> Trained:
        if self._state is None:
            raise LearnerError("The learner has not been fitted: call fit(X, y) first.")
        return self._state
