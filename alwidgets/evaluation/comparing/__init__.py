"""Random against active, simulated on data with known labels."""

from __future__ import annotations

from alwidgets.evaluation.comparing.comparison import Comparison
from alwidgets.evaluation.comparing.simulate import compare

__all__ = ["Comparison", "compare"]
