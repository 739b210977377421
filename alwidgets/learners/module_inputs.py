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
from torch.nn.parameter import is_lazy
from torch.utils.hooks import RemovableHandle

from alwidgets.errors import LearnerError
from alwidgets.learners.base import Array
from alwidgets.learners.module_random import seeded
from alwidgets.learners.targets import as_codes

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
        raise LearnerError(
            f"The module cannot take rows of shape {shape}: {type(error).__name__}: {error}"
        ) from error
    return logits_from(returned)


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
        Name of the layer whose input is the embedding.
    width : int
        Length of an embedding; 0 if there is none.
    """

    outputs: int
    head: str | None
    embed: str | None
    width: int


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
    widths: dict[str, int] = {}

    def note(name: str, given: torch.Tensor) -> None:
        ran.append(name)
        widths[name] = given.flatten(1).shape[1]

    handles = [
        on_input(layer, partial(note, name))
        for name, layer in layers.items()
        if isinstance(layer, nn.Linear) or name == embed_layer
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
    head = linear[-1] if linear else None
    embed = head if embed_layer is None else embed_layer
    if embed_layer is not None and embed_layer not in widths:
        raise LearnerError(f"The layer embed_layer={embed_layer!r} does not run: name another.")
    return Probe(logits.shape[1], head, embed, widths[embed] if embed is not None else 0)


def on_input(layer: nn.Module, note: Callable[[torch.Tensor], None]) -> RemovableHandle:
    """Have `note` called with what a layer is given, by position or by name."""

    def hook(_: nn.Module, given: tuple[Any, ...], named: dict[str, Any]) -> None:
        note(given[0] if given else next(iter(named.values())))

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
