"""The objective of an ensemble of heads, and the coordinates in which it is easy."""

from __future__ import annotations

import math

import numpy as np
import torch

FOLDS = 5
#: Elements of the largest temporary, so that a big pool needs no more memory than a small one.
CHUNK_ELEMENTS = 1 << 23


class HeadLoss:
    """The penalised weighted log loss of H heads and its gradient."""

    def __init__(
        self,
        Z: torch.Tensor,
        codes: torch.Tensor,
        weights: torch.Tensor,
        classes: int,
        hidden: int | None,
        l2: float,
        variance: torch.Tensor,
    ) -> None:
        self.Z, self.codes, self.weights, self.l2 = Z, codes, weights, l2
        heads, inputs = len(weights), Z.shape[1]
        if hidden is None:
            self.shapes = [(heads, inputs, classes)]
            # Diagonal preconditioner: the curvature along an axis is about its variance times
            # p(1 - p), plus the penalty. The bias is the last axis, with the variance of n ones.
            full = torch.cat([variance, variance.new_tensor([float(len(Z))])])
            self.stretch = (full / max(classes, 2) + l2).rsqrt()[None, :, None]
        else:
            self.shapes = [(heads, inputs, hidden), (heads, hidden + 1, classes)]
            self.stretch = torch.ones(1, 1, 1, device=Z.device)
        widest = heads * max(shape[2] for shape in self.shapes)
        self.rows = max(1, CHUNK_ELEMENTS // widest)

    def pack(self, layers: tuple[torch.Tensor, ...]) -> torch.Tensor:
        """Layers (H, inputs + 1, outputs) as the optimiser's flat parameters (H, P)."""
        first = layers[0] / self.stretch
        return torch.cat([part.flatten(1) for part in (first, *layers[1:])], dim=1)

    def unpack(self, flat: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The layers that :meth:`pack` made flat."""
        sizes = [shape[1] * shape[2] for shape in self.shapes]
        parts = flat.split(sizes, dim=1)
        first, *rest = (p.view(s) for p, s in zip(parts, self.shapes, strict=True))
        return (first * self.stretch, *rest)

    def __call__(self, flat: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Objective (H,) and gradient (H, P)."""
        if len(self.shapes) == 1:
            return self._linear(flat)
        leaf = flat.detach().requires_grad_()
        with torch.enable_grad():
            layers = self.unpack(leaf)
            value = sum((0.5 * self.l2 * layer.square().sum(dim=(1, 2)) for layer in layers),
                        start=torch.zeros_like(leaf[:, 0]))  # fmt: skip
            for Z, codes, weights in self._chunks():
                logp = torch.log_softmax(logits(Z, layers, bias_in=True), dim=2)
                value = value + (nll(logp, codes) * weights).sum(dim=0)
            (grad,) = torch.autograd.grad(value.sum(), leaf)
        return value.detach(), grad

    def _linear(self, flat: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        (weight,) = self.unpack(flat)
        heads, inputs, classes = weight.shape
        wide = weight.transpose(0, 1).reshape(inputs, heads * classes)
        value = 0.5 * self.l2 * weight.square().sum(dim=(1, 2))
        grad = self.l2 * wide
        for Z, codes, weights in self._chunks():
            logp = torch.log_softmax((Z @ wide).view(-1, heads, classes), dim=2)
            value = value + (nll(logp, codes) * weights).sum(dim=0)
            gap = logp.exp_()
            gap[torch.arange(len(codes), device=codes.device), :, codes] -= 1.0
            gap *= weights[:, :, None]
            grad = grad + Z.T @ gap.view(-1, heads * classes)
        grad = grad.view(inputs, heads, classes).transpose(0, 1) * self.stretch
        return value, grad.reshape(heads, -1)

    def _chunks(self) -> list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
        parts = (self.Z, self.codes, self.weights.T)
        return list(zip(*(part.split(self.rows) for part in parts), strict=True))


def affine(Z: torch.Tensor, layer: torch.Tensor) -> torch.Tensor:
    """One layer, whose last row is the bias."""
    return Z @ layer[:-1] + layer[-1]


def logits(
    Z: torch.Tensor, layers: tuple[torch.Tensor, ...], bias_in: bool = False
) -> torch.Tensor:
    """(n, H, C) logits of rows ``Z`` (n, d), or (n, d + 1) with the ones in."""
    heads, inputs, outputs = layers[0].shape
    wide = layers[0].transpose(0, 1).reshape(inputs, heads * outputs)
    out = (Z @ wide if bias_in else affine(Z, wide)).view(-1, heads, outputs)
    if len(layers) == 1:
        return out
    out = torch.nn.functional.gelu(out).transpose(0, 1)
    return (out @ layers[1][:, :-1] + layers[1][:, -1:]).transpose(0, 1)


def nll(logp: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
    """(n, H) negative log-likelihood from (n, H, C) log-probabilities."""
    return -logp.gather(2, codes[:, None, None].expand(-1, logp.shape[1], 1))[:, :, 0]


def rotate(layers: tuple[torch.Tensor, ...], turn: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """The first layer's inputs turned by ``turn``; the bias stays."""
    first = torch.cat([turn @ layers[0][:, :-1], layers[0][:, -1:]], dim=1)
    return (first, *layers[1:])


def principal_axes(X: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Orthonormal axes (d, r) of the span of the rows, and their sums of squares (r,)."""
    n, d = X.shape
    if n < d:
        # The small side's Gram matrix: n x n, with n below the number of features.
        squares, vectors = torch.linalg.eigh(X @ X.T)
        keep = squares > 1e-5 * squares[-1].clamp(min=1e-12)
        axes = X.T @ (vectors[:, keep] / squares[keep].sqrt())
        return axes, squares[keep]
    squares, vectors = torch.linalg.eigh(X.T @ X)
    keep = squares > 1e-6 * squares[-1].clamp(min=1e-12)
    return vectors[:, keep], squares[keep]


def initial(
    d: int, classes: int, heads: int, hidden: int | None, seed: int, device: torch.device
) -> tuple[torch.Tensor, ...]:
    """Where a first fit starts; reproducible for a seed."""
    if hidden is None:
        # The objective is convex: the start does not matter, and zero is the fastest one.
        return (torch.zeros(heads, d + 1, classes, device=device),)
    generator = torch.Generator().manual_seed(seed)
    first = torch.randn(heads, d + 1, hidden, generator=generator)
    last = torch.randn(heads, hidden + 1, classes, generator=generator) / math.sqrt(hidden)
    return first.to(device), last.to(device)


def fold_of(codes: torch.Tensor) -> torch.Tensor:
    """(n,) fold of each item: dealt round within each class, so labels to come change nothing."""
    labels = codes.cpu().numpy()
    folds = np.empty(len(labels), dtype=np.int64)
    for code in np.unique(labels):
        own = np.flatnonzero(labels == code)
        folds[own] = (np.arange(len(own)) + code) % FOLDS
    return torch.from_numpy(folds).to(codes.device)


def fit_temperature(
    problem: HeadLoss,
    layers: tuple[torch.Tensor, ...],
    folds: torch.Tensor,
    codes: torch.Tensor,
    members: int,
) -> float:
    """The temperature that minimises the log loss of the out-of-fold logits.

    A standard normal prior on its logarithm keeps it near 1 while labels are few. Only items
    whose class was seen in training count: the others say nothing about confidence.
    """
    outputs = logits(problem.Z, tuple(layer[members:] for layer in layers), bias_in=True)
    rows = torch.arange(len(codes), device=codes.device)
    held_out = outputs[rows, folds]
    counts = torch.bincount(codes)
    per_fold = torch.zeros(FOLDS, len(counts), device=codes.device)
    per_fold.index_put_((folds, codes), torch.ones_like(codes, dtype=torch.float32), True)
    fair = (counts[codes] - per_fold[folds, codes]) > 0
    if int(fair.sum()) < 2:
        return 1.0
    held_out, target = held_out[fair].double(), codes[fair]
    logs = torch.linspace(-2.5, 2.5, 101, dtype=torch.float64, device=codes.device)
    losses = torch.stack(
        [
            torch.nn.functional.cross_entropy(held_out / log.exp(), target, reduction="sum")
            + 0.5 * log.square()
            for log in logs
        ]
    )
    return float(logs[losses.argmin()].exp())
