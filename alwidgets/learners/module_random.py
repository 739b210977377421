"""Chance in a module: dropout from a generator of its own, and the global one left as it was."""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import chain

import numpy as np
import torch
from torch import nn

DROPOUT = (
    nn.Dropout,
    nn.Dropout1d,
    nn.Dropout2d,
    nn.Dropout3d,
    nn.AlphaDropout,
    nn.FeatureAlphaDropout,
)
BY_CHANNEL = (nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.FeatureAlphaDropout)
#: Layers that pass their own dropout layers by unless they are in training mode themselves.
AROUND = (nn.TransformerEncoderLayer, nn.TransformerDecoderLayer)
#: Where SELU saturates: what alpha dropout puts in the place of what it drops.
SATURATED = -1.7580993408473766

_GLOBAL = threading.RLock()


def seed_of(*parts: int) -> int:
    """One seed from several numbers."""
    return int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0] >> np.uint64(1))


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch's global generators, and put back afterwards what they were.

    For what draws from nowhere else, such as initialisation. Another thread that draws meanwhile
    gets these numbers, so keep it short.
    """
    on_gpu = device.type == "cuda"
    with _GLOBAL, torch.random.fork_rng(devices=[device] if on_gpu else []):
        torch.default_generator.manual_seed(seed)
        if on_gpu:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield


def global_state(device: torch.device) -> torch.Tensor:
    """The state of the global generators that a module on this device draws from."""
    state = torch.get_rng_state()
    return torch.cat([state, torch.cuda.get_rng_state(device)]) if device.type == "cuda" else state


def draw_from(module: nn.Module, generator: torch.Generator, *, shared: bool = False) -> None:
    """Let the dropout layers of a module draw from a generator.

    With `shared`, all rows of a batch (its first axis) lose the same units: the module is then one
    function drawn from the posterior, as joint scores of several rows need it (Kirsch, van
    Amersfoort & Gal, NeurIPS 2019), and a row's result does not depend on its neighbours.
    """
    for layer in module.modules():
        if isinstance(layer, DROPOUT):
            vars(layer)["forward"] = partial(_drop, layer, layer.p, generator, shared)


def draw_as_before(module: nn.Module) -> None:
    """Undo :func:`draw_from`."""
    for layer in module.modules():
        if isinstance(layer, DROPOUT):
            vars(layer).pop("forward", None)


def has_dropout(module: nn.Module) -> bool:
    """Whether anything is ever dropped."""
    return any(isinstance(layer, DROPOUT) and layer.p > 0 for layer in module.modules())


def twin_of(module: nn.Module) -> nn.Module:
    """The same parameters and buffers in layers of their own.

    Modes and hooks set on the twin leave the module alone, which may be predicting meanwhile.
    """
    tensors = chain(module.parameters(), module.buffers())
    return copy.deepcopy(module, {id(tensor): tensor for tensor in tensors})


def dropping_twin_of(module: nn.Module, generator: torch.Generator) -> nn.Module:
    """A twin that drops units while all else, such as batch normalisation, predicts."""
    twin = twin_of(module).eval()
    draw_from(twin, generator, shared=True)
    for layer in twin.modules():
        if isinstance(layer, DROPOUT + AROUND):
            layer.training = True
    return twin


def _drop(
    layer: nn.Module, share: float, generator: torch.Generator, shared: bool, x: torch.Tensor
) -> torch.Tensor:
    """What the layer's own forward does, with the mask from `generator`."""
    if not layer.training or share == 0:
        return x
    shape = list(x.shape)
    if shared:
        shape[0] = 1
    if isinstance(layer, BY_CHANNEL):
        shape[2:] = [1] * (len(shape) - 2)
    keep = torch.empty(shape, device=generator.device).bernoulli_(1 - share, generator=generator)
    keep = keep.to(device=x.device, dtype=x.dtype)
    if isinstance(layer, nn.AlphaDropout | nn.FeatureAlphaDropout):
        # Klambauer et al., NeurIPS 2017: the mean and variance of the input are kept.
        kept = 1 - share
        stretch = (kept * (1 + share * SATURATED**2)) ** -0.5 if kept > 0 else 0.0
        return stretch * (x * keep + SATURATED * (1 - keep) - share * SATURATED)
    return x * keep / (1 - share) if share < 1 else x * 0
