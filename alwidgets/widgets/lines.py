"""How curves are drawn."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

#: Colour-blind safe (after Okabe & Ito, 2008), clear on white and on black; in the order in which
#: strategies come into use.
LINE_COLOURS = ("#2E86D1", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"


def dashed(name: str, colour: str) -> Any:
    """A line that says what may be."""
    return go.Scatter(
        name=name,
        mode="lines",
        line={"color": colour, "width": 2, "dash": "dash"},
        hovertemplate="%{text}<extra></extra>",
        visible=False,
    )


def faint(colour: str, opacity: float) -> str:
    """A colour to fill with, from #RRGGBB."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity})"
