"""What the diagnostics come to, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..diagnosing import REGION
from ..evaluation.reliability import Reliability, Temperature
from ..evaluation.risk import Estimate
from ..judged import Judged, Of

MINUS = "\N{MINUS SIGN}"
#: Fewer audit labels than this are few, and it is said.
FEW = 30


def about(judged: Judged) -> str:
    """What the figures come from."""
    if judged.of == "audit":
        return about_audit(len(judged), judged.version, judged.skipped)
    n = len(judged)
    were = (
        "label that model {v} was trained on" if n == 1 else "labels that model {v} was trained on"
    )
    return (
        f"From the {n:,} {were.format(v=judged.version)}. Biased: the model has learnt them, and "
        "they were not drawn at random."
    )


def about_audit(n: int, version: int | None = None, skipped: int = 0) -> str:
    """That the figures come from audit labels, and how many these are."""
    if not n:
        return "From audit labels, drawn at random: none yet."
    labels = f"{n:,} audit label{'s' * (n != 1)}, drawn at random"
    model = "" if version is None else f" · model {version}"
    passed = f" ({skipped:,} more skipped)" if skipped else ""
    few = ": so few tell little" if n < FEW else ""
    return f"From {labels}{passed}{few}{model}"


def nothing(session: Any, of: Of) -> str:
    """Why there are no labels to look at, and what to do about it."""
    if of == "train":
        return "There is no training label any more."
    if not session.reserved.any():
        return (
            "Nothing is kept for the audit in this session (audit=0), so nothing can be said of "
            "items that the model was not trained on. Training labels can be looked at, but they "
            "flatter."
        )
    return (
        "There is no audit label yet. Go on labelling: cards drawn at random come up among the "
        "others, and what they show stands here."
    )


def one_class(judged: Judged) -> str | None:
    """That one class has been seen so far, if it is so."""
    kinds = "audit" if judged.of == "audit" else "training"
    if judged.truth.ndim == 1 and len(np.unique(judged.truth)) == 1:
        name = judged.names[int(judged.truth[0])]
        return (
            f"All {kinds} labels so far are “{name}”: of the other classes nothing is known yet, "
            "and how they are confused cannot be seen."
        )
    return None


def more_slices(rows: Sequence[Any]) -> str | None:
    """What else could be compared."""
    if not rows:
        return (
            "There is nothing to compare yet. Columns of the pool's metadata are compared, slices "
            "that are kept (K on the map), and the regions of the map once it is open."
        )
    if not any(row["by"] == REGION for row in rows):
        return "Open the map, and its regions are compared as well."
    return None


def calibration(found: Reliability, best: Temperature) -> list[tuple[str, str]]:
    """What a reliability diagram comes to: a title and a text each."""
    if found.why_not is not None:
        return [("Too few labels", f"{_sentence(found.why_not)}")]
    return [_sureness(found.excess), _error(found), _temperature(best)]


def _sureness(excess: Estimate) -> tuple[str, str]:
    by = f"{points(excess.value)} points ({bounds(excess)})"
    if excess.low > 0:
        title = "A little too sure" if excess.value < 0.05 else "Too sure"
        return title, f"Its confidence is above its accuracy by {by} on average."
    if excess.high < 0:
        title = "A little too unsure" if excess.value > -0.05 else "Too unsure"
        lower = Estimate(-excess.value, -excess.high, -excess.low, excess.n, excess.n_eff, "")
        by = f"{points(lower.value)} points ({bounds(lower)})"
        return title, f"Its confidence is below its accuracy by {by} on average."
    return (
        "Neither too sure nor too unsure, as far as can be told",
        f"Confidence less accuracy is {by} on average: that may be chance.",
    )


def _error(found: Reliability) -> tuple[str, str]:
    title = f"Calibration error {points(found.ece, False)} points"
    bins = f"{len(found.bins)} bin{'s' * (len(found.bins) != 1)}"
    chance = (
        f"A model whose confidence is right would show {points(found.by_chance, False)} from "
        f"{found.n:,} labels, and up to {points(found.at_most, False)} by chance"
    )
    if not found.is_off:
        return title, f"The mean gap over {bins} (ECE). {chance}: so this may be nothing."
    rest = f"without what chance adds it is {points(found.unbiased, False)} (root mean square)"
    return title, f"The mean gap over {bins} (ECE). {chance}: this is more; {rest}."


def _temperature(best: Temperature) -> tuple[str, str]:
    if not best.known:
        return (
            "No temperature",
            "None between 0.05 and 20 fits best: the model is right about too many of these "
            "labels, or wrong about too many, to tell.",
        )
    title = f"Temperature {best.value:.2f} ({best.low:.2f} to {best.high:.2f})"
    end = "Nothing is changed by it: audit labels do not tune the model."
    if best.low > 1:
        little = "a little too sure" if best.value < 1.25 else "too sure"
        return title, f"The model is {little}; its logits divided by this would be honest. {end}"
    if best.high < 1:
        little = "a little too unsure" if best.value > 0.8 else "too unsure"
        return title, f"The model is {little}; its logits divided by this would be honest. {end}"
    return title, f"1 is among them: nothing says that the model is too sure or too unsure. {end}"


def too_few_rounds(n: int) -> str:
    """Why there are no two rounds to compare."""
    if n == 0:
        return "There is no model yet: label items of at least two classes."
    return "There is one round so far. Once the model has been trained again, two can be compared."


def compared(version: int, other: int, difference: Estimate) -> str:
    """By how much one round is better than another."""
    if not difference.known:
        return f"Which of the two is better is not known: {difference.method}."
    by = f"{points(abs(difference.value), False)} points"
    more = "more" if difference.value >= 0 else "less"
    interval = f"(95 % interval {bounds(difference)})"
    chance = difference.low <= 0 <= difference.high
    end = "That may be chance." if chance else "That is more than chance."
    return f"Model {version} is {by} {more} accurate than model {other} {interval}. {end}"


def flipped(n: int, total: int, audited: Any) -> str:
    """How much two models say otherwise, and whether for the better."""
    if not n:
        return "Both say the same of every item that may be told."
    items = f"{n:,} of {total:,} items" if n != 1 else f"1 of {total:,} items"
    text = f"They differ on {items}."
    if len(audited):
        better = sum(a == p for a, p in zip(audited["answer"], audited["predicted"], strict=True))
        worse = sum(a == p for a, p in zip(audited["answer"], audited["before"], strict=True))
        text += (
            f" Of the audit labels among them the first is right about {better}, the other about "
            f"{worse}."
        )
    return text


def points(share: float, signed: bool = True) -> str:
    """A share in points: +1.2."""
    text = f"{100 * share:+.1f}" if signed else f"{100 * share:.1f}"
    return text.replace("-", MINUS)


def bounds(found: Estimate) -> str:
    """The ends of an interval, in points."""
    return f"{points(found.low)} to {points(found.high)}"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
