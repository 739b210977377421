"""Picks that cost much, kept within what a round may take."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch

from alwidgets.strategies.batchbald import batch_bald
from alwidgets.strategies.context import TARGETS, Context
from alwidgets.strategies.disagreement import bald
from alwidgets.strategies.expected import expected_error_reduction
from alwidgets.strategies.query import CHOICE
from alwidgets.strategies.selection import top
from alwidgets.strategies.uncertainty import entropy

#: Fits that expected error reduction makes for a batch.
FITS = 160
#: Classes that it tries for a candidate, the most likely ones: as many as there are fits for.
MOST_ANSWERS, FEWEST_ANSWERS = 5, 2
#: Numbers that BatchBALD works on for a pick, candidates times classes, and these times outcomes.
CELLS, TERMS = 200_000, 30_000_000
#: Joint outcomes that it looks at.
MOST_OUTCOMES, FEWEST_OUTCOMES = 1_000, 100


def reduce_error(context: Context, n: int) -> torch.Tensor:
    """The best of the candidates by expected error reduction, of those there are fits for.

    What a batch holds beyond these are the candidates that the model is most unsure of.
    """
    unsure = entropy(context.proba)
    order = top(unsure, len(unsure), seed=context.seed)
    tried, others = order[: FITS // FEWEST_ANSWERS], order[FITS // FEWEST_ANSWERS :]
    answers = min(MOST_ANSWERS, max(FEWEST_ANSWERS, FITS // len(tried)), context.n_classes)
    proba = context.proba[tried]
    likely = proba.topk(answers, dim=1)
    proba = torch.zeros_like(proba).scatter_(1, likely.indices, likely.values)
    proba = proba / proba.sum(dim=1, keepdim=True)
    gain = expected_error_reduction(proba, _refitting(context, tried))
    best = top(gain, min(n, len(gain)), seed=context.seed)
    return torch.cat([tried[best], others[: n - len(best)]])


def _refitting(context: Context, rows: torch.Tensor) -> Callable[[int, int], torch.Tensor]:
    """What fits once more with a class for one of these rows: the learner, or a quick head of it.

    A learner that takes long to fit gives a head that takes a moment; it sees the embedding.
    """
    learner: Any = context.known.model()
    codes = torch.from_numpy(context.labels).to(context.features.device)
    if hasattr(learner, "quick_head"):
        fitted = learner.quick_head()
        labelled, candidates = context.labelled_embedding, context.embedding[rows]
        sample = context.reference_embedding[:TARGETS]
        if len(codes):
            fitted.fit(labelled, codes, classes=context.n_classes)
    else:
        fitted = learner
        labelled, candidates = context.labelled_features, context.features[rows]
        sample = context.reference_features[:TARGETS]
    stop = getattr(learner, "should_stop", None)

    def refit(row: int, code: int) -> torch.Tensor:
        trial = copy.deepcopy(fitted)
        if hasattr(trial, "should_stop"):
            trial.should_stop = stop
        more = torch.cat([labelled, candidates[row : row + 1]])
        answers = torch.cat([codes, torch.tensor([code], device=codes.device)])
        proba: torch.Tensor = trial.fit(more, answers, classes=context.n_classes).predict_proba(
            sample
        )
        return proba

    return refit


def tell_most(context: Context, n: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A batch by BatchBALD: among the more classes, of the fewer candidates, the more roughly."""
    posterior = context.posterior
    m, classes = posterior.shape[1:]
    seen = min(m, max(CHOICE * n, CELLS // classes))
    rows = top(bald(posterior), seen, seed=context.seed) if seen < m else torch.arange(m)
    rows = rows.to(posterior.device)
    outcomes = min(MOST_OUTCOMES, max(FEWEST_OUTCOMES, TERMS // max(1, seen * classes)))
    picks, gains = batch_bald(
        posterior[:, rows], n, context.seed, samples=outcomes, return_scores=True
    )
    return rows[picks], gains
