"""How curves are drawn."""

from __future__ import annotations

#: Colour-blind safe (after Okabe & Ito, 2008), clear on white and on black; in the order in which
#: strategies come into use.
LINE_COLOURS = ("#2E86D1", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif"
