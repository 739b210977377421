"""The strategies that come with the toolkit for items that may have several labels."""

from __future__ import annotations

from collections.abc import Callable

import torch

from alwidgets.strategies.context import Context
from alwidgets.strategies.multilabel import (
    binary_minimum,
    cardinality_inconsistency,
    margin_cardinality,
    max_binary_entropy,
    max_loss_reduction,
    max_margin_uncertainty,
    max_score,
    mean_binary_entropy,
    mean_score,
    multilabel_bald,
)
from alwidgets.strategies.registry import SHARP, Strategy


def _cardinality(c: Context) -> float:
    return float(c.labels.sum(axis=1).mean()) if len(c.labels) else 0.0


def _of_probabilities(
    function: Callable[[torch.Tensor], torch.Tensor], *, when: str, paper: str, beta: float = SHARP
) -> Strategy:
    """The strategy of a function of the probabilities alone, which has its name."""
    return Strategy(
        function.__name__,
        score=lambda c: function(c.proba),
        function=function,
        needs=("probabilities",),
        beta=beta,
        serves="multi-label",
        when=when,
        paper=paper,
    )


def _of_cardinality(
    function: Callable[[torch.Tensor, float], torch.Tensor], *, when: str
) -> Strategy:
    """The strategy of a function that knows, too, how many labels an item has on average."""
    return Strategy(
        function.__name__,
        score=lambda c: function(c.proba, _cardinality(c)),
        function=function,
        needs=("probabilities", "labels"),
        serves="multi-label",
        when=when,
        paper="Li & Guo, IJCAI 2013",
    )


MULTILABEL = (
    _of_probabilities(
        mean_binary_entropy,
        when="several labels: doubt about all of them together",
        paper="Esuli & Sebastiani, ECIR 2009",
    ),
    _of_probabilities(
        max_binary_entropy,
        when="several labels: doubt about one of them is enough",
        paper="Esuli & Sebastiani, ECIR 2009",
    ),
    _of_probabilities(
        binary_minimum,
        when="several labels: the hardest yes or no",
        paper="Brinker, 2006",
    ),
    _of_probabilities(
        max_loss_reduction,
        when="several labels: predictions with most wrong ones expected",
        paper="Yang et al., KDD 2009",
    ),
    _of_probabilities(
        max_margin_uncertainty,
        when="several labels: where those given and not are close together",
        paper="Li & Guo, IJCAI 2013",
        beta=1.0,
    ),
    _of_cardinality(
        cardinality_inconsistency, when="several labels: items with unusually many or few"
    ),
    _of_cardinality(
        margin_cardinality, when="several labels: close calls with unusually many or few"
    ),
    _of_probabilities(
        mean_score,
        when="many rare labels: items that have the most of them",
        paper="Esuli & Sebastiani, ECIR 2009",
    ),
    _of_probabilities(
        max_score,
        when="rare labels: items that have one for sure",
        paper="Esuli & Sebastiani, ECIR 2009",
    ),
    Strategy(
        "multilabel_bald",
        score=lambda c: multilabel_bald(c.posterior),
        function=multilabel_bald,
        needs=("posterior",),
        serves="multi-label",
        when="noisy labels, several for an item: doubt that more of them can remove",
        paper="Houlsby et al., 2011; Kirsch et al., TMLR 2023",
    ),
)
