"""The strategies that come with the toolkit for items that may have several labels."""

from __future__ import annotations

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


MULTILABEL = (
    Strategy(
        "mean_binary_entropy",
        score=lambda c: mean_binary_entropy(c.proba),
        function=mean_binary_entropy,
        needs=("probabilities",),
        beta=SHARP,
        serves="multi-label",
        when="several labels: doubt about all of them together",
        paper="Esuli & Sebastiani, ECIR 2009",
    ),
    Strategy(
        "max_binary_entropy",
        score=lambda c: max_binary_entropy(c.proba),
        function=max_binary_entropy,
        needs=("probabilities",),
        beta=SHARP,
        serves="multi-label",
        when="several labels: doubt about one of them is enough",
        paper="Esuli & Sebastiani, ECIR 2009",
    ),
    Strategy(
        "binary_minimum",
        score=lambda c: binary_minimum(c.proba),
        function=binary_minimum,
        needs=("probabilities",),
        beta=SHARP,
        serves="multi-label",
        when="several labels: the hardest yes or no",
        paper="Brinker, 2006",
    ),
    Strategy(
        "max_loss_reduction",
        score=lambda c: max_loss_reduction(c.proba),
        function=max_loss_reduction,
        needs=("probabilities",),
        beta=SHARP,
        serves="multi-label",
        when="several labels: predictions with most wrong ones expected",
        paper="Yang et al., KDD 2009",
    ),
    Strategy(
        "max_margin_uncertainty",
        score=lambda c: max_margin_uncertainty(c.proba),
        function=max_margin_uncertainty,
        needs=("probabilities",),
        serves="multi-label",
        when="several labels: where those given and not are close together",
        paper="Li & Guo, IJCAI 2013",
    ),
    Strategy(
        "cardinality_inconsistency",
        score=lambda c: cardinality_inconsistency(c.proba, _cardinality(c)),
        function=cardinality_inconsistency,
        needs=("probabilities", "labels"),
        serves="multi-label",
        when="several labels: items with unusually many or few",
        paper="Li & Guo, IJCAI 2013",
    ),
    Strategy(
        "margin_cardinality",
        score=lambda c: margin_cardinality(c.proba, _cardinality(c)),
        function=margin_cardinality,
        needs=("probabilities", "labels"),
        serves="multi-label",
        when="several labels: close calls with unusually many or few",
        paper="Li & Guo, IJCAI 2013",
    ),
    Strategy(
        "mean_score",
        score=lambda c: mean_score(c.proba),
        function=mean_score,
        needs=("probabilities",),
        beta=SHARP,
        serves="multi-label",
        when="many rare labels: items that have the most of them",
        paper="Esuli & Sebastiani, ECIR 2009",
    ),
    Strategy(
        "max_score",
        score=lambda c: max_score(c.proba),
        function=max_score,
        needs=("probabilities",),
        beta=SHARP,
        serves="multi-label",
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
