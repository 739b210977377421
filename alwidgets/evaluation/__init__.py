"""How good the model is, said honestly."""

from __future__ import annotations

from alwidgets.evaluation.metrics import METRICS, by_class, by_slice, estimate
from alwidgets.evaluation.prequential import Batch, prequential
from alwidgets.evaluation.ratios import f1, precision, recall
from alwidgets.evaluation.risk import Estimate, accuracy, difference, lure, mean_score, weights
from alwidgets.evaluation.strata import allocate, strata, stratified

__all__ = [
    "METRICS",
    "Batch",
    "Estimate",
    "accuracy",
    "allocate",
    "by_class",
    "by_slice",
    "difference",
    "estimate",
    "f1",
    "lure",
    "mean_score",
    "precision",
    "prequential",
    "recall",
    "strata",
    "stratified",
    "weights",
]
