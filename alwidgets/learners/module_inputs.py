"""What goes into a module, and where its last layer is."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.modules.conv import _ConvNd
from torch.nn.parameter import is_lazy
from torch.utils.hooks import RemovableHandle

from alwidgets.errors import LearnerError
from alwidgets.learners.module_random import seeded
from alwidgets.learners.targets import as_codes
from alwidgets.tensors import Array

#: What to do where rows are flat and the module wants images.
FLAT = (
    ". A pool keeps images as rows of pixels: give them their shape first, by "
    "nn.Sequential(alwidgets.learners.AsImages(height, width, channels), module)."
)

#: A module whose last layer fits or can be made to fit, or what makes one for so many classes.
Source: TypeAlias = nn.Module | Callable[[int], nn.Module]


def as_inputs(X: Array, *, integers: bool, first: int = 0) -> torch.Tensor:
    """``X`` (n, ...) as finite float32, or as int64 where the module looks tokens up.

    `first` is the number of the first row, for messages.

    Raises
    ------
    LearnerError
        If ``X`` has fewer than two axes, is not numeric, or holds NaN or infinity; the message
        names the first such row.
    """
    if isinstance(X, torch.Tensor):
        if X.is_complex():
            raise LearnerError(f"Inputs must be real numbers, not {X.dtype}.")
        whole = not X.is_floating_point()
        tensor = X.detach().to(torch.int64 if integers and whole else torch.float32)
    else:
        array = np.asarray(X)
        if array.dtype.kind not in "fiub":
            raise LearnerError(f"Inputs must be numbers, not {array.dtype}: encode the pool.")
        whole = array.dtype.kind != "f"
        # Always a copy: memory-mapped and read-only arrays cannot back a tensor safely.
        tensor = torch.from_numpy(array.astype(np.int64 if integers and whole else np.float32))
    if tensor.ndim < 2:
        raise LearnerError(f"Inputs must have shape (n, d) or (n, ...), not {tuple(tensor.shape)}.")
    finite = torch.isfinite(tensor.flatten(1)).all(dim=1)
    if not bool(finite.all()):
        row = first + int(torch.nonzero(~finite)[0, 0])
        raise LearnerError(
            f"Inputs hold NaN or infinity, first in row {row}: replace or drop that row."
        )
    return tensor


def codes_of(y: Array, classes: int | None, n: int) -> tuple[NDArray[np.int64], int]:
    """Class codes (n,) int64 and the number of classes: without ``classes``, as many as occur."""
    given = y.detach().cpu().numpy() if isinstance(y, torch.Tensor) else np.asarray(y)
    if classes is None and given.dtype.kind in "iub" and given.size:
        classes = int(given.max()) + 1
    codes, labels = as_codes(given, 1 if classes is None else classes, n)
    return codes, len(labels)


def build(source: Source, classes: int, seed: int, device: torch.device) -> nn.Module:
    """A module of one's own: a copy of the one given, or what the factory makes from the seed.

    Its numbers are float32, as the inputs are: predictions in less would tie.
    """
    if isinstance(source, nn.Module):
        return copy.deepcopy(source).float().to(device)
    with seeded(seed, torch.device("cpu")):
        try:
            made = source(classes)
        except Exception as error:
            raise LearnerError(
                f"The factory makes no module for {classes} classes ({error}): it must take the "
                "number of classes, and nothing else."
            ) from error
    if not isinstance(made, nn.Module):
        raise LearnerError(f"The factory must return a torch.nn.Module, not {made!r}.")
    return made.float().to(device)


def initialise(module: nn.Module, rows: torch.Tensor, seed: int) -> None:
    """Let lazy layers, which learn their shapes from the first rows, make their weights."""
    if any(is_lazy(tensor) for tensor in chain(module.parameters(), module.buffers())):
        with seeded(seed, rows.device):
            run(module, rows)


def logits_from(returned: Any) -> torch.Tensor:
    """The logits in what a module returned: itself, or its attribute ``logits``.

    Transformers of Hugging Face and networks of torchvision with auxiliary heads have the latter.

    Raises
    ------
    LearnerError
        If there are none.
    """
    found = getattr(returned, "logits", returned)
    if not isinstance(found, torch.Tensor):
        raise LearnerError(
            "The module must return its logits (n, classes), or an object that has them as "
            f"`logits`; it returned {type(found).__name__}. Wrap it in a module that returns them."
        )
    return found


def run(module: nn.Module, rows: torch.Tensor) -> torch.Tensor:
    """What a module returns for a few rows, in evaluation mode.

    Raises
    ------
    LearnerError
        If it does not take them.
    """
    try:
        with torch.no_grad():
            returned = module.eval()(rows)
    except Exception as error:  # whatever a module raises that expects something else
        shape = tuple(rows.shape[1:])
        is_flat = len(shape) == 1 and _is_spatial(module) and not isinstance(error, LearnerError)
        raise LearnerError(
            f"The module cannot take rows of shape {shape}: {type(error).__name__}: {error}"
            + (FLAT if is_flat else "")
        ) from error
    return logits_from(returned)


def _is_spatial(module: nn.Module) -> bool:
    """Whether it takes images or the like, rather than rows."""
    return any(isinstance(layer, _ConvNd) for layer in module.modules())


@dataclass(frozen=True)
class Probe:
    """What a forward pass over a few rows showed.

    Attributes
    ----------
    outputs : int
        Number of logits a row.
    head : str or None
        Name of the linear layer that ran last.
    embed : str or None
        Name of the layer whose input is the embedding; None where that is the row itself.
    pooled : bool
        Whether the embedding is the mean over the positions of that input (n, channels, ...).
    width : int
        Length of an embedding.
    """

    outputs: int
    head: str | None
    embed: str | None
    pooled: bool
    width: int

    @classmethod
    def of_row(cls, outputs: int, head: str | None, rows: torch.Tensor) -> Probe:
        """That of a module in which no layer is given an embedding."""
        return cls(outputs, head, None, False, rows.flatten(1).shape[1])


def look_at(module: nn.Module, rows: torch.Tensor, embed_layer: str | None) -> Probe:
    """Run a module on a few rows, to learn what the names in it do not say.

    Raises
    ------
    LearnerError
        If the module does not take the rows or gives no logits, or has no layer of that name.
    """
    layers = dict(module.named_modules())
    if embed_layer is not None and embed_layer not in layers:
        known = ", ".join(name for name in layers if name)
        raise LearnerError(f"The module has no layer embed_layer={embed_layer!r}; it has {known}.")
    ran: list[str] = []
    #: Shape of a row of what each layer was given, where that was a row for each row.
    shapes: dict[str, torch.Size] = {}

    def note(name: str, given: Any) -> None:
        ran.append(name)
        if isinstance(given, torch.Tensor) and given.ndim > 1 and len(given) == len(rows):
            shapes[name] = given.shape[1:]

    handles = [
        on_input(layer, partial(note, name))
        for name, layer in layers.items()
        if _mixes(layer) or name == embed_layer
    ]
    try:
        logits = run(module, rows)
    finally:
        for handle in handles:
            handle.remove()
    if logits.ndim != 2 or len(logits) != len(rows):
        raise LearnerError(
            f"The module must give logits of shape (n, classes), not {tuple(logits.shape)}."
        )
    if logits.shape[1] > 1 and bool((logits >= 0).all()) and bool(_near_one(logits.sum(dim=1))):
        raise LearnerError(
            "The module gives probabilities, not logits: take off the softmax at its end, or put "
            "a logarithm after it."
        )
    linear = [name for name in ran if isinstance(layers[name], nn.Linear)]
    head, outputs = linear[-1] if linear else None, logits.shape[1]
    if embed_layer is not None:
        if embed_layer not in ran:
            raise LearnerError(f"The layer embed_layer={embed_layer!r} does not run: name another.")
        if embed_layer not in shapes:
            raise LearnerError(
                f"The layer embed_layer={embed_layer!r} is not given a tensor with a row for each "
                "item: name another."
            )
        return Probe(outputs, head, embed_layer, False, shapes[embed_layer].numel())
    if head in shapes:
        return Probe(outputs, head, head, False, shapes[head].numel())
    mixed = [name for name in ran if name in shapes and _mixes(layers[name])]
    # What the first of them is given is the row, in other words.
    if len(set(mixed)) < 2:
        return Probe.of_row(outputs, head, rows)
    shape, pooled = shapes[mixed[-1]], isinstance(layers[mixed[-1]], _ConvNd)
    return Probe(outputs, head, mixed[-1], pooled, shape[0] if pooled else shape.numel())


def _mixes(layer: nn.Module) -> bool:
    """Whether a layer has weights of its own that mix what it is given, unlike a norm's."""
    if isinstance(layer, nn.Embedding | nn.EmbeddingBag):
        return False
    # The weights of a parametrised layer are not its own but made from others.
    known = isinstance(layer, nn.Linear | _ConvNd)
    return known or any(weight.ndim > 1 for weight in layer.parameters(recurse=False))


def on_input(layer: nn.Module, note: Callable[[Any], None]) -> RemovableHandle:
    """Have `note` called with what a layer is given, by position or by name."""

    def hook(_: nn.Module, given: tuple[Any, ...], named: dict[str, Any]) -> None:
        note(given[0] if given else next(iter(named.values()), None))

    return layer.register_forward_pre_hook(hook, with_kwargs=True)


def resize(module: nn.Module, head: str, classes: int, seed: int) -> nn.Module:
    """Give the last linear layer so many outputs; those that it has already keep their weights.

    Returns
    -------
    nn.Module
        The module, or the new layer where it is nothing but that layer.
    """
    old = module.get_submodule(head)
    if not isinstance(old, nn.Linear):
        raise TypeError(f"{head} is not a linear layer but {old!r}")
    if old.out_features == classes:
        return module
    with seeded(seed, torch.device("cpu")):
        new = nn.Linear(old.in_features, classes, bias=old.bias is not None)
    new = new.to(device=old.weight.device, dtype=old.weight.dtype)
    with torch.no_grad():
        carry_rows(old.weight, new.weight)
        if old.bias is not None:
            carry_rows(old.bias, new.bias)
    if head == "":
        return new
    parent, _, name = head.rpartition(".")
    setattr(module.get_submodule(parent), name, new)
    return module


def carry_rows(old: torch.Tensor, new: torch.Tensor) -> None:
    """Copy as many rows as both have, where their rows are of one shape."""
    if old.shape == new.shape:
        new.copy_(old)
    elif old.ndim == new.ndim and old.shape[1:] == new.shape[1:]:
        kept = min(len(old), len(new))
        new[:kept] = old[:kept]


def _near_one(sums: torch.Tensor) -> torch.Tensor:
    return ((sums - 1).abs() < 1e-4).all()
