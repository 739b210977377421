"""How a module is trained: mini-batches, mixed precision, early stopping, a warm start."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.utils.data import DataLoader, Sampler, TensorDataset

from alwidgets.errors import LearnerError
from alwidgets.learners.calibration import best_temperature, dealt, temperature_of
from alwidgets.learners.likelihood import Bernoulli
from alwidgets.learners.module_inputs import carry_rows, logits_from
from alwidgets.learners.module_random import (
    draw_as_before,
    draw_from,
    global_state,
    seed_of,
    seeded,
)
from alwidgets.learners.progress import Watch

#: Fewer labels than this say too little to stop by: all of them train.
MIN_HELD_OUT = 16
#: A fit on few labels makes at least so many steps, however few an epoch has.
MIN_STEPS = 200

# With its first optimiser torch loads a good part of itself, and holds the interpreter lock for
# seconds: that belongs into the cell that imports this, not into the background of someone's work.
torch.optim.AdamW([nn.Parameter(torch.zeros(1))])

#: Makes the watch over a fit of so many steps.
WatchOf: TypeAlias = Callable[[int], Watch]


@dataclass(frozen=True)
class Recipe:
    """How to train; see :class:`~alwidgets.learners.module.TorchLearner`."""

    max_epochs: int
    patience: int
    lr: float
    weight_decay: float
    batch_size: int
    amp: bool
    seed: int


class EvenBatches(Sampler[list[int]]):
    """All rows in random order, in batches of about one size: none is left with a single row."""

    def __init__(self, n: int, size: int, generator: torch.Generator) -> None:
        self._n, self._generator = n, generator
        self._batches = -(-n // size)

    def __len__(self) -> int:
        return self._batches

    def __iter__(self) -> Iterator[list[int]]:
        order = torch.randperm(self._n, generator=self._generator)
        for rows in order.tensor_split(self._batches):
            yield rows.tolist()


class MixedPrecision:
    """Half precision where it helps, on a GPU; bfloat16 where the GPU has it."""

    def __init__(self, device: torch.device, wanted: bool) -> None:
        self._device = device.type
        self._dtype = torch.float32
        if wanted and device.type == "cuda":
            has_bf16 = torch.cuda.get_device_capability(device) >= (8, 0)
            self._dtype = torch.bfloat16 if has_bf16 else torch.float16
        # Float16 alone has gradients that vanish unless they are scaled up.
        self._scaler = torch.amp.GradScaler(self._device, enabled=self._dtype == torch.float16)

    def cast(self) -> AbstractContextManager[object]:
        """A context for the forward pass; it holds for this thread only."""
        if self._dtype == torch.float32:
            return nullcontext()
        return torch.autocast(self._device, dtype=self._dtype)

    def step(self, loss: torch.Tensor, optimiser: torch.optim.Optimizer) -> None:
        """Go back through the loss and make a step."""
        optimiser.zero_grad(set_to_none=True)
        self._scaler.scale(loss).backward()
        self._scaler.step(optimiser)
        self._scaler.update()


def split(codes: NDArray[np.int64], share: float) -> NDArray[np.bool_]:
    """Which items are held out, (n,); none while labels are few.

    An item's side depends on the labels before it only. So a warm start never stops by an item
    that the fit before it trained on, as long as labels are only added. The first of a class
    trains always.
    """
    held = np.zeros(len(codes), dtype=np.bool_)
    if share > 0:
        held = dealt(codes, max(2, round(1 / share))) == 0
        held[np.unique(codes, return_index=True)[1]] = False
    return held if held.sum() >= MIN_HELD_OUT else np.zeros_like(held)


def shrink_and_perturb(
    module: nn.Module, old: dict[str, torch.Tensor], shrink: float, perturb: float, seed: int
) -> None:
    """Move a fresh module towards an earlier one's weights, and add noise.

    Ash & Adams (NeurIPS 2020) multiply the earlier weights by `shrink` and add noise, for which
    we take the spread that each weight tensor starts with, times `perturb`. Here they shrink
    towards the fresh module's weights rather than nought, so that a pretrained module does not
    lose what it knows. Frozen parameters and buffers are taken over as they are.
    """
    generator = torch.Generator().manual_seed(seed)
    trained = {name for name, p in module.named_parameters() if p.requires_grad}
    with torch.no_grad():
        # Tied tensors have several names; each is to be moved once.
        for name, start in [*module.named_parameters(), *module.named_buffers()]:
            earlier = start.clone()
            if name in old:
                carry_rows(old[name], earlier)
            if name not in trained:
                start.copy_(earlier)
                continue
            noise = torch.randn(start.shape, generator=generator).to(start)
            noise *= perturb * start.square().mean().sqrt()
            start.add_(shrink * (earlier - start) + noise)


def train(
    module: nn.Module,
    X: torch.Tensor,
    targets: torch.Tensor,
    held: NDArray[np.bool_],
    weights: torch.Tensor,
    recipe: Recipe,
    device: torch.device,
    watch_of: WatchOf,
) -> tuple[int, float]:
    """Train a module in place; returns the number of epochs and the temperature.

    Parameters
    ----------
    module : nn.Module
        On `device`; nobody else's. It ends in evaluation mode.
    X : (n, ...) tensor
    targets : (n,) int64 or (n, C) float tensor
        Class codes, or 0 and 1 for each of several labels.
    held : (n,) bool array
        Rows to stop by and to calibrate on.
    weights : (C,) float tensor
        Of the classes; no row is of a class that weighs nothing. Not of several labels.
    recipe : Recipe
    device : torch.device
    watch_of : callable
        Makes the :class:`Watch` for so many steps.

    Raises
    ------
    LearnerError
        If nothing can be trained, or the loss is no longer a number.
    Cancelled
        If the watch says so.
    """
    parameters = [p for p in module.parameters() if p.requires_grad]
    if not parameters:
        raise LearnerError("No parameter of the module requires a gradient: unfreeze one layer.")
    outside = torch.from_numpy(held)
    inside = torch.nonzero(~outside)[:, 0]
    if len(inside) == 1:
        inside = inside.repeat(2)  # batch normalisation needs two rows
    order = torch.Generator().manual_seed(seed_of(recipe.seed, 0))
    batches = EvenBatches(len(inside), recipe.batch_size, order)
    rows = TensorDataset(X[inside.to(X.device)], targets[inside])
    # A batch is one indexing, no loop over rows; given a generator, it leaves the global one be.
    loader = DataLoader(rows, sampler=batches, batch_size=None, generator=order)
    held_X, held_targets = X[outside.to(X.device)], targets[outside]
    few = not held.any()
    epochs = max(recipe.max_epochs, -(-MIN_STEPS // len(batches))) if few else recipe.max_epochs

    several = targets.ndim == 2
    loss_of = _every_label if several else nn.CrossEntropyLoss(weight=weights.to(device))
    optimiser = torch.optim.AdamW(parameters, lr=recipe.lr, weight_decay=recipe.weight_decay)
    precision = MixedPrecision(device, recipe.amp)
    forward = _Forward(module, recipe.seed, device)
    watch = watch_of(epochs * len(batches))
    watch.check()
    best, best_loss, best_epoch, epoch = None, float("inf"), 0, 0
    for epoch in range(1, epochs + 1):
        module.train()
        total = torch.zeros((), device=device)
        for part, target in loader:
            with torch.enable_grad(), precision.cast():
                logits = forward(part.to(device))
                loss = loss_of(logits.float(), target.to(device))
            precision.step(loss, optimiser)
            total += loss.detach()
            watch.step()
        if not bool(torch.isfinite(total)):
            raise LearnerError(
                f"The loss became {float(total)} in epoch {epoch}: lower lr={recipe.lr}, "
                "or scale the inputs."
            )
        if few:
            continue
        logits = logits_of(module, held_X, device, recipe.batch_size)
        held_loss = float(loss_of(logits, held_targets.to(device)))
        if held_loss < best_loss:
            best_loss, best_epoch = held_loss, epoch
            best = copy.deepcopy(module.state_dict())
        elif epoch - best_epoch >= recipe.patience:
            break
    if best is not None:
        module.load_state_dict(best)
    draw_as_before(module)
    module.eval()
    temperature = 1.0
    if not few:
        logits = logits_of(module, held_X, device, recipe.batch_size)
        calibrate = _temperature_of_labels if several else temperature_of
        temperature = calibrate(logits, held_targets)
    optimiser.zero_grad(set_to_none=True)
    watch.end()
    return epoch, temperature


def _every_label(logits: torch.Tensor, marks: torch.Tensor) -> torch.Tensor:
    """Binary cross-entropy, the sum over the labels: a gradient as long as that of one class."""
    losses = nn.functional.binary_cross_entropy_with_logits(logits, marks, reduction="none")
    return losses.sum(dim=1).mean()


def _temperature_of_labels(logits: torch.Tensor, marks: torch.Tensor) -> float:
    """The best temperature of logits (n, C) of labels by themselves."""
    n, labels = marks.shape
    y = Bernoulli(marks.T.double().cpu(), torch.zeros(n), torch.zeros(labels).double())
    weights = torch.ones(n, dtype=torch.float64)
    return best_temperature(logits.detach().cpu().double().T, y, weights)[0]


def logits_of(
    module: nn.Module, X: torch.Tensor, device: torch.device, batch_size: int
) -> torch.Tensor:
    """Logits (n, C) float32 in evaluation mode, into which the module is put."""
    module.eval()
    with torch.no_grad():
        return torch.cat(
            [logits_from(module(part.to(device))).float() for part in X.split(batch_size)]
        )


class _Forward:
    """The forward pass in training, which draws from generators of its own where it can.

    Dropout layers do. A module that calls ``F.dropout`` or ``torch.randn`` itself draws from the
    global generator: whether it does shows in the first pass. If so, every pass seeds that one and
    puts it back.
    """

    def __init__(self, module: nn.Module, seed: int, device: torch.device) -> None:
        self._module, self._seed, self._device = module, seed, device
        draw_from(module, torch.Generator(device).manual_seed(seed_of(seed, 1)))
        self._passes = 0
        self._draws_globally = True

    def __call__(self, X: torch.Tensor) -> torch.Tensor:
        self._passes += 1
        if not self._draws_globally:
            return logits_from(self._module(X))
        with seeded(seed_of(self._seed, 2, self._passes), self._device):
            before = global_state(self._device)
            logits = logits_from(self._module(X))
            if self._passes == 1:
                self._draws_globally = not torch.equal(before, global_state(self._device))
        return logits
