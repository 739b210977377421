"""The messages between the diagnostics and their front end, and what comes from there.

The same shapes stand in ``js/src/diagnostics/messages.ts``; both test suites read the examples in
``js/fixtures/messages``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypedDict, cast, get_args

from ..errors import MessageError
from ..judged import Of
from .contents import ImageContent, TextContent

Tab = Literal["confusion", "classes", "slices", "calibration", "items", "rounds"]
TABS: tuple[Tab, ...] = get_args(Tab)
#: Tabs that may be asked about training labels.
TRAINABLE: tuple[Tab, ...] = ("confusion", "classes", "items")
#: Items that are listed, and so that can be selected one by one.
MOST_ITEMS = 100


class Figure(TypedDict):
    """A figure and its interval; None where nothing is known, and why."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    why_not: str | None


class Cell(TypedDict):
    """A cell that is not empty: how many labels, and which share of its row and of the pool."""

    row: int
    column: int
    count: int
    rate: Figure
    share: Figure


class ConfusionFigures(TypedDict):
    """The confusion matrix; `totals` of its rows, `zeros` is how far 0 may be off in each.

    The `mistakes` are places among the cells, the largest share first. Of several labels the rows
    go in pairs, with the label and without, and the columns are "said" and "not said".
    """

    tab: Literal["confusion"]
    rows: list[str]
    columns: list[str]
    several: bool
    totals: list[int]
    cells: list[Cell]
    zeros: list[float | None]
    mistakes: list[int]


class ClassRow(TypedDict):
    """A class, or all of them."""

    name: str
    n: int
    precision: Figure
    recall: Figure
    f1: Figure


class ClassFigures(TypedDict):
    """Precision, recall and F1 of each class and of all, and the accuracy."""

    tab: Literal["classes"]
    accuracy: Figure
    all: ClassRow
    classes: list[ClassRow]


class SliceRow(TypedDict):
    """A slice beside the rest of the pool; `difference` is by how much it is worse."""

    by: str
    part: str
    accuracy: Figure
    difference: Figure
    worse: bool


class SliceFigures(TypedDict):
    """Slices, the most surely worse first, and the accuracy of all."""

    tab: Literal["slices"]
    accuracy: Figure
    slices: list[SliceRow]
    hint: str | None


class BinRow(TypedDict):
    """A bin of the reliability diagram."""

    low: float
    high: float
    confidence: float
    accuracy: Figure


class CalibrationFigures(TypedDict):
    """The reliability diagram, and what it comes to in words, a title and a text each."""

    tab: Literal["calibration"]
    bins: list[BinRow]
    words: list[list[str]]


class ItemRow(TypedDict):
    """A labelled item beside what the model says of it."""

    index: int
    item_id: str
    content: TextContent | ImageContent
    label: str
    prediction: str
    right: bool
    confidence: float
    probability: float


class ItemFigures(TypedDict):
    """The items whose labels the model expects least, and how many it is wrong about in all."""

    tab: Literal["items"]
    items: list[ItemRow]
    total: int
    wrong: int


class RoundRow(TypedDict):
    """A round that can be chosen."""

    version: int
    n_train: int


class FlipRow(TypedDict):
    """How many predictions changed in one way."""

    before: str
    after: str
    count: int


class RoundFigures(TypedDict):
    """Two rounds beside each other: by how much the first is better, and what it says otherwise."""

    tab: Literal["rounds"]
    rounds: list[RoundRow]
    version: int | None
    other: int | None
    difference: Figure
    words: list[str]
    flipped: int | None
    flips: list[FlipRow]


Figures = (
    ConfusionFigures | ClassFigures | SliceFigures | CalibrationFigures | ItemFigures | RoundFigures
)


class TabMessage(TypedDict):
    """What is on a tab: what it comes from, and its figures, or why there are none.

    `of`, `version` and `other` are as they were asked for; a press names the `edition`.
    """

    type: Literal["tab"]
    tab: Tab
    edition: int
    of: Of
    version: int | None
    other: int | None
    about: str
    biased: bool
    note: str | None
    figures: Figures | None


class ChangedMessage(TypedDict):
    """There is more to know than what is shown; `closed` says why there never will be."""

    type: Literal["changed"]
    closed: str | None


class SelectedMessage(TypedDict):
    """So many items are selected now."""

    type: Literal["selected"]
    count: int
    text: str


class ProblemMessage(TypedDict):
    """What went wrong, and what helps."""

    type: Literal["problem"]
    text: str
    remedy: str


ToDiagnostics = TabMessage | ChangedMessage | SelectedMessage | ProblemMessage


@dataclass(frozen=True)
class Wanted:
    """What a ``look`` message asks for."""

    tab: Tab
    of: Of = "audit"
    version: int | None = None
    other: int | None = None


def parse_look(message: dict[str, Any]) -> Wanted:
    """Return what a ``look`` message asks for.

    Raises
    ------
    MessageError
        Naming what is wrong.
    """
    tab, of = message.get("tab"), message.get("of")
    if tab not in TABS:
        raise MessageError(f"There is no tab {str(tab)[:40]!r}; use one of {', '.join(TABS)}.")
    if of not in get_args(Of):
        raise MessageError(f"There are no labels of {str(of)[:40]!r}; use 'audit' or 'train'.")
    rounds = [message.get(name) for name in ("version", "other")]
    if not all(v is None or (isinstance(v, int) and not isinstance(v, bool)) for v in rounds):
        raise MessageError("Two rounds are compared by their versions, whole numbers.")
    # What only audit labels can tell is told from these.
    of = of if tab in TRAINABLE else "audit"
    version, other = rounds if tab == "rounds" else (None, None)
    return Wanted(cast(Tab, tab), cast(Of, of), version, other)


def parse_place(message: dict[str, Any]) -> tuple[Tab, int, list[int]]:
    """Return the tab, its edition and the place on it that a ``select`` message means.

    Raises
    ------
    MessageError
        Naming what is wrong.
    """
    tab, place = message.get("tab"), message.get("place")
    if tab not in TABS or not isinstance(place, list) or len(place) > MOST_ITEMS:
        raise MessageError("Items are selected by a tab and a place on it.")
    if not all(isinstance(at, int) and not isinstance(at, bool) and at >= 0 for at in place):
        raise MessageError("A place is made of whole numbers.")
    edition = message.get("edition")
    if not isinstance(edition, int) or isinstance(edition, bool):
        raise MessageError("What is pressed names the edition of its tab, a whole number.")
    return cast(Tab, tab), edition, place
