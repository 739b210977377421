"""Learners: what predicts."""

from __future__ import annotations

from alwidgets.learners.base import Array, Learner
from alwidgets.learners.heads import HeadEnsemble

__all__ = ["Array", "HeadEnsemble", "Learner"]
