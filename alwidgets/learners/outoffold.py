"""How strong the penalty should be, and how sure the heads may sound: from rows held out."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import torch

from alwidgets.learners.calibration import best_temperature, dealt
from alwidgets.learners.likelihood import Likelihood
from alwidgets.learners.loss import Ending, Layers, logits, solve
from alwidgets.learners.progress import Course

FOLDS = 5
#: Rows held out that are enough: with many labels not every fold is needed.
ENOUGH = 1000
#: The strengths lie half a decade apart.
STEP = math.sqrt(10.0)
#: Where the search starts, and where it ends.
USUAL, WEAKEST, STRONGEST = 0.05, 0.005, 50.0
#: A decade from the usual strength is worth half a nat: with few labels little moves it.
SPREAD = math.log(10.0)
#: Some two standard errors of the logarithm of a temperature, times the root of the number of rows:
#: of two classes the information of a row is p (1 - p) z² at the logit z, at most 0.44.
DOUBT = 4.0


@dataclass(frozen=True)
class Held:
    """What the rows held out say."""

    l2: float
    temperature: float
    folds: Layers  # (F, C, inputs + 1), the heads that were fitted without a fold


def fold_of(codes: torch.Tensor) -> torch.Tensor:
    """(n,) fold of each item: dealt round within each class, so labels to come change nothing."""
    return torch.from_numpy(dealt(codes.cpu().numpy(), FOLDS)).to(codes.device)


def folds_needed(n: int) -> int:
    """Folds that hold out enough of ``n`` rows."""
    return max(1, min(FOLDS, math.ceil(ENOUGH * FOLDS / max(n, 1))))


class Folds:
    """Heads that are fitted without one fold each.

    Parameters
    ----------
    Z : (n, inputs + 1) float tensor
        Labelled rows with a one at the end.
    y : Likelihood
        Of their labels.
    weights : (n,) float tensor
        Of each item in every sum of losses.
    ending : Ending
        Of each fit.
    course : Course, optional
        Follows them.
    """

    def __init__(
        self,
        Z: torch.Tensor,
        y: Likelihood,
        weights: torch.Tensor,
        ending: Ending,
        course: Course | None = None,
    ) -> None:
        self.Z, self.y, self.ending, self.course = Z, y, ending, course or Course()
        fold = fold_of(y.codes)
        self.used = folds_needed(len(y))
        ids = torch.arange(self.used, device=fold.device)
        inside = fold[None, :] == ids[:, None]
        self.weights = torch.where(inside, torch.zeros_like(weights), weights)
        held = torch.nonzero(y.held(inside))
        self.fold, self.rows = held[:, 0], held[:, 1]
        self.row_weights = weights[self.rows]

    def fit(self, l2: list[float], start: Layers, curvature: torch.Tensor | None) -> list[Layers]:
        """The fold-heads at each strength, all in one go, from one start (F or 1 heads)."""
        count = len(l2)
        self.course.plan(count * self.used)
        begin = tuple(layer.expand(self.used, -1, -1).repeat(count, 1, 1) for layer in start)
        strengths = torch.tensor(l2, dtype=self.Z.dtype, device=self.Z.device)
        found, _ = solve(
            self.Z,
            self.y,
            self.weights.repeat(count, 1),
            strengths.repeat_interleave(self.used),
            begin,
            self.ending,
            curvature,
            self.course,
        )
        return [
            tuple(layer[k * self.used : (k + 1) * self.used] for layer in found)
            for k in range(count)
        ]

    def judge(self, heads: Layers) -> tuple[float, float]:
        """The best temperature of the rows held out, and what their log loss says of the heads.

        A temperature below 1 excuses heads that a strong penalty made too timid: their direction
        may be right. One above 1 does not excuse heads that a weak penalty made too sure, beyond
        what so few rows leave open. Labels that were picked because they are hard lie across the
        direction that tells most of the pool apart; cooled down, heads that have learned these
        alone would look as good as any.
        """
        held = torch.cat(
            [
                logits(self.Z[self.rows[self.fold == k]], tuple(x[k : k + 1] for x in heads))[0]
                for k in range(self.used)
            ],
            dim=1,
        )
        y = self.y.rows(self.rows)
        temperature, loss = best_temperature(held, y, self.row_weights, self.course.check)
        most = math.exp(DOUBT / math.sqrt(max(len(y), 1)))
        if temperature > most:
            loss = float((y.nll(held[None] / most) * self.row_weights).sum())
        return temperature, loss

    def search(self, l2: float, start: Layers, curvature: torch.Tensor | None) -> Held:
        """The strength of least loss: downhill from ``l2`` by half decades, then between these.

        The loss is that of :meth:`judge` with a normal prior on the logarithm of the strength.
        """
        searching = self.searching(l2)
        strengths, begin = next(searching)
        while True:
            heads = self.fit(strengths, begin or start, curvature)
            try:
                strengths, begin = searching.send(heads)
            except StopIteration as end:
                held: Held = end.value
                return held

    def searching(
        self, l2: float
    ) -> Generator[tuple[list[float], Layers | None], list[Layers], Held]:
        """:meth:`search` for whoever fits the heads: these go in, strengths to try come out.

        Beside the strengths comes what the heads may begin from; at first None.
        """
        l2 = min(max(l2, WEAKEST), STRONGEST)
        grid = [l2 / STEP, l2, l2 * STEP]
        grid = [x for x in grid if WEAKEST <= x <= STRONGEST]
        tried: dict[float, tuple[float, float, Layers]] = {}

        def weigh(strengths: list[float], found: list[Layers]) -> None:
            for x, heads in zip(strengths, found, strict=True):
                temperature, loss = self.judge(heads)
                tried[x] = loss + 0.5 * (math.log(x / USUAL) / SPREAD) ** 2, temperature, heads

        weigh(grid, (yield grid, None))
        while True:
            best = min(tried, key=lambda x: tried[x][0])
            if min(tried) < best < max(tried):
                break
            further = best / STEP if best == min(tried) else best * STEP
            if not WEAKEST <= further <= STRONGEST:
                break
            weigh([further], (yield [further], tried[best][2]))
        return _between(best, tried)


def _between(best: float, tried: dict[float, tuple[float, float, Layers]]) -> Held:
    """The minimum of the parabola through the best strength and its neighbours."""
    loss, temperature, heads = tried[best]
    below = max((x for x in tried if x < best), default=None)
    above = min((x for x in tried if x > best), default=None)
    if below is None or above is None:
        return Held(best, temperature, heads)
    left, right = tried[below][0] - loss, tried[above][0] - loss
    bend = left + right
    # In steps of the grid; beyond half a step another strength would have been the best.
    at = min(0.5, max(-0.5, 0.5 * (left - right) / bend)) if bend > 0 else 0.0
    if left < 0 or right < 0:
        at = 0.0
    # The temperature is close to a power of the strength.
    other = tried[above if at > 0 else below][1]
    temperature = temperature ** (1 - abs(at)) * other ** abs(at)
    return Held(best * STEP**at, temperature, heads)


def bootstrap(n: int, members: int, seed: int) -> torch.Tensor:
    """(K, n) weights of the Bayesian bootstrap (Rubin, 1981), each row of mean 1."""
    # Item by item, so that the weights of an item do not depend on how many follow it.
    drawn = np.random.default_rng(seed).standard_exponential((n, members)).astype(np.float32)
    weights = torch.from_numpy(drawn).T
    return weights * (n / weights.sum(dim=1, keepdim=True))
