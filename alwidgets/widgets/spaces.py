"""What the map tells of its layouts: which space is shown, and how far it can be trusted."""

from __future__ import annotations

from typing import Any, Literal, TypedDict, cast

import numpy as np

from ..errors import MessageError
from ..projection import Map
from ..projection.maps import SPACES, SpaceName
from .channel import Sent


class FiguresPart(TypedDict):
    """Shares of 0 to 1; `moved` is the median displacement as a share of the map's width."""

    trustworthiness: float
    continuity: float
    sampled: int
    moved: float | None


class LayoutMessage(TypedDict):
    """Which space is shown, and what is known of its layout."""

    type: Literal["layout"]
    space: SpaceName
    #: Those that there can be, and those that there are by now.
    spaces: list[SpaceName]
    ready: list[SpaceName]
    #: Whether the newest layout was given up, so that one can go on with it.
    stopped: bool
    figures: FiguresPart | None


def layout_message(shown: Map, *, learns: bool) -> LayoutMessage:
    """Tell of a map; `learns` says whether there can ever be a model."""
    figures = shown.figures
    part: FiguresPart | None = None
    if figures is not None and figures.quality is not None:
        trustworthiness, continuity, sampled = figures.quality
        part = {
            "trustworthiness": trustworthiness,
            "continuity": continuity,
            "sampled": sampled,
            "moved": None if figures.moved is None else figures.moved.median,
        }
    spaces: list[SpaceName] = list(SPACES) if learns else ["features"]
    has_model = shown.model_version > 0
    return {
        "type": "layout",
        "space": shown.space,
        "spaces": spaces,
        "ready": [space for space in spaces if has_model or space != "model"],
        "stopped": shown.stopped,
        "figures": part,
    }


def points_message(shown: Map) -> Sent | None:
    """The points of a map, x and y of each as float32; None while there are none."""
    coords, layout, revision = shown.current
    if coords is None:
        return None
    message: dict[str, Any] = {"type": "points", "n": len(coords), "layout": layout}
    message["revision"] = revision
    if shown.space == "model" and shown.box is not None:
        message["box"] = list(shown.box)
    return message, [np.ascontiguousarray(coords, dtype="<f4").tobytes()]


def parse_space(message: dict[str, Any]) -> SpaceName:
    """Return the space that a ``space`` message asks for.

    Raises
    ------
    MessageError
    """
    space = message.get("space")
    if space not in SPACES:
        raise MessageError(f"There is no space {str(space)[:40]!r}; use one of {SPACES}.")
    return cast(SpaceName, space)
