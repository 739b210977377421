"""What the diagnostics show: each tab made from a session, as a message."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import AlwidgetsError, MessageError
from ..evaluation.risk import Estimate
from ..judged import Judged, Of
from . import verdicts
from .tabs import (
    MOST_ITEMS,
    CalibrationFigures,
    Cell,
    ClassFigures,
    ClassRow,
    ConfusionFigures,
    Figure,
    Figures,
    ItemFigures,
    ItemRow,
    RoundFigures,
    SliceFigures,
    SliceRow,
    Tab,
    TabMessage,
    Wanted,
)
from .thumbnails import in_a_row

#: Rows of the lists.
MOST_SLICES, MOST_FLIPS, MOST_MISTAKES = 200, 30, 12
#: Pixels of an item's image, the longer way.
THUMBNAIL = 64

Positions = NDArray[np.int64]
#: From the place on a tab that is pressed to the positions of its items.
Choose = Callable[[Sequence[int]], Positions]


@dataclass(frozen=True, eq=False)
class Found:
    """A tab as it is sent, and what leads from a place on it to items."""

    message: TabMessage
    buffers: list[bytes]
    choose: Choose


def find(session: Any, wanted: Wanted) -> Found:
    """Work out what is on a tab.

    Raises
    ------
    AlwidgetsError
        If nothing can be said, in words: there is no model yet, say.
    """
    if wanted.tab == "rounds":
        compared, choose = _rounds(session, wanted)
        about = verdicts.about_audit(int(session.progress()["audit"]))
        return Found(_message(wanted, about, compared), [], choose)
    judged: Judged = session.judged(wanted.of)
    about = verdicts.about(judged)
    if not len(judged):
        note = verdicts.nothing(session, judged.of)
        return Found(_message(wanted, about, None, note), [], nowhere)
    buffers: list[bytes] = []
    made: dict[Tab, Callable[[], tuple[Figures, Choose]]] = {
        "confusion": lambda: _confusion(judged),
        "classes": lambda: (_classes(judged), nowhere),
        "slices": lambda: _slices(session, judged),
        "calibration": lambda: (_calibration(judged), nowhere),
        "items": lambda: _items(session, wanted.of, buffers),
    }
    figures, choose = made[wanted.tab]()
    warning = verdicts.one_class(judged) if wanted.tab in ("confusion", "classes") else None
    return Found(_message(wanted, about, figures, warning), buffers, choose)


def in_words(wanted: Wanted, note: str, about: str = "") -> Found:
    """A tab without figures, and why."""
    return Found(_message(wanted, about, None, note), [], nowhere)


def nowhere(place: Sequence[int]) -> Positions:
    """Where nothing can be selected."""
    raise MessageError("There is nothing to select there.")


def figure_of(found: Estimate) -> Figure:
    """An estimate as a message carries it."""
    return {
        "value": _number(found.value),
        "low": _number(found.low) if found.known else None,
        "high": _number(found.high) if found.known else None,
        "n": found.n,
        "why_not": None if found.known else found.method,
    }


# ------------------------------------------------------------------ the tabs


def _confusion(judged: Judged) -> tuple[ConfusionFigures, Choose]:
    found, items = judged.confusion(), judged.items
    rows, columns = np.nonzero(found.counts)
    total = found.counts.sum(axis=1)
    cells: list[Cell] = []
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        count = int(found.counts[row, column])
        rate, share = (
            _figure(part.value[row, column], part.low[row, column], part.high[row, column], n)
            for part, n in ((found.rates, int(total[row])), (found.shares, found.n))
        )
        cells.append({"row": row, "column": column, "count": count, "rate": rate, "share": share})
    at = {(cell["row"], cell["column"]): k for k, cell in enumerate(cells)}
    empty = np.where(found.counts == 0, found.rates.high, -1.0).max(axis=1)

    def choose(place: Sequence[int]) -> Positions:
        if len(place) != 2:
            raise MessageError("A cell has a row and a column.")
        return items[found.inside(*place)]

    figures: ConfusionFigures = {
        "tab": "confusion",
        "rows": list(found.rows),
        "columns": list(found.columns),
        "several": judged.truth.ndim == 2,
        "totals": total.tolist(),
        "cells": cells,
        "zeros": [_number(high) if high >= 0 else None for high in empty.tolist()],
        "mistakes": [at[cell] for cell in found.mistakes()[:MOST_MISTAKES]],
    }
    return figures, choose


def _classes(judged: Judged) -> ClassFigures:
    labels = judged.truth
    several = labels.ndim == 2
    counts = labels.sum(axis=0) if several else np.bincount(labels, minlength=len(judged.names))

    def row(name: str, n: int, of: int | None) -> ClassRow:
        figures = (figure_of(judged.estimate(m, of)) for m in ("precision", "recall", "f1"))
        precision, recall, f1 = figures
        return {"name": name, "n": n, "precision": precision, "recall": recall, "f1": f1}

    return {
        "tab": "classes",
        "accuracy": figure_of(judged.estimate("accuracy")),
        "all": row("mean over items" if several else "mean of classes", len(judged), None),
        "classes": [row(name, int(counts[k]), k) for k, name in enumerate(judged.names)],
    }


def _slices(session: Any, judged: Judged) -> tuple[SliceFigures, Choose]:
    ranked = session.ranked_slices()[:MOST_SLICES]
    rows: list[SliceRow] = []
    for gap, _ in ranked:
        by, name = gap.name
        risk, difference = gap.risk, figure_of(gap.difference)
        # A slice of too few labels is known by name only.
        known = gap.difference.known
        error, low, high = (x if known else math.nan for x in (risk.value, risk.low, risk.high))
        rows.append(
            {
                "by": by,
                "part": name,
                "accuracy": _figure(1 - error, 1 - high, 1 - low, risk.n, difference["why_not"]),
                "difference": difference,
                "worse": gap.is_worse,
            }
        )

    def choose(place: Sequence[int]) -> Positions:
        if len(place) != 1 or place[0] >= len(ranked):
            raise MessageError("There is no such slice.")
        _, part = ranked[place[0]]
        found: Positions = part.members()
        return found

    figures: SliceFigures = {
        "tab": "slices",
        "accuracy": figure_of(judged.estimate("accuracy")),
        "slices": rows,
        "hint": verdicts.more_slices(rows),
    }
    return figures, choose


def _calibration(judged: Judged) -> CalibrationFigures:
    found = judged.reliability()
    return {
        "tab": "calibration",
        "bins": [
            {
                "low": part.low,
                "high": part.high,
                "confidence": part.confidence,
                "accuracy": figure_of(part.accuracy),
            }
            for part in found.bins
        ],
        "words": [list(line) for line in verdicts.calibration(found, judged.temperature())],
    }


def _items(session: Any, of: Of, buffers: list[bytes]) -> tuple[ItemFigures, Choose]:
    table = session.hardest(None, of)
    rows: list[ItemRow] = []
    for item_id, row in table[:MOST_ITEMS].iterrows():
        index = int(session.pool.index(item_id))
        rows.append(
            {
                "index": index,
                "item_id": item_id,
                "content": in_a_row(session.pool, index, buffers, THUMBNAIL),
                "label": answer_words(row["answer"]),
                "prediction": answer_words(row["predicted"]),
                "right": bool(row["right"]),
                "confidence": float(row["confidence"]),
                "probability": float(row["probability"]),
            }
        )

    def choose(place: Sequence[int]) -> Positions:
        if not place or max(place) >= len(rows):
            raise MessageError("There are no such items.")
        return np.array([rows[at]["index"] for at in place], dtype=np.int64)

    wrong = int((~table["right"].to_numpy(dtype=bool)).sum())
    figures: ItemFigures = {"tab": "items", "items": rows, "total": len(table), "wrong": wrong}
    return figures, choose


def _rounds(session: Any, wanted: Wanted) -> tuple[RoundFigures, Choose]:
    rounds = session.rounds
    versions: list[int] = [record.version for record in rounds]
    if len(versions) < 2:
        raise AlwidgetsError(verdicts.too_few_rounds(len(versions)))
    newest = versions[-1]
    version = wanted.version if wanted.version in versions else None
    version = newest if version is None else version
    other = wanted.other if wanted.other in versions and wanted.other != version else None
    other = [v for v in versions if v != version][-1] if other is None else other
    difference = session.compare_rounds(version, other)
    figures: RoundFigures = {
        "tab": "rounds",
        "rounds": [{"version": r.version, "n_train": r.n_train} for r in rounds],
        "version": version,
        "other": other,
        "difference": figure_of(difference),
        "words": [verdicts.compared(version, other, difference)],
        "flipped": None,
        "flips": [],
    }
    try:
        flipped = session.flipped(version, other)
    except AlwidgetsError as problem:
        figures["words"].append(str(problem))
        return figures, nowhere
    positions = np.array([session.pool.index(i) for i in flipped.index], dtype=np.int64)
    ways: dict[tuple[str, str], int] = {}
    for before, after in zip(flipped["before"], flipped["predicted"], strict=True):
        way = answer_words(before), answer_words(after)
        ways[way] = ways.get(way, 0) + 1
    figures["flipped"] = len(flipped)
    figures["flips"] = [
        {"before": before, "after": after, "count": count}
        for (before, after), count in sorted(ways.items(), key=lambda pair: -pair[1])[:MOST_FLIPS]
    ]
    audited = flipped[session.reserved[positions]]
    figures["words"].append(verdicts.flipped(len(flipped), flipped.attrs["compared"], audited))

    def choose(place: Sequence[int]) -> Positions:
        if not place:
            return positions
        if len(place) != 1 or place[0] >= len(figures["flips"]):
            raise MessageError("There is no such change.")
        way = figures["flips"][place[0]]
        pairs = zip(flipped["before"], flipped["predicted"], strict=True)
        of = [
            answer_words(before) == way["before"] and answer_words(after) == way["after"]
            for before, after in pairs
        ]
        chosen: Positions = positions[np.array(of, dtype=bool)]
        return chosen

    return figures, choose


def answer_words(answer: Any) -> str:
    """An answer as it is read; several labels by all of theirs."""
    if isinstance(answer, list):
        return ", ".join(map(str, answer)) or "no label"
    return str(answer)


def _message(
    wanted: Wanted, about: str, figures: Figures | None, note: str | None = None
) -> TabMessage:
    return {
        "type": "tab",
        "tab": wanted.tab,
        "edition": 0,
        "of": wanted.of,
        "version": wanted.version,
        "other": wanted.other,
        "about": about,
        "biased": wanted.of == "train",
        "note": note,
        "figures": figures,
    }


def _figure(value: Any, low: Any, high: Any, n: int, why_not: str | None = None) -> Figure:
    numbers = (_number(float(x)) for x in (value, low, high))
    value, low, high = numbers
    return {"value": value, "low": low, "high": high, "n": n, "why_not": why_not}


def _number(value: float) -> float | None:
    """A number that JSON can hold, to what is worth sending."""
    return round(value, 6) if math.isfinite(value) else None
