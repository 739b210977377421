"""The bands and lines that a learning curve's figure is made of, and how far they reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from .curvelook import Look
from .lines import faint


@dataclass
class Extent:
    """How far what is drawn reaches: to the right, down and up.

    Attributes
    ----------
    right, low, high : float
    """

    right: float = 0.0
    low: float = 1.0
    high: float = 0.0

    def take(self, x: list[float], ends: list[tuple[float, float]]) -> None:
        """Reach as far as a band does."""
        self.right = max([self.right, *x])
        self.low = min([self.low, *(low for low, _ in ends)])
        self.high = max([self.high, *(high for _, high in ends)])

    def heights(self, look: Look) -> tuple[float, float]:
        """What the upright axis shows: all there is, the target, and the best there can be."""
        target = [] if look.target is None else [look.target]
        if look.falls:
            return -0.02, min(1.02, max([self.high, *target]) + 0.05)
        return max(0.0, min([self.low, *target]) - 0.05), 1.02


def spread(band: Any, x: list[float], ends: list[tuple[float, float]], extent: Extent) -> None:
    """A band around a line: there along its upper ends, and back along the lower ones."""
    extent.take(x, ends)
    band.x = [*x, *x[::-1]]
    band.y = [*(high for _, high in ends), *(low for low, _ in ends[::-1])]


def band_of(name: str, colour: str, opacity: float, *, shown: bool = False) -> Any:
    """A band, in the legend if it is shown from the first."""
    return go.Scatter(
        name=name,
        fill="toself",
        fillcolor=faint(colour, opacity),
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        visible=shown,
        showlegend=shown,
    )


def arm_of(name: str, colour: str, symbol: str) -> Any:
    """The line of an arm."""
    return go.Scatter(
        name=name,
        mode="lines+markers",
        line={"color": colour, "width": 2},
        marker={"size": 7, "symbol": symbol},
        hovertemplate="%{text}<extra></extra>",
        visible=False,
    )
