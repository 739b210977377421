"""One fit of the heads of many runs, each on labelled rows of its own."""

from __future__ import annotations

from collections.abc import Generator

import torch
from torch.nn.functional import one_hot

from alwidgets.learners.heads_fit import LOOSE
from alwidgets.learners.lbfgs import minimise
from alwidgets.learners.likelihood import Categorical
from alwidgets.learners.loss import CHUNK_ELEMENTS, FLOOR, Ending, Layers
from alwidgets.learners.outoffold import Folds, Held

#: Curvature pairs that are kept; with the gradient they fill whole cache lines.
HISTORY = 7
#: Runs that a GPU fits at once, filled up with copies: there the number decides how a product is
#: made, and so the last bits.
LOT = 32
#: Logit of a class without a label: finite, so that nought times it is nought.
NEVER = -1e9


class RunsFit:
    """One fit, on rows padded to whole cache lines with rows of weight nought.

    Parameters
    ----------
    rows : (R, n', width) float tensor
        Features, a one in column `d`, zeros after it; from row `n` on zeros alone.
    codes : (R, n') int64 tensor
    n : int
        Labelled rows.
    d : int
        Features.
    classes : int
    framed : bool
        Whether rows are centred and scaled, and biases penalised; else biases are free, and
        classes without a label have no head.

    Attributes
    ----------
    Z : (R, n', width) float tensor
        The rows as the heads see them.
    mean, scale : (R, width) and (R,) tensors
        Of each run's frame; a scale of None is no frame.
    absent : (R, classes) bool tensor or None
        Classes that have no head.
    centre : (R, 1, classes, width) tensor
        The heads that predict, once they are fitted.
    """

    centre: torch.Tensor

    def __init__(
        self,
        rows: torch.Tensor,
        codes: torch.Tensor,
        n: int,
        *,
        d: int,
        classes: int,
        framed: bool,
    ) -> None:
        self.rows, self.codes, self.n = rows, codes, n
        self.d, self.classes, self.framed = d, classes, framed
        self.runs = range(len(rows))
        inside = torch.zeros(rows.shape[1], device=rows.device)
        inside[:n] = 1
        self.whole = inside.expand(len(rows), 1, -1)
        self.mean = rows.new_zeros(len(rows), rows.shape[2])
        self.scale: torch.Tensor | None = None
        self.absent: torch.Tensor | None = None
        self.Z = rows
        #: 1 for what the penalty pulls at.
        self.drawn = torch.ones(rows.shape[2], device=rows.device)
        if framed:
            self._frame(rows)
            return
        self.drawn[d] = 0
        seen = one_hot(codes[:, :n], classes).sum(dim=1) > 0
        self.absent = ~seen if not bool(seen.all()) else None

    def _frame(self, rows: torch.Tensor) -> None:
        """Centre and scale each run's rows, as `Frame` does: their mean square norm is 1 then."""
        n, d = self.n, self.d
        self.mean = rows[:, :n].mean(dim=1)
        self.mean[:, d:] = 0
        away = rows - self.mean[:, None]
        away[:, :, d] = 0
        away[:, n:] = 0
        size = away.square().sum(dim=2).sum(dim=1).div(n).sqrt()
        # One item, or copies of one: any scale does.
        near = size <= 1e-6 * self.mean.square().sum(dim=1).sqrt()
        self.scale = torch.where(near | (size == 0), 1.0, size)
        self.Z = away / self.scale[:, None, None]
        self.Z[:, :n, d] = 1

    def part(self, runs: list[int]) -> RunsFit:
        """That of some of the runs."""
        return RunsFit(
            self.rows[runs].contiguous(),
            self.codes[runs].contiguous(),
            self.n,
            d=self.d,
            classes=self.classes,
            framed=self.framed,
        )

    def unframed(self) -> torch.Tensor:
        """The centres on rows that are neither centred nor scaled."""
        assert self.scale is not None
        found = self.centre / self.scale[:, None, None, None]
        shift = (found * self.mean[:, None, None]).sum(dim=3)
        found[..., self.d] = self.centre[..., self.d] - shift
        return found

    def into_frame(self, heads: torch.Tensor) -> torch.Tensor:
        """Heads on rows as they are, on those of the frame."""
        assert self.scale is not None
        found = heads * self.scale[:, None, None, None]
        found[..., self.d] = heads[..., self.d] + (heads * self.mean[:, None, None]).sum(dim=3)
        return found

    def padded(self, weights: torch.Tensor) -> torch.Tensor:
        """Weights (R, H, n) with nought for the rows that fill up."""
        out = weights.new_zeros(*weights.shape[:2], self.Z.shape[1])
        out[:, :, : self.n] = weights
        return out

    @property
    def flat(self) -> torch.Tensor:
        """The curvature where nothing is known, (R, 1, 1, width)."""
        return self.Z.square().sum(dim=1)[:, None, None] / max(self.classes, 2)

    def bent(self, heads: torch.Tensor) -> torch.Tensor:
        """The curvature at heads (R, 1, C, width)."""
        p = self._softmax(torch.bmm(heads[:, 0], self.Z.transpose(1, 2)))
        p = p * (1 - p)
        p[:, :, self.n :] = 0
        return torch.bmm(p, self.Z.square())[:, None]

    def _softmax(self, logits: torch.Tensor) -> torch.Tensor:
        if self.absent is not None:
            logits = logits.masked_fill(self.absent[:, :, None], NEVER)
        return torch.softmax(logits, dim=1)

    def solve(
        self,
        weights: torch.Tensor,
        l2: list[list[float]],
        start: torch.Tensor | None,
        curvature: torch.Tensor,
        ending: Ending,
    ) -> torch.Tensor:
        """Fit H heads for every run: weights (R, H, n), strengths R x H; (R, H, C, width)."""
        R, H, n = weights.shape
        C, width = self.classes, self.Z.shape[2]
        strengths = torch.tensor(l2, dtype=torch.float32, device=self.Z.device)
        if start is None:
            start = self.Z.new_zeros(R, H, C, width)
        # As many runs at once as memory allows: that changes nothing in what comes out.
        size = H * C * max(n, width)
        some = max(1, min(R, CHUNK_ELEMENTS // size))
        on_device = self.Z.device.type != "cpu"
        some = LOT if on_device else some
        parts = []
        for first in range(0, R, some):
            rows = torch.arange(first, min(first + some, R), device=self.Z.device)
            count = len(rows)
            if on_device:
                rows = torch.cat([rows, rows[-1:].expand(some - count)])
            loss = _Loss(
                self.Z[rows] if on_device else self.Z[first : first + count],
                self.codes[rows],
                weights[rows],
                strengths[rows],
                self.drawn,
                curvature[rows],
                None if self.absent is None else self.absent[rows],
                C,
            )
            found, _ = minimise(
                loss,
                loss.pack(start[rows]),
                max_iter=ending.max_iter,
                tol=ending.tol,
                patience=ending.patience,
                history=HISTORY,
                floor=FLOOR,
                apart=True,
            )
            parts.append(loss.unpack(found)[:count])
        return torch.cat(parts)


class _Loss:
    """The penalised log loss of H heads of each of R runs, and its gradient."""

    def __init__(
        self,
        Z: torch.Tensor,
        codes: torch.Tensor,
        weights: torch.Tensor,
        l2: torch.Tensor,
        drawn: torch.Tensor,
        curvature: torch.Tensor,
        absent: torch.Tensor | None,
        classes: int,
    ) -> None:
        R, H, n = weights.shape
        self.Z, self.shape = Z, (R, H, classes, Z.shape[2])
        self.weights = weights.reshape(R * H, n)
        self.right = codes[:, None, None].expand(R, H, 1, n).reshape(R * H, 1, n)
        self.minus = -torch.ones_like(self.right, dtype=torch.float32)
        pull = l2[:, :, None, None] * drawn
        self.pull = pull.expand(self.shape).reshape(R, H * classes, -1)
        # A column of zeros has no curvature, and a free bias no penalty: any stretch does.
        bend = (curvature + pull).clamp(min=1e-6)
        self.stretch = bend.rsqrt().expand(self.shape).reshape(R, H * classes, -1)
        self.absent = None
        if absent is not None:
            self.absent = absent[:, None, :, None].expand(R, H, classes, 1).reshape(R * H, -1, 1)

    def pack(self, heads: torch.Tensor) -> torch.Tensor:
        """Heads (R, H, C, width) as the flat parameters of R x H problems."""
        R, H, C, width = self.shape
        return (heads.reshape(R, H * C, width) / self.stretch).view(R * H, C * width)

    def unpack(self, flat: torch.Tensor) -> torch.Tensor:
        """The heads that :meth:`pack` made flat."""
        R, H, C, width = self.shape
        return (flat.view(R, H * C, width) * self.stretch).view(self.shape)

    def __call__(self, flat: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        R, H, C, width = self.shape
        heads = flat.view(R, H * C, width) * self.stretch
        pull = heads * self.pull
        value = 0.5 * (heads * pull).view(R * H, C * width).sum(dim=1)
        logits = torch.bmm(heads, self.Z.transpose(1, 2)).view(R * H, C, -1)
        if self.absent is not None:
            logits = logits.masked_fill_(self.absent, NEVER)
        logp = torch.log_softmax(logits, dim=1)
        value = value - (logp.gather(1, self.right)[:, 0] * self.weights).sum(dim=1)
        gap = logp.exp_().scatter_add_(1, self.right, self.minus)
        gap *= self.weights[:, None]
        grad = torch.baddbmm(pull, gap.view(R, H * C, -1), self.Z)
        return value, (grad * self.stretch).view(R * H, C * width)


def loosened(ending: Ending) -> Ending:
    """That of heads that only measure or only spread."""
    return Ending(ending.max_iter, LOOSE * ending.tol, 1)


def judge(
    fit: RunsFit,
    l2: list[float],
    choose: bool,
    start: torch.Tensor,
    curvature: torch.Tensor,
    ending: Ending,
) -> list[Held]:
    """Penalty and temperature of every run by its rows held out; the fits of all in one go."""
    found: dict[int, Held] = {}
    folds, searches, wanted = {}, {}, {}
    for run in fit.runs:
        y = Categorical(fit.codes[run, : fit.n])
        ones = torch.ones(fit.n, device=fit.Z.device)
        folds[run] = Folds(fit.Z[run, : fit.n], y, ones, ending)
        # One class is told apart from nothing: the labels do not say how strongly.
        if choose and int(y.codes.min()) < int(y.codes.max()):
            searches[run] = folds[run].searching(l2[run])
            wanted[run] = next(searches[run])
        else:
            wanted[run] = [l2[run]], None
    while wanted:
        # Of one number of strengths at a time: all of three at first, then those that go on.
        count = max(len(strengths) for strengths, _ in wanted.values())
        runs = [run for run, (strengths, _) in wanted.items() if len(strengths) == count]
        heads = _fold_heads(fit, folds, {run: wanted.pop(run) for run in runs}, start, curvature)
        for run in runs:
            if run not in searches:
                held = Held(l2[run], folds[run].judge(heads[run][0])[0], heads[run][0])
                found[run] = held
                continue
            step = _advance(searches[run], heads[run])
            if isinstance(step, Held):
                found[run] = step
            else:
                wanted[run] = step
    return [found[run] for run in fit.runs]


def _advance(
    search: Generator[tuple[list[float], Layers | None], list[Layers], Held], heads: list[Layers]
) -> Held | tuple[list[float], Layers | None]:
    try:
        return search.send(heads)
    except StopIteration as end:
        held: Held = end.value
        return held


def _fold_heads(
    fit: RunsFit,
    folds: dict[int, Folds],
    wanted: dict[int, tuple[list[float], Layers | None]],
    start: torch.Tensor,
    curvature: torch.Tensor,
) -> dict[int, list[Layers]]:
    """The heads fitted without a fold each, at each strength, of some runs."""
    runs = list(wanted)
    part = fit.part(runs)
    used = folds[runs[0]].used
    count = len(wanted[runs[0]][0])
    weights = torch.stack([folds[run].weights.repeat(count, 1) for run in runs])
    l2 = [[x for x in wanted[run][0] for _ in range(used)] for run in runs]
    begun = []
    for run in runs:
        other = wanted[run][1]
        begun.append((start[run] if other is None else other[0]).expand(used, -1, -1))
    begin = torch.stack(begun).repeat(1, count, 1, 1)
    heads = part.solve(part.padded(weights), l2, begin, curvature[runs], folds[runs[0]].ending)
    return {
        run: [(heads[at, k * used : (k + 1) * used],) for k in range(count)]
        for at, run in enumerate(runs)
    }
