"""How good the model is, said honestly."""

from __future__ import annotations

from alwidgets.evaluation.risk import Estimate, accuracy, lure

__all__ = ["Estimate", "accuracy", "lure"]
