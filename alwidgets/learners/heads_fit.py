"""How an ensemble of heads is fitted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from alwidgets.learners.frame import Frame, principal_axes, turned, widened
from alwidgets.learners.likelihood import Likelihood
from alwidgets.learners.loss import Ending, Layers, curvature_of, initial, solve
from alwidgets.learners.outoffold import USUAL, Folds, Held, bootstrap
from alwidgets.learners.progress import Course
from alwidgets.learners.seen import still

#: Penalty and temperature are chosen anew when there are this many times the labels of the last
#: choice, or so many times fewer; and from the heads of a fit on so few labels the way is longer
#: than from nothing.
GROWTH = 1.2
#: Heads that only measure or only spread may be this much less exact than the one that predicts.
LOOSE = 10.0
#: Axes that span everything stay right; with this many times the labels better ones are found.
FRESH = 2.0

#: As in State, from the centre to the weighting.
Found: TypeAlias = tuple[Layers, Layers, Layers, float, float, int, int, torch.Tensor, str]


@dataclass(frozen=True)
class Settings:
    """What :class:`~alwidgets.learners.HeadEnsemble` was asked for; ``l2`` None is to be chosen."""

    members: int
    hidden: int | None
    l2: float | None
    ending: Ending
    seed: int
    weighting: str  # of the classes, in words


@dataclass(frozen=True)
class State:
    """What a fit found. Replaced as a whole, so a prediction never sees half of a fit."""

    frame: Frame
    classes: NDArray[Any]
    centre: Layers  # of one head; empty with a hidden layer
    members: Layers
    folds: Layers
    l2: float
    temperature: float
    iterations: int
    labelled: int
    judged: torch.Tensor  # fingerprints of what penalty and temperature were chosen by
    weighting: str
    offset: torch.Tensor | None = None  # (C,) of labels by themselves
    axes: torch.Tensor | None = None  # (d, d), where the labelled rows span everything
    turned_at: int = 0  # labels when the axes were found

    @property
    def predictors(self) -> Layers:
        """The heads of whose probabilities the mean is predicted."""
        return self.centre or self.members

    def tensors(self) -> dict[str, torch.Tensor]:
        """Everything that is a tensor and worth saving, by name."""
        groups = {"centre": self.centre, "members": self.members, "folds": self.folds}
        found = {f"{name}{i}": x for name, layers in groups.items() for i, x in enumerate(layers)}
        if self.offset is not None:
            found["offset"] = self.offset
        return {"mean": self.frame.mean, "judged": self.judged} | found

    def moved(
        self, frame: Frame, labels: NDArray[Any], hidden: int | None, seed: int, several: bool
    ) -> State | None:
        """The same fit in a new frame and for new classes, if another can start from it."""
        if len(self.frame.mean) != len(frame.mean) or several != (self.offset is not None):
            return None
        if self.classes.dtype.kind != labels.dtype.kind or not np.isin(self.classes, labels).all():
            return None
        wanted = 1 if hidden is None else 2
        if len(self.members) != wanted or (hidden and self.members[0].shape[1] != hidden):
            return None
        device = frame.mean.device
        columns = np.searchsorted(labels, self.classes)

        def here(layers: Layers) -> Layers:
            if not layers:
                return layers
            moved = frame.moved(tuple(layer.to(device) for layer in layers), self.frame)
            d, heads = len(frame.mean), len(layers[0])
            fresh = initial(d, len(labels), heads, hidden, seed, device)
            return widened(moved, fresh, columns) if len(columns) < len(labels) else moved

        return State(
            frame,
            labels,
            here(self.centre),
            here(self.members),
            here(self.folds),
            self.l2,
            self.temperature,
            self.iterations,
            self.labelled,
            self.judged if len(columns) == len(labels) else self.judged[:0],
            self.weighting,
            self.offset,
            None if self.axes is None else self.axes.to(device),
            self.turned_at,
        )


def fit_heads(
    settings: Settings,
    frame: Frame,
    labels: NDArray[Any],
    scaled: torch.Tensor,
    y: Likelihood,
    weights: torch.Tensor,
    seen: torch.Tensor,
    old: State | None,
    course: Course,
) -> State:
    """Fit on rows (n, d) in their frame.

    Parameters
    ----------
    settings : Settings
    frame : Frame
    labels : (C,) array
        What the codes stand for.
    scaled : (n, d) float tensor
    y : Likelihood
    weights : (n,) float tensor
    seen : (n,) int64 tensor
        Fingerprints of the rows with their labels.
    old : State or None
        The last fit, in this frame.
    course : Course
        Follows the fit.

    Raises
    ------
    Cancelled
        If the fit should stop.
    """
    course.check()
    if old is not None and old.axes is not None and len(scaled) < FRESH * old.turned_at:
        axes, turned_at = old.axes, old.turned_at
    else:
        axes, turned_at = principal_axes(scaled), len(scaled)
    # The heads live in the span of the labelled rows. In its principal axes there are at most
    # min(n, d) unknowns a class, and the curvature is close to diagonal.
    Z = torch.cat([scaled @ axes, torch.ones_like(scaled[:, :1])], dim=1)
    run = _Run(settings, Z, y, weights, seen, len(labels), old, axes, course)
    found = run.linear() if settings.hidden is None else run.curved()
    full = axes.shape[0] == axes.shape[1]
    return State(frame, labels, *found, y.offset, axes if full else None, turned_at)


class _Run:
    """One fit, in the principal axes of the labelled rows."""

    def __init__(
        self,
        settings: Settings,
        Z: torch.Tensor,
        y: Likelihood,
        weights: torch.Tensor,
        seen: torch.Tensor,
        classes: int,
        old: State | None,
        axes: torch.Tensor,
        course: Course,
    ) -> None:
        self.course = course
        self.settings, self.Z, self.y, self.weights = settings, Z, y, weights
        self.seen, self.classes, self.old, self.axes = seen, classes, old, axes
        drawn = bootstrap(len(y), settings.members, settings.seed)
        self.member_weights = drawn.to(Z.device) * weights
        self.exact = settings.ending
        self.loose = Ending(self.exact.max_iter, LOOSE * self.exact.tol, 1)

    def linear(self) -> Found:
        """Centre, penalty and temperature, then the members around the centre."""
        settings, old, n = self.settings, self.old, len(self.y)
        # Where the last fit ended, or roughly where this one will: a place to start the others.
        near = old if old and n < GROWTH * old.labelled else None
        centre = self._start(1, near.centre if near else ())
        l2 = settings.l2 or (old.l2 if old else USUAL)
        steps = 0
        # In heads; those of the folds join when it is known how many are needed.
        self.course.plan((near is None) + 1 + settings.members)
        if near is None:
            centre, steps = self._solve(self.weights[None], l2, centre, None, self.loose)
        curvature = self._curvature(centre)
        if old and near and self._as_before(old):
            held, judged = Held(l2, old.temperature, turned(old.folds, self.axes)), old.judged
        else:
            held, judged = self._judged(l2, centre, curvature, near), self.seen
        if held.l2 != l2:
            centre = (held.folds[0].mean(dim=0, keepdim=True),)
            curvature = self._curvature(centre)
        centre, more = self._solve(self.weights[None], held.l2, centre, curvature, self.exact)
        steps += more
        begin = self._start(settings.members, near.members if near else (), otherwise=centre)
        members, more = self._solve(self.member_weights, held.l2, begin, curvature, self.loose)
        return (
            turned(centre, self.axes.T),
            turned(members, self.axes.T),
            turned(held.folds, self.axes.T),
            held.l2,
            held.temperature,
            steps + more,
            n,
            judged,
            settings.weighting,
        )

    def _as_before(self, old: State) -> bool:
        """Whether the last penalty and temperature still hold: they do not for other labels."""
        n, judged = len(self.y), len(old.judged)
        return (
            self.settings.l2 in (None, old.l2)
            and self.settings.weighting == old.weighting
            and judged / GROWTH < n < GROWTH * judged
            and still(old.judged, self.seen)
        )

    def _judged(
        self, l2: float, centre: Layers, curvature: torch.Tensor, near: State | None
    ) -> Held:
        """Penalty and temperature by the rows held out."""
        folds = Folds(self.Z, self.y, self.weights, self.loose, self.course)
        start = self._start(folds.used, near.folds if near else (), otherwise=centre)
        # One class is told apart from nothing: the labels do not say how strongly.
        if self.settings.l2 is None and int(self.y.codes.min()) < int(self.y.codes.max()):
            return folds.search(l2, start, curvature)
        (heads,) = folds.fit([l2], start, curvature)
        return Held(l2, folds.judge(heads)[0], heads)

    def curved(self) -> Found:
        """Members and fold-heads with a hidden layer, side by side."""
        settings, old = self.settings, self.old
        l2 = settings.l2 or USUAL
        folds = Folds(self.Z, self.y, self.weights, self.exact, self.course)
        weights = torch.cat([self.member_weights, folds.weights])
        self.course.plan(len(weights))
        whole = tuple(torch.cat(pair) for pair in zip(old.members, old.folds, strict=True)) if (
            old
        ) else ()  # fmt: skip
        found, steps = self._solve(weights, l2, self._start(len(weights), whole), None, self.exact)
        members = tuple(layer[: settings.members] for layer in found)
        held = tuple(layer[settings.members :] for layer in found)
        temperature = folds.judge(held)[0]
        back = self.axes.T
        return (
            (),
            turned(members, back),
            turned(held, back),
            l2,
            temperature,
            steps,
            len(self.y),
            self.seen[:0],
            settings.weighting,
        )

    def _start(self, heads: int, old: Layers, otherwise: Layers = ()) -> Layers:
        """The heads of the last fit in these axes, or copies of another head, or afresh."""
        if old and len(old[0]) == heads:
            return turned(old, self.axes)
        if otherwise:
            return tuple(layer.expand(heads, -1, -1) for layer in otherwise)
        settings, device = self.settings, self.Z.device
        d = len(self.axes)
        fresh = initial(d, self.classes, heads, settings.hidden, settings.seed, device)
        return turned(fresh, self.axes)

    def _curvature(self, centre: Layers) -> torch.Tensor:
        return curvature_of(self.Z, centre[0], self.weights[None], self.y.offset)

    def _solve(
        self,
        weights: torch.Tensor,
        l2: float,
        start: Layers,
        curvature: torch.Tensor | None,
        ending: Ending,
    ) -> tuple[Layers, int]:
        strengths = torch.full((len(weights),), l2, device=self.Z.device)
        return solve(self.Z, self.y, weights, strengths, start, ending, curvature, self.course)
