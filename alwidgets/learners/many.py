"""Linear heads of many runs at once, each run on labelled rows of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from alwidgets.learners.heads import HeadEnsemble
from alwidgets.learners.heads_fit import GROWTH
from alwidgets.learners.lbfgs import aligned
from alwidgets.learners.loss import Ending
from alwidgets.learners.many_fit import NEVER, RunsFit, judge, loosened
from alwidgets.learners.outoffold import USUAL, bootstrap
from alwidgets.learners.sklearn import SklearnLearner


@dataclass(frozen=True)
class Recipe:
    """How the heads of a learner are fitted.

    Attributes
    ----------
    framed : bool
        As `HeadEnsemble` does it: rows are centred and scaled, biases are penalised, classes
        without a label have a head, too, and a temperature is fitted. Otherwise as scikit-learn's
        `LogisticRegression` does it.
    l2 : float or None
        Strength of the penalty; None is to be chosen by the rows held out.
    members : int
        Posterior samples.
    ending : Ending
    """

    framed: bool
    l2: float | None
    members: int
    ending: Ending


def recipe_of(learner: Any) -> Recipe | None:
    """How a learner can be fitted for many runs at once; None if it cannot.

    That is a `HeadEnsemble` of linear heads and the usual `LogisticRegression` of scikit-learn:
    lbfgs, a ridge penalty and an intercept; neither with class weights.
    """
    if type(learner) is HeadEnsemble:
        if learner.hidden is not None or learner.class_weight is not None:
            return None
        ending = Ending(learner.max_iter, learner.tol, learner.patience)
        l2 = None if isinstance(learner.l2, str) else float(learner.l2)
        return Recipe(True, l2, learner.members, ending)
    members = SklearnLearner(learner).members
    if type(learner) is SklearnLearner and learner.calibrate in ("auto", False):
        learner, members = learner.estimator, learner.members
    if f"{type(learner).__module__}.{type(learner).__name__}" != (
        "sklearn.linear_model._logistic.LogisticRegression"
    ):
        return None
    usual = type(learner)()
    asked = learner.get_params()
    free = ("C", "max_iter", "tol", "n_jobs", "random_state", "verbose", "warm_start")
    others = {name: value for name, value in asked.items() if name not in free}
    if others.get("penalty") == "l2":
        others["penalty"] = usual.get_params()["penalty"]
    if any(usual.get_params()[name] != value for name, value in others.items()):
        return None
    if not 0 < asked["C"] < math.inf:
        return None
    return Recipe(False, 1 / asked["C"], members, Ending(200, asked["tol"], 1))


@dataclass(frozen=True)
class Learnt:
    """What a run takes from one fit to the next.

    Attributes
    ----------
    centre : (C, width) tensor
    l2, temperature : float
    judged : int
        Labels when these two were chosen.
    """

    centre: torch.Tensor
    l2: float
    temperature: float
    judged: int


class Head:
    """The fit of one run, as strategies ask it.

    Parameters
    ----------
    many : ManyHeads
    run : int
    """

    def __init__(self, many: ManyHeads, run: int) -> None:
        self._many, self._run = many, run
        self.weight, self.bias = many.centres[run]
        self.frame = many.frames[run] if many.frames else None
        self.temperature = many.temperatures[run]
        #: Logits of the whole pool (C, N), where they were worked out for many runs together.
        self.pooled: tuple[torch.Tensor, torch.Tensor] | None = None

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self.weight.device

    def logits(self, X: torch.Tensor) -> torch.Tensor:
        """(C, n) logits."""
        if self.pooled is not None and _same(X, self.pooled[0]):
            return self.pooled[1]
        return torch.addmm(self.bias[:, None], self.weight, X.T)

    def predict_proba(self, X: torch.Tensor) -> torch.Tensor:
        """(n, C) class probabilities."""
        return torch.softmax(self.logits(X) / self.temperature, dim=0).T

    def posterior(self, X: torch.Tensor) -> torch.Tensor:
        """(K, n, C) class probabilities of the members."""
        weight, bias = self._many.members(self._run)
        K, C, d = weight.shape
        found = torch.addmm(bias.view(K * C, 1), weight.view(K * C, d), X.T).view(K, C, -1)
        return torch.softmax(found / self.temperature, dim=1).transpose(1, 2)

    def embed(self, X: torch.Tensor) -> torch.Tensor:
        """(n, d) the features, scaled as the heads see them."""
        if self.frame is None:
            return X
        mean, scale = self.frame
        return (X - mean) / scale


def _same(X: torch.Tensor, pool: torch.Tensor) -> bool:
    return X.data_ptr() == pool.data_ptr() and X.shape == pool.shape and X.is_contiguous()


class ManyHeads:
    """Linear heads of R runs, fitted side by side on equally many rows each.

    What comes of a run does not depend on the others, to the last bit.

    Parameters
    ----------
    recipe : Recipe
    seeds : sequence of R int
        Of the members.
    classes : int
    mean, axes : (d,) and (d, d) tensors
        Of the features: their centre and their principal axes, orthonormal. In these the
        curvature is close to diagonal, and the fit needs fewer steps; it comes to the same.

    Attributes
    ----------
    centres : list of R (weight (C, d), bias (C,))
        That predict, for features as they come.
    frames : list of R (mean (d,), scale)
        Empty if the recipe has none.
    temperatures, strengths : list of R float
    """

    def __init__(
        self,
        recipe: Recipe,
        seeds: Sequence[int],
        classes: int,
        mean: torch.Tensor,
        axes: torch.Tensor,
    ) -> None:
        self.recipe, self.seeds, self.classes = recipe, list(seeds), classes
        self._mean, self._axes = mean, axes
        R, d = len(self.seeds), len(mean)
        self._width = aligned(d + 1)
        self._rows = torch.zeros(R, 0, self._width, device=mean.device)
        self._codes = torch.zeros(R, 0, dtype=torch.int64, device=mean.device)
        self.n = 0
        self.centres: list[tuple[torch.Tensor, torch.Tensor]] = []
        self.frames: list[tuple[torch.Tensor, float]] = []
        self.temperatures = [1.0] * R
        self.strengths = [recipe.l2 or USUAL] * R
        self._judged = 0
        self._fit: RunsFit | None = None
        self._members: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self._mean.device

    def add(self, features: Sequence[torch.Tensor], codes: Sequence[torch.Tensor]) -> None:
        """Give every run its next labelled rows, (b, d) and (b,)."""
        R, d, b = len(self.seeds), len(self._mean), len(codes[0])
        room = aligned(self.n + b)
        if room > self._rows.shape[1]:
            # Twice as many: seldom copied, and every run still begins at a cache line.
            more = max(room, 2 * self._rows.shape[1])
            rows, known = self._rows, self._codes
            self._rows = rows.new_zeros(R, more, self._width)
            self._codes = known.new_zeros(R, more)
            self._rows[:, : rows.shape[1]], self._codes[:, : rows.shape[1]] = rows, known
        new = slice(self.n, self.n + b)
        for run, (some, told) in enumerate(zip(features, codes, strict=True)):
            self._rows[run, new, :d] = (some - self._mean) @ self._axes
            self._rows[run, new, d] = 1
            self._codes[run, new] = told
        self.n += b

    def fit(self) -> list[Head]:
        """Fit every run on what it has; the fits, for the strategies."""
        self._members = {}
        before = self._fit
        fit = self._fit = self._framed()
        if self.recipe.framed:
            self._heads(fit, before)
        else:
            l2 = [[self.strengths[0]]] * len(self.seeds)
            # From the last fit: the way is shorter.
            start = None if before is None else before.centre
            fit.centre = fit.solve(fit.whole, l2, start, fit.flat, self.recipe.ending)
        self.centres = [self._unturned(fit, run, fit.centre[run, 0]) for run in fit.runs]
        self.frames = [self._frame_of(fit, run) for run in fit.runs] if self.recipe.framed else []
        return [Head(self, run) for run in fit.runs]

    def learnt(self, run: int) -> Learnt:
        """What a run takes from its last fit to the next."""
        assert self._fit is not None
        centre = self._fit.centre[run, 0]
        return Learnt(centre, self.strengths[run], self.temperatures[run], self._judged)

    def take_up(self, learnt: Sequence[Learnt]) -> None:
        """Go on from fits that were kept, on the rows that `add` has given; to the last bit."""
        self._fit = self._framed()
        self._fit.centre = torch.stack([one.centre for one in learnt])[:, None].to(self.device)
        self.strengths = [one.l2 for one in learnt]
        self.temperatures = [one.temperature for one in learnt]
        self._judged = learnt[0].judged

    def members(self, run: int) -> tuple[torch.Tensor, torch.Tensor]:
        """The posterior samples of a run: weights (K, C, d) and biases (K, C)."""
        if run not in self._members:
            assert self._fit is not None
            self._fit_members([run])
        return self._members[run]

    def prepare(self, runs: Sequence[int]) -> None:
        """Fit the posterior samples of some runs together."""
        if runs:
            self._fit_members(list(runs))

    def _framed(self) -> RunsFit:
        """What every run has, as the next fit sees it."""
        room = aligned(self.n)
        return RunsFit(
            self._rows[:, :room],
            self._codes[:, :room],
            self.n,
            d=len(self._mean),
            classes=self.classes,
            framed=self.recipe.framed,
        )

    def _fit_members(self, runs: list[int]) -> None:
        fit, recipe = self._fit, self.recipe
        assert fit is not None
        part = fit.part(runs)
        drawn = [bootstrap(self.n, recipe.members, self.seeds[run]) for run in runs]
        weights = part.padded(torch.stack(drawn).to(part.Z.device))
        l2 = [[self.strengths[run]] * recipe.members for run in runs]
        start = fit.centre[runs].expand(-1, recipe.members, -1, -1)
        ending = loosened(recipe.ending)
        found = part.solve(weights, l2, start, part.bent(fit.centre[runs]), ending)
        for at, run in enumerate(runs):
            pairs = [self._unturned(part, at, head) for head in found[at]]
            self._members[run] = (
                torch.stack([pair[0] for pair in pairs]),
                torch.stack([pair[1] for pair in pairs]),
            )

    def _heads(self, fit: RunsFit, before: RunsFit | None) -> None:
        """Penalty and temperature where they are due, then the centre: as `HeadEnsemble` does."""
        recipe, loose = self.recipe, loosened(self.recipe.ending)
        due = before is None or self.n >= GROWTH * self._judged
        if before is None or due:
            # From nothing: the last fit has seen what the folds are to hold out.
            ones = [[x] for x in self.strengths]
            rough = fit.solve(fit.whole, ones, None, fit.flat, loose)
        else:
            rough = fit.into_frame(before.unframed())
        bent = fit.bent(rough)
        if due:
            held = judge(fit, self.strengths, recipe.l2 is None, rough, bent, loose)
            self.strengths = [one.l2 for one in held]
            self.temperatures = [one.temperature for one in held]
            self._judged = self.n
            rough = torch.stack([one.folds[0].mean(dim=0, keepdim=True) for one in held])
            bent = fit.bent(rough)
        strengths = [[x] for x in self.strengths]
        fit.centre = fit.solve(fit.whole, strengths, rough, bent, recipe.ending)

    def _unturned(
        self, fit: RunsFit, run: int, head: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """A head (C, width) for features as they come: weight (C, d) and bias (C,)."""
        d = len(self._mean)
        weight, bias = head[:, :d], head[:, d]
        if fit.scale is not None:
            mean, scale = fit.mean[run], fit.scale[run]
            weight = weight / scale
            bias = bias - (weight * mean[:d]).sum(dim=1)
        weight = weight @ self._axes.T
        bias = bias - (weight * self._mean).sum(dim=1)
        if fit.absent is not None:
            bias = bias.masked_fill(fit.absent[run], NEVER)
        return weight, bias

    def _frame_of(self, fit: RunsFit, run: int) -> tuple[torch.Tensor, float]:
        """Mean (d,) and scale of a run's labelled rows, as the features come."""
        assert fit.scale is not None
        mean = self._mean + self._axes @ fit.mean[run, : fit.d]
        return mean, float(fit.scale[run])
