"""What labels say about logits: of one class out of several, or of each label by itself."""

from __future__ import annotations

from typing import Protocol, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import binary_cross_entropy_with_logits, one_hot


class Likelihood(Protocol):
    """The labels of n rows, as the probability of these under logits (H, C, n) of H heads."""

    #: (n,) int64 tensor, equal where labels are.
    codes: torch.Tensor
    #: (C,) logits that those of the heads are added to; None where only differences count.
    offset: torch.Tensor | None

    def __len__(self) -> int: ...

    def names(self) -> torch.Tensor:
        """(n,) int64, equal where labels are, whichever rows there are."""
        ...

    def rows(self, part: slice | torch.Tensor) -> Self:
        """The labels of some rows."""
        ...

    def nll(self, logits: torch.Tensor) -> torch.Tensor:
        """(H, n) negative log-likelihood, differentiable."""
        ...

    def fit(self, logits: torch.Tensor, weights: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(H,) negative log-likelihood with weights (H, n), and its gradient (H, C, n)."""
        ...

    def variance(self, outputs: int) -> torch.Tensor:
        """That of each label under logits of nought, (C, 1); (1, 1) where it is the same."""
        ...

    def held(self, outside: torch.Tensor) -> torch.Tensor:
        """Which of the rows outside of each fold's training (F, n) say something about it."""
        ...


class Categorical:
    """One class out of several: a softmax.

    Parameters
    ----------
    codes : (n,) int64 tensor
    """

    offset: torch.Tensor | None = None

    def __init__(self, codes: torch.Tensor) -> None:
        self.codes = codes

    def __len__(self) -> int:
        return len(self.codes)

    def names(self) -> torch.Tensor:
        """The codes."""
        return self.codes

    def rows(self, part: slice | torch.Tensor) -> Categorical:
        """The labels of some rows."""
        return Categorical(self.codes[part])

    def nll(self, logits: torch.Tensor) -> torch.Tensor:
        """(H, n) negative log-likelihood, differentiable."""
        # Not by indices: the gradient of that takes a quarter of the time of a whole evaluation.
        right = self.codes.expand(len(logits), 1, -1)
        return -torch.log_softmax(logits, dim=1).gather(1, right)[:, 0]

    def fit(self, logits: torch.Tensor, weights: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(H,) negative log-likelihood with weights (H, n), and its gradient (H, C, n)."""
        n = len(self.codes)
        # Classes before rows: a softmax over the last axis is many times slower.
        logp = torch.log_softmax(logits, dim=1)
        right = self.codes * n + torch.arange(n, device=logits.device)
        flatter = logp.view(len(logp), -1)
        value = -(flatter[:, right] * weights).sum(dim=1)
        gap = logp.exp_()
        flatter.index_add_(1, right, -torch.ones_like(weights))
        gap *= weights[:, None]
        return value, gap

    def variance(self, outputs: int) -> torch.Tensor:
        """About that of one class among as many as likely ones, (1, 1)."""
        return torch.tensor([[1 / max(outputs, 2)]], device=self.codes.device)

    def held(self, outside: torch.Tensor) -> torch.Tensor:
        """Items whose class was seen in training: the others say nothing."""
        member = one_hot(self.codes, int(self.codes.max()) + 1).to(torch.float32)
        seen = (~outside).to(torch.float32) @ member > 0
        return outside & seen[:, self.codes]


class Bernoulli:
    """Several labels at once, or none, each independent of the others: sigmoids.

    Heads say by how much the log-odds of a label differ from its usual ones, so that a strong
    penalty, and a high temperature, leave every label its frequency; labels that no item has, or
    all, keep finite log-odds.

    Parameters
    ----------
    marks : (C, n) float tensor
        0 and 1.
    codes : (n,) int64 tensor
        Equal where all labels are, 0, 1, 2, … in the order of their first occurrence.
    offset : (C,) float tensor
        The usual log-odds.
    """

    def __init__(self, marks: torch.Tensor, codes: torch.Tensor, offset: torch.Tensor) -> None:
        self.marks, self.codes = marks, codes
        self.offset: torch.Tensor | None = offset

    @classmethod
    def of(cls, marks: NDArray[np.float32], device: torch.device) -> Bernoulli:
        """That of rows of 0 and 1, (n, C).

        The usual log-odds have half an item more with each label, and half a one without
        (Krichevsky & Trofimov, IEEE Transactions on Information Theory 1981).
        """
        _, first, at = np.unique(marks, axis=0, return_index=True, return_inverse=True)
        place = np.empty(len(first), dtype=np.int64)
        place[np.argsort(first)] = np.arange(len(first))
        count = marks.sum(axis=0, dtype=np.float64)
        odds = (count + 0.5) / (len(marks) - count + 0.5)
        offset = torch.from_numpy(np.log(odds).astype(np.float32))
        table = torch.from_numpy(np.ascontiguousarray(marks.T)).to(device)
        codes = torch.from_numpy(place[at.reshape(-1)])
        return cls(table, codes.to(device), offset.to(device))

    def __len__(self) -> int:
        return len(self.codes)

    def names(self) -> torch.Tensor:
        """The marks of each row as one number."""
        draw = torch.Generator().manual_seed(1)
        factors = torch.randint(-(2**62), 2**62, (len(self.marks), 1), generator=draw)
        return (self.marks.long() * factors.to(self.marks.device)).sum(dim=0)

    def rows(self, part: slice | torch.Tensor) -> Bernoulli:
        """The labels of some rows."""
        assert self.offset is not None
        return Bernoulli(self.marks[:, part], self.codes[part], self.offset)

    def nll(self, logits: torch.Tensor) -> torch.Tensor:
        """(H, n) negative log-likelihood, differentiable."""
        return self._losses(logits).sum(dim=1)

    def fit(self, logits: torch.Tensor, weights: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(H,) negative log-likelihood with weights (H, n), and its gradient (H, C, n)."""
        value = (self.nll(logits) * weights).sum(dim=1)
        gap = probabilities_of(logits, self.offset).sub_(self.marks)
        gap *= weights[:, None]
        return value, gap

    def variance(self, outputs: int) -> torch.Tensor:
        """That of the usual log-odds, (C, 1)."""
        assert self.offset is not None
        p = self.offset.sigmoid()[:, None]
        return p * (1 - p)

    def held(self, outside: torch.Tensor) -> torch.Tensor:
        """All of them: that a label is rare is known without an item that has it."""
        return outside

    def _losses(self, logits: torch.Tensor) -> torch.Tensor:
        assert self.offset is not None
        odds = logits + self.offset[:, None]
        marks = self.marks.to(odds.dtype).expand_as(odds)
        return binary_cross_entropy_with_logits(odds, marks, reduction="none")


def probabilities_of(logits: torch.Tensor, offset: torch.Tensor | None) -> torch.Tensor:
    """(H, C, n) probabilities of classes, or with an offset (C,) of each label by itself."""
    if offset is None:
        return torch.softmax(logits, dim=1)
    return (logits + offset.to(logits)[:, None]).sigmoid_()
