"""What the points of the map can be coloured by, and the colours: from a session to codes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypedDict

import numpy as np
from numpy.typing import NDArray

from ..errors import MessageError
from ..projection.colours import Colours, category_codes, middle_range, ramp_codes, usual_range
from ..projection.columns import column_colours
from ..strategies import own_score, scoring

#: Columns whose names are sent at once; the others are found by a part of their names.
COLUMNS = 100
SCORE, COLUMN = "score:", "meta:"
#: The score of the session's strategy, where it is a function of the person's own.
OWN = f"{SCORE}*"
#: What the model of a round said: before its version.
THEN = "then:"
FOR_AUDIT = "for audit"

#: What is there without asking, with its name and the group that it stands in.
_PLAIN = {
    "prediction": ("Model", "Prediction"),
    "confidence": ("Model", "Confidence"),
    "uncertainty": ("Model", "Uncertainty"),
    "outlier": ("Model", "Outlier score"),
    "trust": ("Model", "Local trust"),
    "label": ("Labels", "Label"),
    "stream": ("Labels", "How it was chosen"),
    "annotator": ("Labels", "Annotator"),
}
_OF_MODEL = ("prediction", "confidence", "uncertainty")
_QUANTITIES = ("confidence", "uncertainty", "outlier", "trust")


class Choice(TypedDict):
    """Something to colour by, and what it still needs, "a model" or "a layout"; or None.

    `quantity` says whether size and opacity can show it, too; of a column it is not known before
    it was read.
    """

    by: str
    name: str
    needs: str | None
    quantity: bool


class Group(TypedDict):
    """Choices of one kind."""

    name: Literal["Model", "Labels", "Scores", "Metadata"]
    choices: list[Choice]


class ChoicesMessage(TypedDict):
    """All that can be coloured by; of many columns the first, and how many there are."""

    type: Literal["choices"]
    groups: list[Group]
    n_columns: int


class Notable(TypedDict):
    """Which end of a ramp is worth a look, and what its items are."""

    end: Literal["low", "high"]
    words: str


class ColoursMessage(TypedDict):
    """What the points are coloured by; a code for each of `n` follows, of `bytes` bytes."""

    type: Literal["colours"]
    n: int
    by: str
    name: str
    kind: Literal["category", "ramp"]
    categories: list[str] | None
    range: list[float] | None
    none: str
    ends: list[str] | None
    notable: Notable | None
    version: int
    bytes: int


class ColumnsMessage(TypedDict):
    """Columns whose names hold what was typed; at most so many, and how many there are."""

    type: Literal["columns"]
    search: str
    names: list[str]
    total: int


def has_model(session: Any) -> bool:
    """Whether there is a model that was asked about the pool."""
    current = session.current
    return current is not None and current.predictions is not None


def name_of(by: str) -> str:
    """The name of what is coloured by, for people."""
    if by == OWN:
        return "Score: your strategy"
    if by.startswith(SCORE):
        return f"Score: {by[len(SCORE) :].replace('_', ' ')}"
    if by.startswith(THEN):
        return f"Model {by[len(THEN) :]}'s prediction"
    return by[len(COLUMN) :] if by.startswith(COLUMN) else _PLAIN[by][1]


def choices(session: Any, *, measured: bool) -> ChoicesMessage:
    """What the points of a session's map can be coloured by.

    Parameters
    ----------
    session : Session
    measured : bool
        Whether it is known how far each point can be trusted.
    """
    model = None if has_model(session) else "a model"
    layout = None if measured else "a layout"
    groups: list[Group] = [{"name": "Model", "choices": []}, {"name": "Labels", "choices": []}]
    plain = {
        by: about for by, about in _PLAIN.items() if session.task.classes or by not in _OF_MODEL
    }
    for by, (group, name) in plain.items():
        needs = layout if by == "trust" else model if by in _OF_MODEL else None
        quantity = by in _QUANTITIES
        choice: Choice = {"by": by, "name": name, "needs": needs, "quantity": quantity}
        groups[0 if group == "Model" else 1]["choices"].append(choice)
    if session.round_shown is not None:
        then = f"{THEN}{session.round_shown}"
        back: Choice = {"by": then, "name": name_of(then), "needs": None, "quantity": False}
        groups[0]["choices"].insert(0, back)
    scores = scoring(session.task.multilabel) if session.task.classes else []
    if scores:
        listed: list[Choice] = [
            {
                "by": SCORE + name,
                "name": name.replace("_", " ").capitalize(),
                "needs": model,
                "quantity": True,
            }
            for name in scores
        ]
        own = own_score(session.strategy, session.task.multilabel)
        if own is not None:
            name = f"Your strategy, {own}"
            listed.insert(0, {"by": OWN, "name": name, "needs": model, "quantity": True})
        groups.append({"name": "Scores", "choices": listed})
    columns = list(session.pool.metadata)
    if columns:
        shown: list[Choice] = [
            {"by": COLUMN + name, "name": name, "needs": None, "quantity": True}
            for name in columns[:COLUMNS]
        ]
        groups.append({"name": "Metadata", "choices": shown})
    return {"type": "choices", "groups": groups, "n_columns": len(columns)}


def columns(session: Any, search: str) -> ColumnsMessage:
    """The columns of metadata whose names hold a text, upper and lower case alike."""
    wanted = search.casefold()
    found = [name for name in session.pool.metadata if wanted in name.casefold()]
    return {"type": "columns", "search": search, "names": found[:COLUMNS], "total": len(found)}


def check(session: Any, by: object) -> str:
    """Return what is asked for if the map can be coloured by it.

    Raises
    ------
    MessageError
        If there is nothing of that name.
    """
    if isinstance(by, str):
        known = by in _PLAIN
        known |= by.startswith(SCORE) and by[len(SCORE) :] in scoring(session.task.multilabel)
        known |= by == OWN and own_score(session.strategy, session.task.multilabel) is not None
        known |= by.startswith(COLUMN) and by[len(COLUMN) :] in session.pool.metadata
        known |= by == f"{THEN}{session.round_shown}"
        if known:
            return by
    names = [*_PLAIN, f"{SCORE}NAME of a strategy", f"{COLUMN}NAME of a column"]
    raise MessageError(f"The map cannot be coloured by {by!r}; use one of {', '.join(names)}.")


def needs_model(by: str) -> bool:
    """Whether there is nothing to see of it without a model."""
    return by in _OF_MODEL or by.startswith(SCORE)


def missing(session: Any, by: str, trust: NDArray[Any] | None) -> tuple[str, str] | None:
    """What `by` still needs, and what to do about it; None if it is there."""
    if by == "trust" and trust is None:
        return (
            "How far each point can be trusted is not measured yet.",
            "It will be once the layout is finished.",
        )
    if needs_model(by) and not has_model(session):
        return (
            f"There is no model yet, so there is no {name_of(by).lower()} to show.",
            "Label some items of at least two classes.",
        )
    return None


def takes_a_while(session: Any, by: str) -> tuple[Any, ...] | None:
    """What the colours depend on, if they have to be made in the background; else None."""
    n = len(session.pool)
    if by == OWN:
        return by, n, session.current.version, id(session.strategy)
    if by.startswith(SCORE):
        return by, n, session.current.version
    return (by, n) if by.startswith((COLUMN, THEN)) else None


def slow_colours(session: Any, by: str, between: Callable[[], None]) -> Colours:
    """Colours by a strategy's score, a column of metadata or what an earlier model said.

    Parameters
    ----------
    session : Session
    by : str
    between : callable
        Called now and then; what it raises ends it.
    """
    if by.startswith(COLUMN):
        name = by[len(COLUMN) :]
        return column_colours(name, session.pool.metadata[name], between)
    if by.startswith(THEN):
        names = list(session.task.categories)
        said = session.predictions(int(by[len(THEN) :]))
        codes = np.minimum(_kept_secret(session, said, -1), len(names) - 1)
        return _categories(codes, names, f"{FOR_AUDIT} or newer" if (said < 0).any() else FOR_AUDIT)
    strategy = session.strategy if by == OWN else by[len(SCORE) :]
    values = session.scores(strategy, between=between)
    values = _kept_secret(session, values, np.nan)
    low, high = middle_range(values)
    return Colours(
        ramp_codes(values, low, high),
        range=(low, high),
        none="labelled or for audit",
        ends=("asked later", "asked sooner"),
        notable=("high", "with the highest score"),
        values=values,
    )


def colours(
    session: Any, by: str, outliers: NDArray[Any] | None, trust: NDArray[Any] | None
) -> Colours | None:
    """Colours by what is there without asking; None while outliers or trust are not measured."""
    current = session.current
    if by in ("label", "prediction"):
        names = list(session.task.categories)
        codes = session.label_codes()
        if by == "prediction":
            codes = _kept_secret(session, current.predictions, -1)
        codes = np.minimum(codes, len(names) - 1)
        none = "not labelled" if by == "label" else FOR_AUDIT
        return _categories(codes, names, none)
    if by == "stream":
        codes, names = session.label_streams()
        return _categories(codes, names, "open")
    if by == "annotator":
        codes, names = session.label_annotators()
        return _categories(codes, names, "not labelled")
    if by == "outlier":
        if outliers is None:
            return None
        low, high = usual_range(outliers)
        return Colours(
            ramp_codes(outliers, low, high),
            range=(low, high),
            none="unknown",
            ends=("usual", "far out"),
            notable=("high", "farthest out"),
            values=outliers,
        )
    if by == "trust":
        if trust is None:
            return None
        return Colours(
            ramp_codes(trust, 0.0, 1.0),
            range=(0.0, 1.0),
            none="unknown",
            ends=("torn apart", "together"),
            notable=("low", "least to be trusted"),
            values=trust,
        )
    # What is kept for the audit must not tell what the model thinks of it.
    if by == "confidence":
        least = 0.0 if session.task.multilabel else 1 / max(1, len(session.task.classes))
        sure = _kept_secret(session, current.confidence, np.nan)
        return Colours(
            ramp_codes(sure, least, 1.0),
            range=(least, 1.0),
            none=FOR_AUDIT,
            ends=("unsure", "sure"),
            notable=("low", "least sure"),
            values=sure,
        )
    unsure = _kept_secret(session, current.uncertainty, np.nan)
    return Colours(
        ramp_codes(unsure, 0.0, 1.0),
        range=(0.0, 1.0),
        none=FOR_AUDIT,
        ends=("sure", "unsure"),
        notable=("high", "most unsure"),
        values=unsure,
    )


def message(found: Colours, by: str, version: int) -> ColoursMessage:
    """The message that goes before the codes."""
    return {
        "type": "colours",
        "n": len(found.codes),
        "by": by,
        "name": name_of(by),
        "kind": "ramp" if found.categories is None else "category",
        "categories": found.categories,
        "range": None if found.range is None else list(found.range),
        "none": found.none,
        "ends": None if found.ends is None else list(found.ends),
        "notable": None
        if found.notable is None
        else {"end": found.notable[0], "words": found.notable[1]},
        "version": version,
        "bytes": found.codes.dtype.itemsize,
    }


def _kept_secret(session: Any, values: NDArray[Any], none: float) -> NDArray[Any]:
    """What the model thinks, without what it thinks of the items that are kept for the audit."""
    return np.where(session.reserved[: len(values)], none, values)


def _categories(codes: NDArray[Any], names: Sequence[str], none: str) -> Colours:
    return Colours(category_codes(codes, len(codes), len(names)), categories=list(names), none=none)
