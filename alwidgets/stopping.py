"""When to stop labelling, and what the next labels are worth.

Plain functions on arrays, usable without a session: criteria that compare what successive models
say of items without labels, the forecast of a learning curve, and its price.
"""

from __future__ import annotations

from .evaluation.extrapolation import Forecast, forecast
from .evaluation.stopping import (
    Advice,
    change_of_f,
    classification_change,
    kappa,
    overall_uncertainty,
    predicted_change_of_f,
    stabilizing_predictions,
)
from .evaluation.worth import Money, Worth, pace, worth

__all__ = [
    "Advice",
    "Forecast",
    "Money",
    "Worth",
    "change_of_f",
    "classification_change",
    "forecast",
    "kappa",
    "overall_uncertainty",
    "pace",
    "predicted_change_of_f",
    "stabilizing_predictions",
    "worth",
]
