"""What a fit of a module found, and what it predicts."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from torch import nn

from alwidgets.errors import LearnerError, NoPosteriorError
from alwidgets.learners.files import no_model, read, write
from alwidgets.learners.module_inputs import (
    Source,
    as_inputs,
    build,
    initialise,
    logits_from,
    on_input,
    resize,
)
from alwidgets.learners.module_random import dropping_twin_of, has_dropout, seed_of, twin_of
from alwidgets.tensors import Array


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained module. Replaced as a whole, so a prediction never sees half of a fit.

    Attributes
    ----------
    module : nn.Module
        In evaluation mode; nobody changes it any more, so copies of a learner share it.
    classes : int
    shape : tuple of int
        Of a row.
    integers : bool
        Whether rows of whole numbers are looked up in an embedding layer.
    head, embed : str or None
        Names of the last linear layer and of the layer whose input is the embedding; the row is
        where there is none.
    width : int
        Length of an embedding.
    temperature : float
    epochs, held_out : int
        Of the fit: epochs, and labels that were held out.
    pooled : bool
        Whether the embedding is the mean over the positions of that input.
    several : bool
        Whether logits are of labels by themselves, not of one class out of all.
    """

    module: nn.Module
    classes: int
    shape: tuple[int, ...]
    integers: bool
    head: str | None
    embed: str | None
    width: int
    temperature: float
    epochs: int
    held_out: int
    pooled: bool = False  # files of earlier versions do not say
    several: bool = False

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def proba(self, X: Array, device: torch.device, rows: int) -> torch.Tensor:
        """Class probabilities (n, C), so many rows a step."""
        found = [torch.empty(0, self.classes, device=device)]
        with torch.no_grad():
            found += [
                self._probabilities(self.module(part)) for part in self._parts(X, device, rows)
            ]
        return torch.cat(found)

    def logits(self, X: Array, device: torch.device, rows: int) -> torch.Tensor:
        """What the module gives, (n, C), so many rows a step."""
        found = [torch.empty(0, self.classes, device=device)]
        with torch.no_grad():
            found += [
                logits_from(self.module(part)).float() for part in self._parts(X, device, rows)
            ]
        return torch.cat(found)

    def posterior(
        self, X: Array, device: torch.device, rows: int, *, samples: int, seed: int
    ) -> torch.Tensor:
        """Class probabilities (K, n, C) of passes with units dropped, the same for every row."""
        if not has_dropout(self.module):
            raise NoPosteriorError(
                "The module has no dropout layer, so its posterior cannot be sampled: put "
                "nn.Dropout(0.2) before the last layer, or query by 'entropy' or 'margin'."
            )
        # On the processor, so that the samples do not depend on the device.
        generator = torch.Generator()
        twin = dropping_twin_of(self.module, generator)
        found = [torch.empty(samples, 0, self.classes, device=device)]
        with torch.no_grad():
            for part in self._parts(X, device, rows):
                draws = []
                for k in range(samples):
                    generator.manual_seed(seed_of(seed, k))
                    draws.append(self._probabilities(twin(part)))
                found.append(torch.stack(draws))
        return torch.cat(found, dim=1)

    def embedding(self, X: Array, device: torch.device, rows: int) -> torch.Tensor:
        """What the layer `embed` is given, flattened or pooled, or the rows flattened; (n, h)."""
        if self.embed is None:
            found = [torch.empty(0, math.prod(np.shape(X)[1:]), device=device)]
            found += [part.flatten(1).float() for part in self._parts(X, device, rows)]
            return torch.cat(found)
        given: list[torch.Tensor] = []
        # The hook is a twin's: in another thread the module itself may be predicting.
        twin = twin_of(self.module)
        layer = twin.get_submodule(self.embed)
        on_input(layer, given.append)
        found = [torch.empty(0, self.width, device=device)]
        with torch.no_grad():
            for part in self._parts(X, device, rows):
                given.clear()
                twin(part)
                # A copy: a view would keep all of what the layer was given, or change later.
                last = given[-1].flatten(2).mean(dim=2) if self.pooled else given[-1].flatten(1)
                found.append(last.float().clone())
        return torch.cat(found)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write all of it to a safetensors file."""
        # Copies: tied tensors share memory, which the format does not allow.
        tensors = {
            name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
            for name, tensor in self.module.state_dict().items()
        }
        about = {name: value for name, value in vars(self).items() if name != "module"}
        write(path, tensors, about)

    @classmethod
    def load(
        cls, path: str | os.PathLike[str], source: Source, seed: int, device: torch.device
    ) -> Self:
        """Read what :meth:`save` wrote into a module of the same kind."""
        remedy = "make the learner with the same module, or fit and save again"
        with no_model(path, "TorchLearner with this module", remedy):
            tensors, about = read(path, torch.device("cpu"))
            about["shape"] = tuple(about["shape"])
            module = build(source, int(about["classes"]), seed, torch.device("cpu"))
            dtype = torch.int64 if about["integers"] else torch.float32
            initialise(module, torch.zeros(2, *about["shape"], dtype=dtype), seed)
            if about["head"] is not None:
                module = resize(module, about["head"], int(about["classes"]), seed)
            module.load_state_dict(tensors)
            return cls(module=module.to(device).eval(), **about)

    def _probabilities(self, returned: Any) -> torch.Tensor:
        cold = logits_from(returned).float() / self.temperature
        return torch.sigmoid(cold) if self.several else torch.softmax(cold, dim=1)

    def _parts(self, X: Array, device: torch.device, rows: int) -> Iterator[torch.Tensor]:
        """Checked rows on the device, a step's worth at a time."""
        shape = tuple(np.shape(X)[1:])
        # Rows of tokens may be longer or shorter.
        if shape != self.shape and not self.integers:
            raise LearnerError(
                f"Fitted on rows of shape {self.shape}, given {shape}: encode them the same way."
            )
        for start in range(0, len(X), rows):
            part = as_inputs(X[start : start + rows], integers=self.integers, first=start)
            yield part.to(device)
