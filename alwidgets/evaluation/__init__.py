"""How good the model is, said honestly."""

from __future__ import annotations

from alwidgets.evaluation.confusion import Confusion, confusion
from alwidgets.evaluation.gaps import Gap, rank_slices
from alwidgets.evaluation.metrics import METRICS, by_class, by_slice, estimate
from alwidgets.evaluation.prequential import Batch, prequential
from alwidgets.evaluation.ratios import f1, precision, recall
from alwidgets.evaluation.reliability import Reliability, Temperature, reliability, temperature
from alwidgets.evaluation.risk import Estimate, accuracy, difference, lure, mean_score, weights
from alwidgets.evaluation.saved import Saved, labels_saved
from alwidgets.evaluation.strata import allocate, strata, stratified

__all__ = [
    "METRICS",
    "Batch",
    "Confusion",
    "Estimate",
    "Gap",
    "Reliability",
    "Saved",
    "Temperature",
    "accuracy",
    "allocate",
    "by_class",
    "by_slice",
    "confusion",
    "difference",
    "estimate",
    "f1",
    "labels_saved",
    "lure",
    "mean_score",
    "precision",
    "prequential",
    "rank_slices",
    "recall",
    "reliability",
    "strata",
    "stratified",
    "temperature",
    "weights",
]
