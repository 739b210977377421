"""The formulas and nothing else, vectorised: no checks, no ties, whole pool at once.

What a strategy costs beyond these is what its care costs. Torch, as it is the fastest here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from inputs import Inputs

Tensor = torch.Tensor


def _best(score: Callable[[Inputs], Tensor]) -> Callable[[Inputs, int], Any]:
    return lambda given, n: torch.topk(score(given), n).indices.numpy()


def _entropy(p: Tensor) -> Tensor:
    return torch.special.entr(p).sum(-1)


def _proba(given: Inputs) -> Tensor:
    return torch.from_numpy(given.proba)


def _posterior(given: Inputs) -> Tensor:
    return torch.from_numpy(given.posterior)


def _embedding(given: Inputs) -> Tensor:
    return torch.from_numpy(given.embedding)


def _margin(given: Inputs) -> Tensor:
    two = torch.topk(_proba(given), 2).values
    return 1 - (two[:, 0] - two[:, 1])


def _bald(given: Inputs) -> Tensor:
    P = _posterior(given)
    return _entropy(P.mean(0)) - _entropy(P).mean(0)


def _votes(given: Inputs) -> Tensor:
    """(n, C) shares."""
    P = _posterior(given)
    counts = torch.zeros(P.shape[1], P.shape[2])
    counts.scatter_add_(1, P.argmax(2).T, torch.ones(P.shape[1], P.shape[0]))
    return counts / len(P)


def _max_disagreement(given: Inputs) -> Tensor:
    P = _posterior(given)
    mean = P.mean(0)
    return (torch.xlogy(P, P) - torch.xlogy(P, mean)).sum(2).amax(0)


def _epig(given: Inputs) -> Tensor:
    targets = torch.from_numpy(np.ascontiguousarray(given.target_posterior))
    K, m, C = targets.shape
    entropy = _entropy(targets.mean(0)).mean()
    parts = []
    for P in _posterior(given).split(256, dim=1):
        joint = P.permute(1, 2, 0) @ targets.reshape(K, m * C) / K
        found = torch.special.entr(joint).sum((1, 2)) / m
        parts.append(_entropy(P.mean(0)) + entropy - found)
    return torch.cat(parts)


def _gradient_length(given: Inputs) -> Tensor:
    p = _proba(given)
    lengths = ((p * p).sum(1, keepdim=True) - 2 * p + 1).clamp(min=0).sqrt()
    return _embedding(given).norm(dim=1) * (p * lengths).sum(1)


def _density(given: Inputs) -> Tensor:
    return _embedding(given) @ _embedding(given).mean(0)


def _contrastive(given: Inputs) -> Tensor:
    known = torch.from_numpy(given.labelled_embedding)
    q = torch.from_numpy(given.labelled_proba)
    H, p = _embedding(given), _proba(given)
    parts = []
    for at in range(0, len(H), 20_000):
        near = torch.topk(torch.cdist(H[at : at + 20_000], known), 10, largest=False).indices
        cross = torch.log(p[at : at + 20_000]) @ q.T
        self = -_entropy(q)
        parts.append((self[near] - cross.gather(1, near)).mean(1))
    return torch.cat(parts)


def k_center(given: Inputs, n: int) -> Any:
    H = _embedding(given)
    squares = (H * H).sum(1)

    def to(point: Tensor) -> Tensor:
        return squares - 2 * (H @ point) + point @ point

    nearest = torch.full((len(H),), float("inf"))
    for point in torch.from_numpy(given.labelled_embedding):
        nearest = torch.minimum(nearest, to(point))
    chosen = []
    for _ in range(n):
        best = int(nearest.argmax())
        chosen.append(best)
        nearest = torch.minimum(nearest, to(H[best]))
    return np.array(chosen)


def badge(given: Inputs, n: int) -> Any:
    H, p = _embedding(given), _proba(given).clone()
    p[torch.arange(len(p)), p.argmax(1)] -= 1
    squares = (p * p).sum(1) * (H * H).sum(1)
    draw = torch.Generator().manual_seed(0)
    chosen = [int(squares.argmax())]
    nearest = torch.full((len(H),), float("inf"))
    while len(chosen) < n:
        last = chosen[-1]
        gap = squares + squares[last] - 2 * (p @ p[last]) * (H @ H[last])
        nearest = torch.minimum(nearest, gap.clamp(min=0))
        nearest[chosen] = 0
        sums = nearest.double().cumsum(0)
        at = torch.rand(1, generator=draw, dtype=torch.double) * sums[-1]
        chosen.append(int(torch.searchsorted(sums, at)))
    return np.array(chosen)


def typiclust(given: Inputs, n: int) -> Any:
    from sklearn.cluster import MiniBatchKMeans

    clusters = min(len(given.labelled_embedding) + n, 500)
    rows = np.concatenate([given.embedding, given.labelled_embedding])
    model = MiniBatchKMeans(clusters, batch_size=4096, n_init=1, random_state=0)
    group = model.fit_predict(rows)
    sizes = np.bincount(group, minlength=clusters)
    known = np.bincount(group[given.n :], minlength=clusters)
    order = [c for c in np.lexsort((-sizes, known)) if sizes[c] > 5]
    chosen = []
    for c in order[:n]:
        members = np.flatnonzero(group[: given.n] == c)
        H = _embedding(given)[torch.from_numpy(members)]
        near = min(20, len(members) - 1)
        if near < 1:
            continue
        typical = torch.topk(torch.cdist(H, H), near + 1, largest=False).values.mean(1).argmin()
        chosen.append(members[int(typical)])
    return np.array(chosen)


def falcun(given: Inputs, n: int) -> Any:
    p = _proba(given)
    uncertainty = _margin(given)
    gap = uncertainty.clone()
    free = torch.ones(len(p), dtype=torch.bool)
    draw = np.random.default_rng(0)
    chosen: list[int] = []
    for _ in range(n):
        relevance = torch.where(free, uncertainty + gap / gap.max(), 0)
        weight = (relevance**10).double().cumsum(0)
        at = int(torch.searchsorted(weight, float(weight[-1]) * draw.random()))
        chosen.append(at)
        free[at] = False
        gap = torch.minimum(gap, (p - p[at]).abs().sum(1))
    return np.array(chosen)


BARE: dict[str, Callable[[Inputs, int], Any]] = {
    "least_confident": _best(lambda given: 1 - _proba(given).amax(1)),
    "margin": _best(_margin),
    "entropy": _best(lambda given: _entropy(_proba(given))),
    "bald": _best(_bald),
    "vote_entropy": _best(lambda given: _entropy(_votes(given))),
    "consensus_entropy": _best(lambda given: _entropy(_posterior(given).mean(0))),
    "max_disagreement": _best(_max_disagreement),
    "variation_ratio": _best(lambda given: 1 - _votes(given).amax(1)),
    "epig": _best(_epig),
    "expected_gradient_length": _best(_gradient_length),
    "density": _best(_density),
    "contrastive": _best(_contrastive),
    "k_center": k_center,
    "badge": badge,
    "typiclust": typiclust,
    "falcun": falcun,
}
