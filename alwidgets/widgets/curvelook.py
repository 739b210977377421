"""What is drawn of a learning curve, as a person chose it, and the messages that say so.

The same shapes stand in ``js/src/curves/messages.ts``; both test suites read the examples in
``js/fixtures/messages``.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, TypeAlias, TypedDict, get_args

from ..errors import AlwidgetsError, MessageError
from ..evaluation.given import is_number, is_whole
from ..evaluation.metrics import METRICS, Metric
from ..evaluation.risk import METHODS, Method
from .messages import MAX_ID

#: What a curve can be drawn against.
Axis: TypeAlias = Literal["labels", "minutes", "money"]
Per: TypeAlias = Literal["label", "hour"]
AXES: tuple[Axis, ...] = get_args(Axis)
#: Letters that a currency has at most.
CURRENCY = 8


@dataclass(frozen=True)
class Look:
    """What is drawn, and what is asked of it.

    Attributes
    ----------
    metric : {"accuracy", "error", "precision", "recall", "f1"}
    of : str or None
        The class whose figure it is; None for all.
    axis : {"labels", "minutes", "money"}
        What it is drawn against.
    hindsight : bool
        Whether every round is estimated from all audit labels that there are now.
    method : {"wilson", "anytime"}
        An interval for one look at each point, or one that may be watched all the time.
    by_class : bool
        Whether there is a small curve for every class as well.
    remaining : bool
        Whether there is a line of what remains in the pool as well.
    forecast : bool
        Whether the curve is drawn on beyond the newest round.
    target : float or None
        A share, (0, 1].
    budget : int or None
        Labels that can be paid for in all.
    cost : float or None
        Of a label or of an hour, in `currency`.
    per : {"label", "hour"}
    currency : str
    """

    metric: Metric = "accuracy"
    of: str | None = None
    axis: Axis = "labels"
    hindsight: bool = False
    method: Method = "wilson"
    by_class: bool = False
    remaining: bool = False
    forecast: bool = True
    target: float | None = None
    budget: int | None = None
    cost: float | None = None
    per: Per = "label"
    currency: str = ""

    @property
    def is_shown_figure(self) -> bool:
        """Whether it is the figure that every round was published with."""
        return self.metric == "accuracy" and self.of is None and not self.hindsight

    @property
    def is_as_shown(self) -> bool:
        """Whether it is that figure with the interval that it was published with."""
        return self.is_shown_figure and self.method == "wilson"

    @property
    def falls(self) -> bool:
        """Whether less is better."""
        return self.metric == "error"

    def to_json(self) -> dict[str, Any]:
        """As messages carry it."""
        return asdict(self)


class LookMessage(TypedDict):
    """Something else is to be drawn: the whole `Look`."""

    type: Literal["look"]
    #: Comes back as ``answered``.
    id: str
    metric: Metric
    of: str | None
    axis: Axis
    hindsight: bool
    method: Method
    by_class: bool
    remaining: bool
    forecast: bool
    target: float | None
    budget: int | None
    cost: float | None
    per: Per
    currency: str


class RoundMessage(TypedDict):
    """All views are to show the round of this version; None for the newest."""

    type: Literal["round"]
    version: int | None


class TableMessage(TypedDict):
    """The figures are wanted as a table."""

    type: Literal["table"]
    #: Comes back with the file.
    id: str


class FileMessage(TypedDict):
    """A file to be saved in the browser."""

    type: Literal["file"]
    #: Of the message that asked for it.
    id: str
    name: str
    text: str


FROM_CURVES = ("strategy", "look", "round", "table")


def parse_look(content: dict[str, Any]) -> Look:
    """The look that a message asks for.

    Raises
    ------
    MessageError
        If something of it is missing, or cannot be.
    """
    names = [field.name for field in fields(Look)]
    missing = [name for name in names if name not in content]
    if missing:
        raise MessageError(f"A message of type 'look' needs {', '.join(missing)} as well.")
    try:
        return checked(Look(**{name: content[name] for name in names}))
    except AlwidgetsError as error:
        raise MessageError(str(error)) from error


def parse_round(content: dict[str, Any]) -> int | None:
    """The version that a message asks for.

    Raises
    ------
    MessageError
        If it is none.
    """
    version = content.get("version")
    if version is not None and (type(version) is not int or version < 1):
        raise MessageError(f"A round has a whole number from 1 on, not {version!r}.")
    return version


def parse_table(content: dict[str, Any]) -> str:
    """The id that the file is to come back with.

    Raises
    ------
    MessageError
        If there is none.
    """
    asked = content.get("id")
    if not isinstance(asked, str) or not 0 < len(asked) <= MAX_ID:
        raise MessageError(f"A message of type 'table' needs an id of 1 to {MAX_ID} characters.")
    return asked


def checked(look: Look) -> Look:
    """Return the look if it can be.

    Raises
    ------
    AlwidgetsError
        Naming what cannot, and what can.
    """
    for name, given, known in (
        ("metric", look.metric, METRICS),
        ("axis", look.axis, AXES),
        ("method", look.method, METHODS),
        ("per", look.per, get_args(Per)),
    ):
        if given not in known:
            raise AlwidgetsError(
                f"There is no {name} {given!r}; use one of {', '.join(map(repr, known))}."
            )
    if look.of is not None and not isinstance(look.of, str):
        raise AlwidgetsError(f"of={look.of!r} must be the name of a class, or None.")
    for name in ("hindsight", "by_class", "remaining", "forecast"):
        if not isinstance(getattr(look, name), bool):
            raise AlwidgetsError(f"{name}={getattr(look, name)!r} must be True or False.")
    if look.target is not None and not (is_number(look.target) and 0 < look.target <= 1):
        raise AlwidgetsError(
            f"target={look.target!r} must be a share above 0 and at most 1, such as 0.95."
        )
    if look.budget is not None and not (is_whole(look.budget) and look.budget >= 1):
        raise AlwidgetsError(f"budget={look.budget!r} must be a whole number of labels, from 1 on.")
    if look.cost is not None and not (is_number(look.cost) and look.cost > 0):
        raise AlwidgetsError(f"The cost of a {look.per}, {look.cost!r}, must be a number above 0.")
    if not isinstance(look.currency, str) or len(look.currency) > CURRENCY:
        raise AlwidgetsError(
            f"currency={look.currency!r} must be a text of at most {CURRENCY} letters."
        )
    if look.axis == "money" and look.cost is None:
        raise AlwidgetsError("To draw it against money, give cost_of_label or cost_of_hour.")
    return look


def look_of(
    *, cost_of_label: float | None = None, cost_of_hour: float | None = None, **given: Any
) -> Look:
    """The look that the arguments of `Curves` ask for.

    Raises
    ------
    AlwidgetsError
        Naming what cannot be, and what can.
    """
    if cost_of_label is not None and cost_of_hour is not None:
        raise AlwidgetsError("Give cost_of_label or cost_of_hour, not both.")
    if cost_of_hour is not None:
        return plain(checked(Look(**given, cost=cost_of_hour, per="hour")))
    return plain(checked(Look(**given, cost=cost_of_label)))


def plain(look: Look) -> Look:
    """The look with numbers of Python, as messages carry them; numpy's may have been given."""
    return replace(
        look,
        target=None if look.target is None else float(look.target),
        budget=None if look.budget is None else int(look.budget),
        cost=None if look.cost is None else float(look.cost),
    )
