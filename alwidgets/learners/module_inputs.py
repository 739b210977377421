"""What goes into a module, and where its last layer is."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

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
    """A module of one's own: a copy of the one given, or what the factory makes from the seed."""
    if isinstance(source, nn.Module):
        return copy.deepcopy(source).to(device)
    with seeded(seed, torch.device("cpu")):
        made = source(classes)
    if not isinstance(made, nn.Module):
        raise LearnerError(f"The factory must return a torch.nn.Module, not {made!r}.")
    return made.to(device)


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
        layer.register_forward_pre_hook(lambda _, given, name=name: note(name, given[0]))
        for name, layer in layers.items()
        if isinstance(layer, nn.Linear) or name == embed_layer
    ]
    try:
        with torch.no_grad():
            logits = module.eval()(rows)
    except (RuntimeError, TypeError, IndexError, ValueError) as error:
        shape = tuple(rows.shape[1:])
        raise LearnerError(f"The module cannot take rows of shape {shape}: {error}") from error
    finally:
        for handle in handles:
            handle.remove()
    if not isinstance(logits, torch.Tensor) or logits.ndim != 2 or len(logits) != len(rows):
        what = tuple(logits.shape) if isinstance(logits, torch.Tensor) else type(logits).__name__
        raise LearnerError(f"The module must give logits of shape (n, classes), not {what}.")
    linear = [name for name in ran if isinstance(layers[name], nn.Linear)]
    head = linear[-1] if linear else None
    embed = head if embed_layer is None else embed_layer
    if embed_layer is not None and embed_layer not in widths:
        raise LearnerError(f"The layer embed_layer={embed_layer!r} does not run: name another.")
    return Probe(logits.shape[1], head, embed, widths[embed] if embed is not None else 0)


def resize(module: nn.Module, head: str, classes: int, seed: int) -> None:
    """Give the last linear layer so many outputs; those that it has already keep their weights."""
    old = module.get_submodule(head)
    if not isinstance(old, nn.Linear):
        raise TypeError(f"{head} is not a linear layer but {old!r}")
    with seeded(seed, torch.device("cpu")):
        new = nn.Linear(old.in_features, classes, bias=old.bias is not None)
    new = new.to(device=old.weight.device, dtype=old.weight.dtype)
    with torch.no_grad():
        carry_rows(old.weight, new.weight)
        if old.bias is not None:
            carry_rows(old.bias, new.bias)
    parent, _, name = head.rpartition(".")
    setattr(module.get_submodule(parent), name, new)


def carry_rows(old: torch.Tensor, new: torch.Tensor) -> None:
    """Copy as many rows as both have, where their rows are of one shape."""
    if old.shape == new.shape:
        new.copy_(old)
    elif old.ndim == new.ndim and old.shape[1:] == new.shape[1:]:
        kept = min(len(old), len(new))
        new[:kept] = old[:kept]
