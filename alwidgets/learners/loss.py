"""The objective of an ensemble of heads."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import torch

from alwidgets.learners.lbfgs import Follower, minimise
from alwidgets.learners.likelihood import Likelihood, probabilities_of
from alwidgets.learners.progress import Course

#: Elements of the largest temporary, so that a big pool needs no more memory than a small one.
CHUNK_ELEMENTS = 1 << 23
#: Numbers that the minimiser may keep; many heads with many classes are fitted in turns.
MEMORY_ELEMENTS = 1 << 26
HISTORY = 8
#: Nats, as a sum over all labelled items: ``tol`` is of the objective, but of no less than this.
#: Where labels are few and easy the objective is tiny, and so is what it could still fall by.
FLOOR = 10.0

#: Each (H, outputs, inputs + 1); the last input is the bias.
Layers: TypeAlias = tuple[torch.Tensor, ...]


@dataclass(frozen=True)
class Ending:
    """When a fit ends: see :func:`~alwidgets.learners.lbfgs.minimise`."""

    max_iter: int
    tol: float
    patience: int


class HeadLoss:
    """The penalised weighted log loss of H heads and its gradient.

    Parameters
    ----------
    Z : (n, inputs + 1) float tensor
        Rows with a one at the end.
    y : Likelihood
        Of their labels.
    weights : (H, n) float tensor
    l2 : (H,) float tensor
    shapes : list of (H, outputs, inputs + 1)
        Of the layers.
    curvature : (H or 1, C or 1, inputs + 1) tensor, optional
        Diagonal of the Hessian of the first layer without the penalty, for linear heads. It scales
        the parameters so that the first step, the negative gradient, fits. By default that of
        logits of nought, where a fit starts that knows nothing.
    check : callable, optional
        Called before every block of rows; what it raises ends the evaluation.
    """

    def __init__(
        self,
        Z: torch.Tensor,
        y: Likelihood,
        weights: torch.Tensor,
        l2: torch.Tensor,
        shapes: list[tuple[int, int, int]],
        curvature: torch.Tensor | None = None,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self.check = check
        self.Z, self.y, self.weights, self.shapes = Z, y, weights, shapes
        self.l2 = l2[:, None, None]
        if len(shapes) == 1:
            if curvature is None:
                curvature = (y.variance(shapes[0][1]) * Z.square().sum(dim=0))[None]
            self.stretch = (curvature + self.l2).rsqrt()
        else:
            self.stretch = torch.ones(1, 1, 1, device=Z.device, dtype=Z.dtype)
        widest = max(heads * outputs for heads, outputs, _ in shapes)
        self.rows = max(1, CHUNK_ELEMENTS // widest)

    def pack(self, layers: Layers) -> torch.Tensor:
        """Layers as the optimiser's flat parameters (H, P)."""
        first = layers[0] / self.stretch
        return torch.cat([part.flatten(1) for part in (first, *layers[1:])], dim=1)

    def unpack(self, flat: torch.Tensor) -> Layers:
        """The layers that :meth:`pack` made flat."""
        sizes = [outputs * inputs for _, outputs, inputs in self.shapes]
        parts = flat.split(sizes, dim=1)
        first, *rest = (p.reshape(s) for p, s in zip(parts, self.shapes, strict=True))
        return (first * self.stretch, *rest)

    def __call__(self, flat: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Objective (H,) and gradient (H, P)."""
        if len(self.shapes) == 1:
            return self._linear(flat)
        leaf = flat.detach().requires_grad_()
        with torch.enable_grad():
            layers = self.unpack(leaf)
            value = torch.zeros_like(leaf[:, 0])
            for layer in layers:
                value = value + 0.5 * (self.l2 * layer.square()).sum(dim=(1, 2))
            for Z, y, weights in self._chunks():
                value = value + (y.nll(logits(Z, layers)) * weights).sum(dim=1)
            (grad,) = torch.autograd.grad(value.sum(), leaf)
        return value.detach(), grad

    def _linear(self, flat: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        (weight,) = self.unpack(flat)
        heads, classes, inputs = weight.shape
        pull = weight * self.l2
        value = 0.5 * (weight * pull).sum(dim=(1, 2))
        grad = pull.view(heads * classes, inputs)
        for Z, y, weights in self._chunks():
            loss, gap = y.fit(logits(Z, (weight,)), weights)
            value = value + loss
            grad = torch.addmm(grad, gap.view(heads * classes, -1), Z)
        grad = grad.view(heads, classes, inputs) * self.stretch
        return value, grad.reshape(heads, -1)

    def _chunks(self) -> Iterator[tuple[torch.Tensor, Likelihood, torch.Tensor]]:
        if len(self.Z) <= self.rows:
            self.check()
            # As they are: three slices would take a noticeable part of a small evaluation.
            yield self.Z, self.y, self.weights
            return
        for first in range(0, len(self.Z), self.rows):
            self.check()
            part = slice(first, first + self.rows)
            yield self.Z[part], self.y.rows(part), self.weights[:, part]


def solve(
    Z: torch.Tensor,
    y: Likelihood,
    weights: torch.Tensor,
    l2: torch.Tensor,
    start: Layers,
    ending: Ending,
    curvature: torch.Tensor | None = None,
    course: Course | None = None,
) -> tuple[Layers, int]:
    """Fit H heads from a start, as many at a time as memory allows; (layers, iterations).

    Every lot of heads is a part of the course, which costs as much as there are heads in it.

    Raises
    ------
    Cancelled
        If the fit should stop.
    """
    course = course or Course()
    size = sum(layer[0].numel() for layer in start)
    at_once = max(1, MEMORY_ELEMENTS // (size * (2 * HISTORY + 8)))
    parts, most = [], 0
    for first in range(0, len(weights), at_once):
        some = slice(first, first + at_once)
        begin = tuple(layer[some] for layer in start)
        shapes = [(len(b), b.shape[1], b.shape[2]) for b in begin]
        course.part(len(begin[0]))
        loss = HeadLoss(Z, y, weights[some], l2[some], shapes, curvature, course.check)
        found, made = minimise(
            loss,
            loss.pack(begin),
            max_iter=ending.max_iter,
            tol=ending.tol,
            patience=ending.patience,
            history=HISTORY,
            floor=FLOOR,
            follow=_follower(ending, course),
        )
        parts.append(loss.unpack(found))
        most = max(most, made)
    return tuple(torch.cat(layers) for layers in zip(*parts, strict=True)), most


def _follower(ending: Ending, course: Course) -> Follower:
    """Tells the course how much of a part the minimiser has done."""

    def follow(made: int, fell: torch.Tensor, whole: torch.Tensor) -> None:
        if not course.due:
            return
        done = made / ending.max_iter
        slowest = float((fell / whole).max())
        if 0 < ending.tol < 1 and 0 < slowest < 1:
            # The falls shrink by about the same factor each time, until they are within `tol`.
            done = max(done, math.log(slowest) / math.log(ending.tol))
        course.reach(min(done, 1.0))

    return follow


def curvature_of(
    Z: torch.Tensor,
    weight: torch.Tensor,
    weights: torch.Tensor | None = None,
    offset: torch.Tensor | None = None,
) -> torch.Tensor:
    """Diagonal (1, C, inputs + 1) of the Hessian of the log loss at a linear head (1, C, ...).

    With an offset (C,) that of labels by themselves.
    """
    found = torch.zeros_like(weight)
    for first in range(0, len(Z), max(1, CHUNK_ELEMENTS // weight.shape[1])):
        part = slice(first, first + max(1, CHUNK_ELEMENTS // weight.shape[1]))
        p = probabilities_of(logits(Z[part], (weight,)), offset)
        spread = p * (1 - p)
        if weights is not None:
            spread = spread * weights[:, None, part]
        found += (spread[0] @ Z[part].square())[None]
    return found


def logits(Z: torch.Tensor, layers: Layers) -> torch.Tensor:
    """(H, C, n) logits of rows ``Z`` (n, inputs + 1) that end in a one."""
    heads, outputs, inputs = layers[0].shape
    out = (layers[0].reshape(heads * outputs, inputs) @ Z.T).view(heads, outputs, -1)
    if len(layers) == 1:
        return out
    return layers[1][:, :, :-1] @ torch.nn.functional.gelu(out) + layers[1][:, :, -1:]


def initial(
    d: int, classes: int, heads: int, hidden: int | None, seed: int, device: torch.device
) -> Layers:
    """Where a first fit starts; reproducible for a seed."""
    if hidden is None:
        # The objective is convex: the start does not matter, and zero is the fastest one.
        return (torch.zeros(heads, classes, d + 1, device=device),)
    generator = torch.Generator().manual_seed(seed)
    first = torch.randn(heads, hidden, d + 1, generator=generator)
    last = torch.randn(heads, classes, hidden + 1, generator=generator) / math.sqrt(hidden)
    return first.to(device), last.to(device)
