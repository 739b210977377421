"""The orders that the map's points are listed in: edge cases, more like one, all by any colour."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypedDict

import numpy as np
from numpy.typing import NDArray

from ..errors import MessageError
from ..projection.columns import named
from . import colourings

#: Edge cases that are ranked, and items that are found to be like one.
MOST_RANKED, MOST_SIMILAR = 500, 100

#: What items can be ranked by as edge cases, in words.
WAYS: dict[str, str] = {
    "knn": "Far from everything",
    "unlabelled_cluster": "Groups without a label",
    "mahalanobis": "Unlike the class predicted",
    "energy": "Fits no class",
    "disagreement": "The committee disagrees",
    "flipped": "The prediction changed",
}
#: What it means that there are none, in words.
NONE = {
    "unlabelled_cluster": "Every group has a label.",
    "flipped": "The last retraining changed no prediction.",
}
WITHOUT_MODEL = ("knn", "unlabelled_cluster")
#: Quantities that are shares.
SHARES = ("confidence", "trust")


class Way(TypedDict):
    """Something to rank edge cases by, and what it still needs, "a model"; or None."""

    by: str
    name: str
    needs: str | None


class WaysMessage(TypedDict):
    """All that items can be ranked by as edge cases."""

    type: Literal["ways"]
    ways: list[Way]


@dataclass(frozen=True)
class Order:
    """Items in order.

    Attributes
    ----------
    positions : ndarray of uint32, shape (m,)
    value : callable
        What the item of a rank is listed by, in a word.
    why : sequence of str, length m, or None
        Why each is there.
    """

    positions: NDArray[np.uint32]
    value: Callable[[int], str]
    why: Sequence[str] | None = None


def ways(session: Any) -> WaysMessage:
    """What the items of a session can be ranked by as edge cases."""
    learns, multilabel = bool(session.task.classes), session.task.multilabel
    needs = None if colourings.has_model(session) else "a model"
    return {
        "type": "ways",
        "ways": [
            {"by": by, "name": name, "needs": None if by in WITHOUT_MODEL else needs}
            for by, name in WAYS.items()
            if by in WITHOUT_MODEL or (learns and not (multilabel and by == "energy"))
        ],
    }


def check_way(by: object) -> str:
    """Return what is asked for if items can be ranked by it.

    Raises
    ------
    MessageError
    """
    if not isinstance(by, str) or by not in WAYS:
        names = ", ".join(WAYS)
        raise MessageError(f"There are no edge cases by {str(by)[:40]!r}; use one of {names}.")
    return by


def edge_cases(session: Any, by: str) -> Order:
    """The items that are most out of the ordinary, the most unusual first: `Session.edge_cases`.

    Raises
    ------
    MessageError
        If there is no model, and it takes one.
    """
    if by not in WITHOUT_MODEL and not colourings.has_model(session):
        raise MessageError(
            f"There is no model yet, so nothing can be ranked by “{WAYS[by]}”. Label some items of "
            "at least two classes."
        )
    found = session.edge_cases(MOST_RANKED, by=by)
    scores = found["score"].to_numpy()

    def value(rank: int) -> str:
        score = float(scores[rank])
        return f"{score:,.0f} items" if by == "unlabelled_cluster" else short(score)

    return Order(_positions(session, found.index), value, list(found["why"]))


def similar(session: Any, index: int) -> Order:
    """The items that are most like another, the nearest first: `Session.similar`."""
    found = session.similar(session.pool.ids[index], MOST_SIMILAR)
    distances = found["distance"].to_numpy()
    return Order(_positions(session, found.index), lambda rank: short(float(distances[rank])))


def by_colour(
    session: Any,
    by: str,
    *,
    descending: bool,
    selected: bool,
    outliers: NDArray[Any] | None,
    trust: NDArray[Any] | None,
    between: Callable[[], None],
) -> Order:
    """All items by what the map is coloured by; those without a value last, either way.

    Parameters
    ----------
    session : Session
    by : str
        As the map names it; classes come in the order of the legend.
    descending, selected : bool
        The last or the largest first; of the selected items alone, where there are any.
    outliers, trust : ndarray of float, shape (n,), or None
        Measured for the map.
    between : callable
        Called now and then; what it raises ends it.

    Raises
    ------
    MessageError
        If there is nothing to list by yet.
    """
    missing = colourings.missing(session, by, trust)
    if missing is not None:
        raise MessageError(" ".join(missing))
    if colourings.takes_a_while(session, by) is not None:
        found = colourings.slow_colours(session, by, between)
    else:
        made = colourings.colours(session, by, outliers, trust)
        if made is None:
            raise MessageError("How far out each item lies is not measured yet: wait a moment.")
        found = made
    between()
    values, codes = found.values, found.codes
    none = np.iinfo(codes.dtype).max
    has_value = codes != none if values is None else ~np.isnan(values)
    keys = codes if values is None else values
    if descending:
        keys = none - codes if values is None else -values
    listed = np.arange(len(codes))
    if selected and len(session.selection.positions):
        listed = np.sort(session.selection.positions)
    first = listed[has_value[listed]]
    # Stable: equal ones stay in the order of the pool.
    order = np.argsort(keys[first], kind="stable")
    positions = np.concatenate([first[order], listed[~has_value[listed]]]).astype(np.uint32)

    if by.startswith(colourings.COLUMN):
        column = session.pool.metadata[by[len(colourings.COLUMN) :]]

        def words(at: int) -> str:
            return found.none if column[at] is None else named(column[at])
    else:

        def words(at: int) -> str:
            if not has_value[at]:
                return found.none
            if values is None:
                return str((found.categories or [])[codes[at]])
            value = float(values[at])
            # Rounded down: what is not quite sure is not said to be 100 %.
            return f"{math.floor(1000 * value) / 10:.1f} %" if by in SHARES else short(value)

    return Order(positions, lambda rank: words(int(positions[rank])))


def short(value: float) -> str:
    """A number with three digits, or with all before the point."""
    return f"{value:#.3g}".rstrip(".") if abs(value) < 999.5 else f"{value:,.0f}"


def in_words(text: str) -> str:
    """What went wrong, with the ways to rank by as the person sees them."""
    return re.sub(r"by='(\w+)'", lambda m: f"“{WAYS.get(m[1], m[1])}”", text)


def _positions(session: Any, ids: Sequence[str]) -> NDArray[np.uint32]:
    return np.fromiter((session.pool.index(i) for i in ids), dtype=np.uint32, count=len(ids))
