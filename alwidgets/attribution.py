"""Which words of a text drive what a model says of it."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

WORD = re.compile(r"\w+(?:['\u2019-]\w+)*")
#: Distinct words that are tried, the first of a text: each is one more text to encode.
MOST_TRIED = 200
#: Distinct words that are told, and how much of the strongest one's weight they have at least.
MOST_TOLD, LEAST_SHARE = 10, 0.1
#: Effects on the log odds below this one are none.
LEAST_EFFECT = 0.01
#: Keeps the odds of what is certain finite.
TINY = 1e-6

#: From a character up to another one, and a weight.
Mark = tuple[int, int, float]


def driving_words(text: str, belief: Callable[[list[str]], NDArray[np.floating]]) -> list[Mark]:
    """The words without which a model would believe less, or more, in its suggestion.

    Each distinct word is erased wherever it stands, and the model is asked again; the change of
    the log odds is the word's weight (Li, Monroe and Jurafsky 2016, "Understanding neural networks
    through representation erasure"). It works with any encoder and learner.

    Parameters
    ----------
    text : str
    belief : callable
        Probabilities (n,) of the suggestion for n texts.

    Returns
    -------
    list of (start, end, weight)
        In the order of the text; weights from -1 to 1, the strongest being 1 or -1, and below 0
        where the word speaks against the suggestion. Empty where no word matters.

    Examples
    --------
    >>> def belief(texts):
    ...     return np.array([0.9 if "prize" in text else 0.2 for text in texts])
    >>> driving_words("win a prize", belief)
    [(6, 11, 1.0)]
    """
    places: dict[str, list[tuple[int, int]]] = {}
    for match in WORD.finditer(text):
        word = match.group().casefold()
        if word in places or len(places) < MOST_TRIED:
            places.setdefault(word, []).append(match.span())
    if not places:
        return []
    erased = [_without(text, spans) for spans in places.values()]
    share = np.clip(np.asarray(belief([text, *erased]), dtype=np.float64), TINY, 1 - TINY)
    odds = np.log(share) - np.log1p(-share)
    effect = odds[0] - odds[1:]
    strongest = float(np.abs(effect).max())
    if strongest < LEAST_EFFECT:
        return []
    weight = effect / strongest
    told = np.argsort(-np.abs(weight), kind="stable")[:MOST_TOLD]
    spans = list(places.values())
    return sorted(
        (start, end, float(weight[place]))
        for place in told.tolist()
        if abs(weight[place]) >= LEAST_SHARE
        for start, end in spans[place]
    )


def _without(text: str, spans: list[tuple[int, int]]) -> str:
    parts, end = [], 0
    for start, after in spans:
        parts.append(text[end:start])
        end = after
    return "".join([*parts, text[end:]])
